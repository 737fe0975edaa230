"""The names that Tundish's projects in Label Studio use: controls by shape, the picture, the severity."""

from __future__ import annotations

from typing import Literal

__all__ = ["ADJUDICATION", "CONTROLS", "IMAGE", "SEVERITY", "Shape"]

Shape = Literal["box", "polygon", "mask", "class"]
"""The shapes of the annotations table."""

IMAGE = "image"
"""Name of the picture's tag, and of the task's field that holds the picture's address."""

SEVERITY = "severity"
"""Name of the control that rates the severity of the image as a whole."""

CONTROLS: dict[Shape, str] = {"box": "box", "polygon": "polygon", "mask": "brush", "class": "choice"}
"""Name of the control that draws each shape."""

ADJUDICATION = "adjudication"
"""Purpose of a task, in its field ``purpose``, that settles what annotators dispute."""
