"""Corners and reduced pictures of many pictures in a file, and the overlaps among some of them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tundish.imaging.overlaps.features import FEATURE_BYTES, unpack_features
from tundish.imaging.overlaps.find import find_overlaps
from tundish.imaging.overlaps.verify import detail_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from tundish.imaging.overlaps.overlap import Overlap

__all__ = ["StoredPictures", "order_by_name", "sequences_by_name"]


class StoredPictures:
    """What pictures are compared by, in a file: of 100,000 it would fill a gigabyte of memory.

    Args:
        file: An open file for it, used by nothing else.
        count: The number of pictures, which are numbered from 0.
    """

    def __init__(self, file: BinaryIO, count: int) -> None:
        self._handle = file.fileno()
        self._end = 0
        # Where the corners begin, their bytes, width and height of the upright picture.
        self._facts = np.zeros((count, 4), np.int64)

    def put(self, number: int, corners: bytes, detail: bytes, size: tuple[int, int]) -> None:
        """Keep a picture: its packed corners, its reduced gray pixels, its width and height, px."""
        os.pwrite(self._handle, corners + detail, self._end)
        self._facts[number] = self._end, len(corners), *size
        self._end += len(corners) + len(detail)

    def find(
        self,
        numbers: NDArray[np.int64],
        sequences: Sequence[NDArray[np.int64]],
        progress: Callable[[int, int], None],
    ) -> list[Overlap]:
        """The overlaps among some of the pictures, by their numbers.

        Args:
            numbers: The pictures that are compared, ascending.
            sequences: As for `find_overlaps`, by their places among the numbers.
            progress: As for `find_overlaps`.
        """
        facts = self._facts[numbers]
        packed = [os.pread(self._handle, int(size), int(start)) for start, size, _, _ in facts]
        owners = np.repeat(np.arange(len(numbers)), facts[:, 1] // FEATURE_BYTES)
        found = find_overlaps(
            unpack_features(b"".join(packed)),
            owners,
            facts[:, 2:],
            lambda place: self._detail(int(numbers[place])),
            sequences=sequences,
            threads=os.cpu_count() or 1,
            progress=progress,
        )
        return [replace(one, first=int(numbers[one.first]), second=int(numbers[one.second])) for one in found]

    def _detail(self, number: int) -> NDArray[np.uint8]:
        start, corners, *size = self._facts[number].tolist()
        width, height = detail_size(*size)
        data = os.pread(self._handle, width * height, start + corners)
        return np.frombuffer(data, np.uint8).reshape(height, width)


def sequences_by_name(pictures: Iterable[tuple[str, str]]) -> list[NDArray[np.int64]]:
    """The places of the pictures of each camera in the order of their names.

    Args:
        pictures: The camera (or folder) and the path of each picture.
    """
    cameras: dict[str, list[int]] = {}
    paths = []
    for place, (camera, path) in enumerate(pictures):
        cameras.setdefault(camera, []).append(place)
        paths.append(path)
    return [
        np.array(places, np.int64)[order_by_name([paths[k] for k in places])] for places in cameras.values()
    ]


def order_by_name(paths: Sequence[str]) -> NDArray[np.int64]:
    """The places of paths in the order of their file names, frame_9 before frame_10."""
    keys = [(_natural(path.rpartition("/")[2]), path) for path in paths]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
