"""Cells become values: numbers, times, flags, markers of missing values, rows that are not records.

Reads by a plan; does not know files.
"""
