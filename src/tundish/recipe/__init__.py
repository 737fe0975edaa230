"""The recipe: what to do with a dataset, in one short YAML file.

Models of its sections and the sentences for what they may not say; knows no dataset's data.
"""
