"""Coal: bases of reporting, calorific value, rank, sampling.

Takes numbers and Polars expressions; knows no files and no tables.
"""
