"""Derived images, each reproducible from its plan.

``plan`` draws every random number; ``apply`` draws none. Whatever their order in the recipe, operations act
in the order of a camera: geometry (flip, rotate, scale, shift, perspective, in the recipe's order, fused into
one warp), motion, light (exposure and gamma, fused into one table), the noise of the sensor, and last what
hides the view (cutout). Beyond its border an image is mirrored; labels (see ``augment_labels``) are not.

Images are uint8 or uint16 arrays of shape (height, width), (height, width, 3) or (height, width, 4); the
fourth channel is alpha, which moves with the picture and is not changed by light, noise or cutout.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache, partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tundish.imaging.geometry import pixel_matrix
from tundish.imaging.operations import Operation, Step, draw, parse_operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.imaging.geometry import Floats

__all__ = ["Image", "Plan", "apply", "generator", "parse_operations", "plan", "warp"]

Image = NDArray[Any]

_NOISE_BLOCK = 1 << 16
"""Levels that get their noise in one step: few enough to stay in the cache of a core."""

_TWELVE_BITS = 4095

_GEOMETRY = frozenset({"flip", "rotate", "scale", "shift", "perspective"})


@dataclass(frozen=True)
class Plan:
    """The operations on one image of one size, with their numbers drawn."""

    width: int
    height: int
    steps: tuple[Step, ...]

    @property
    def operation(self) -> str:
        """The operations by name, such as ``flip+rotate``."""
        return "+".join(step["op"] for step in self.steps)

    def to_json(self) -> str:
        """The plan as one line of JSON, which ``from_json`` reads."""
        return json.dumps(
            {"width": self.width, "height": self.height, "steps": self.steps}, separators=(",", ":")
        )

    @staticmethod
    def from_json(text: str) -> Plan:
        """Read the plan that ``to_json`` wrote."""
        read = json.loads(text)
        return Plan(read["width"], read["height"], tuple(read["steps"]))

    def chosen(self, name: str) -> list[Step]:
        """The steps of one operation, in order."""
        return [step for step in self.steps if step["op"] == name]

    def matrix(self) -> Floats:
        """All geometry as one 3x3 homography of the continuous frame (see ``geometry``)."""
        matrix = np.eye(3)
        for step in self.steps:
            if step["op"] in _GEOMETRY:
                matrix = _matrix(step, self.width, self.height) @ matrix
        return matrix


def generator(seed: int | str, image_id: str, copy: int) -> np.random.Generator:
    """Make the random numbers of one copy of one image: the same on any machine, in any order."""
    digest = hashlib.sha256(f"{seed}:{image_id}:{copy}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def plan(operations: Sequence[Operation], width: int, height: int, rng: np.random.Generator) -> Plan:
    """Draw the operations that happen, and their numbers.

    Where chance picks none, one is picked at random: an image equal to its parent would only be a duplicate.
    """
    steps = [draw(operation, rng, width, height) for operation in operations if rng.random() < operation.p]
    if operations and not steps:
        steps = [draw(operations[int(len(operations) * rng.random())], rng, width, height)]
    return Plan(width, height, tuple(steps))


def apply(plan: Plan, image: Image) -> Image:
    """Apply the plan to an image of its size; the image is not changed, and returned where nothing is done.

    Raises:
        ValueError: The image has another size than the plan, or is neither uint8 nor uint16.
    """
    if image.shape[:2] != (plan.height, plan.width) or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"a plan for {plan.width}x{plan.height} px of uint8 or uint16, "
            f"but the image is {image.shape} of {image.dtype}"
        )
    top = _top_level(image)
    result = warp(plan, image)
    for step in plan.chosen("motion_blur"):
        kernel = _line_kernel(step["length"], step["degrees"])
        result = cv2.filter2D(result, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    tones = [step for step in plan.steps if step["op"] in ("exposure", "gamma")]
    if tones:
        result = _with_tones(result, tones, top)
    for step in plan.chosen("noise"):
        result = _with_noise(result, step["sigma"], step["seed"], top)
    for step in plan.chosen("cutout"):
        result = result.copy() if result is image else result
        for x, y, width, height in step["boxes"]:
            result[y : y + height, x : x + width, ...][..., :3] = 0
    return result


def warp(plan: Plan, image: Image, *, mask: bool = False) -> Image:
    """Apply only the plan's geometry; a mask is sampled at the nearest pixel and empty beyond its border."""
    steps = [step for step in plan.steps if step["op"] in _GEOMETRY]
    if all(step["op"] == "flip" for step in steps):
        return _flip(image, steps)
    flags = cv2.INTER_NEAREST if mask else cv2.INTER_LINEAR
    border = cv2.BORDER_CONSTANT if mask else cv2.BORDER_REFLECT_101
    matrix, size = pixel_matrix(plan.matrix()), (plan.width, plan.height)
    if any(step["op"] == "perspective" for step in steps):
        return cv2.warpPerspective(image, matrix, size, flags=flags, borderMode=border)
    return cv2.warpAffine(image, matrix[:2], size, flags=flags, borderMode=border)


