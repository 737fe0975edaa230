"""Leak-free train, val and test: groups that must stay together, and their balance.

`stage` is the entry; which images are copies is decided before, in dedup.
"""
