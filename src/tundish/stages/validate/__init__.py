"""Images and labels held against the Pandera models of the project.

`stage` is the entry; the formats read the labels, `rules` gives the verdicts.
"""
