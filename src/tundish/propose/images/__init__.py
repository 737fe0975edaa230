"""What a source of images is: its formats, given splits, versions, targets, and what nothing reads.

It knows nothing of tables of records, and writes nothing.
"""
