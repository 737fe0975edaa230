"""Which images are worth labelling next: strategies, and the facts about images that they weigh.

Features and tables in, a ranked list of images out; talks to no server.
"""
