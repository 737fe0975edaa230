"""What a table nobody described holds: names, units, types, keys and the evidence for each.

Cells and headers in, facts out; writes no schema and knows no recipe.
"""
