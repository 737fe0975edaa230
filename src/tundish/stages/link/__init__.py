"""The records that belong to each image: by key, genealogy, time or position.

`stage` is the entry; the arithmetic of genealogy and clocks is in `domain`.
"""
