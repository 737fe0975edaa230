"""Tables of records read, judged and joined into one table a kind.

`stage` is the entry; cells are read in `tabular`, rules held in `rules`.
"""
