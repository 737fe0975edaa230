"""What is given beside images and is not a label: the split they came with, and tables about them.

Knows listings, bytes and catalogues of images, as the formats do; knows no disk and no stages.
"""
