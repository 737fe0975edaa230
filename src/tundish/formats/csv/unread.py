"""Names the CSV files beside pictures that no format reads as labels, and says why.

Numbers for images (moisture, ash) are not labels; neither is a sample of a submission. Nothing is passed over
in silence: `tundish add` prints what this says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.formats.csv.classes import class_columns
from tundish.formats.csv.names import IMAGE_NAMES
from tundish.formats.csv.runs import run_columns
from tundish.formats.csv.source import look_at_tables
from tundish.formats.csv.table import image_column

if TYPE_CHECKING:
    from tundish.formats.base import Listing

__all__ = ["unread_tables"]


def unread_tables(listing: Listing) -> dict[str, str]:
    """The CSV files of a source that name images which are here and hold no labels.

    Args:
        listing: The files of the source.

    Returns:
        By their path, why each is not read as labels, as the end of a sentence.
    """
    seen = look_at_tables(listing)
    if seen is None:
        return {}
    found = {}
    for table in seen.tables:
        _, named = image_column(table, seen.catalog, IMAGE_NAMES)
        classes = class_columns(table, seen.catalog, "")
        if named and isinstance(classes, str) and isinstance(run_columns(table, seen.catalog), str):
            found[table.path] = classes
    return {path: why for path, why in found.items() if "those of boxes" not in why}
