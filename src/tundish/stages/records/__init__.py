"""Read and judge tables of records, one table per kind.

`stage` is the entry; cells are read in `tabular`, rules are checked in `rules`.
"""
