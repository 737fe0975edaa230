"""Where files come from: folders, zips and tars as one sequence of entries.

Knows bytes and names; knows neither formats nor tables nor recipes.
"""
