"""YOLO as one format: its reader and its writer."""

from __future__ import annotations

from tundish.formats.base import Format
from tundish.formats.frames import nothing_drawn
from tundish.formats.yolo.places import OPTIONS
from tundish.formats.yolo.read import Yolo
from tundish.formats.yolo.write import YoloWriter

__all__ = ["FORMAT"]

FORMAT = Format(
    "yolo",
    "YOLO detection and segmentation: Ultralytics, Darknet and split-folder layouts",
    reader=Yolo(),
    writer=YoloWriter(),
    options={
        "names": "class names by number, a key of the source",
        "rows": "what rows of seven numbers are where the numbers leave it open: 'polygon', or 'track' (a box"
        " with a confidence and the number of its track)",
        **OPTIONS,
    },
    nothing=nothing_drawn,
    lost="to detect, polygons and masks become their boxes; to segment, several rings are joined into one, "
    "and masks and crowds are left out and counted; unlabelled images, scores, authors and attributes; sets "
    "without boxes, polygons and masks are not written",
    evidence="text files named as an image, with rows of numbers; lists of class names by what they hold",
    reads="boxes, polygons, oriented boxes; confidence as score, track as attribute",
    reports="confidences and tracks, numbers without a name, rows that no YOLO format has, given splits",
)
