"""What the reader of workbooks does not report: number formats, errors, hidden rows, 1904 dates.

One module for each kind of container. They know nothing of tables, headers or records.
"""
