"""``tundish add`` for a table of records: show what each header would be read as, and write the section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import quoted
from tundish.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.propose.records import Proposal

__all__ = ["answer", "is_table", "look", "names_of", "section_lines", "table_name", "tell", "with_records"]

_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".nna", ".xlsx", ".xlsm", ".xls", ".ods", ".parquet")


def is_table(source: Path) -> bool:
    """Whether a source is a file of records, by its name; also one that is not there."""
    return not source.is_dir() and source.name.lower().endswith(_SUFFIXES)


def table_name(source: Path, told: str | None) -> str:
    """What the table is called in the recipe: as told, or as the file.

    Raises:
        UsageError: What was told is no name.
    """
    if told is None:
        return re.sub(r"[^\w.-]+", "-", source.stem).strip("-.") or "records"
    if not re.fullmatch(r"\w[\w.-]{0,99}", told):
        raise UsageError(f"'{told}' is no name for a table", fix="use letters, digits, '-' and '_'")
    return told


def names_of(text: str | None) -> tuple[str, ...]:
    """Names of columns: separated by commas, or one a line in a file."""
    if text is None:
        return ()
    file = Path(text)
    lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else text.split(",")
    return tuple(line.strip() for line in lines if line.strip())


def look(
    project: Path, source: Path, schema: str | None, sheet: str | None, names: tuple[str, ...]
) -> Proposal:
    """The schema that fits best.

    Raises:
        SourceError: None of the project's schemas knows the file's headers.
    """
    from tundish.propose.records import propose

    if not source.exists():
        raise SourceError(
            "nothing is here", where=str(source), fix="name a table, a folder, a .zip or a .tar"
        )
    found = propose(project, source, schema, sheet, names)
    if not found:
        raise SourceError(
            "no schema of this project knows any of its headers",
            where=str(source),
            fix="add their names to an alias table in schemas/, or name the schema with --schema",
        )
    return found[0]


def section_lines(
    table: str, path: str, proposal: Proposal, sheet: str | None, names: tuple[str, ...]
) -> Iterator[str]:
    """The table's part of the recipe."""
    yield f"  {table}:"
    yield f"    path: {quoted(path)}"
    yield f"    schema: {quoted(proposal.schema)}"
    if sheet is not None:
        yield f"    sheet: {quoted(sheet)}"
    if names:
        yield "    # the file has no header; its columns in order"
        yield f"    names: [{', '.join(map(quoted, names))}]"
    unsure = [row for row in proposal.rows if row.candidates]
    if unsure:
        yield "    # These headers may mean several columns: choose, or write null to leave one out."
        yield "    columns:"
        for row in unsure:
            yield f"      # {quoted(row.header)}: {' or '.join(row.candidates)}"


def with_records(text: str, table: str, lines: list[str], path: Path) -> str:
    """A recipe's text with one more table of records; the rest stays as it is.

    Raises:
        UsageError: The recipe has a table of that name, or its records cannot be found.
    """
    if re.search(rf"^  {re.escape(table)}:", _block(text), re.MULTILINE):
        raise UsageError(
            f"the recipe has records called '{table}' already",
            where=str(path),
            fix="choose another name with --table",
        )
    pattern = re.compile(r"^records:[ \t]*(\{\})?[ \t]*(#.*)?\n", re.MULTILINE)
    if not pattern.search(text):
        raise UsageError(
            "the recipe's 'records' are not written as a block of lines",
            where=str(path),
            fix="write 'records:' on a line of its own, a table below it",
        )
    block = "records:\n" + "".join(f"{line}\n" for line in lines)
    return pattern.sub(lambda _: block, text, count=1)


def _block(text: str) -> str:
    found = re.search(r"^records:.*\n((?:[ \t].*\n|\n)*)", text, re.MULTILINE)
    return found.group(1) if found else ""


def tell(source: Path, proposal: Proposal) -> None:
    """Print the proposal as a table."""
    from rich.console import Console
    from rich.table import Table

    layout = proposal.layout
    facts = [
        f"sheet {layout.sheet}" if layout.sheet else "",
        layout.encoding or "",
        _separator(layout.separator),
    ]
    facts.append(f"{layout.header_rows} header row{'s' if layout.header_rows != 1 else ''}")
    click.echo(f"{source}: {', '.join(fact for fact in facts if fact)}; fits {proposal.schema}")
    table = Table("header", "column", "read as", "first values", box=None, pad_edge=False)
    for row in proposal.rows:
        column = row.column or (" or ".join(row.candidates) + "?" if row.candidates else "-")
        table.add_row(row.header, column, row.told, ", ".join(row.examples))
    Console(highlight=False, markup=False).print(table)
    if proposal.missing:
        click.echo(
            f"Required and not there: {', '.join(proposal.missing)}; name their headers under 'columns'."
        )
    if proposal.problem:
        click.echo(f"To settle: {proposal.problem}.")


def _separator(separator: str | None) -> str:
    return {None: "", ",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}.get(
        separator, repr(separator)
    )


def answer(path: Path, proposal: Proposal) -> dict[str, Any]:
    """The proposal for a program."""
    return {
        "recipe": str(path),
        "schema": proposal.schema,
        "missing": list(proposal.missing),
        "problem": proposal.problem,
        "columns": [
            {
                "header": row.header,
                "column": row.column,
                "candidates": list(row.candidates),
                "read_as": row.told,
                "examples": list(row.examples),
            }
            for row in proposal.rows
        ],
    }
