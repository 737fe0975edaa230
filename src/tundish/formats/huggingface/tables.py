"""Open tables of labels: Parquet, metadata.jsonl and metadata.csv become rows, with the image of each."""

from __future__ import annotations

import csv
import io
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tundish.formats.base import parts_of, suffix_of
from tundish.formats.huggingface.columns import Columns, features_of, find_columns
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.text import decode_text
from tundish.sources.rows import FILE_COLUMN, UNREAD_PICTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["LabelTable", "open_table"]

_FILE = "file_name"
_LOOKED = 2000
"""Rows looked at to find the columns of labels."""


@dataclass(frozen=True)
class LabelTable:
    """A table of labels.

    Attributes:
        rows: Its rows; one that cannot be read is the fault.
        columns: Which of its columns hold labels.
        stated: The path of each row's image, relative to the source, or its name.
        unread: Columns of pictures beside the first, which are not read.
        derived: Rows of images that were made from others.
    """

    rows: Sequence[Mapping[str, Any] | Fault]
    columns: Columns
    stated: Sequence[str]
    unread: tuple[str, ...] = ()
    derived: int = field(default=0)


def open_table(path: str, data: bytes) -> LabelTable:
    """Open a table of labels.

    Args:
        path: The file's path in the source.
        data: The bytes of the file.

    Raises:
        Fault: It cannot be read, names no images, or has no column of labels.
    """
    suffix = suffix_of(path)
    if suffix in (".parquet", ".pq"):
        return _parquet(path, data)
    rows = list(_json_lines(data)) if suffix == ".jsonl" else list(_csv(data))
    return _table(path, rows, {}, ())


def _parquet(path: str, data: bytes) -> LabelTable:
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        schema = file.schema_arrow
        if FILE_COLUMN not in schema.names and any(_embeds(field.type) for field in schema):
            message = (
                "pictures inside this file are not read: unpack its archive, and name the file, not a link"
            )
            raise Fault("unread_pictures", message)
        table = file.read()
        rows = table.to_pylist()
    except (OSError, pa.ArrowException, ValueError, OverflowError) as error:
        raise Fault("broken_file", f"not readable as Parquet: {error}") from error
    unread = (schema.metadata or {}).get(UNREAD_PICTURES, b"").decode("utf-8", "replace")
    return _table(path, rows, features_of(schema.metadata), tuple(filter(None, unread.split(","))))


def _embeds(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind) and "bytes" in {part.name for part in kind})


def _table(
    path: str, rows: list[Mapping[str, Any] | Fault], features: Mapping[str, Any], unread: tuple[str, ...]
) -> LabelTable:
    good = [row for row in rows if not isinstance(row, Fault)]
    names = list(dict.fromkeys(name for row in good[:_LOOKED] for name in row))
    file = FILE_COLUMN if FILE_COLUMN in names else _file_column(names)
    if not file:
        raise Fault("no_image_column", f"no column '{_FILE}' names the images", "columns", ", ".join(names))
    columns = find_columns(names, good[:_LOOKED], features, file)
    if not columns.found:
        known = ", ".join(name for name in names if name != FILE_COLUMN)
        raise Fault("no_label_column", f"none of its columns holds labels ({known[:120]})", "columns", known)
    folder = path if file == FILE_COLUMN else parts_of(path)[0]
    stated = ["" if isinstance(row, Fault) else _below(folder, row.get(file)) for row in rows]
    derived = sum(row.get("parent_id") is not None for row in good) if "group_id" in names else 0
    return LabelTable(rows, columns, stated, unread, derived)


def _file_column(names: Sequence[str]) -> str:
    """The column that names the images: ``file_name``, or the first that ends so."""
    if _FILE in names:
        return _FILE
    return next((name for name in names if name.endswith(("_file_name", "filename"))), "")


def _below(folder: str, name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        return ""
    plain = name.replace("\\", "/")
    return posixpath.normpath(f"{folder}/{plain}" if folder and not plain.startswith("/") else plain)


def _json_lines(data: bytes) -> Iterator[Mapping[str, Any] | Fault]:
    for line in decode_text(data)[0].splitlines():
        if not line.strip():
            continue
        try:
            row = parse_json(line.encode())
        except Fault as fault:
            yield fault
            continue
        yield row if isinstance(row, dict) else Fault("wrong_type", "the line is not a JSON object", "", row)


def _csv(data: bytes) -> Iterator[Mapping[str, Any] | Fault]:
    lines = io.StringIO(decode_text(data)[0].lstrip("\ufeff"), newline="")
    try:
        for row in csv.DictReader(lines, strict=True):
            yield {str(name): value for name, value in row.items() if name is not None}
    except csv.Error as error:
        yield Fault("broken_file", f"not readable as CSV: {error}")
