"""The geometry of a COCO annotation: bbox, segmentation and key points, checked and in the upright frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.rle import compressed_counts, size_of
from tundish.formats.reading.text import fault_of_number, real
from tundish.formats.reading.upright import means_stored, turn_box, turn_mask, turn_polygon
from tundish.imaging.geometry import box_of_counts, box_of_polygon, counts_of_mask, mask_of_counts

if TYPE_CHECKING:
    from tundish.formats.base import ImageRef

__all__ = ["CocoShape", "read_shape"]

_TRIANGLE = 6
"""Numbers of the smallest ring: fewer points enclose nothing, and trainers fail on them."""

_Box = tuple[float, float, float, float]


class CocoShape(NamedTuple):
    """What an annotation draws: a box, rings of a polygon, or compressed counts of a mask.

    `short_rings` is how many rings of under three points were left out.
    """

    kind: Literal["box", "polygon", "mask"]
    box: _Box
    rings: list[list[float]] | None = None
    counts: str | None = None
    short_rings: int = 0


def read_shape(
    entry: dict[str, Any], image: ImageRef, *, stored: bool, attributes: dict[str, object]
) -> CocoShape:
    """The shape of an annotation; `stored` says that it is drawn on the image before EXIF turns it.

    Key points among the attributes are turned with the rest. The box is the file's own; where it states none,
    that of the segmentation.

    Raises:
        Fault: The geometry is missing, of a wrong type, not finite or of negative size.
    """
    segmentation = entry.get("segmentation")
    if stored and "keypoints" in attributes:
        attributes["keypoints"] = _turned_points(image, attributes["keypoints"])
    if isinstance(segmentation, dict) and segmentation:
        return _mask(entry, segmentation, image, stored=stored)
    drawn = _rings(segmentation) if segmentation else []
    rings = [ring for ring in drawn if len(ring) >= _TRIANGLE]
    short = len(drawn) - len(rings)
    if not rings:
        derived = box_of_polygon(drawn) if drawn and not entry.get("bbox") else None
        if stored and derived is not None:
            derived = turn_box(image, derived)
        return CocoShape("box", _box(entry, image, stored=stored, derived=derived), short_rings=short)
    if stored:
        rings = turn_polygon(image, rings)
    derived = None if entry.get("bbox") and not stored else box_of_polygon(rings)
    return CocoShape("polygon", _box(entry, image, stored=stored, derived=derived), rings, short_rings=short)


def _mask(entry: dict[str, Any], rle: dict[str, Any], image: ImageRef, *, stored: bool) -> CocoShape:
    width, height = size_of(rle)
    counts = compressed_counts(rle)
    if means_stored(image, width, height):
        mask = turn_mask(image, mask_of_counts(counts, width, height))
        counts = counts_of_mask(mask)
        stored = True
    elif (width, height) != (image.width, image.height):
        message = f"the mask is {width}x{height}, its image {image.width}x{image.height}"
        raise Fault("size_mismatch", message, "segmentation.size", f"{width}x{height}")
    derived = None
    if stored or not entry.get("bbox"):
        derived = box_of_counts(counts, image.width, image.height) or (0.0, 0.0, 0.0, 0.0)
    return CocoShape("mask", _box(entry, image, stored=stored, derived=derived), counts=counts)


def _box(entry: dict[str, Any], image: ImageRef, *, stored: bool, derived: _Box | None) -> _Box:
    box = entry.get("bbox")
    if derived is not None and not box:
        return derived
    try:
        x, y, width, height = box  # type: ignore[misc]  # anything else is what the except is for
        good = math.isfinite(x + y + width + height) and width >= 0 and height >= 0 and type(box) is list
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise _fault_of_box(box)
    return turn_box(image, (x, y, width, height)) if stored else (x, y, width, height)


def _fault_of_box(box: object) -> Fault:
    if not isinstance(box, list) or len(box) != 4:
        message = "bbox is not a list of four numbers, and it has no segmentation"
        return Fault("missing_box", message, "bbox", box)
    bad = _first_bad(box)
    if bad is not None:
        return bad
    return Fault("negative_size", "the size of the box is negative, or too large to add up", "bbox", box)


def _first_bad(values: list[object], column: str = "bbox") -> Fault | None:
    """The fault of the first value that is not a finite number."""
    for value in values:
        if isinstance(value, str) and real(value) is not None:
            return Fault("wrong_type", f"'{value}' is text, not a number", column, values)
        if real(value) is None:
            return Fault(*fault_of_number(value), column, values)
    return None


def _rings(segmentation: object) -> list[list[float]]:
    if not isinstance(segmentation, list):
        raise Fault(
            "wrong_type", "segmentation is neither a list nor an object", "segmentation", segmentation
        )
    if isinstance(segmentation[0], (int, float)):
        segmentation = [segmentation]  # one ring that is not wrapped in a list
    rings = [ring for ring in segmentation if ring != []]
    for ring in rings:
        if not isinstance(ring, list) or len(ring) % 2:
            raise Fault("broken_polygon", "a ring is not a list of x, y, x, y, ...", "segmentation", ring)
        try:
            finite = math.isfinite(sum(ring))
        except (TypeError, OverflowError):
            finite = False
        if not finite:
            message = "the numbers are too large to add up"
            raise _first_bad(ring, "segmentation") or Fault("not_finite", message, "segmentation", ring)
    return rings


def _turned_points(image: ImageRef, points: object) -> object:
    """COCO key points x, y, v; a point that is not labelled (v 0) stays at 0, 0."""
    if not isinstance(points, list) or len(points) % 3 or any(real(value) is None for value in points):
        return points
    turned: list[float] = []
    for x, y, seen in zip(points[::3], points[1::3], points[2::3], strict=True):
        (moved,) = turn_polygon(image, [[x, y]])
        turned += [*(moved if seen else (x, y)), seen]
    return turned
