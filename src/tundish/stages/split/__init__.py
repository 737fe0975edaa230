"""Leak-free train, val and test: groups that must stay together, and their balance.

`stage` is the entry; what ties images together is decided before, in dedup.
"""
