"""The Python side of every command: what the command line does, for notebooks and schedulers.

Functions return frozen dataclasses and print nothing; `import tundish` offers them all. Knows no Click.
"""
