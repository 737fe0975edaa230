"""Which files of a format are its labels: by their suffixes, and by the option ``files``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tundish.formats.base import suffix_of
from tundish.formats.reading.sniffing import is_image

if TYPE_CHECKING:
    from collections.abc import Collection

    from tundish.formats.base import Options, Role

__all__ = ["role_by_suffix", "role_of_labels"]


def role_of_labels(path: str, options: Options) -> Role:
    """The role of a label file: another than those that the option ``files`` names is not read.

    Args:
        path: The label file.
        options: ``files`` in them has patterns, separated by ';'; without it all label files are read.
    """
    patterns = [pattern for one in options.extra.get("files", "").split(";") if (pattern := one.strip())]
    # By its own path, too: brackets in a name are signs of a pattern.
    chosen = not patterns or path in patterns or any(fnmatchcase(path, pattern) for pattern in patterns)
    return "annotation" if chosen else "other"


def role_by_suffix(path: str, suffixes: Collection[str], options: Options) -> Role:
    """The role of a file where label files have suffixes of their own, and may be chosen by ``files``.

    Args:
        path: The file.
        suffixes: The suffixes of label files, in lower case.
        options: As for `role_of_labels`.
    """
    if suffix_of(path) in suffixes:
        return role_of_labels(path, options)
    return "image" if is_image(path) else "other"
