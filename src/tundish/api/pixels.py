"""Pixels, masks and drawings of samples, as a notebook wants them."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from tundish.gallery.picture import shown
from tundish.imaging.files.decode import decode
from tundish.imaging.geometry import mask_of_counts, mask_of_polygon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Box = tuple[float, float, float, float]
    Shape = tuple[str, Box, Sequence[NDArray[np.float64]]]

__all__ = ["drawing", "mask_of", "rgb_of", "rings_of"]

_COLOURS = ("#d81b60", "#1e88e5", "#ffc107", "#004d40", "#8e24aa", "#f4511e")
_WIDEST = 640
"""Width of a drawing, px of the screen."""


def rgb_of(data: bytes, max_pixels: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The pixels of an image file: gray (h, w) or RGB (h, w, 3), uint8 or uint16, upright.

    Raises:
        BadImage: The bytes do not hold an image that can be decoded.
    """
    image = decode(data, max_pixels=max_pixels)
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., 2::-1])


def rings_of(segmentation: Sequence[Sequence[float]] | None) -> tuple[NDArray[np.float64], ...]:
    """Rings x0, y0, x1, y1, ... as arrays (n, 2)."""
    return tuple(np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in segmentation or ())


def mask_of(
    box: Box,
    rings: Sequence[NDArray[np.float64]],
    counts: str | None,
    height: int,
    width: int,
) -> NDArray[np.bool_]:
    """The pixels of a label, bool (h, w): of its mask, else of its polygon, else of its box.

    Args:
        box: x, y, width, height, px.
        rings: Rings of the polygon, each (n, 2), px.
        counts: Run lengths of the mask, as COCO compresses them.
        height: Height of the image, px.
        width: Width of the image, px.
    """
    if counts is not None:
        return mask_of_counts(counts, width, height).astype(bool)
    if not rings:
        x, y, wide, high = box
        corners = [[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]]
        rings = (np.asarray(corners, dtype=np.float64),)
    return mask_of_polygon([ring.ravel().tolist() for ring in rings], width, height).astype(bool)


def drawing(data: bytes, size: tuple[int, int], shapes: Sequence[Shape]) -> str:
    """The picture with its labels drawn, as HTML; the tooltips name the classes.

    Args:
        data: Bytes of the image file.
        size: Height and width of the upright image, px.
        shapes: Name, box (x, y, width, height) and rings (n, 2) of each label, px.
    """
    height, width = size
    picture = shown(data)
    address = f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"
    names = sorted({name for name, _, _ in shapes})
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
    drawn = "".join(_shape(name, box, rings, colours[name]) for name, box, rings in shapes)
    return (
        "<svg xmlns='http://www.w3.org/2000/svg'"
        f" viewBox='0 0 {width} {height}' width='{min(width, _WIDEST)}'>"
        f"<image href='{address}' width='{width}' height='{height}'/>{drawn}</svg>"
    )


def _shape(name: str, box: Box, rings: Sequence[NDArray[np.float64]], colour: str) -> str:
    style = f"fill='none' stroke='{colour}' stroke-width='2' vector-effect='non-scaling-stroke'"
    title = f"<title>{escape(name)}</title>"
    if rings:
        path = " ".join("M " + " L ".join(f"{x:g},{y:g}" for x, y in ring.tolist()) + " Z" for ring in rings)
        return f"<path d='{path}' {style}>{title}</path>"
    x, y, width, height = box
    return f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' {style}>{title}</rect>"
