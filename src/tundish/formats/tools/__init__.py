"""Readers of what annotation tools write: labelme, CVAT, VIA, CreateML, Supervisely.

Each file knows one tool; what they share (pages, shapes) knows none, and none of them touches a disk.
"""
