"""Check images and labels by the Pandera models of the project.

`stage` is the entry; the formats read the labels, `rules` gives the verdicts.
"""
