"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import Listing, suffix_of
from tundish.formats.registry import Look, look
from tundish.sources.files import Entry, EntryFault, EntryUnavailable, open_source
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["examine"]


def examine(source: Path) -> Look:
    """What suggests each label format that a source may be in.

    Args:
        source: A folder, a zip or a tar.

    Returns:
        At least one format, the best first, and what is wrong with formats of installed packages.

    Raises:
        SourceError: It cannot be opened, one of its label files cannot be read, or it holds no images.
    """
    with open_source(source) as entries:
        members = {entry.path: entry for entry in entries if entry.fault is None}
        looked = look(Listing(sorted(members), lambda path: _read(members[path], source)))
    if not members:
        raise SourceError(
            "the source holds no files", where=str(source), fix="name the folder with the images"
        )
    if not looked.found:
        tables = sorted(path for path in members if suffix_of(path) in TABLE_SUFFIXES)
        raise SourceError(
            f"none of its {len(members):,} files is an image",
            where=str(source),
            fix=f"add a table by its own path, such as '{tables[0]}'"
            if tables
            else "name the folder that holds the images and their labels",
        )
    return looked


def _read(entry: Entry, source: Path) -> bytes:
    try:
        return entry.read()
    except (EntryFault, EntryUnavailable) as problem:
        raise SourceError(
            f"'{entry.path}' cannot be read ({problem.message})",
            where=str(source),
            fix="grant access to it, or move it away, and add the source again",
        ) from problem
