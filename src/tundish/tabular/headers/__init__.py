"""What each column of a file means: alias tables, units in headers, the plan for a file.

Reads headers, not cells.
"""
