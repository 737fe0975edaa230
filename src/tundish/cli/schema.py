"""``tundish schema``: make a schema from a file, check those of the project, compare one with a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tundish.cli._common import answer, echo, find_project, json_option, show_json, verbosity
from tundish.errors import SchemaError
from tundish.neutral import for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.api.schemas import SchemaDiff, SchemaInferred
    from tundish.propose.column import RecordColumn

__all__ = ["COMMANDS"]

_sheet = click.option("--sheet", help="Look at this sheet of a workbook only.")
_names = click.option("--names", help="Columns of a file without header: a,b,c or a file of lines.")


@click.group("schema", short_help="Make, check and compare schemas of records.")
def schema() -> None:
    """Make a schema from a file, check those of the project, compare one with a file.

    \b
    Example:
      tundish schema infer furnace.csv --dry-run
      tundish schema check
      tundish schema diff furnace-june.csv --schema schemas/furnace.py:Furnace
    """


@schema.command("infer", short_help="Make a schema from the values of a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--table", help="Name of the schema's files; the table's own by default.")
@_sheet
@_names
@click.option("--force", is_flag=True, help="Replace a schema of that name.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@json_option
def infer(
    file: Path,
    table: str | None,
    sheet: str | None,
    names: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make schemas/TABLE.py and schemas/TABLE.yaml from the values of FILE, as a start.

    Names, types, units, the key, usual limits and the evidence for each column, as 'tundish add' writes them
    for a table that no schema fits.

    \b
    Example:
      tundish schema infer furnace.csv
      tundish schema infer meters.xlsx --sheet May --table meters
    """
    from tundish.api.schemas import schema_infer

    found = schema_infer(
        file, table=table, sheet=sheet, names=names, force=force, dry_run=dry_run, project=find_project()
    )
    if as_json:
        from dataclasses import asdict

        show_json(asdict(found))
        return
    _print_inferred(file, found)


def _print_inferred(file: Path, found: SchemaInferred) -> None:
    key = f"the key is {found.key}" if found.key else "no column names a record"
    echo(f"{file}: {found.rows:,} records, {len(found.columns):,} columns; {key}")
    _print_columns(found.columns)
    for header, column in found.columns_stated.items():
        echo(f"Only a recipe can tell this header apart: columns: {{'{header}': {column}}}.")
    if found.written:
        echo(f"Wrote {' and '.join(found.files)}. Read them, then use {found.schema} in a recipe.")
        return
    for name, text in found.files.items():
        answer(f"{name} would be:\n\n{text}")


def _print_columns(columns: Sequence[RecordColumn]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("header", "column", "read as", "first values", box=None, pad_edge=False)
    for row in columns:
        cells = (row.header, row.means, row.read_as, ", ".join(row.examples))
        table.add_row(*(for_terminal(cell) for cell in cells))
    if verbosity() >= 0:
        Console(highlight=False, markup=False).print(table)


@schema.command("check", short_help="Check the schemas of records of the project.")
@click.argument("schema", required=False)
@json_option
def check(schema: str | None, as_json: bool) -> None:
    """Check that the schemas of records load, and that their alias tables fit them.

    SCHEMA is a file such as schemas/steel.py, or a model in it; all by default. Exit code 2 says that one of
    them is wrong.

    \b
    Example:
      tundish schema check
      tundish schema check schemas/furnace.py:Furnace
    """
    from dataclasses import asdict

    from tundish.api.schemas import schema_check

    found = schema_check(schema, project=find_project())
    if as_json:
        show_json([asdict(one) for one in found])
    else:
        for one in found:
            if one.problem is None:
                key = f"key {', '.join(one.key)}" if one.key else "no key"
                echo(f"{one.schema}: {len(one.columns)} columns, {key}, {one.rules} rules")
            for note in one.notes if verbosity() > 0 else ():
                echo(f"  - {note}")
    wrong = [one for one in found if one.problem is not None]
    for one in wrong:
        echo(f"{one.schema}: {one.problem}")
    if wrong:
        raise SchemaError(
            f"{len(wrong)} of {len(found)} schemas cannot be used", fix="fix them; each is explained above"
        )


@schema.command("diff", short_help="What a file has that a schema lacks.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--schema", help="Such as schemas/coal.py:CoalAnalysis; by default the best.")
@_sheet
@_names
@json_option
def diff(file: Path, schema: str | None, sheet: str | None, names: str | None, as_json: bool) -> None:
    """Compare FILE with a schema: new columns with the lines for them, missing ones, other types and values.

    \b
    Example:
      tundish schema diff furnace-june.csv
      tundish schema diff lab.xlsx --sheet June --schema schemas/coal.py:CoalAnalysis
    """
    from tundish.api.schemas import schema_diff

    found = schema_diff(file, schema=schema, sheet=sheet, names=names, project=find_project())
    if as_json:
        from dataclasses import asdict

        show_json(asdict(found))
        return
    _print_diff(file, found)


def _print_diff(file: Path, found: SchemaDiff) -> None:
    if not (found.new or found.missing or found.changed):
        echo(f"{file} has the columns of {found.schema}, no more and no less.")
        return
    echo(f"{file} and {found.schema}:")
    for column in found.new:
        echo(f"  new: {column}")
    for line in found.changed:
        echo(f"  changed: {line}")
    if found.missing:
        echo(f"  not in the file: {', '.join(found.missing)}")
    if found.new:
        file_name, _, model = found.schema.partition(":")
        answer("\n".join([f"\nFor {model} in {file_name}:\n", *found.model_lines]))
        answer("\n".join([f"\nFor {file_name.removesuffix('.py')}.yaml:\n", *found.alias_lines]))


COMMANDS = {"schema": schema}
