"""What trainers read: chosen rows and pictures, written through the formats.

`stage` is the entry; how a format looks inside is the formats' business.
"""
