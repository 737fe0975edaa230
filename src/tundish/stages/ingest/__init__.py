"""New files of the sources into the store: images, labels, records, queries.

`stage` is the entry; nothing here looks into a file further than its kind.
"""
