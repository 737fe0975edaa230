"""Files cut into cells: delimited text, workbooks, columnar files; encodings and header rows.

Does not know what a column means.
"""