def _matrix(step: Step, width: int, height: int) -> Floats:
    if step["op"] == "flip":
        return np.array(_mirror(step["axis"], width, height), dtype=np.float64)
    if step["op"] == "shift":
        return np.array([[1, 0, step["x"] * width], [0, 1, step["y"] * height], [0, 0, 1]], dtype=np.float64)
    if step["op"] == "perspective":
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        moved = corners + np.array(step["corners"], dtype=np.float32).reshape(4, 2) * (width, height)
        return np.asarray(cv2.getPerspectiveTransform(corners, moved.astype(np.float32)), dtype=np.float64)
    angle, factor = math.radians(step.get("degrees", 0)), step.get("factor", 1)
    cos, sin = factor * math.cos(angle), factor * math.sin(angle)
    x, y = width / 2, height / 2
    return np.array([[cos, -sin, x - cos * x + sin * y], [sin, cos, y - sin * x - cos * y], [0, 0, 1]])


def _mirror(axis: str, width: int, height: int) -> list[list[int]]:
    across, down = axis in ("horizontal", "both"), axis in ("vertical", "both")
    return [
        [-1 if across else 1, 0, width if across else 0],
        [0, -1 if down else 1, height if down else 0],
        [0, 0, 1],
    ]


def _flip(image: Image, flips: list[Step]) -> Image:
    across = sum(step["axis"] in ("horizontal", "both") for step in flips) % 2
    down = sum(step["axis"] in ("vertical", "both") for step in flips) % 2
    if across and down:
        return cv2.flip(image, -1)
    if across or down:
        return cv2.flip(image, across)
    return image


def _line_kernel(length: float, degrees: float) -> NDArray[np.float32]:
    """A line of this length through the middle pixel, its weight distributed over the pixels it passes."""
    reach = math.ceil((length - 1) / 2)
    along = np.linspace(-(length - 1) / 2, (length - 1) / 2, 8 * reach + 1)
    angle = math.radians(degrees)
    x, y = reach + along * math.cos(angle), reach + along * math.sin(angle)
    grid = np.arange(2 * reach + 1)[:, None]
    across = np.maximum(1 - np.abs(grid - x), 0)
    down = np.maximum(1 - np.abs(grid - y), 0)
    kernel = down @ across.T
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _top_level(image: Image) -> int:
    """The brightest level that the camera can write: 255, 65535, or 4095 where none of 16 bits is above it.

    Industrial cameras put 12 bits into 16, as `to_gray8` has it too.
    """
    if image.dtype == np.uint8:
        return 255
    seen = image if image.ndim == 2 else image[..., :3]
    return _TWELVE_BITS if int(seen.max(initial=0)) <= _TWELVE_BITS else 65535


def _with_tones(image: Image, tones: list[Step], top: int) -> Image:
    level = np.arange(top + 1) / top
    for step in tones:
        level = (
            level * step["factor"] if step["op"] == "exposure" else np.clip(level, 0, 1) ** step["exponent"]
        )
    table = np.rint(np.clip(level, 0, 1) * top).astype(image.dtype)
    alpha = image.ndim == 3 and image.shape[2] == 4
    if image.dtype == np.uint8:
        columns = [table, table, table, np.arange(256, dtype=np.uint8)] if alpha else [table]
        return cv2.LUT(image, np.stack(columns, axis=1)[None])
    toned = table[np.minimum(image, top)]
    if alpha:
        toned[..., 3] = image[..., 3]
    return np.asarray(toned)


@lru_cache(maxsize=1)
def _quantiles() -> Floats:
    """256 equally likely values of mean 0 and variance 1/2: the sum of two is nearly Gaussian."""
    values = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
    return np.asarray(values / values.std() * math.sqrt(0.5), dtype=np.float64)


def _with_noise(image: Image, sigma: float, seed: int, top: int) -> Image:
    """Add Gaussian noise made of random bytes sent through a table: several times faster than drawing it.

    The bytes come from a bit generator's raw stream, which NumPy promises never to change (NEP 19).
    """
    bits = np.random.SFC64(seed)
    add = _add_to_bytes if image.dtype == np.uint8 else partial(_add_to_words, top=top)
    noisy = np.empty(image.shape, dtype=image.dtype)
    source, target = np.ascontiguousarray(image).reshape(-1), noisy.reshape(-1)
    for start in range(0, image.size, _NOISE_BLOCK):
        part = source[start : start + _NOISE_BLOCK]
        raw = bits.random_raw(-(-part.size // 4)).astype("<u8", copy=False).view(np.uint8)
        add(part, raw[: 2 * part.size].reshape(2, -1), sigma, target[start : start + _NOISE_BLOCK])
    if image.ndim == 3 and image.shape[2] == 4:
        noisy[..., 3] = image[..., 3]
    return noisy


def _add_to_bytes(part: Image, raw: NDArray[np.uint8], sigma: float, out: Image) -> None:
    # Two bytes of at most 126 in the finest unit that allows it: their sum is a byte, 126 means no noise.
    unit = _quantiles()[-1] / 63
    table = (np.rint(_quantiles() / unit) + 63).astype(np.uint8)
    cv2.LUT(raw, table, dst=raw)
    cv2.add(raw[0], raw[1], dst=raw[0])
    cv2.addWeighted(part, 1, raw[0], 255 * sigma * unit, -126 * 255 * sigma * unit, dst=out)


def _add_to_words(part: Image, raw: NDArray[np.uint8], sigma: float, out: Image, *, top: int) -> None:
    table = (_quantiles() * (top * sigma)).astype(np.float32)
    added = cv2.LUT(raw, table)
    cv2.add(part, added[0] + added[1], dst=out, dtype=cv2.CV_16U)
    if top < 65535:
        np.minimum(out, top, out=out)
