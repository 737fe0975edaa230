"""Pictures of a coal belt seen from above: lumps, and sometimes an anchor rod or a piece of wood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tundish.demo.paint import cloud, grain, line_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SIDE", "Belt", "Box", "belt_look", "paint_belt"]

SIDE = 416

Box = tuple[int, float, float, float, float]
"""Class number, then x, y, width and height, px, 0-based."""

Colour = tuple[float, float, float]

_BITS = 4


@dataclass(frozen=True)
class Belt:
    """What the pictures of one sequence share: light, load and the place of the belt in the picture."""

    light: float
    tint: Colour
    left: float
    right: float
    load: float
    lump: float


def belt_look(rng: np.random.Generator) -> Belt:
    """Draw the look of one sequence."""
    warm = rng.uniform(-0.08, 0.08)
    return Belt(
        light=rng.uniform(0.75, 1.25),
        tint=(1 - warm, 1.0, 1 + warm),
        left=rng.uniform(30, 70),
        right=rng.uniform(346, 386),
        load=rng.uniform(0.45, 1.0),
        lump=rng.uniform(0.8, 1.3),
    )


def paint_belt(
    rng: np.random.Generator, belt: Belt, classes: list[int]
) -> tuple[NDArray[np.float32], list[Box]]:
    """Paint one picture (416, 416, 3), BGR levels 0 to 255, with a foreign object of each given class."""
    picture = _rubber(rng, belt)
    lumps = _lumps(rng, belt)
    half = len(lumps) * 4 // 5
    for lump in lumps[:half]:
        _draw_lump(rng, picture, *lump)
    boxes: list[Box] = []
    for number in classes:
        outline, colour = (_rod if number == 0 else _plank)(rng, belt)
        if any(_overlap(_box(number, outline), box) for box in boxes):
            continue
        _lay(rng, picture, outline, colour)
        boxes.append(_box(number, outline))
    # A few lumps fall later and hide parts of the objects.
    for x, y, size in lumps[half:]:
        if (
            not any(bx - 4 < x < bx + w + 4 and by - 4 < y < by + h + 4 for _, bx, by, w, h in boxes)
            or size < 9
        ):
            _draw_lump(rng, picture, x, y, size)
    return _lit(rng, belt, picture), boxes


def _rubber(rng: np.random.Generator, belt: Belt) -> NDArray[np.float32]:
    wear = 34 + 5 * cloud(rng, SIDE, SIDE, 2, 60) + 4 * cloud(rng, SIDE, SIDE, 5, 5)
    xs = np.arange(SIDE, dtype=np.float32)
    outside = (xs < belt.left) | (xs > belt.right)
    frame = 20 + 6 * cloud(rng, SIDE, SIDE, 6, 6)
    gray = np.where(outside[None], frame, wear)
    for edge in (belt.left, belt.right):
        gray += 38 * np.exp(-(((xs - edge) / 2.2) ** 2))[None]
    # Fines: more of them in the middle, in drifts.
    middle, reach = (belt.left + belt.right) / 2, (belt.right - belt.left) / 2
    drift = belt.load * (1.1 - np.abs(xs - middle) / reach)[None] + 0.25 * cloud(rng, SIDE, SIDE, 7, 7)
    fines = grain(rng, SIDE, SIDE, 1.3, 1.1) + 0.5 * grain(rng, SIDE, SIDE, 3, 2.5)
    gray += 9 * np.clip(drift, 0, 1) * ~outside[None] * fines
    return np.repeat(gray[..., None], 3, axis=2).astype(np.float32)


def _lumps(rng: np.random.Generator, belt: Belt) -> list[tuple[float, float, float]]:
    """Centres and sizes, the small ones first: large lumps ride on top."""
    count = int(380 * belt.load)
    sizes = np.sort(np.clip(belt.lump * rng.lognormal(1.9, 0.5, count), 3, 42))
    middle, reach = (belt.left + belt.right) / 2, (belt.right - belt.left) / 2
    xs = middle + np.clip(rng.normal(0, 0.42, count), -0.85, 0.85) * reach
    ys = rng.uniform(-10, SIDE + 10, count)
    return list(zip(xs.tolist(), ys.tolist(), sizes.tolist(), strict=True))


def _draw_lump(
    rng: np.random.Generator, picture: NDArray[np.float32], x: float, y: float, size: float
) -> None:
    """A broken lump: a ragged outline, a shadow to the lower right, bright and dark facets."""
    corners = int(rng.integers(6, 10))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radii = size * rng.uniform(0.65, 1.1, corners)
    outline = np.stack([x + radii * np.cos(angles), y + 0.9 * radii * np.sin(angles)], axis=1)
    _fill(picture, outline + 0.16 * size + 1, (9, 9, 10))
    base = rng.uniform(30, 62)
    if size < 8:
        _fill(picture, outline, (1.06 * base, base, 0.97 * base))
        return
    top = np.array([x - 0.2 * size, y - 0.2 * size]) + rng.normal(0, 0.15 * size, 2)
    following = np.roll(outline, -1, axis=0)
    facing = (outline + following) / 2 - top
    slope = -(facing @ (1, 1.2)) / (np.hypot(*facing.T) + 1e-6)
    gleam = np.where(rng.random(corners) < 0.03, rng.uniform(40, 110, corners), 0)
    levels = base * (1 + 0.42 * slope) + rng.normal(0, 4, corners) + gleam
    facets = np.stack([np.broadcast_to(top, outline.shape), outline, following], axis=1)
    for facet, level in zip(_to_fixed_point(facets), levels.tolist(), strict=True):
        cv2.fillConvexPoly(picture, facet, (1.06 * level, level, 0.97 * level), cv2.LINE_8, _BITS)


def _rod(rng: np.random.Generator, belt: Belt) -> tuple[NDArray[np.float64], Colour]:
    """An anchor rod: long, thin, slightly bent."""
    length, width = rng.uniform(120, 250), rng.uniform(3.2, 5.5)
    return _bar(rng, belt, length, width, rng.uniform(-14, 14)), (104, 112, 120)


def _plank(rng: np.random.Generator, belt: Belt) -> tuple[NDArray[np.float64], Colour]:
    """A piece of timber."""
    length, width = rng.uniform(60, 150), rng.uniform(12, 24)
    return _bar(rng, belt, length, width, 0), (58, 80, 100)


def _bar(
    rng: np.random.Generator, belt: Belt, length: float, width: float, bend: float
) -> NDArray[np.float64]:
    """Outline (n, 2) of a bar somewhere on the belt."""
    angle = rng.uniform(0, np.pi)
    along = np.linspace(-0.5, 0.5, 13)
    offset = bend * (0.25 - along**2) * 4
    axis, normal = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    reach = np.abs(length / 2 * axis) + 14
    x = (
        rng.uniform(belt.left + reach[0], belt.right - reach[0])
        if 2 * reach[0] < belt.right - belt.left
        else 208
    )
    y = rng.uniform(reach[1], SIDE - reach[1])
    middle = np.array([x, y]) + along[:, None] * length * axis + offset[:, None] * normal
    outline = np.concatenate([middle + width / 2 * normal, (middle - width / 2 * normal)[::-1]])
    return np.asarray(np.clip(outline, 1, SIDE - 1), dtype=np.float64)


def _lay(
    rng: np.random.Generator, picture: NDArray[np.float32], outline: NDArray[np.float64], colour: Colour
) -> None:
    """Draw a bar with its shadow, its grain and a bright edge towards the lamp."""
    _fill(picture, outline + 3.0, (8, 8, 9))
    left, top = np.floor(outline.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(outline.max(axis=0)).astype(int).tolist()
    height, width = bottom - top, right - left
    mask = np.zeros((height, width), dtype=np.float32)
    _fill(mask, outline - (left, top), 1.0)
    half = len(outline) // 2
    middle = (outline[:half] + outline[half:][::-1]) / 2 - (left, top)
    along, across = middle[-1] - middle[0]
    turn = cv2.getRotationMatrix2D((150, 150), -float(np.degrees(np.arctan2(across, along))), 1)
    fibres = cv2.warpAffine(
        grain(rng, 300, 300, 14, 0.9), turn, (width, height), borderMode=cv2.BORDER_REFLECT
    )
    body = np.clip(1 + 0.13 * fibres + 0.06 * cloud(rng, height, width, 9, 9), 0.4, 1.7)
    shine = 0.5 * line_mask(height, width, middle - 0.8, 1, 0.6)
    painted = ((body + shine)[..., None] * colour).astype(np.float32)
    part = picture[top:bottom, left:right]
    part += mask[..., None] * (painted - part)


def _lit(rng: np.random.Generator, belt: Belt, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light the picture: brighter in the middle, slightly smeared by the moving belt, with sensor noise."""
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigmaX=0.55, sigmaY=0.9), dtype=np.float32)
    ys, xs = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    lamp = belt.light * (1.45 - 0.45 * (xs**2 + 0.7 * ys**2))
    picture *= lamp[..., None] * np.array(belt.tint, dtype=np.float32)
    picture += 2.4 * rng.standard_normal((SIDE, SIDE, 1), dtype=np.float32)
    return picture


def _fill(picture: NDArray[np.float32], outline: NDArray[np.float64], colour: Colour | float) -> None:
    cv2.fillPoly(picture, [_to_fixed_point(outline)], colour, lineType=cv2.LINE_8, shift=_BITS)


def _to_fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points for the drawing functions of OpenCV: integers with fractional bits."""
    return np.asarray(np.rint(points * 2**_BITS), dtype=np.int32)


def _box(number: int, outline: NDArray[np.float64]) -> Box:
    (left, top), (right, bottom) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    return number, left, top, right - left, bottom - top


def _overlap(first: Box, second: Box) -> bool:
    (_, x, y, width, height), (_, u, v, wide, high) = first, second
    return x < u + wide and u < x + width and y < v + high and v < y + height
