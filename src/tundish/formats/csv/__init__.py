"""Labels in CSV files: runs of masks, boxes, and classes of whole images, each a format of its own.

What a file is, is found from its columns and rows, never from its name alone. Knows no disk and no stages.
"""
