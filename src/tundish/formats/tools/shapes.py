"""Shapes as annotation tools draw them: boxes, rotated boxes, polygons, circles, ellipses, small masks."""

from __future__ import annotations

import base64
import binascii
import io
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from tundish.formats.reading.fault import Fault, shown
from tundish.formats.reading.text import fault_of_number, real, reals
from tundish.imaging.geometry import box_of_polygon, mask_of_polygon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Canvas",
    "Drawn",
    "box_between",
    "decode_base64",
    "ellipse",
    "mask_at",
    "mask_of_png",
    "mask_of_runs",
    "number",
    "numbers",
    "points_of",
    "polygon",
    "polygon_with_holes",
    "rotated_box",
    "unsupported",
]

Canvas = tuple[int, int]
"""Width and height (px) of the image that labels are drawn on, before it is turned."""

_Point = tuple[float, float]

_STEPS = 72
"""Vertices of the polygon that takes the place of a circle or an ellipse: its area is 0.13 % smaller."""

_MOST_BYTES = 1 << 26
"""Of an unpacked bitmap: nothing larger is a mask."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One shape in pixels of its canvas: a box (x, y, width, height), rings, or a mask of the canvas.

    `kind` 'class' is about the whole image. `notes` hold what was corrected.
    """

    kind: Literal["box", "polygon", "mask", "class"]
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    rings: list[list[float]] | None = None
    mask: NDArray[np.bool_] | None = None
    notes: tuple[Fault, ...] = ()


_JSON_NUMBERS: frozenset[type] = frozenset({int, float})


def number(value: object, column: str, *, text: bool = False) -> float:
    """A finite number; as text only where the format holds numbers as text.

    Raises:
        Fault: It is not a number, or not finite.
    """
    if isinstance(value, str) and not text:
        raise Fault("wrong_type", f"'{shown(value)[:40]}' is text, not a number", column, value)
    if value is None or value == "":
        raise Fault("missing_box", f"{column} is missing or empty", column)
    found = real(value)
    if found is None:
        raise Fault(*fault_of_number(value), column, value)
    return found


def numbers(entry: Mapping[str, object], *columns: str, text: bool = False) -> tuple[float, ...]:
    """Several numbers of an entry by their names.

    Raises:
        Fault: As `number`.
    """
    values = [entry.get(column) for column in columns]
    plain = reals(values) if text else reals(values, _JSON_NUMBERS)
    if plain is not None:
        return plain
    return tuple(number(value, column, text=text) for value, column in zip(values, columns, strict=True))


def points_of(points: object, column: str = "points") -> list[_Point]:
    """Points from a list of pairs.

    Raises:
        Fault: It is not a list of pairs of finite numbers.
    """
    if not isinstance(points, list):
        raise Fault("wrong_type", f"{column} is not a list of points", column, points)
    found = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise Fault("broken_polygon", "a point is not a pair of x and y", column, point)
        found.append((number(point[0], column), number(point[1], column)))
    return found


_NO_PLACE = frozenset(
    [
        *("point", "points", "point_3d", "keypoint", "keypoints"),
        *("line", "lines", "linestrip", "polyline"),
        *("cuboid", "cuboid_3d", "skeleton", "graph", "graphnodes"),
    ]
)
"""Kinds of shapes that no table of labels has a place for."""


def unsupported(kind: object) -> Fault:
    """The fault of a shape that has no place here, such as points and lines, or whose kind is not known."""
    if str(kind).lower() in _NO_PLACE:
        message = f"'{shown(kind)[:40]}' is neither a box, an outline nor a mask, and is not read"
        return Fault("unsupported_shape", message, "shape", kind)
    message = f"'{shown(kind)[:40]}' is not a kind of shape that is known, and is not read"
    return Fault("unknown_shape", message, "shape", kind)


_PLAIN = 1e9
"""px; a box whose corners are below this needs no second look."""


def box_between(first: _Point, last: _Point, *, ordered: bool = False) -> Drawn:
    """The box between two opposite corners; `ordered` where the first must be the upper left one."""
    (x0, y0), (x1, y1) = first, last
    if 0 <= x0 <= x1 < _PLAIN and 0 <= y0 <= y1 < _PLAIN:
        return Drawn("box", (x0, y0, x1 - x0, y1 - y0))
    notes: tuple[Fault, ...] = ()
    if ordered and (x1 < x0 or y1 < y0):
        message = "the corners were reversed and have been swapped"
        notes = (Fault("reversed_corners", message, "box", f"{x0:g} {y0:g} {x1:g} {y1:g}"),)
    x, y, width, height = min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)
    if not math.isfinite(x + y + width + height):
        raise Fault("not_finite", "the numbers are too large to add up", "box", f"{x0} {y0} {x1} {y1}")
    return Drawn("box", (x, y, width, height), notes=notes)


def rotated_box(box: Drawn, degrees: float) -> Drawn:
    """A box turned clockwise about its centre: a polygon of four corners; without a turn it stays a box."""
    if degrees % 360 == 0:
        return box
    x, y, width, height = box.box
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    turned = polygon(_turned(corners, (x + width / 2, y + height / 2), math.radians(degrees)))
    return Drawn("polygon", turned.box, turned.rings, notes=box.notes)


def polygon(points: Sequence[_Point]) -> Drawn:
    """A polygon of one ring.

    Raises:
        Fault: It has fewer than three points, or numbers too large.
    """
    if len(points) < 3:
        message = f"a polygon has at least three points, this one {len(points)}"
        raise Fault("broken_polygon", message, "points", list(points))
    ring = [value for point in points for value in point]
    box = box_of_polygon([ring])
    if box is None or not math.isfinite(sum(map(abs, ring)) + sum(box)):
        raise Fault("not_finite", "the numbers are too large to add up", "points", ring)
    return Drawn("polygon", box, [ring])


