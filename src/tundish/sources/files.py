"""Folders, zips, tars and Parquet files with pictures read alike: a sequence of entries to read, or not to.

Nothing is unpacked to disk, no path outside the source is followed, and an archive bomb is refused unread.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from tundish.errors import SourceError
from tundish.sources.entry import Entry, EntryFault, EntryUnavailable
from tundish.sources.rows import has_pictures, is_columnar, row_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "ARCHIVE_SUFFIXES",
    "MAX_FILE_BYTES",
    "Entry",
    "EntryFault",
    "EntryUnavailable",
    "is_archive",
    "open_source",
]

ARCHIVE_SUFFIXES = frozenset(
    {".zip", ".rar", ".7z", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".lzma", ".cab", ".iso"}
)
"""Suffixes of archives and of compressed files."""

MAX_NESTED_BYTES = 1 << 30
"""Zips inside a zip are held in memory while it is read: all of them together up to this size."""

MAX_FILE_BYTES = 1 << 30
"""A file larger than this is not read: inspection images and label files are smaller."""

_MAX_RATIO = 500
_RATIO_COUNTS_FROM = 16 << 20
_CACHED = re.compile(r".*/(?:files/md5|cache)/[0-9a-f]{2}/[0-9a-f]{30}")
"""An object of a DVC cache, named by the MD5 of its bytes."""

_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


_LINKED_OUTSIDE = EntryFault("linked_outside", "a link out of the source is not followed")


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or a tar by its name."""
    return path.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2"))


@contextmanager
def open_source(path: Path) -> Iterator[Iterable[Entry]]:
    """Open a folder or archive as a sequence of entries.

    Folders and zips come in path order, as a list; tars in their own, one by one. The rows of a Parquet file
    that holds pictures come in its place, each an entry. Entries must be read while the source is open.

    Raises:
        SourceError: `path` does not exist, is neither a folder nor an archive, or is damaged.
    """
    try:
        if path.is_dir():
            yield _folder(path)
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _zip(archive, path)
        elif path.is_file() and has_pictures(path):
            facts = path.stat()
            stamp = f"{facts.st_size}-{facts.st_mtime_ns}"
            yield row_entries(Entry(path.name, facts.st_size, stamp, path.read_bytes), path)
        elif path.is_file() and tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                yield _tar(archive, path)
        else:
            what = (
                "this is neither a folder nor a zip or tar that can be opened"
                if path.exists()
                else "it does not exist"
            )
            raise SourceError(what, where=str(path), fix="name a folder, a .zip or a .tar")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise SourceError(
            f"the archive is damaged ({error})", where=str(path), fix="copy it again"
        ) from error


def _folder(root: Path) -> list[Entry]:
    real = root.resolve()
    found = sorted(_walk(root, "", real), key=lambda entry: entry.path)
    return [one for entry in found for one in _with_rows(entry, root)]


def _with_rows(entry: Entry, root: Path) -> list[Entry]:
    """A file, or the rows of a Parquet file that holds pictures; not behind a link."""
    if not is_columnar(entry.path) or entry.skipped:
        return [entry]
    path = root / entry.path
    return row_entries(entry, path) if path.is_file() and not path.is_symlink() else [entry]


def _walk(folder: Path, prefix: str, root: Path) -> Iterator[Entry]:
    """The files below a folder; `prefix` is its path relative to the source, with a slash."""
    with os.scandir(folder) as found:
        for item in found:
            name = prefix + _decode_name(os.fsencode(item.name))
            if item.is_symlink():
                yield _link(name, item, root)
            elif item.is_dir():
                yield from _walk(folder / item.name, f"{name}/", root)
            else:
                yield _file(name, item)


def _link(name: str, item: os.DirEntry[str], root: Path) -> Entry:
    """A link to a file of the same source or of a DVC cache; no other link is followed."""
    try:
        if item.is_dir():
            fault = EntryFault("linked_folder", "a link to another folder is not followed")
            return _unreadable(name, 0, fault, skipped=True)
        target = Path(item.path).resolve()
    except (OSError, RuntimeError):  # a link to itself; pathlib raised RuntimeError for it before 3.13
        fault = EntryFault("linked_in_circle", "the link points to itself")
        return _unreadable(name, 0, fault, skipped=True)
    if target.is_relative_to(root) or not target.exists():
        return _file(name, item)
    digest = "".join(target.parts[-2:])
    if not _CACHED.fullmatch(target.as_posix()):
        return _unreadable(name, 0, _LINKED_OUTSIDE, skipped=True)
    entry = _file(name, item)

    def read() -> bytes:
        data = entry.read()
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != digest:
            raise _LINKED_OUTSIDE
        return data

    return entry if entry.fault else replace(entry, read=read)


def _decode_name(raw: bytes) -> str:
    # A name that is not UTF-8 cannot be stored in a table; usually it is GBK.
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def _file(name: str, item: os.DirEntry[str]) -> Entry:
    try:
        facts = item.stat()
    except OSError as error:
        return Entry(name, 0, "unavailable", _raise(EntryUnavailable(error.strerror or str(error))))
    if not stat.S_ISREG(facts.st_mode):
        return _unreadable(name, 0, EntryFault("not_a_file", "it is not a regular file"), skipped=True)
    path = item.path

    def read() -> bytes:
        try:
            with open(path, "rb") as file:  # noqa: PTH123  (a Path for each of a million files costs more)
                return file.read()
        except OSError as error:
            raise EntryUnavailable(error.strerror or str(error)) from error

    return _check_entry(name, facts.st_size, f"{facts.st_size}-{facts.st_mtime_ns}", read)


