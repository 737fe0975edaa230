"""Parquet as Hugging Face `datasets` (5.x) lays it out: embedded images and typed features.

A *feature* is written as `datasets` writes it in a file's schema metadata: a dictionary with ``_type``, or a
dictionary of features for a struct. From it come the Arrow schema, the YAML of the dataset card, and files
named ``<split>-00000-of-0000N.parquet``.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tundish.formats.base import Files

__all__ = [
    "FILE_BYTES",
    "GROUP_BYTES",
    "IMAGE",
    "Feature",
    "arrow_schema",
    "class_label",
    "list_of",
    "value",
    "write_split",
    "yaml_features",
]

Feature = dict[str, Any]

GROUP_BYTES = 64 * 1024 * 1024
"""Image bytes in a row group: what a trainer reads in one piece."""

FILE_BYTES = 500 * 1024 * 1024
"""Image bytes in a file: what the Hub advises."""

IMAGE: Feature = {"_type": "Image"}
"""An embedded image: a struct of `bytes` (the file) and `path` (its name)."""

_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"),
}


def value(dtype: str) -> Feature:
    """A plain value: string, int32, int64, float64, bool or ``timestamp[us, tz=UTC]``."""
    return {"dtype": dtype, "_type": "Value"}


def class_label(names: Sequence[str]) -> Feature:
    """A class by its number (int64) in `names`."""
    return {"names": list(names), "_type": "ClassLabel"}


def list_of(feature: Feature) -> Feature:
    """A list of any length."""
    return {"feature": feature, "_type": "List"}


def arrow_schema(features: Mapping[str, Feature], units: Mapping[str, str] | None = None) -> pa.Schema:
    """The Arrow schema of `features`; its key ``huggingface`` carries them for `datasets`.

    `units` go into the metadata of their fields, where `datasets` leaves them alone.
    """
    metadata = orjson.dumps({"info": {"features": dict(features)}})
    known = units or {}
    fields = [
        pa.field(name, _arrow(feature), metadata={"unit": known[name]} if known.get(name) else None)
        for name, feature in features.items()
    ]
    return pa.schema(fields, metadata={"huggingface": metadata})


def _arrow(feature: Feature) -> pa.DataType:
    match feature.get("_type"):
        case "Image":
            return pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
        case "ClassLabel":
            return pa.int64()
        case "List":
            return pa.list_(_arrow(feature["feature"]))
        case "Value":
            return _ARROW[feature["dtype"]]
        case _:
            return pa.struct([pa.field(name, _arrow(part)) for name, part in feature.items()])


def yaml_features(features: Mapping[str, Feature]) -> list[dict[str, Any]]:
    """`features` as the list under ``dataset_info: features:`` in a dataset card."""
    return [{"name": name, **_yaml(feature)} for name, feature in features.items()]


def _yaml(feature: Feature) -> dict[str, Any]:
    match feature.get("_type"):
        case "Image":
            return {"dtype": "image"}
        case "ClassLabel":
            names = {str(number): name for number, name in enumerate(feature["names"])}
            return {"dtype": {"class_label": {"names": names}}}
        case "List":
            inner = _yaml(feature["feature"])
            return {"list": inner["dtype"] if list(inner) == ["dtype"] else inner}
        case "Value":
            return {"dtype": feature["dtype"]}
        case _:
            return {"struct": yaml_features(feature)}


def write_split(
    files: Files,
    split: str,
    rows: pa.Table,
    images: Iterator[tuple[str, bytes | memoryview]],
    features: Mapping[str, Feature],
    *,
    units: Mapping[str, str] | None = None,
    group_bytes: int = GROUP_BYTES,
    file_bytes: int = FILE_BYTES,
) -> dict[str, int]:
    """Write one split's files; memory holds one row group.

    Args:
        files: Takes the files.
        split: Name of the split.
        rows: All columns of `features` but ``image``, one row an image.
        images: (name, bytes) of each row's image, in the order of `rows`.
        features: Feature of each column; the first is ``image``.
        units: Unit by column, where it has one.
        group_bytes: A row group is closed when its images hold this much.
        file_bytes: A file is closed when its images hold this much.

    Returns:
        The size of each file in bytes, by its name; none for a split without images, which `datasets` could
        not load.
    """
    schema = arrow_schema(features, units)
    temporary: dict[str, int] = {}
    start = 0
    while start < rows.num_rows:
        path, size = f"{split}-{len(temporary):05d}.tmp", 0
        with files.open(path) as stream:
            with pq.ParquetWriter(stream, schema, **_properties(schema)) as writer:
                while start < rows.num_rows and size < file_bytes:
                    written, group_size = _write_group(writer, rows.slice(start), images, group_bytes)
                    start, size = start + written, size + group_size
                    # Arrow's pool keeps what it frees: here a row group and the writer's copy of it.
                    pa.default_memory_pool().release_unused()
            temporary[path] = stream.tell()
    # How many files there are is known only now.
    sizes = {}
    for number, (path, size) in enumerate(temporary.items()):
        name = f"{split}-{number:05d}-of-{len(temporary):05d}.parquet"
        files.rename(path, name)
        sizes[name] = size
    return sizes


def _write_group(
    writer: pq.ParquetWriter, rows: pa.Table, images: Iterator[tuple[str, bytes | memoryview]], limit: int
) -> tuple[int, int]:
    """Write the first of `rows`, until their images hold `limit` bytes; returns how many rows and bytes."""
    names: list[str] = []
    data: list[bytes | memoryview] = []
    size = 0
    for name, blob in islice(images, rows.num_rows):
        names.append(name)
        data.append(blob)
        size += len(blob)
        if size >= limit:
            break
    field = writer.schema.field("image")
    columns = [pa.array(data, pa.binary()), pa.array(names, pa.string())]
    data.clear()
    image = pa.StructArray.from_arrays(columns, fields=list(field.type))
    group = rows.slice(0, len(names)).add_column(0, field, image).cast(writer.schema)
    writer.write_table(group, row_group_size=group.num_rows)
    return len(names), size


def _properties(schema: pa.Schema) -> dict[str, Any]:
    """Images do not shrink further, and statistics or a dictionary of them would only cost; all else does."""
    leaves = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
    others = [leaf for leaf in leaves if leaf != "image.bytes"]
    return {
        "compression": {"image.bytes": "none"} | dict.fromkeys(others, "zstd"),
        "use_dictionary": others,
        "write_statistics": others,
    }


def _leaves(path: str, kind: pa.DataType) -> list[str]:
    if pa.types.is_struct(kind):
        return [leaf for part in kind for leaf in _leaves(f"{path}.{part.name}", part.type)]
    if pa.types.is_list(kind):
        return _leaves(f"{path}.list.element", kind.value_type)
    return [path]
