"""The tables of a source of images, each read once for all that is looked for in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.formats.base import suffix_of
from tundish.formats.given.tables import TABLE_SUFFIXES, read_table
from tundish.formats.reading.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.formats.base import Catalog, Listing
    from tundish.formats.csv.table import Table

__all__ = ["tables_of"]

_TABLES_SEEN = 20


def tables_of(listing: Listing, catalog: Catalog) -> Iterator[Table]:
    """The first tables of a source, one at a time in memory; files that are not tables are passed over.

    Args:
        listing: The files of the source.
        catalog: The images of the source.
    """
    paths = [path for path in listing.paths if suffix_of(path) in TABLE_SUFFIXES]
    for path in paths[:_TABLES_SEEN]:
        try:
            yield read_table(path, listing.read(path), catalog)
        except Fault:
            continue
