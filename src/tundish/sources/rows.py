"""Pictures in the rows of a Parquet file: each row is an entry, and the other columns are one more.

Hugging Face embeds a picture as a struct of `bytes` and `path`. Rows are read as they come, so memory
holds a page of the file (up to 1,024 rows, as Arrow writes it) and not a row group; the threads that read
neighbouring rows share one pass.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tundish.sources.entry import UNKNOWN_SIZE, Entry, EntryFault, EntryUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["FILE_COLUMN", "UNREAD_PICTURES", "has_pictures", "holds_pictures", "is_columnar", "row_entries"]

FILE_COLUMN = "tundish:file"
"""Column of the entry that holds the other columns: the name of each row's picture, below the file's path."""

UNREAD_PICTURES = b"tundish:unread"
"""Key in that entry's metadata: other columns of pictures, which are not read, separated by commas."""

_USUAL = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "pixel_values")
"""Names of the column of photographs, where several columns hold pictures."""

_MAGIC = (
    (b"\xff\xd8\xff", ".jpg"),
    (b"\x89PNG", ".png"),
    (b"II*\0", ".tif"),
    (b"MM\0*", ".tif"),
    (b"BM", ".bmp"),
    (b"GIF8", ".gif"),
    (b"RIFF", ".webp"),
)
_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"})

_BATCH = 8
"""Rows decoded at once: pictures of some MB each."""

_KEPT = 64
"""Rows that a pass went by and that nobody has asked for yet: more than threads are out of order."""

_LOOKED = 16
"""Rows looked at to find out whether a column holds pictures."""

_BUFFER = 1 << 20


class _Column(NamedTuple):
    """A column of pictures: its name, and the path of its bytes within the file."""

    name: str
    leaf: str
    named: bool


def is_columnar(name: str) -> bool:
    """Whether a file is Parquet by its name."""
    return name.lower().endswith((".parquet", ".pq"))


def has_pictures(path: Path) -> bool:
    """Whether a Parquet file holds pictures in one of its columns; a damaged one has none."""
    return is_columnar(path.name) and bool(_columns(path))


def holds_pictures(data: bytes) -> bool:
    """Whether a Parquet file of these bytes holds pictures in one of its columns; a damaged one has none."""
    return bool(_columns(pa.BufferReader(data)))


def row_entries(entry: Entry, path: Path) -> list[Entry]:
    """The entries of a Parquet file with pictures: one a row, then the other columns as a Parquet file.

    Args:
        entry: The file as a whole.
        path: The file.

    Returns:
        The entries, in the order of the rows; `entry` alone where the file holds no pictures.
    """
    columns = _columns(path)
    if not columns:
        return [entry]
    first = columns[0]
    try:
        names = _names(path, first)
    except (OSError, pa.ArrowException, EntryUnavailable):
        return [entry]
    pictures = _Pictures(path, first)
    found = [
        Entry(f"{entry.path}/{name}", UNKNOWN_SIZE, f"{entry.stamp}-{row}", _Row(pictures, row).read)
        for row, name in enumerate(names)
    ]
    rest = _Rest(path, columns, names)
    return [*found, Entry(entry.path, entry.size, entry.stamp, rest.read)]


def _open(source: Path | pa.BufferReader) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
    except FileNotFoundError as error:
        raise EntryUnavailable(error.strerror or str(error)) from error


def _columns(source: Path | pa.BufferReader) -> list[_Column]:
    """The columns of pictures, that of the photographs first; none where the file cannot be read."""
    try:
        with _open(source) as file:
            fields = [column for field in file.schema_arrow if (column := _column(field)) is not None]
            found = [column for column in fields if _shows_pictures(file, column)]
    except (OSError, pa.ArrowException, EntryUnavailable):
        return []
    rank = {name: place for place, name in enumerate(_USUAL)}
    return sorted(found, key=lambda column: rank.get(column.name.lower(), len(rank)))


def _column(field: pa.Field) -> _Column | None:
    if _is_binary(field.type):
        return _Column(field.name, field.name, named=False)
    if pa.types.is_struct(field.type):
        parts = {part.name: part.type for part in field.type}
        if "bytes" in parts and _is_binary(parts["bytes"]):
            text = parts.get("path", pa.null())
            named = pa.types.is_string(text) or pa.types.is_large_string(text)
            return _Column(field.name, f"{field.name}.bytes", named=bool(named))
    return None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _shows_pictures(file: pq.ParquetFile, column: _Column) -> bool:
    """Whether the first rows begin as pictures do: sounds are stored in the same way."""
    for batch in file.iter_batches(batch_size=_LOOKED, columns=[column.leaf]):
        heads = [head for head in _heads(batch.column(0)) if head]
        return bool(heads) and all(head.startswith(tuple(magic for magic, _ in _MAGIC)) for head in heads)
    return False


def _bytes_of(array: pa.Array) -> pa.Array:
    return pc.struct_field(array, "bytes") if pa.types.is_struct(array.type) else array


def _heads(array: pa.Array) -> list[bytes | None]:
    """The first bytes of each picture."""
    heads: list[bytes | None] = pc.binary_slice(_bytes_of(array), 0, 12).to_pylist()
    return heads


