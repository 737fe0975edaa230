"""Label Studio's answers: regions to labels in px of the upright image, and its JSON exports as a format.

The bridge to a server reads answers with the same functions; nothing here talks to a server or knows tables.
"""
