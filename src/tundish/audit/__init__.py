"""What became of every file, row and label: computed from the tables, so that the books close.

Knows the tables and the store; knows no stage, and prints nothing.
"""
