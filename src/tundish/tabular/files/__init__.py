"""Files cut into cells: delimited text, workbooks, columnar files; encodings and header rows.

Nobody here asks what a column means.
"""
