"""Images that are the same picture: which file is kept, and where copies are labelled differently.

`stage` decides; the pixels are compared in `imaging`.
"""
