"""Boxes, polygons, masks and the 3x3 matrices that move them.

One frame is used throughout: x to the right, y down, in pixels, 0-based and continuous. Pixel (i, j) is the
square from (i, j) to (i + 1, j + 1), so an image is the rectangle from (0, 0) to (width, height) and a mirror
moves x to ``width - x``. OpenCV's warps count from pixel *centres* instead; ``pixel_matrix`` converts.

A box is (x, y, width, height), half-open; boxes are float64 arrays of shape (n, 4). A ring is a flat
``[x0, y0, x1, y1, ...]`` and a polygon is a list of rings whose areas are united, as in COCO. A mask is a
uint8 array (height, width) of 0 and 1, or the compressed ``counts`` string of COCO's run-length encoding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pycocotools.mask
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Floats",
    "area_of_boxes",
    "area_of_counts",
    "area_of_polygon",
    "areas_of_counts",
    "box_of_counts",
    "box_of_polygon",
    "clip_boxes",
    "clip_polygon",
    "counts_of_mask",
    "mask_of_counts",
    "mask_of_polygon",
    "orient_boxes",
    "orient_polygon",
    "orientation_matrix",
    "oriented_size",
    "pixel_matrix",
    "transform_boxes",
    "transform_points",
    "transform_polygon",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.uint8]
Polygon = Sequence[Sequence[float]]

_MASKS_A_CALL = 255

NEGLIGIBLE_AREA = 1e-6
"""px²: the remainder of a shape that only touches the image is smaller than this after clipping."""

_EXIF = {
    1: ((1, 0, 0), (0, 1, 0)),
    2: ((-1, 0, 1), (0, 1, 0)),
    3: ((-1, 0, 1), (0, -1, 1)),
    4: ((1, 0, 0), (0, -1, 1)),
    5: ((0, 1, 0), (1, 0, 0)),
    6: ((0, -1, 1), (1, 0, 0)),
    7: ((0, -1, 1), (-1, 0, 1)),
    8: ((0, 1, 0), (-1, 0, 1)),
}
"""EXIF orientation: upright (x, y) from stored (x, y), and whether the upright width or height is added."""


def transform_points(matrix: ArrayLike, points: ArrayLike) -> Floats:
    """Transform points (n, 2) by a 3x3 homography of the continuous frame.

    Points must lie on the visible side of the horizon (positive third coordinate), which every point of an
    image does under the matrices of ``augment``.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    moved = points @ matrix[:2, :2].T + matrix[:2, 2]
    if matrix[2, 0] == 0 and matrix[2, 1] == 0:
        return np.asarray(moved / matrix[2, 2], dtype=np.float64)
    return np.asarray(moved / (points @ matrix[2, :2] + matrix[2, 2])[:, None], dtype=np.float64)


def transform_boxes(matrix: ArrayLike, boxes: ArrayLike) -> Floats:
    """Transform boxes (n, 4) by a 3x3 homography: the bounding boxes of their four moved corners."""
    corners = transform_points(matrix, _corners(boxes)).reshape(-1, 4, 2)
    low, high = corners.min(axis=1, initial=np.inf), corners.max(axis=1, initial=-np.inf)
    return np.concatenate([low, high - low], axis=1)


def transform_polygon(matrix: ArrayLike, polygon: Polygon) -> list[list[float]]:
    """Transform every vertex of a polygon by a 3x3 homography; straight edges stay straight."""
    return [transform_points(matrix, ring).ravel().tolist() for ring in polygon]


def pixel_matrix(matrix: ArrayLike) -> Floats:
    """The matrix for ``cv2.warpAffine`` and ``warpPerspective``, which count from pixel centres."""
    to_centre, to_corner = np.eye(3), np.eye(3)
    to_centre[:2, 2], to_corner[:2, 2] = -0.5, 0.5
    return np.asarray(to_centre @ np.asarray(matrix, dtype=np.float64) @ to_corner, dtype=np.float64)


def clip_boxes(boxes: ArrayLike, width: float, height: float) -> Floats:
    """Clip boxes (n, 4) to the image; a box outside it keeps a zero width or height at the nearest edge."""
    boxes = _boxes(boxes)
    limit = np.array([width, height], dtype=np.float64)
    low = np.clip(boxes[:, :2], 0, limit)
    high = np.clip(boxes[:, :2] + boxes[:, 2:], 0, limit)
    return np.concatenate([low, np.maximum(high - low, 0)], axis=1)


