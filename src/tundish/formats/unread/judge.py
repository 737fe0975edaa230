"""Whether a file that no reader took may be labels, and why: by what it holds, not by its name.

What cannot be looked into (MAT, HDF5, TFRecord, pickles, workbooks beside pictures) is named by its kind.
Lists of pictures or classes, settings such as data.yaml, readmes and licences are known by what they hold.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.formats.base import IMAGE_SUFFIXES, parts_of, suffix_of
from tundish.formats.unread.columnar import judge_parquet
from tundish.formats.unread.lines import judge_text
from tundish.formats.unread.structured import judge_json, judge_json_lines, judge_xml, judge_yaml
from tundish.formats.unread.suspect import TABLE, Suspect
from tundish.formats.unread.tables import judge_table

if TYPE_CHECKING:
    from tundish.formats.base import Catalog

__all__ = ["is_readable", "judge", "may_be_labels"]

_UNREAD = "files of this kind are not read as labels"
_PICKLE = "it would run code when it is opened, so it is never read"

_OPAQUE = {
    ".mat": Suspect("MAT", _UNREAD),
    ".h5": Suspect("HDF5", _UNREAD),
    ".hdf5": Suspect("HDF5", _UNREAD),
    ".hdf": Suspect("HDF5", _UNREAD),
    ".npy": Suspect("NumPy", _UNREAD),
    ".npz": Suspect("NumPy", _UNREAD),
    ".pkl": Suspect("pickle", _PICKLE),
    ".pickle": Suspect("pickle", _PICKLE),
    ".xlsx": Suspect("workbook", TABLE),
    ".xlsm": Suspect("workbook", TABLE),
    ".xlsb": Suspect("workbook", TABLE),
    ".xls": Suspect("workbook", TABLE),
    ".ods": Suspect("workbook", TABLE),
    ".arrow": Suspect("Arrow", TABLE),
    ".feather": Suspect("Arrow", TABLE),
    ".lmdb": Suspect("LMDB", _UNREAD),
    ".mdb": Suspect("LMDB", _UNREAD),
    ".rec": Suspect("RecordIO", _UNREAD),
}
_DRAWN = Suspect("picture", "pictures that only show drawn objects, as VOC and COCO keep them, are not read")
_RECORDS = re.compile(r"\.tfrecords?(?:[-._].*)?$|\.record$|\.tfrec$", re.IGNORECASE)

_STRUCTURED = {
    ".json": judge_json,
    ".geojson": judge_json,
    ".jsonl": judge_json_lines,
    ".ndjson": judge_json_lines,
    ".xml": judge_xml,
    ".yaml": judge_yaml,
    ".yml": judge_yaml,
    ".parquet": judge_parquet,
    ".pq": judge_parquet,
}
_TEXTS = frozenset({".txt", ".lst"})
_TABLES = frozenset({".csv", ".tsv"})


def may_be_labels(path: str) -> bool:
    """Whether a file is of a kind in which labels come; `judge` says whether it may be some."""
    suffix = suffix_of(path)
    known = suffix in _OPAQUE or suffix in IMAGE_SUFFIXES
    return known or is_readable(path) or _RECORDS.search(parts_of(path)[1]) is not None


def is_readable(path: str) -> bool:
    """Whether `judge` looks into a file of this kind."""
    return suffix_of(path) in _STRUCTURED.keys() | _TEXTS | _TABLES


def judge(path: str, data: bytes, catalog: Catalog) -> Suspect | None:
    """What suggests that a file is labels.

    Args:
        path: Where it is; a picture is one that no format takes for a photograph.
        data: Its bytes; not looked at where `is_readable` says no.
        catalog: The pictures of the source, as far as they are known.

    Returns:
        Why it may be labels, or None where what it holds says that it is not.
    """
    suffix = suffix_of(path)
    if suffix in _OPAQUE or suffix in IMAGE_SUFFIXES:
        return _OPAQUE.get(suffix, _DRAWN)
    if suffix in _STRUCTURED:
        return _STRUCTURED[suffix](data)
    if suffix in _TABLES:
        return judge_table(path, data, catalog)
    if suffix in _TEXTS:
        return judge_text(data, catalog)
    return Suspect("TFRecord", _UNREAD) if _RECORDS.search(parts_of(path)[1]) else None
