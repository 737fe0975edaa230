"""CSV files: those with classes, boxes, runs or numbers for images may be labels; lists are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.formats.csv.classes import class_columns
from tundish.formats.csv.columns import box_columns
from tundish.formats.csv.names import IMAGE_NAMES
from tundish.formats.csv.runs import placeholder_of, run_columns
from tundish.formats.csv.table import image_column, is_code, parse_table, plain
from tundish.formats.reading.fault import Fault
from tundish.formats.unread.suspect import Suspect

if TYPE_CHECKING:
    from tundish.formats.base import Catalog
    from tundish.formats.csv.table import Table

__all__ = ["judge_table"]

_OF_LISTS = frozenset(
    [
        "id",
        "index",
        "number",
        "name",
        "class",
        "classname",
        "category",
        "label",
        "labelname",
        "supercategory",
        "color",
        "colour",
        "r",
        "g",
        "b",
        "red",
        "green",
        "blue",
        "hex",
        "train",
        "trainid",
        "value",
        "split",
        "set",
        "subset",
        "fold",
        "usage",
        "description",
    ]
)
"""Plain names of the columns that lists of classes have."""

_OF_SPLITS = frozenset(["split", "set", "subset", "fold", "usage", "partition", "dataset", "id", "index"])


def judge_table(path: str, data: bytes, catalog: Catalog) -> Suspect | None:
    """Whether a CSV file may be labels.

    Args:
        path: Where it is.
        data: Bytes of the file.
        catalog: The pictures of the source.
    """
    if not data.strip():
        return None
    try:
        table = parse_table(path, data, catalog)
    except Fault as fault:
        # Rows of one field are a list of pictures, or of classes.
        return None if fault.check == "not_a_table" else Suspect("CSV", f"it cannot be read: {fault.message}")
    runs = run_columns(table, catalog)
    if isinstance(runs, str):
        why = _why(table, catalog)
    else:
        why = "" if placeholder_of(table, runs) else "it holds masks as runs, and the recipe does not read it"
    return Suspect("CSV", why) if why else None


def _why(table: Table, catalog: Catalog) -> str:
    """Why a table without runs may be labels; empty where it is a list of pictures or classes."""
    if table.width == 2 and table.rows and all(is_code(row.field(0)) for row in table.rows):
        return ""  # codes of classes and their names
    image, named = image_column(table, catalog, IMAGE_NAMES)
    others = {plain(name) for place, name in enumerate(table.names) if place != image or not named}
    if table.names and others <= (_OF_SPLITS if named else _OF_LISTS):
        return ""
    classes, boxes = class_columns(table, catalog, ""), box_columns(table, catalog)
    if image is not None and (not isinstance(boxes, str) or boxes.startswith("!")):
        return "it holds boxes, and the recipe does not read it"
    if isinstance(classes, str):
        return classes if named else _RECORDS
    return "it holds classes of images, and the recipe does not read it"


_RECORDS = "it is a table that names no picture here; where it holds records, add it by its own path"
