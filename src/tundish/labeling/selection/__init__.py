"""Which images are worth labelling next: strategies, the facts they weigh, and a dataset's selection.

Features and tables in, a ranked list of images out; knows no server.
"""
