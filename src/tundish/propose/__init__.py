"""What `tundish add` finds out about a source, and the recipe it proposes.

Looks at sources through formats and tabular; changes no dataset and runs no stage.
"""
