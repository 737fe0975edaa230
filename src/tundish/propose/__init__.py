"""What `tundish add` finds out about a source, the recipes it writes, and what a new project starts from.

Looks at sources through formats and tabular; changes no dataset and runs no stage.
"""
