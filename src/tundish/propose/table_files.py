"""The files of a folder that are one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.tabular.files.open import is_table_name, open_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.tabular.base import FileOptions, Layout

__all__ = ["other_files", "table_files"]

_SHOWN = 3
_FILES = 50
"""Files of a folder whose headers are compared."""


def table_files(path: Path) -> list[Path]:
    """The tables of a folder in the order of their names; a file is its own.

    Raises:
        SourceError: The folder holds no table.
    """
    if not path.is_dir():
        return [path]
    files = sorted(one for one in path.rglob("*") if one.is_file() and is_table_name(one.name))
    files = [one for one in files if not one.name.startswith((".", "~$"))]
    if not files:
        raise SourceError("the folder holds no table", where=str(path), fix="name the folder with the tables")
    return files


def other_files(files: Sequence[Path], first: Layout, options: FileOptions) -> list[str]:
    """What a person should know of the other tables of a folder, a sentence each.

    Args:
        files: All its tables.
        first: How the first of them is laid out.
        options: How they are opened.
    """
    if len(files) == 1:
        return []
    notes = [f"{len(files)} files are one table; the first is {files[0].name}"]
    for file in files[1:_FILES]:
        try:
            headers = open_table(file, file.name, options)[0].layout.headers
        except SourceError as error:
            notes.append(f"{file.name} cannot be read: {error.what}")
            continue
        if set(headers) != set(first.headers):
            more, fewer = sorted({*headers} - {*first.headers}), sorted({*first.headers} - {*headers})
            notes.append(
                f"{file.name} has other headers: more {_some(more) or '-'}; fewer {_some(fewer) or '-'}"
            )
    return notes


def _some(headers: Sequence[str]) -> str:
    return ", ".join(headers[:_SHOWN]) + (", ..." if len(headers) > _SHOWN else "")
