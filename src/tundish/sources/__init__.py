"""Where files come from: folders, zips and tars as one sequence of entries.

Knows bytes and names; knows no format, no table and no recipe.
"""
