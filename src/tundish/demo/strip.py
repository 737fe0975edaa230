"""Pictures of hot-rolled strip: rolling texture along x, and four kinds of defects with their boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tundish.demo.paint import Field, cloud, grain, line_mask, slide

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEIGHT", "WIDTH", "Box", "Coil", "coil_look", "paint_strip"]

WIDTH, HEIGHT = 640, 256

Box = tuple[str, int, int, int, int]
"""Class, then x, y, width and height in whole pixels, 0-based."""


@dataclass(frozen=True)
class Coil:
    """What all pictures of one coil share: lamp, rolls, finish."""

    level: float
    tilt: float
    bow: float
    streaks: Field
    roughness: float


def coil_look(rng: np.random.Generator) -> Coil:
    """Draw the look of one coil."""
    streaks = grain(rng, HEIGHT, 8, 3.0, 0.7)[:, :1] + 0.8 * cloud(rng, HEIGHT, 8, 9, 1)[:, :1]
    return Coil(
        rng.uniform(95, 150), rng.uniform(-0.12, 0.12), rng.uniform(0.05, 0.2), streaks, rng.uniform(2.5, 5)
    )


def paint_strip(rng: np.random.Generator, coil: Coil, classes: list[str]) -> tuple[Field, list[Box]]:
    """Paint one picture (levels 0 to 255) of a coil with a defect of each given class, if there is room."""
    picture = _sheet(rng, coil)
    taken = np.zeros((HEIGHT, WIDTH), dtype=bool)
    boxes: list[Box] = []
    for name in classes:
        for _ in range(6):
            share, mask = _DEFECTS[name](rng)
            ys, xs = np.nonzero(mask > 0.25)
            if len(xs) < 12:
                continue
            x, y, right, bottom = int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1
            if taken[y:bottom, x:right].any():
                continue
            taken[max(y - 4, 0) : bottom + 4, max(x - 4, 0) : right + 4] = True
            picture *= 1 + np.float32(share) * mask
            boxes.append((name, x, y, right - x, bottom - y))
            break
    picture += 1.6 * rng.standard_normal(picture.shape, dtype=np.float32)
    return picture, boxes


def _sheet(rng: np.random.Generator, coil: Coil) -> Field:
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    lamp = coil.level * (1 + coil.tilt * y - coil.bow * y * y)
    mottle = 0.035 * cloud(rng, HEIGHT, WIDTH, 3, 5) + 0.02 * cloud(rng, HEIGHT, WIDTH, 9, 12)
    drawn = 0.012 * cloud(rng, HEIGHT, WIDTH, HEIGHT // 2, 5) + 0.02 * coil.streaks
    texture = coil.roughness * (
        0.8 * grain(rng, HEIGHT, WIDTH, 2.2, 0.6) + 0.5 * cloud(rng, HEIGHT, WIDTH, 160, 40)
    )
    return np.asarray(lamp * (1 + mottle + drawn) + texture, dtype=np.float32)


def _scratch(rng: np.random.Generator) -> tuple[float, Field]:
    """Bright, thin, nearly along the strip, of varying depth."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    length, slope = rng.uniform(90, 380), rng.uniform(-0.18, 0.18)
    x0, y0 = rng.uniform(10, WIDTH - 100), rng.uniform(20, HEIGHT - 20)
    along = np.linspace(0, 1, 24)
    for line in range(int(rng.integers(1, 4))):
        x = x0 + along * length * rng.uniform(0.6, 1) + rng.uniform(0, 20)
        y = y0 + 7 * line + slope * length * along + np.cumsum(rng.normal(0, 0.5, 24))
        one = line_mask(HEIGHT, WIDTH, np.stack([x, y], axis=1), int(rng.integers(1, 3)), 0.6)
        depth = slide(cloud(rng, HEIGHT, WIDTH, 3, 22), -1.1, 0.4)
        mask = np.maximum(mask, one * depth)
    return rng.uniform(0.45, 1.0), mask


def _scale(rng: np.random.Generator) -> tuple[float, Field]:
    """Many small dark specks, rolled in and drawn out along the strip, in a loose cluster."""
    width, height = rng.uniform(60, 170), rng.uniform(30, 80)
    flock = _oval(rng, width, height, 0.35)
    specks = grain(rng, HEIGHT, WIDTH, 3.2, 1.3) + 0.6 * cloud(rng, HEIGHT, WIDTH, 24, 28)
    return -rng.uniform(0.3, 0.5), np.asarray(slide(specks + 1.5 * flock, 2.35, 3.0) * slide(flock, 0, 0.2))


def _inclusion(rng: np.random.Generator) -> tuple[float, Field]:
    """A few dark spindles in a row along the strip."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    x, y = rng.uniform(30, WIDTH - 120), rng.uniform(20, HEIGHT - 20)
    for _ in range(int(rng.integers(2, 6))):
        half_length, half_width = rng.uniform(7, 24), rng.uniform(1.4, 4)
        axes = (round(16 * half_length), round(16 * half_width))
        centre = (round(16 * x), round(16 * (y + rng.normal(0, 3))))
        cv2.ellipse(mask, centre, axes, rng.uniform(-4, 4), 0, 360, 255, -1, cv2.LINE_AA, 4)
        x += half_length * rng.uniform(1.2, 2.4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), sigmaX=2.4, sigmaY=0.8)
    ragged = soft * (0.85 + 0.25 * grain(rng, HEIGHT, WIDTH, 1.5, 0.8))
    return -rng.uniform(0.4, 0.65), np.asarray(np.clip(ragged, 0, 1), dtype=np.float32)


def _patch(rng: np.random.Generator) -> tuple[float, Field]:
    """A large dull area with a ragged edge."""
    oval = _oval(rng, rng.uniform(70, 180), rng.uniform(45, 110), 0.3)
    ragged = oval + 0.16 * cloud(rng, HEIGHT, WIDTH, 14, 24) + 0.08 * grain(rng, HEIGHT, WIDTH, 2.5, 1.2)
    body = 0.8 + 0.12 * cloud(rng, HEIGHT, WIDTH, 20, 30)
    return -rng.uniform(0.3, 0.55), np.asarray(
        np.clip(slide(ragged, 0.12, 0.5) * body, 0, 1), dtype=np.float32
    )


def _oval(rng: np.random.Generator, width: float, height: float, wobble: float) -> Field:
    """1 in the middle of an oval of this size somewhere on the strip, 0 at its edge, negative beyond."""
    x0 = rng.uniform(width / 2, WIDTH - width / 2)
    y0 = rng.uniform(height / 2, HEIGHT - height / 2)
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    radius = np.hypot((xs - x0) / (width / 2), (ys - y0) / (height / 2))
    return np.asarray(1 - radius + wobble * 0.4 * cloud(rng, HEIGHT, WIDTH, 6, 12), dtype=np.float32)


_DEFECTS: dict[str, Callable[[np.random.Generator], tuple[float, Field]]] = {
    "scratch": _scratch,
    "rolled-in_scale": _scale,
    "inclusion": _inclusion,
    "patch": _patch,
}
