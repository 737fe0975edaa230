"""Find pictures that show in part the same surface: crops, shifted frames, strips that overlap, small turns.

Arrays in, arrays out, in four steps: local features, their nearest neighbours, votes for a transform, and a
check of the pixels block by block.
"""
