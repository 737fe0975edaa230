"""Pictures as they are compared: facts in memory, thumbnails and corners in files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tundish.imaging.overlaps.stored import StoredPictures
from tundish.imaging.thumbnails import StoredThumbnails

if TYPE_CHECKING:
    from datetime import datetime

    from tundish.imaging.measure import Measurement

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
    """Thumbnails, corners and reduced pictures by number, in files: many would fill the memory.

    Args:
        thumbnails: An open file for the thumbnails.
        parts: An open file for what overlaps are found by.
        count: The number of pictures at most.
    """

    def __init__(self, thumbnails: BinaryIO, parts: BinaryIO, count: int) -> None:
        self._count = 0
        self.thumbnails = StoredThumbnails(thumbnails)
        self.parts = StoredPictures(parts, count)

    def add(self, measured: Measurement) -> None:
        """Keep what the next picture is compared by."""
        self.thumbnails.put(self._count, measured.thumbnail)
        self.parts.put(self._count, measured.corners, measured.detail, (measured.width, measured.height))
        self._count += 1
