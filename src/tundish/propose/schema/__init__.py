"""A schema for a table that no model of the project fits: surveyed, named, written as a start, compared.

Works on one file and the texts it would write; writes nothing itself and runs no stage.
"""
