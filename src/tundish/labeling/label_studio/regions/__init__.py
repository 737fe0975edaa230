"""Labels as Label Studio's regions, and regions as labels: boxes, polygons, brushes.

Converts values in px of the upright image; talks to no server.
"""
