"""Cells become values: numbers, times, flags, markers of missing values, rows that are no records.

Reads by a plan; knows no files.
"""
