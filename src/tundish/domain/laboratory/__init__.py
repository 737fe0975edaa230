"""The laboratory: repeatability limits, replicate determinations, rounding, specification limits.

Takes numbers and Polars expressions, of steel and coal alike; knows neither files nor tables.
"""
