"""Labels of several formats in one source: which reader takes which file, and equal labels once.

It knows readers and labels, not which formats there are.
"""
