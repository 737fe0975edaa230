"""Labels drawn on the image as it is stored, turned to the upright image.

A label file that states the image's size shows which of the two it means, where width and height differ and
the EXIF orientation swaps them (5 to 8). All else is taken to mean the upright image, as viewers show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tundish.formats.reading.fault import Fault
from tundish.imaging.geometry import orient_boxes, orient_polygon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tundish.formats.base import ImageRef

__all__ = ["box_fits", "frame_of_stated_size", "means_stored", "turn_box", "turn_mask", "turn_polygon"]

_Cell = TypeVar("_Cell", bound=np.generic)


def means_stored(image: ImageRef, width: float, height: float) -> bool:
    """Whether a label file that states this size was drawn on the stored, unturned image."""
    return (
        image.orientation >= 5
        and (width, height) == (image.height, image.width)
        and image.width != image.height
    )


def frame_of_stated_size(
    image: ImageRef, width: float, height: float, name: str, column: str
) -> tuple[bool, Fault | None]:
    """The frame of labels by the image size that their file states, and what to report of that size.

    Args:
        image: The image that was found.
        width: The width that the file states, px.
        height: The height that the file states, px.
        name: What the report calls the image.
        column: Where the file states the size.

    Returns:
        Whether the labels are drawn on the stored image; and the fault where the size is not the image's.
    """
    if means_stored(image, width, height):
        return True, None
    if (width, height) == (image.width, image.height):
        return False, None
    stated = f"{width:g}x{height:g}"
    message = f"labels of {name} were drawn on {stated} pixels, it has {image.width}x{image.height}"
    return False, Fault("size_mismatch", message, column, stated)


def box_fits(box: object, image: ImageRef, *, stored: bool) -> bool:
    """Whether a box (x, y, width, height) lies inside the image: the stored one, or the upright one."""
    width, height = _stored(image) if stored else (image.width, image.height)
    try:
        x, y, box_width, box_height = map(float, box)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return False
    inside = x >= -1 and y >= -1 and x + box_width <= width + 1 and y + box_height <= height + 1
    return bool(inside)


def turn_box(image: ImageRef, box: Sequence[float]) -> tuple[float, float, float, float]:
    """A box (x, y, width, height) of the stored image in the upright one."""
    turned = orient_boxes([list(box)], image.orientation, *_stored(image))
    x, y, width, height = turned[0].tolist()
    return x, y, width, height


def turn_polygon(image: ImageRef, rings: Sequence[Sequence[float]]) -> list[list[float]]:
    """Rings of the stored image in the upright one."""
    return orient_polygon(rings, image.orientation, *_stored(image))


def turn_mask(image: ImageRef, mask: NDArray[_Cell]) -> NDArray[_Cell]:
    """A mask (height, width) of the stored image in the upright one."""
    if image.orientation in (5, 6, 7, 8):
        mask = mask.T
    flip_x = image.orientation in (2, 3, 6, 7)
    flip_y = image.orientation in (3, 4, 7, 8)
    return mask[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _stored(image: ImageRef) -> tuple[int, int]:
    return (image.height, image.width) if image.orientation >= 5 else (image.width, image.height)
