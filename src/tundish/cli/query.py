"""``tundish query``: ask a dataset's tables in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tundish.cli._common import DatasetName, answer, echo, find_project
from tundish.cli._text import cells, pad, terminal_width, wrap
from tundish.errors import UsageError
from tundish.neutral import for_terminal

if TYPE_CHECKING:
    import polars as pl

__all__ = ["COMMANDS"]

_ROWS = 50


@click.command("query")
@click.argument("name", type=DatasetName())
@click.argument("sql", required=False)
@click.option(
    "--format",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    help="How the answer is printed or written: a table by default, or what the suffix of --output says.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the answer to this file.")
def query(
    name: str,
    sql: str | None,
    format: Literal["table", "csv", "json", "parquet"] | None,  # noqa: A002  (the option's name)
    output: Path | None,
) -> None:
    """Ask the tables of dataset NAME in SQL: decisions, records, splits, exports. Nothing can be changed.

    'coils' has the accepted records of a table coils, 'records.coils' all of them with outcome and reason.
    Without SQL the tables and their columns are listed. Chinese names go between double quotes.

    \b
    Example:
      tundish query steel-surface
      tundish query steel-surface 'select split, count(*) as images from splits group by split'
      tundish query steel-surface 'from coils limit 5' --format csv --output coils.csv
    """
    from tundish.api.query import as_text, query

    if format == "parquet" and output is None:
        raise UsageError("Parquet is not printed", fix="name a file with --output")
    found = query(name, sql, format=format, output=output, project=find_project())
    if output is not None:
        echo(f"Wrote {found.height:,} row{'' if found.height == 1 else 's'} to {output}.")
    elif format in {"csv", "json"}:
        answer(as_text(found, format).rstrip("\n"))
    elif sql is None:
        _print_tables(found)
    else:
        _print(found)


def _print(found: pl.DataFrame) -> None:
    """The answer as a table: text to the left, numbers to the right."""
    if not found.width:
        return
    heads = list(map(for_terminal, found.columns))
    rows = [heads, *([_cell(value) for value in row] for row in found.head(_ROWS).iter_rows())]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    right = [kind.is_numeric() for kind in found.dtypes]
    for row in rows:
        shown = (pad(cell, width, right=at) for cell, width, at in zip(row, widths, right, strict=True))
        answer("  ".join(shown).rstrip())
    if found.height > _ROWS:
        echo(f"... and {found.height - _ROWS:,} more rows; --format csv prints all")


def _print_tables(found: pl.DataFrame) -> None:
    for name, about, names in found.iter_rows():
        answer("\n".join(wrap(f"{name} ({about}): {names}", terminal_width(), 4)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return for_terminal(" ".join(str(value).split()))


COMMANDS = {"query": query}
