"""The images of an export, each decoded once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tundish.audit.verify.pictures import Kept, Picture, picture_of
from tundish.engine import each
from tundish.errors import SourceError
from tundish.imaging.files.bad import BadImage
from tundish.imaging.measure import Measurement, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["Measured", "measure_images"]

_BATCH = 8


@dataclass(frozen=True)
class Measured:
    """The images of an export.

    Attributes:
        pictures: Those that can be decoded, in the order of their paths.
        kept: What they are compared by, with the same numbers.
        unreadable: By the path of each other image, why it cannot be decoded.
        splits: The split of every image by its path, also of those that cannot be decoded; '' for none.
    """

    pictures: Sequence[Picture]
    kept: Kept
    unreadable: Mapping[str, str]
    splits: Mapping[str, str]


def measure_images(
    splits: Mapping[str, str],
    cameras: Mapping[str, str],
    read: Callable[[str], bytes],
    files: tuple[BinaryIO, BinaryIO],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Measured:
    """Decode the images of an export and measure them.

    Args:
        splits: The split of every image by its path, sorted by path; '' for none.
        cameras: The folder of every image without what only says its split, by its path.
        read: Reads an image.
        files: Two open files that what they are compared by is kept in.
        progress: Called as (images measured, images in all).
    """
    kept, pictures, unreadable = Kept(*files, len(splits)), [], {}
    for done, (path, digest, found) in enumerate(each(_measure, _read(splits, read), batch=_BATCH), start=1):
        if isinstance(found, str):
            unreadable[path] = found
        else:
            pictures.append(picture_of(path, splits[path], cameras[path], digest, found))
            kept.add(found)
        progress(done, len(splits))
    return Measured(pictures, kept, unreadable, splits)


def _read(paths: Mapping[str, str], read: Callable[[str], bytes]) -> Iterator[tuple[str, bytes | str]]:
    """The bytes of each image, or why they cannot be read."""
    for path in paths:
        try:
            yield path, read(path)
        except SourceError as error:
            yield path, error.what


def _measure(item: tuple[str, bytes | str]) -> tuple[str, bytes, Measurement | str]:
    path, data = item
    if isinstance(data, str):
        return path, b"", data
    try:
        return path, hashlib.sha256(data).digest(), measure(data)
    except BadImage as bad:
        return path, b"", str(bad)
