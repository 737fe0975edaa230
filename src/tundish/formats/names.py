"""Names of exported image files: as they came, made safe for any file system, each name once."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tundish.formats.base import parts_of
from tundish.neutral import for_file

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["file_names", "with_suffix"]

MOST_BYTES = 240
"""UTF-8 bytes in one part of a path: file systems take 255, and readers add suffixes of their own."""


def file_names(wanted: Sequence[str], image_ids: Sequence[str]) -> list[str]:
    """A portable relative path for each image, near to the wanted one.

    Spaces and any script stay, control characters do not. A part longer than 240 UTF-8 bytes is cut and
    marked with digits of the image's id (of a digest, where it is a folder). Images whose names would meet,
    also on a file system that ignores case or Unicode forms, all get digits of their ids; so no
    name depends on the order.

    Args:
        wanted: POSIX paths, relative.
        image_ids: 32 hex digits each, distinct.
    """
    names = [_fitted(path, image_id) for path, image_id in zip(wanted, image_ids, strict=True)]
    for digits in (8, 32):
        meeting = _meeting(names)
        if not meeting:
            break
        names = [
            _marked(name, image_id[:digits]) if number in meeting else name
            for number, (name, image_id) in enumerate(zip(names, image_ids, strict=True))
        ]
    return names


def with_suffix(path: str, suffix: str) -> str:
    """`path` with another suffix; a name without one gets it."""
    folder, _, stem = parts_of(path)
    return f"{folder}/{stem}{suffix}" if folder else f"{stem}{suffix}"


def _meeting(names: Sequence[str]) -> set[int]:
    """Numbers of the names that another has too, or that another needs as a folder."""
    keys = [unicodedata.normalize("NFC", name).casefold() for name in names]
    counts = Counter(keys)
    folders: set[str] = set()
    for key in counts:
        folder = key.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return {number for number, key in enumerate(keys) if counts[key] > 1 or key in folders}


def _fitted(path: str, image_id: str) -> str:
    parts = [for_file(part) if part not in {"", ".", ".."} else "_" for part in path.split("/")]
    folders = [_cut(part, hashlib.sha256(part.encode()).hexdigest()[:8]) for part in parts[:-1]]
    name = parts[-1] if len(parts[-1].encode()) <= MOST_BYTES else _marked(parts[-1], image_id[:8])
    return "/".join([*folders, name])


def _cut(part: str, mark: str) -> str:
    if len(part.encode()) <= MOST_BYTES:
        return part
    return f"{_first_bytes(part, MOST_BYTES - len(mark) - 1)}.{mark}"


def _marked(path: str, mark: str) -> str:
    """``folder/stem.mark.suffix``, its last part cut to fit."""
    folder, _, name = path.rpartition("/")
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > 16:  # a dot in running text, not a suffix
        suffix = ""
    stem = name.removesuffix(suffix) if suffix else name
    room = MOST_BYTES - len(mark) - 1 - len(suffix.encode())
    name = f"{_first_bytes(stem, room)}.{mark}{suffix}"
    return f"{folder}/{name}" if folder else name


def _first_bytes(text: str, count: int) -> str:
    return text.encode()[:count].decode(errors="ignore")
