"""Decide which labels count where several people answered: merging, disputes, adjudications.

Frames of labels in, decisions out; only `renewal` compares them with the server's tasks.
"""
