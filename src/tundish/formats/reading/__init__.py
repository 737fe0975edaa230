"""What the readers of label formats share: faults, matching of names, text, XML, run lengths, upright frames.

Knows no single format and no disk.
"""
