"""The canonical tables as Arrow schemas, and the one way to read and write them.

Units stand in the field metadata. Times are UTC. Pixel boxes are 0-based and half-open, x right, y down, in
the upright frame (the EXIF orientation applied). A file is named by (source, path) everywhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.errors import MissingStepError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "ANNOTATIONS",
    "COVERAGE",
    "DUPLICATES",
    "FEATURES",
    "FILES",
    "IMAGES",
    "LINEAGE",
    "QUARANTINE",
    "SPLITS",
    "TABLES",
    "Table",
    "write_atomically",
    "write_parquet",
]


def _field(name: str, kind: pa.DataType, about: str, unit: str = "") -> pa.Field:
    metadata = {"description": about} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, metadata=metadata)


@dataclass(frozen=True)
class Table:
    """A canonical table: its Arrow schema, and the columns its rows are sorted by."""

    name: str
    schema: pa.Schema
    order: tuple[str, ...]
    written_by: str

    def empty(self) -> pl.DataFrame:
        """A frame without rows that has this table's columns and types."""
        return pl.DataFrame(schema=self._columns)

    def frame(self, rows: list[dict[str, object]]) -> pl.DataFrame:
        """A frame with this table's types from row dictionaries; a missing key is null."""
        return pl.DataFrame(rows, schema=self._columns, orient="row")

    @property
    def _columns(self) -> pl.Schema:
        return pl.Schema(self.schema)

    def write(self, frame: pl.DataFrame, path: Path, *, metadata: dict[str, str] | None = None) -> None:
        """Write `frame` sorted, typed and atomically; columns beyond the schema follow in their order."""
        extra = [name for name in frame.columns if name not in self.schema.names]
        rows = frame.select(self.schema.names + extra).sort(self.order, nulls_last=True, maintain_order=True)
        arrow = rows.to_arrow()
        schema = self.schema
        for name in extra:
            schema = schema.append(_plain(arrow.schema.field(name)))
        write_parquet(arrow.cast(schema.with_metadata(metadata)), path)

    def write_groups(self, frames: Iterable[pl.DataFrame], path: Path) -> None:
        """Write frames as they come, a row group each, atomically and unsorted; memory holds one of them."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            with pq.ParquetWriter(temporary, self.schema, compression="zstd") as writer:
                for frame in frames:
                    writer.write_table(frame.select(self.schema.names).to_arrow().cast(self.schema))
            os.replace(temporary, path)  # noqa: PTH105  (as below)
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, path: Path) -> pl.DataFrame:
        """Read the table at `path`.

        Raises:
            MissingStepError: No such file; the stage that writes it has not run.
            OutsideError: The file is damaged.
        """
        if not path.exists():
            raise MissingStepError(
                f"there is no {self.name} table",
                where=str(path),
                fix=f"run the stage '{self.written_by}' first",
            )
        try:
            return pl.read_parquet(path, glob=False)
        except pl.exceptions.ComputeError as error:
            raise OutsideError(
                "the table is damaged", where=str(path), fix="delete it and run its stage again"
            ) from error


def _plain(field: pa.Field) -> pa.Field:
    """Polars hands out view and large types; files carry the plain ones every reader knows."""
    if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
        return field.with_type(pa.string())
    return field


def write_parquet(
    table: pa.Table,
    path: Path,
    *,
    compression: str = "zstd",
    row_group_size: int | None = None,
    plain: tuple[str, ...] = (),
) -> None:
    """Write one Parquet file under a temporary name and rename it: it is there whole or not at all.

    Args:
        table: The rows.
        path: Where to; its folder is made.
        compression: 'none' for columns that hold images, which do not shrink further.
        row_group_size: Rows a row group.
        plain: Columns written without dictionary and statistics (image bytes).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    others: bool | list[str] = [name for name in table.column_names if name not in plain] if plain else True
    try:
        pq.write_table(
            table,
            temporary,
            compression=compression,
            row_group_size=row_group_size,
            use_dictionary=others,
            write_statistics=others,
        )
        os.replace(temporary, path)  # noqa: PTH105  (the one spelling that says it is atomic)
    except OSError as error:
        # Arrow's errors do not say which file they are about.
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file under a temporary name and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)  # noqa: PTH105  (as above)
    finally:
        temporary.unlink(missing_ok=True)


