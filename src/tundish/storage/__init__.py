"""A dataset on disk: folders, typed tables, packed shards. A file is complete, or it does not exist.

Knows names, schemas and bytes; makes no decision about data.
"""
