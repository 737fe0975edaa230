"""Coal: bases of reporting, calorific value, rank, sampling.

Takes numbers and Polars expressions; knows neither files nor tables.
"""