_TEXT = pa.string()
_REAL = pa.float64()
_COUNT = pa.int32()
_FLAG = pa.bool_()
_TIME = pa.timestamp("us", tz="UTC")

_SOURCE = _field("source", _TEXT, "name of the source in the recipe")
_PATH = _field("path", _TEXT, "path of the file, relative to its source, POSIX")
_IMAGE_ID = _field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes")

FILES = Table(
    "files",
    pa.schema(
        [
            _PATH,
            _SOURCE,
            _field("kind", _TEXT, "image, annotation, classes, record or other"),
            _field("outcome", _TEXT, "accepted, quarantined or skipped"),
            _field("reason", _TEXT, "why, where it was not accepted"),
            _field("sha256", _TEXT, "of the file's bytes; null where they could not be read"),
            _IMAGE_ID,
            _field("size", pa.int64(), "size of the file", "byte"),
            _field("shard", _TEXT, "name of the store shard that holds the bytes"),
            _field("batch", _COUNT, "number of the ingest run that took it in, from 1"),
        ]
    ),
    ("source", "path"),
    "ingest",
)

_HEADER_FIELDS = [
    _field("format", _TEXT, "what the bytes are: jpeg, png, tiff, bmp, gif, webp"),
    _field("width", _COUNT, "of the upright image", "px"),
    _field("height", _COUNT, "of the upright image", "px"),
    _field("channels", _COUNT, "1 gray, 3 colour, 4 with alpha or CMYK"),
    _field("bit_depth", _COUNT, "of one channel", "bit"),
    _field("orientation", _COUNT, "EXIF orientation the file carries, 1 to 8"),
    _field("captured_at", _TIME, "EXIF time of exposure; a time without zone is taken as UTC"),
]

_QUALITY_FIELDS = [
    _field("sharpness", _REAL, "variance of the Laplacian of the gray image", "gray level squared"),
    _field("brightness", _REAL, "mean gray, 0 black to 1 white", "1"),
    _field("contrast", _REAL, "standard deviation of gray, 0 to 0.5", "1"),
    _field("clipped_dark", _REAL, "share of pixels at the bottom of the range", "1"),
    _field("clipped_bright", _REAL, "share of pixels at the top of the range", "1"),
]

IMAGES = Table(
    "images",
    pa.schema(
        [
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            *_HEADER_FIELDS,
            *_QUALITY_FIELDS,
            _field("files", _COUNT, "how many files have these bytes"),
            _field("valid", _FLAG, "no check of severity error failed"),
            _field("shard", _TEXT, "name of the store shard that holds the bytes"),
        ]
    ),
    ("image_id",),
    "validate",
)

ANNOTATIONS = Table(
    "annotations",
    pa.schema(
        [
            _field("annotation_id", _TEXT, "from source, label file and place in it"),
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            _field("label", _TEXT, "the recipe's class; null where the raw label belongs to none"),
            _field("raw_label", _TEXT, "the label as the file says it"),
            _field("shape", _TEXT, "box, polygon, mask or class"),
            _field("x", _REAL, "left edge", "px"),
            _field("y", _REAL, "upper edge", "px"),
            _field("width", _REAL, "of the box", "px"),
            _field("height", _REAL, "of the box", "px"),
            _field("segmentation", pa.list_(pa.list_(_REAL)), "rings x0, y0, x1, y1, ...", "px"),
            _field("rle", _TEXT, "COCO compressed RLE counts of the mask, size (height, width) of the image"),
            _field("is_crowd", _FLAG, "COCO iscrowd"),
            _field("score", _REAL, "of a model, 0 to 1", "1"),
            _field("author", _TEXT, "who drew it"),
            _field("origin", _TEXT, "import, annotator or model"),
            _field("attributes", _TEXT, "whatever else the file says, as JSON"),
            _field("label_path", _TEXT, "label file, relative to the source"),
            _field("label_row", _COUNT, "place in the label file, from 0"),
            _field("valid", _FLAG, "no check of severity error failed"),
        ]
    ),
    ("source", "path", "label_path", "label_row"),
    "validate",
)

