"""Where a dataset lies on disk: folders, typed tables, packed shards; files are there whole or not at all.

Knows names, schemas and bytes; decides nothing about data.
"""
