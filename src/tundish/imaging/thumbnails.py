"""Thumbnails of many pictures in a file: 100,000 of them would fill a gigabyte of memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tundish.imaging.framehash import THUMBNAIL_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["StoredThumbnails"]

_BYTES = THUMBNAIL_SIDE**2


class StoredThumbnails:
    """Thumbnails by number.

    Args:
        file: An open file for them, used by nothing else.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._handle = file.fileno()

    def put(self, number: int, thumbnail: bytes) -> None:
        """Keep the thumbnail of a picture, 96 x 96 gray values row by row."""
        os.pwrite(self._handle, thumbnail, number * _BYTES)

    def read(self, numbers: Iterable[int]) -> NDArray[np.uint8]:
        """The (k, 96, 96) thumbnails of k pictures."""
        data = b"".join(os.pread(self._handle, _BYTES, int(number) * _BYTES) for number in numbers)
        return np.frombuffer(data, np.uint8).reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