def clip_polygon(polygon: Polygon, width: float, height: float) -> list[list[float]]:
    """Clip a polygon to the image; the parts of a concave ring become rings, degenerate ones are dropped.

    A ring that crosses itself is read by the even-odd rule, as rasterisers do.
    """
    kept: list[list[float]] = []
    for flat in polygon:
        points = np.asarray(flat, dtype=np.float64).reshape(-1, 2)
        rings: list[Floats] = [points]
        if len(points) and (points.min() < 0 or (points.max(axis=0) > (width, height)).any()):
            for axis, sign, bound in ((0, 1.0, 0.0), (0, -1.0, -width), (1, 1.0, 0.0), (1, -1.0, -height)):
                rings = [part for ring in rings for part in _cut(ring, axis, sign, bound)]
        rings = [ring for ring in rings if _ring_area(ring) > NEGLIGIBLE_AREA]
        kept += [_without_repeats(ring).ravel().tolist() for ring in rings]
    return kept


def area_of_boxes(boxes: ArrayLike) -> Floats:
    """Areas (n,) of boxes (n, 4), px²."""
    return np.asarray(_boxes(boxes)[:, 2:].prod(axis=1), dtype=np.float64)


def area_of_polygon(polygon: Polygon) -> float:
    """Area of a polygon, px², by the shoelace formula; rings must not overlap."""
    return sum(_ring_area(np.asarray(ring, dtype=np.float64).reshape(-1, 2)) for ring in polygon)


def area_of_counts(counts: str, width: int, height: int) -> int:
    """Pixels set in a COCO run-length mask."""
    return int(pycocotools.mask.area(_as_rle(counts, width, height)))


def areas_of_counts(masks: Sequence[tuple[str, int, int]]) -> NDArray[np.int64]:
    """Pixels set (n,) in each of n COCO run-length masks, given as (counts, width, height).

    pycocotools 2.0.11 numbers the masks of one call in eight bits, and raises from 256 on.
    """
    parts = [pycocotools.mask.area([_as_rle(*mask) for mask in some]) for some in _batched(masks)]
    return np.asarray(np.concatenate([np.zeros(0), *parts]), dtype=np.int64)


_FEW = 64
"""Numbers of a ring that is short."""


def _is_short(ring: Sequence[float]) -> bool:
    return 0 < len(ring) <= _FEW and len(ring) % 2 == 0 and math.isfinite(sum(ring))


def box_of_polygon(polygon: Polygon) -> tuple[float, float, float, float] | None:
    """Bounding box of a polygon, or None where it has no vertex."""
    if len(polygon) == 1 and _is_short(ring := polygon[0]):  # ten times as fast as with arrays
        x, y = ring[::2], ring[1::2]
        near, upper = float(min(x)), float(min(y))
        return near, upper, float(max(x)) - near, float(max(y)) - upper
    points = [np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in polygon if len(ring)]
    if not points:
        return None
    stacked = np.concatenate(points)
    (left, top), (right, bottom) = stacked.min(axis=0).tolist(), stacked.max(axis=0).tolist()
    return left, top, right - left, bottom - top


def box_of_counts(counts: str, width: int, height: int) -> tuple[float, float, float, float] | None:
    """Bounding box of a COCO run-length mask, or None where no pixel is set."""
    x, y, box_width, box_height = pycocotools.mask.toBbox(_as_rle(counts, width, height)).tolist()
    return (x, y, box_width, box_height) if box_width > 0 and box_height > 0 else None


