"""Derived training images, with their labels and lineage.

`stage` decides what is made; `shard` makes one shard and runs anywhere, also on a cluster.
"""
