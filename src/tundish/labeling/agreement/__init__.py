"""How well annotators agree: overlaps, matching, coefficients, and their confidence intervals.

Frames of labels in, coefficients out; nothing here talks to a server.
"""
