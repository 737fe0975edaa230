"""The files that a path of the recipe means: one file, those of a folder, or those of a pattern."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["files_of"]


def files_of(place: str) -> list[tuple[Path, str]] | None:
    """The files at a place, each with its path relative to the folder that is named, in that order.

    Args:
        place: A file, a folder, or a pattern such as ``lab/*.csv``.

    Returns:
        The files; None where nothing exists at that place.
    """
    path = Path(place)
    if path.is_file():
        return [(path, path.name)]
    if path.is_dir():
        return _sorted(path, path.rglob("*"))
    fixed = path
    while any(sign in fixed.name for sign in "*?["):
        fixed = fixed.parent
    if fixed == path or not fixed.is_dir():
        return None
    return _sorted(fixed, fixed.glob(path.relative_to(fixed).as_posix()))


def _sorted(folder: Path, found: Iterable[Path]) -> list[tuple[Path, str]] | None:
    pairs = sorted((one, one.relative_to(folder).as_posix()) for one in found)
    return [(one, short) for one, short in pairs if one.is_file()] or None
