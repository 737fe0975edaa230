"""Labels made by people: who is asked what, where, and how far the answers can be trusted.

Knows tables, recipe, formats and imaging; knows neither stages nor the command line.
"""
