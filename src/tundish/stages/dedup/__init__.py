"""Images that are the same picture: which file stays, and where copies are labelled differently.

`stage` decides; the pixels are compared in `imaging`.
"""
