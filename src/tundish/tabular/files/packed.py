"""Packed tables: a table packed with gzip, and tables in a zip, each of which is like a sheet."""

from __future__ import annotations

import gzip
import os
import tempfile
import weakref
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.tabular.base import Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import IO

    from tundish.tabular.base import FileOptions, Layout, Piece, Sheet

__all__ = ["Unpacked", "open_gzip", "open_zip"]

_CHUNK = 1 << 20
_RATIO = 1000
"""No table becomes so much smaller by packing it; what does is meant to fill the disk."""

_FAULTS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class _File:
    """A temporary file that is deleted when nothing refers to this."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="tundish-")
        os.close(handle)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)


@dataclass(frozen=True)
class Unpacked:
    """A table in a temporary file, which lives as long as this."""

    layout: Layout
    sheet: Sheet
    file: _File

    def pieces(self) -> Iterator[Piece]:
        """Yield the records piece by piece."""
        yield from self.sheet.pieces()


def open_gzip(
    path: Path,
    name: str,
    options: FileOptions,
    open_plain: Callable[[Path, str, FileOptions], Sequence[Sheet]],
) -> list[Sheet]:
    """Open the tables of a file that is packed with gzip.

    Args:
        path: The packed file.
        name: Its name, for messages.
        options: What the recipe states about the file.
        open_plain: Opens what was in it.

    Raises:
        SourceError: It is damaged, or what is in it is not a table.
    """
    try:
        with gzip.open(path) as stream:
            file = _unpacked(stream, path.stat().st_size, name)
    except _FAULTS as error:
        raise _damaged(name, error) from None

    return [Unpacked(sheet.layout, sheet, file) for sheet in open_plain(file.path, name, options)]


def open_zip(
    path: Path,
    name: str,
    options: FileOptions,
    open_plain: Callable[[Path, str, FileOptions], Sequence[Sheet]],
    suffixes: Collection[str],
) -> list[Sheet]:
    """Open the tables in a zip; each is like a sheet of the name that it has there.

    A member that cannot be read is reported and costs only itself.

    Args:
        path: The zip.
        name: Its name, for messages.
        options: What the recipe states about the tables.
        open_plain: Opens one of them.
        suffixes: How the names of tables end.

    Raises:
        SourceError: It holds no table that can be read.
    """
    found: list[Unpacked] = []
    remarks: list[Remark] = []
    with _archive(path) as archive:
        members = sorted(info.filename for info in archive.infolist() if not info.is_dir())
        wanted = [member for member in members if _is_table(member, suffixes)]
        for member in wanted:
            try:
                with archive.open(member) as stream:
                    size = archive.getinfo(member).compress_size
                    file = _unpacked(stream, size, f"{name}, {member}")
                sheets = open_plain(file.path, member, options)
            except SourceError as error:
                remarks.append(Remark("unreadable_table", f"{member} in {name}: {error.what}"))
                continue
            except _FAULTS as error:
                remarks.append(Remark("unreadable_table", f"{member} in {name} is damaged ({error})"))
                continue
            found += [Unpacked(_named(sheet.layout, member), sheet, file) for sheet in sheets]
    left = [member for member in members if member not in wanted]
    if left:
        shown = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        remarks.append(Remark("not_for_this_format", f"not tables, and not read from {name}: {shown}"))
    if not found:
        why = remarks[0].message if remarks else "it is empty"
        raise SourceError(
            f"the zip archive holds no table that can be read: {why}", where=name, fix="look into the archive"
        )
    layout = replace(found[0].layout, remarks=(*found[0].layout.remarks, *remarks))
    return [replace(found[0], layout=layout), *found[1:]]


def _named(layout: Layout, member: str) -> Layout:
    return replace(layout, sheet=f"{member}/{layout.sheet}" if layout.sheet else member)


def _archive(path: Path) -> zipfile.ZipFile:
    """The archive; names without a mark of their encoding are GBK, as Chinese Windows writes them."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="gb18030")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)


def _is_table(member: str, suffixes: Collection[str]) -> bool:
    place = PurePosixPath(member.replace("\\", "/"))
    hidden = place.name.startswith((".", "~$")) or "__MACOSX" in place.parts
    return place.suffix.lower() in suffixes and not hidden


def _unpacked(stream: IO[bytes] | gzip.GzipFile, packed: int, name: str) -> _File:
    """The unpacked bytes in a temporary file, which is deleted when nothing refers to it."""
    file = _File()
    most = _RATIO * max(packed, _CHUNK)
    with file.path.open("wb") as target:
        while chunk := stream.read(_CHUNK):
            target.write(chunk)
            if target.tell() > most:
                raise SourceError(
                    "the packed file would unpack to an absurd size",
                    where=name,
                    fix="unpack it, and look at it",
                )
    return file


def _damaged(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"the packed file is damaged ({str(error).rstrip('.')})", where=name, fix="copy it again"
    )