def counts_of_mask(mask: NDArray[np.uint8] | NDArray[np.bool_]) -> str:
    """Compressed COCO counts of a mask (height, width)."""
    return str(pycocotools.mask.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"], "ascii")


def mask_of_counts(counts: str, width: int, height: int) -> Mask:
    """Decode compressed COCO counts to a mask (height, width); ValueError where they are malformed."""
    return np.ascontiguousarray(pycocotools.mask.decode(_as_rle(counts, width, height)), dtype=np.uint8)


def mask_of_polygon(polygon: Polygon, width: int, height: int) -> Mask:
    """Rasterise a polygon by the rules of COCO, so that areas agree with those that trainers compute."""
    rings = [list(ring) for ring in polygon if len(ring) >= 6]
    if not rings:
        return np.zeros((height, width), dtype=np.uint8)
    merged = pycocotools.mask.merge(pycocotools.mask.frPyObjects(rings, height, width))
    return np.ascontiguousarray(pycocotools.mask.decode(merged), dtype=np.uint8)


def orientation_matrix(orientation: int, width: int, height: int) -> Floats:
    """Matrix from the stored frame of an image to its upright frame (EXIF 2.32, tag 0x0112).

    ``width`` and ``height`` are those of the stored image. ValueError unless orientation is 1 to 8.
    """
    if orientation not in _EXIF:
        raise ValueError(f"EXIF orientation is 1 to 8, not {orientation}")
    upright = oriented_size(orientation, width, height)
    matrix = np.eye(3)
    for row, (from_x, from_y, added) in enumerate(_EXIF[orientation]):
        matrix[row] = from_x, from_y, added * upright[row]
    return matrix


def oriented_size(orientation: int, width: int, height: int) -> tuple[int, int]:
    """Width and height of the upright image for those of the stored one."""
    return (height, width) if orientation >= 5 else (width, height)


def orient_boxes(boxes: ArrayLike, orientation: int, width: int, height: int) -> Floats:
    """Boxes (n, 4) of the stored frame (width, height) in the upright frame."""
    return transform_boxes(orientation_matrix(orientation, width, height), boxes)


def orient_polygon(polygon: Polygon, orientation: int, width: int, height: int) -> list[list[float]]:
    """A polygon of the stored frame (width, height) in the upright frame."""
    return transform_polygon(orientation_matrix(orientation, width, height), polygon)


def _boxes(boxes: ArrayLike) -> Floats:
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def _corners(boxes: ArrayLike) -> Floats:
    """Corners (n, 4, 2), clockwise from the top left."""
    boxes = _boxes(boxes)
    steps = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float64)
    return np.asarray(boxes[:, None, :2] + steps * boxes[:, None, 2:], dtype=np.float64)


def _as_rle(counts: str, width: int, height: int) -> dict[str, object]:
    return {"size": [height, width], "counts": counts.encode("ascii")}


def _batched(masks: Sequence[tuple[str, int, int]]) -> list[Sequence[tuple[str, int, int]]]:
    return [masks[at : at + _MASKS_A_CALL] for at in range(0, len(masks), _MASKS_A_CALL)]


def _without_repeats(ring: Floats) -> Floats:
    return np.asarray(ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)], dtype=np.float64)


def _ring_area(points: Floats) -> float:
    if len(points) < 3:
        return 0.0
    # Relative to the first vertex: far from the origin the products would absorb small differences.
    x, y = (points - points[0]).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _cut(ring: Floats, axis: int, sign: float, bound: float) -> list[Floats]:
    """Parts of a ring in the half-plane ``sign * coordinate >= bound``.

    The ring is a chain of stretches inside the half-plane, each with both ends on its border. Sorted along
    the border, the ends 0-1, 2-3, ... bound the inside of the ring there (even-odd): joining them closes the
    parts.
    """
    distance = sign * ring[:, axis] - bound
    inside = distance >= 0
    if inside.all():
        return [ring]
    if not inside.any():
        return []
    stretches = _stretches(ring, distance, axis, sign * bound)
    ends = [end[1 - axis] for stretch in stretches for end in (stretch[0], stretch[-1])]
    order = np.argsort(np.array(ends), kind="stable").tolist()
    partner = {order[i ^ 1]: end for i, end in enumerate(order)}
    return _join(stretches, partner)


def _stretches(ring: Floats, distance: Floats, axis: int, border: float) -> list[Floats]:
    """The stretches of a ring inside a half-plane, with the points where they cross its border."""
    following = np.roll(ring, -1, axis=0)
    ahead = np.roll(distance, -1)
    inside = distance >= 0
    crossing = inside != np.roll(inside, -1)
    share = np.divide(distance, distance - ahead, out=np.zeros_like(distance), where=crossing)
    crossed = ring + share[:, None] * (following - ring)
    crossed[:, axis] = border
    leaves = np.flatnonzero(crossing & inside)
    enters = np.flatnonzero(crossing & ~inside)
    if leaves[0] < enters[0]:
        leaves = np.roll(leaves, -1)
    count = len(ring)
    return [
        np.concatenate([crossed[[i]], ring[np.arange(i + 1, j + 1 + count * (j < i)) % count], crossed[[j]]])
        for i, j in zip(enters.tolist(), leaves.tolist(), strict=True)
    ]


def _join(stretches: list[Floats], partner: dict[int, int]) -> list[Floats]:
    """Close stretches into rings; end 2k is the first point of stretch k, end 2k + 1 its last."""
    rings: list[Floats] = []
    left = set(range(len(stretches)))
    while left:
        entry = 2 * min(left)
        parts: list[Floats] = []
        while entry // 2 in left:
            left.remove(entry // 2)
            stretch = stretches[entry // 2]
            parts.append(stretch if entry % 2 == 0 else stretch[::-1])
            entry = partner[entry ^ 1]
        rings.append(np.concatenate(parts))
    return rings
