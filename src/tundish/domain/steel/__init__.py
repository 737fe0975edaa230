"""Steel: chemistry, rolling, coils, tensile tests, and which piece came from which.

Takes numbers and Polars expressions; knows neither files nor tables.
"""