def _check_entry(path: str, size: int, stamp: str, read: Callable[[], bytes]) -> Entry:
    """An entry, with a fault where its name or size does not allow reading it."""
    parts = path.split("/")
    if any(part.startswith(".") or part.lower() in _SYSTEM_NAMES for part in parts):
        fault = EntryFault("system_file", "a hidden or system file")
        return Entry(path, size, stamp, _raise(fault), fault, skipped=True)
    if size > MAX_FILE_BYTES:
        message = f"the file has {size:,} bytes, more than the {MAX_FILE_BYTES:,} that are read"
        return _unreadable(path, size, EntryFault("file_too_large", message))
    return Entry(path, size, stamp, read)


def _unreadable(path: str, size: int, fault: EntryFault, *, skipped: bool = False) -> Entry:
    return Entry(path, size, fault.reason, _raise(fault), fault, skipped)


def _raise(fault: EntryFault | EntryUnavailable) -> Callable[[], bytes]:
    def read() -> bytes:
        raise fault

    return read


def _unsafe(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts or (len(path) > 1 and path[1] == ":") or not pure.parts


def _member(path: str, size: int, stamp: str, packed: int | None, read: Callable[[], bytes]) -> Entry:
    """An entry of an archive, with the checks that only archives need."""
    if _unsafe(path):
        fault = EntryFault("unsafe_path", "the name points outside the archive")
        return _unreadable(path, size, fault)
    if packed is not None and size > _RATIO_COUNTS_FROM and size > _MAX_RATIO * max(packed, 1):
        message = f"{packed:,} bytes would unpack to {size:,}: an archive bomb"
        return _unreadable(path, size, EntryFault("archive_bomb", message))
    return _check_entry(path, size, stamp, read)


def _zip(archive: zipfile.ZipFile, path: Path) -> list[Entry]:
    entries = []
    left = MAX_NESTED_BYTES
    for entry in _zip_entries(archive, path.stat().st_size, str(path)):
        if entry.fault is None and entry.path.lower().endswith(".zip") and entry.size <= left:
            left -= entry.size
            entries += _nested(entry)
        else:
            entries.append(entry)
    # What two entries have under one name would be one file: the first is read.
    fault = EntryFault("repeated_in_archive", "another entry of the archive has the same name")
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        if entry.fault is None and entry.path in seen:
            entries[number] = _unreadable(entry.path, entry.size, fault)
        seen |= {entry.path} if entry.fault is None else set()
    return sorted(entries, key=lambda entry: entry.path)


def _nested(entry: Entry) -> list[Entry]:
    """The files of a zip inside a zip, below a folder of its name; a zip inside that is not opened."""
    try:
        inner = zipfile.ZipFile(io.BytesIO(entry.read()))
        found = _zip_entries(inner, entry.size, entry.path)
    except EntryFault as fault:
        return [_unreadable(entry.path, entry.size, fault)]
    except SourceError as error:
        return [_unreadable(entry.path, entry.size, EntryFault("archive_bomb", error.what))]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        broken = EntryFault("damaged_in_archive", f"the zip inside cannot be opened ({error})")
        return [_unreadable(entry.path, entry.size, broken)]
    folder = entry.path[: -len(".zip")]
    return [replace(one, path=f"{folder}/{one.path}") for one in found]


def _zip_entries(archive: zipfile.ZipFile, size: int, name: str) -> list[Entry]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if sum(info.compress_size for info in infos) > size:
        raise SourceError(
            "its entries overlap, as only those of an archive bomb do",
            where=name,
            fix="do not use this file",
        )
    last = {_zip_name(info): info for info in infos}
    entries = [_zip_entry(archive, info, name) for name, info in last.items()]
    repeated = [info for info in infos if last[_zip_name(info)] is not info]
    fault = EntryFault("repeated_in_archive", "a later entry of the archive has the same name")
    entries += [_unreadable(_zip_name(info), info.file_size, fault, skipped=True) for info in repeated]
    return sorted(entries, key=lambda entry: entry.path)


def _zip_name(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename.split("\0")[0]
    if not info.flag_bits & 0x800:
        # Without the UTF-8 flag zipfile guesses code page 437; Chinese Windows writes GBK there.
        name = _decode_name(name.encode("cp437", "replace"))
    return name.replace("\\", "/").removeprefix("./")


def _zip_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Entry:
    if info.flag_bits & 0x1:
        return _unreadable(name, info.file_size, EntryFault("encrypted", "the entry needs a password"))

    def read() -> bytes:
        try:
            with archive.open(info) as stream:
                return _read_bounded(stream, info.file_size)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, lzma.LZMAError) as error:
            raise EntryFault("damaged_in_archive", f"the entry cannot be unpacked ({error})") from error

    return _member(name, info.file_size, f"{info.file_size}-{info.CRC:08x}", info.compress_size, read)


def _read_bounded(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size + 1)
    if len(data) != size:
        raise EntryFault("damaged_in_archive", f"the entry does not have the {size:,} bytes it declares")
    return data


def _tar(archive: tarfile.TarFile, path: Path) -> Iterator[Entry]:
    packed_total = path.stat().st_size
    for info in archive:
        if info.isdir():
            continue
        name = info.name.removeprefix("./")
        if not info.isfile():
            fault = EntryFault("not_a_file", "a link or device inside an archive is not followed")
            yield _unreadable(name, 0, fault, skipped=True)
            continue
        packed = packed_total if info.size > _MAX_RATIO * packed_total else None
        yield _member(name, info.size, f"{info.size}-{info.mtime}", packed, _tar_reader(archive, info))


def _tar_reader(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            stream = archive.extractfile(info)
            assert stream is not None
            return _read_bounded(stream, info.size)
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            raise EntryFault("damaged_in_archive", f"the entry cannot be unpacked ({error})") from error

    return read
