"""Names of classes that label files only give codes for, as Open Images does: /m/0abc is a tortoise."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tundish.formats.base import suffix_of
from tundish.formats.csv.table import is_code, parse_table
from tundish.formats.given.tables import TABLE_SUFFIXES
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.sniffing import catalog_of
from tundish.recipe.classes import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.formats.base import Listing

__all__ = ["names_of_codes"]

_TABLES_SEEN = 20


def names_of_codes(listing: Listing, classes: Sequence[str]) -> tuple[Mapping[str, str], list[str]]:
    """The names of classes that are codes, by a table of two columns, codes and names, beside the labels.

    Args:
        listing: The files of the source.
        classes: The classes of its labels.

    Returns:
        The names by their code, where no two classes would have the same; and what a person should know.
    """
    codes = [name for name in classes if is_code(name)]
    if not codes:
        return {}, []
    paths = [path for path in listing.paths if suffix_of(path) in TABLE_SUFFIXES]
    found: dict[str, str] = {}
    where = ""
    for path in paths[:_TABLES_SEEN]:
        rows = _rows(listing, path)
        if len(rows.keys() & codes) > len(found.keys() & codes):
            found, where = rows, path
    named = {code: found[code] for code in codes if found.get(code)}
    others = {normalise(name) for name in classes}
    spelt = Counter(normalise(name) for name in named.values())
    named = {
        code: name
        for code, name in named.items()
        if spelt[normalise(name)] == 1 and normalise(name) not in others
    }
    facts = [f"{where} names {len(named)} of {len(codes)} codes of classes"] if named else []
    if rest := [code for code in codes if code not in named]:
        shown = ", ".join(rest[:3])
        facts.append(
            f"codes of classes without a name: {len(rest)} ({shown}); put the table of codes and names beside"
            " the labels, or write the names into the recipe"
        )
    return named, facts


def _rows(listing: Listing, path: str) -> dict[str, str]:
    """Names by code, where a table holds nothing else."""
    try:
        table = parse_table(path, listing.read(path), catalog_of([]))
    except Fault:
        return {}
    rows = [row.fields for row in table.rows]
    if table.names and is_code(table.names[0]):  # what looks like a header is the first row
        rows.insert(0, table.names)
    if table.width != 2 or not rows or not all(len(row) == 2 and is_code(row[0]) for row in rows):
        return {}
    return {code: name.strip() for code, name in rows if name.strip()}
