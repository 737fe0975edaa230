"""Pictures as they are compared: facts in memory, thumbnails and corners in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tundish.imaging.framehash import THUMBNAIL_SIDE
from tundish.imaging.overlaps.features import FEATURE_BYTES, unpack_features
from tundish.imaging.overlaps.verify import detail_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from tundish.imaging.measure import Measurement
    from tundish.imaging.overlaps.features import LocalFeatures

__all__ = ["Kept", "Picture", "picture_of"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One image file.

    Attributes:
        path: Relative to the export, POSIX.
        split: 'train', 'val' or 'test'; empty where none is stated.
        camera: Its folder, without what only says its split.
        digest: SHA-256 of its bytes.
        width: Width of the upright image, px.
        height: Height of the upright image, px.
        orientation: EXIF orientation of the file.
        captured_at: EXIF time, by the clock of the camera.
        gray_hash: As in `Measurement`.
        hashes: Hashes of the frame with their codes, as `similarity.find_copies` takes them.
    """

    path: str
    split: str
    camera: str
    digest: bytes
    width: int
    height: int
    orientation: int
    captured_at: datetime | None
    gray_hash: bytes
    hashes: tuple[tuple[bytes, int], ...]


def picture_of(path: str, split: str, camera: str, digest: bytes, measured: Measurement) -> Picture:
    """The facts of a measured image."""
    others = zip(measured.other_hashes, measured.other_codes, strict=True)
    return Picture(
        path,
        split,
        camera,
        digest,
        measured.width,
        measured.height,
        measured.orientation,
        measured.captured_at,
        measured.gray_hash,
        ((measured.frame_hash, measured.frame_code), *others),
    )


class Kept:
    """Thumbnails, corners and reduced pictures by number, in a file: many would fill the memory.

    Args:
        file: An open file for them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._handle = file.fileno()
        self._end = 0
        self._places: list[tuple[int, int, int, int]] = []

    def add(self, measured: Measurement) -> None:
        """Keep what the next picture is compared by."""
        data = measured.thumbnail + measured.corners + measured.detail
        os.pwrite(self._handle, data, self._end)
        self._places.append((self._end, len(measured.corners), measured.width, measured.height))
        self._end += len(data)

    def thumbnails(self, numbers: Sequence[int]) -> NDArray[np.uint8]:
        """The (k, 96, 96) thumbnails of k pictures."""
        size = THUMBNAIL_SIDE**2
        data = b"".join(os.pread(self._handle, size, self._places[number][0]) for number in numbers)
        return np.frombuffer(data, np.uint8).reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)

    def corners(self, numbers: Sequence[int]) -> tuple[LocalFeatures, NDArray[np.int64]]:
        """The corners of pictures, and the place of each one's picture among the numbers."""
        packed = []
        for number in numbers:
            start, size, _, _ = self._places[number]
            packed.append(os.pread(self._handle, size, start + THUMBNAIL_SIDE**2))
        owners = np.repeat(np.arange(len(packed)), [len(one) // FEATURE_BYTES for one in packed])
        return unpack_features(b"".join(packed)), owners

    def sizes(self, numbers: Sequence[int]) -> NDArray[np.int64]:
        """(k, 2), width and height of k upright pictures, px."""
        return np.array([self._places[number][2:] for number in numbers], np.int64).reshape(-1, 2)

    def detail(self, number: int) -> NDArray[np.uint8]:
        """The gray picture, reduced to its `detail_size`."""
        start, corners, *size = self._places[number]
        width, height = detail_size(*size)
        data = os.pread(self._handle, width * height, start + THUMBNAIL_SIDE**2 + corners)
        return np.frombuffer(data, np.uint8).reshape(height, width)
