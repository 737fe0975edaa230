"""Surfaces and the frames that are cut from them, for the tests of overlaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from tests.imaging.pictures import texture

from tundish.imaging.overlaps.features import LocalFeatures, describe_corners
from tundish.imaging.overlaps.find import find_overlaps
from tundish.imaging.overlaps.verify import detail_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tundish.imaging.overlaps.overlap import Overlap


def reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = detail_size(picture.shape[1], picture.shape[0])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def overlaps_of(pictures: Sequence[NDArray[np.uint8]], **options: Any) -> list[Overlap]:
    found = [describe_corners(picture) for picture in pictures]
    features = LocalFeatures._make(np.concatenate(column) for column in zip(*found, strict=True))
    owners = np.repeat(np.arange(len(found)), [len(one.numbers) for one in found])
    sizes = np.array([picture.shape[::-1] for picture in pictures])
    details = [reduced(picture) for picture in pictures]
    return find_overlaps(features, owners, sizes, details.__getitem__, **options)


def frames(seed: int, places: Sequence[tuple[int, int]], side: int = 200) -> list[NDArray[np.uint8]]:
    """Square frames of one surface, their top left corners at these places x, y."""
    far = max(max(place) for place in places)
    surface = texture(seed, far + side, far + side)
    return [np.ascontiguousarray(surface[y : y + side, x : x + side]) for x, y in places]


def jpeg(picture: NDArray[np.uint8], quality: int = 90) -> NDArray[np.uint8]:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    found = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert found is not None
    return found.astype(np.uint8, copy=False)


def turned(picture: NDArray[np.uint8], angle: float) -> NDArray[np.uint8]:
    """The picture turned clockwise around its centre."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, 1)
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101).astype(
        np.uint8, copy=False
    )


def scratched(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Dark steel with one bright upright scratch, whose grain and the steel's are faint."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 1.2) * 14
    across = np.exp(-(((np.arange(width) - width * 0.5) / 6) ** 2))
    found: NDArray[np.uint8] = np.clip(60 + grain + 130 * across, 0, 255).astype(np.uint8)
    return found
