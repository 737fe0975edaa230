"""Convert labels to Label Studio's regions and back: boxes, polygons, brushes.

Coordinates are px of the upright image; nothing here talks to a server.
"""
