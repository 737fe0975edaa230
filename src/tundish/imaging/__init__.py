"""Functions on arrays: hashes, similarity, geometry, measurements, augmentation.

Arrays in, arrays and numbers out; knows neither files nor tables.
"""
