"""YOLO and Darknet text labels: reading, the lists of class names, writing.

Turns bytes into labels and back; knows no disk and no other format.
"""