COVERAGE = Table(
    "coverage",
    pa.schema(
        [
            _PATH,
            _SOURCE,
            _IMAGE_ID,
            _field("state", _TEXT, "labelled, negative (labels say: nothing here), unlabelled or rejected"),
            _field("labels", _COUNT, "valid labels"),
        ]
    ),
    ("source", "path"),
    "validate",
)
"""What is known of each image file: an unlabelled image and a negative are never mixed."""

FEATURES = Table(
    "features",
    pa.schema(
        [
            _IMAGE_ID,
            _field("decodable", _FLAG, "the whole image could be decoded"),
            _field("reason", _TEXT, "short name of the fault where it could not"),
            _field("message", _TEXT, "the fault in a sentence"),
            *_HEADER_FIELDS,
            *_QUALITY_FIELDS,
            _field("gray_hash", _TEXT, "hex digest of the upright 8-bit gray pixels and their shape"),
            _field("frame_hash", pa.binary(), "256 DCT signs in canonical orientation"),
            _field("frame_code", pa.int8(), "orientation, 0 to 7, that made the hash canonical"),
            _field("other_hashes", pa.list_(pa.binary()), "hashes of orientations that nearly tie"),
            _field("other_codes", pa.list_(pa.int8()), "their orientations"),
            _field("thumbnail", pa.binary(), "96 by 96 gray, row by row"),
        ]
    ),
    ("image_id",),
    "measure",
)

QUARANTINE = Table(
    "quarantine",
    pa.schema(
        [
            _field("kind", _TEXT, "file, image, annotation or record"),
            _field("id", _TEXT, "image_id, annotation_id or record_id, where it has one"),
            _SOURCE,
            _PATH,
            _field("row", pa.int64(), "row, line or place in the file, from 0"),
            _field("check", _TEXT, "name of the check that failed"),
            _field("column", _TEXT, "what was checked"),
            _field("value", _TEXT, "what stood there"),
            _field("message", _TEXT, "the fault in a sentence"),
            _field("severity", _TEXT, "error: taken out; warning: told and kept"),
            _field("count", _COUNT, "things it speaks of: a label file that is refused may hold many labels"),
        ]
    ),
    ("kind", "source", "path", "row", "check", "id"),
    "validate",
)

DUPLICATES = Table(
    "duplicates",
    pa.schema(
        [
            _field("cluster_id", _TEXT, "image_id of the cluster's representative"),
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            _field("representative_id", _TEXT, "image_id of the image that stays"),
            _field("relation", _TEXT, "representative, identical bytes, identical pixels, same picture, ..."),
            _field("transform", _TEXT, "how it is turned against the representative"),
            _field("score", _REAL, "worst local correlation with the representative", "1"),
            _field("kept", _FLAG, "stays in the dataset"),
            _field(
                "label_conflict",
                _TEXT,
                "class, count or geometry where its labels differ, state where a negative is unlabelled here",
            ),
        ]
    ),
    ("cluster_id", "source", "path"),
    "dedup",
)

SPLITS = Table(
    "splits",
    pa.schema(
        [
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            _field("split", _TEXT, "train, val, test, or null with a reason"),
            _field("group_id", _TEXT, "images of one group stand in one split"),
            _field("reason", _TEXT, "how it came there, or why it is left out"),
        ]
    ),
    ("image_id",),
    "split",
)

LINEAGE = Table(
    "lineage",
    pa.schema(
        [
            _IMAGE_ID,
            _field("parent_id", _TEXT, "image_id of the image it was made from"),
            _field("operation", _TEXT, "what made it"),
            _field("parameters", _TEXT, "all that is needed to make it again, as JSON"),
            _field("seed", _TEXT, "what its random numbers came from"),
            _field("step_version", _COUNT, "version of the code that made it"),
            _field("dropped", _COUNT, "labels that left the picture"),
            _field("shard", _TEXT, "name of the augmented shard that holds the bytes"),
        ]
    ),
    ("parent_id", "image_id"),
    "augment",
)

TABLES = (FILES, IMAGES, ANNOTATIONS, COVERAGE, FEATURES, QUARANTINE, DUPLICATES, SPLITS, LINEAGE)
