"""Parquet files beside pictures: a list of pictures, as exports have it, or a table that may be labels."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from tundish.formats.base import IMAGE_SUFFIXES, suffix_of
from tundish.formats.unread.structured import is_plain
from tundish.formats.unread.suspect import TABLE, Suspect

__all__ = ["judge_parquet"]

_ROWS = 200


def judge_parquet(data: bytes) -> Suspect | None:
    """Whether a Parquet file may be labels: not where it only lists pictures with what is plainly theirs.

    Args:
        data: Bytes of the file.
    """
    suspect = Suspect("Parquet", TABLE)
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            if not file.schema_arrow.names or not all(map(is_plain, file.schema_arrow.names)):
                return suspect
            batch = next(file.iter_batches(_ROWS), None)
    except (OSError, pa.ArrowException):
        return suspect
    columns = () if batch is None else batch.columns
    named = any(map(_names_pictures, columns))
    return None if named or not any(map(len, columns)) else suspect


def _names_pictures(column: pa.Array) -> bool:
    """Whether all values of a column name pictures."""
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return text and all(suffix_of(value or "") in IMAGE_SUFFIXES for value in column.to_pylist())
