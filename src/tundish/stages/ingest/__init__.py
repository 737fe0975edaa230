"""Add new files of the sources to the store: images, labels, records, queries.

`stage` is the entry; of the content of a file nothing but its kind matters here.
"""
