"""Files that may be labels and that no reader took: what suggests it, by what they hold.

It knows which files look like labels and why, not what a source or a recipe is.
"""