def _names(path: Path, column: _Column) -> list[str]:
    """A name for each row: its `path` where all are usable and differ, else its number."""
    with _open(path) as file:
        count = file.metadata.num_rows
        stated: Sequence[str | None] = [None] * count
        if column.named:
            table = file.read(columns=[f"{column.name}.path"])
            stated = pc.struct_field(table.column(0).combine_chunks(), "path").to_pylist()
        plain = [_plain(name) for name in stated]
        usable = len({name.casefold() for name in plain if name}) == count == len([*filter(None, plain)])
        if usable and all(PurePosixPath(name or "").suffix.lower() in _SUFFIXES for name in plain):
            return [name or "" for name in plain]
        return [f"{row:06d}{suffix}" for row, suffix in enumerate(_suffixes(file, column))]


def _plain(name: str | None) -> str | None:
    """A relative path that stays below its file; None for others."""
    if not name or "\0" in name:
        return None
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if name.startswith(("/", "\\")) or (parts and parts[0].endswith(":")):
        parts = parts[-1:]
    return "/".join(parts) if parts and ".." not in parts and not parts[-1].startswith(".") else None


def _suffixes(file: pq.ParquetFile, column: _Column) -> Iterator[str]:
    """The suffix of each row's picture by its first bytes."""
    for batch in file.iter_batches(batch_size=_BATCH, columns=[column.leaf]):
        for head in _heads(batch.column(0)):
            yield next((suffix for magic, suffix in _MAGIC if head and head.startswith(magic)), ".jpg")


class _Pictures:
    """The pictures of one file, read in passes from some row on; what a pass went by waits to be fetched."""

    def __init__(self, path: Path, column: _Column) -> None:
        self.path = path
        self.column = column
        self.lock = Lock()
        self.waiting: OrderedDict[int, bytes | None] = OrderedDict()
        self.next = 0
        self.batches: Iterator[pa.RecordBatch] | None = None
        self.starts: list[int] = []

    def get(self, row: int) -> bytes | None:
        """The picture of a row, None where it has none."""
        with self.lock:
            if row not in self.waiting:
                try:
                    self._go_to(row)
                except (OSError, pa.ArrowException):
                    self.batches = None  # a pass that failed cannot go on
                    raise
            return self.waiting.pop(row)

    def _go_to(self, row: int) -> None:
        if self.batches is None or row < self.next or self._group_of(row) > self._group_of(self.next):
            self._begin(row)
        assert self.batches is not None
        while self.next <= row:
            batch = next(self.batches, None)
            if batch is None:
                self.batches = None
                raise EntryFault("damaged_in_archive", "the file ends before this row")
            for data in _bytes_of(batch.column(0)):
                self.waiting[self.next] = data.as_py()
                self.next += 1
            while len(self.waiting) > _KEPT and next(iter(self.waiting)) != row:
                self.waiting.popitem(last=False)
        if self.starts and self.next >= self.starts[-1]:
            self.batches = None

    def _begin(self, row: int) -> None:
        """Begin a pass at the row group that holds a row."""
        file = _open(self.path)
        counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        self.starts = [sum(counts[:place]) for place in range(len(counts) + 1)]
        group = self._group_of(row)
        self.next = self.starts[group]
        self.waiting.clear()
        groups = list(range(group, len(counts)))
        self.batches = file.iter_batches(batch_size=_BATCH, row_groups=groups, columns=[self.column.leaf])

    def _group_of(self, row: int) -> int:
        return max(sum(start <= row for start in self.starts) - 1, 0)


class _Row(NamedTuple):
    """One row's picture."""

    pictures: _Pictures
    row: int

    def read(self) -> bytes:
        """The picture's bytes."""
        try:
            data = self.pictures.get(self.row)
        except (OSError, pa.ArrowException) as error:
            raise EntryFault("damaged_in_archive", f"the row cannot be read ({error})") from error
        if data is None:
            raise EntryFault("no_picture_in_row", "the row names a picture and does not hold its bytes")
        return data


class _Rest(NamedTuple):
    """The columns that hold no pictures."""

    path: Path
    columns: Sequence[_Column]
    names: Sequence[str]

    def read(self) -> bytes:
        """The columns as a Parquet file, with the name of each row's picture."""
        try:
            with _open(self.path) as file:
                schema = file.schema_arrow
                pictures = {column.name for column in self.columns}
                table = file.read(columns=[name for name in schema.names if name not in pictures])
        except (OSError, pa.ArrowException) as error:
            raise EntryFault("damaged_in_archive", f"the table cannot be read ({error})") from error
        if not table.num_columns:  # Arrow forgets how many rows a table without columns has
            table = pa.table({FILE_COLUMN: pa.array(self.names, pa.string())})
        else:
            table = table.append_column(FILE_COLUMN, pa.array(self.names, pa.string()))
        metadata: dict[Any, Any] = dict(schema.metadata or {})
        others = ",".join(column.name for column in self.columns[1:])
        if others:
            metadata[UNREAD_PICTURES] = others.encode()
        stream = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(metadata), stream, compression="zstd")
        return stream.getvalue()
