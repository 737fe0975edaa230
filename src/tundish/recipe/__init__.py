"""The recipe: what to do with a dataset, in one short YAML file.

Models of its sections, and the sentences for invalid ones; does not know the data of a dataset.
"""
