"""The use cases of labelling, from the tables of a dataset to the server and back: one module each.

They join what the other folders of labelling offer; they know neither the command line nor how a result is
printed: progress is a callable, and sentences worth reading are returned.
"""
