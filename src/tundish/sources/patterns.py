"""The files that a path of the recipe means: one file, those of a folder, or those of a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["files_of"]


def files_of(place: Path) -> list[tuple[Path, str]] | None:
    """The files at a place, each with its path relative to the folder that is named, in that order.

    Args:
        place: A file, a folder, or a pattern such as ``lab/*.csv``.

    Returns:
        The files; None where nothing exists at that place.
    """
    if place.is_file():
        return [(place, place.name)]
    if place.is_dir():
        return _sorted(place, place.rglob("*"))
    fixed = place
    while any(sign in fixed.name for sign in "*?["):
        fixed = fixed.parent
    if fixed == place or not fixed.is_dir():
        return None
    return _sorted(fixed, fixed.glob(place.relative_to(fixed).as_posix()))


def _sorted(folder: Path, found: Iterable[Path]) -> list[tuple[Path, str]] | None:
    pairs = sorted((one, one.relative_to(folder).as_posix()) for one in found)
    return [(one, short) for one, short in pairs if one.is_file()] or None