def ellipse(centre: _Point, radii: _Point, radians: float = 0.0) -> Drawn:
    """An ellipse, turned clockwise, as a polygon of 72 vertices on it; the axes' ends are among them.

    Raises:
        Fault: A radius is negative, or numbers are too large.
    """
    if min(radii) < 0:
        raise Fault("negative_size", "a radius is negative", "radius", f"{radii[0]:g} {radii[1]:g}")
    angles = (2 * math.pi * step / _STEPS for step in range(_STEPS))
    rim = [
        (centre[0] + radii[0] * math.cos(angle), centre[1] + radii[1] * math.sin(angle)) for angle in angles
    ]
    return polygon(_turned(rim, centre, radians) if radians else rim)


def _turned(points: Sequence[_Point], centre: _Point, radians: float) -> list[_Point]:
    cos, sin = math.cos(radians), math.sin(radians)
    cx, cy = centre
    return [(cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos) for x, y in points]


def polygon_with_holes(outer: Sequence[_Point], holes: Sequence[Sequence[_Point]], canvas: Canvas) -> Drawn:
    """A polygon with holes as a mask of its canvas; without holes it stays a polygon."""
    whole = polygon(outer)
    if not holes or whole.rings is None:
        return whole
    mask = mask_of_polygon(whole.rings, *canvas).astype(bool)
    for hole in holes:
        rings = polygon(hole).rings
        assert rings is not None
        mask &= ~mask_of_polygon(rings, *canvas).astype(bool)
    return _mask(mask)


def mask_at(cells: NDArray[np.bool_], left: float, top: float, canvas: Canvas) -> Drawn:
    """A small mask (height, width) at a place of its canvas.

    Raises:
        Fault: The place is not whole pixels, the mask leaves the canvas, or shows nothing.
    """
    height, width = cells.shape
    if left != int(left) or top != int(top):
        raise Fault("broken_mask", "the mask does not begin at whole pixels", "mask", f"{left:g} {top:g}")
    x, y = int(left), int(top)
    if x < 0 or y < 0 or x + width > canvas[0] or y + height > canvas[1]:
        where = f"{width}x{height} at {left:g}, {top:g}"
        message = f"the mask ({where}) leaves its image of {canvas[0]}x{canvas[1]} pixels"
        raise Fault("size_mismatch", message, "mask", where)
    mask = np.zeros(canvas[::-1], bool)
    mask[y : y + height, x : x + width] = cells
    return _mask(mask)


def _mask(mask: NDArray[np.bool_]) -> Drawn:
    if not mask.any():
        raise Fault("empty_mask", "the mask has no pixel", "mask")
    return Drawn("mask", mask=mask)


def mask_of_runs(runs: Sequence[int], width: int, height: int, canvas: Canvas) -> NDArray[np.bool_]:
    """A mask from run lengths row by row, the first of the background.

    Raises:
        Fault: The runs are negative or for another size, or the mask is larger than its canvas.
    """
    if not (0 < width <= canvas[0] and 0 < height <= canvas[1]):
        message = (
            f"the mask of {width}x{height} is empty, or larger than its image of {canvas[0]}x{canvas[1]}"
        )
        raise Fault("size_mismatch", message, "mask", f"{width}x{height}")
    total = sum(runs)
    if min(runs, default=0) < 0 or total != width * height:
        message = f"the runs cover {shown(total)[:20]} pixels, the mask has {width}x{height}"
        raise Fault("broken_mask", message, "rle", total)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)


def decode_base64(text: object, column: str, *, packed: bool = False) -> bytes:
    """Bytes from base64 text; `packed` where zlib was used too.

    Raises:
        Fault: It is not such text, or unpacks to more than any mask needs.
    """
    if not isinstance(text, str):
        raise Fault("wrong_type", f"{column} is not text", column, text)
    try:
        data = base64.b64decode(text, validate=True)
        if not packed:
            return data
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(data, _MOST_BYTES)
    except (ValueError, binascii.Error, zlib.error) as error:
        message = f"not readable as base64{' of zlib' if packed else ''}: {error}"
        raise Fault("broken_mask", message, column, text[:40]) from error
    if not unpacker.eof:
        raise Fault("broken_mask", "the bitmap is cut short, or absurdly large", column, text[:40])
    return data


def mask_of_png(data: bytes, canvas: Canvas, column: str) -> NDArray[np.bool_]:
    """The mask (height, width) in a PNG: where it is opaque, or not 0 where it has no transparency.

    Raises:
        Fault: It is not a PNG, or larger than its canvas.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
            width, height = opened.size
            if width > canvas[0] or height > canvas[1]:
                message = f"the mask of {width}x{height} is larger than its image of {canvas[0]}x{canvas[1]}"
                raise Fault("size_mismatch", message, column, f"{width}x{height}")
            if opened.mode in ("RGBA", "LA", "PA"):
                cells = np.asarray(opened.getchannel("A"))
            elif opened.mode in ("RGB", "P") or "transparency" in opened.info:
                cells = np.asarray(opened.convert("RGBA"))
                cells = cells[..., 3] if "transparency" in opened.info else cells[..., :3].max(axis=2)
            else:
                cells = np.asarray(opened)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, zlib.error) as error:
        raise Fault("broken_mask", f"not readable as PNG: {error}", column) from error
    return cells > 0
