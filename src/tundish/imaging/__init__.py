"""Functions on arrays: hashes, similarity, geometry, measurements, augmentation.

Arrays in, arrays and numbers out; knows no files and no tables.
"""
