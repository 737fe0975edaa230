"""COCO: detection of its files, reading, writing, and the shapes its segmentations may take.

Turns bytes into labels and back; knows no disk and no other format.
"""
