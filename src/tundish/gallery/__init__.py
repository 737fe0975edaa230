"""The pictures of a dataset in a form that browsers show, and the server for them.

Reads the shards of the store; knows neither stages nor Label Studio.
"""
