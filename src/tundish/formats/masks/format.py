"""The masks format as the registry finds it."""

from __future__ import annotations

from tundish.formats.base import Format
from tundish.formats.masks.read import Masks

__all__ = ["FORMAT"]

FORMAT = Format(
    "masks",
    "an image and a mask image whose values are classes",
    reader=Masks(),
    options={
        "folder": "name of the folders of masks",
        "suffix": "how the stems of masks end",
        "masks": "which files are masks, such as 'Ground truth/*', '*_mask' or '*.png': the star is the"
        " image's stem, or what both begin with: 'gt/*_gt > *_rgb'; several with '|' between them",
        "omit": "which pictures are neither images nor masks, as `masks`",
        "threshold": "gray value from which a pixel is foreground",
        "negative": "folders whose images have no mark, with '|' between them",
        "class": "'folder': the folder of an image names the class of its mask",
        "names": "class names by value, a key of the source",
    },
    evidence="pairs of pictures whose names share a stem, or their beginning: neighbouring pixels are "
    "equal in a mask, and differ in a photograph",
    reads="a mask for each value or colour; `negative` folders; soft edges by a threshold",
    reports="masks of another size, soft edges, border pixels, pictures that draw the same labels again",
)
