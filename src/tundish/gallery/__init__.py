"""The pictures of a dataset as a browser can show them, and the server that hands them out.

Reads the store's shards; knows neither stages nor Label Studio.
"""
