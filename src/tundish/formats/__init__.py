"""Label formats: one file or folder each, to read it and to write it.

A format turns bytes into labels and labels into bytes; it knows no disk, no stage and no recipe.
"""
