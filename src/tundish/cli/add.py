"""``tundish add``: look at a source, print what it is and why, and write its recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import answer, echo, find_project, json_option, show_json, verbosity, warn
from tundish.cli._shell import pasteable, repro
from tundish.neutral import for_terminal

if TYPE_CHECKING:
    from tundish.api.projects import Added, AddedImages, AddedRecords

__all__ = ["COMMANDS"]

_DONE = {"created": "Wrote", "extended": "Added it to", "replaced": "Replaced"}


@click.command("add")
@click.argument("name")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a recipe that exists.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option(
    "--strict", is_flag=True, help="Refuse a source with files that may be labels and are not read."
)
@click.option("--table", help="Name for a table of records; the file's own by default.")
@click.option("--schema", help="Schema for a table of records, such as schemas/coal.py:CoalAnalysis.")
@click.option("--sheet", help="Read this sheet of a workbook only.")
@click.option("--names", help="Columns of a file without header: a,b,c or a file with one on each line.")
@json_option
def add(
    name: str,
    source: Path,
    force: bool,
    dry_run: bool,
    strict: bool,
    table: str | None,
    schema: str | None,
    sheet: str | None,
    names: str | None,
    as_json: bool,
) -> None:
    """Look at SOURCE, say what it is, and write it into pipelines/NAME.yaml.

    SOURCE is a folder, zip or tar of images and labels, a Parquet file with pictures in it, or a table of
    process or laboratory records (CSV, Excel, Parquet, Arrow). A recipe that exists gets one more source or
    table, and the rest of it stays as it is. What each column of a table would be read as is shown before
    anything runs. Where something must be settled in the recipe before labels can be read, this is said, and
    the exit status is 1.

    \b
    Example:
      tundish add line1 ~/photos/line1
      tundish add line1 ~/photos/line1-june
      tundish add neu-det NEU-DET.zip
      tundish add line1 coils.xlsx --dry-run
    """
    from tundish.api import projects

    added = projects.add(
        name,
        source,
        force=force,
        dry_run=dry_run,
        strict=strict,
        table=table,
        schema=schema,
        sheet=sheet,
        names=names,
        project=find_project(),
    )
    for warning in added.warnings if isinstance(added, projects.AddedImages) else ():
        warn(f"Warning: {warning}")
    if as_json:
        show_json(_answer(added))
    else:
        _print(source, added)
    if isinstance(added, projects.AddedImages) and added.problem:
        warn(f"To settle in the recipe before a run, or no label is read: {added.problem}.")
        click.get_current_context().exit(1)


def _print(source: Path, added: AddedImages | AddedRecords) -> None:
    from tundish.api import projects

    if isinstance(added, projects.AddedImages):
        _print_images(source, added)
    else:
        _print_records(source, added)
    _print_end(added)


def _print_images(source: Path, added: AddedImages) -> None:
    formats = " and ".join(f"'{name}'" for name in (added.format, *added.also))
    lines = [f"{source} looks like {formats}:", *(f"  - {fact}" for fact in added.facts)]
    if added.classes:
        lines.append(f"  - classes: {', '.join(added.classes)}")
    if added.others:
        lines.append(f"It could also be: {'; '.join(added.others)}")
    lines += [f"Not read: {one}." for one in added.unread]
    for line in lines:
        echo(line)


def _print_records(source: Path, added: AddedRecords) -> None:
    from rich.console import Console
    from rich.table import Table

    fits = "its own schema" if added.schema_files else "fits"
    echo(f"{source}: {', '.join(added.layout)}; {fits} {added.schema}")
    for fact in added.evidence:
        echo(f"  - {fact}")
    table = Table("header", "column", "read as", "first values", box=None, pad_edge=False)
    for row in added.columns:
        cells = (row.header, row.means, row.read_as, ", ".join(row.examples))
        table.add_row(*(for_terminal(cell) for cell in cells))
    if verbosity() >= 0:
        Console(highlight=False, markup=False).print(table)
    if added.schema_files:
        key = f"the key is {added.key}" if added.key else "no column names a record, so it has no key"
        echo(f"No schema of the project fits, so it gets one as a start; {key}.")
    if added.others and added.schema_files:
        echo(f"Other schemas that know some headers: {'; '.join(added.others)}.")
    if added.missing:
        echo(f"Required and not found: {', '.join(added.missing)}; name their headers under 'columns'.")
    if added.problem:
        echo(f"To settle: {added.problem}.")


def _print_end(added: Added) -> None:
    recipe = f"pipelines/{added.recipe.name}"
    for note in added.notes:
        echo(f"Note: {note}.")
    if not added.written:
        answer(f"Nothing was written. {recipe} would be:\n\n{added.text}")
        for name, text in _schema_files(added).items():
            answer(f"{name} would be:\n\n{text}")
        return
    for name in _schema_files(added):
        echo(f"Wrote {name}.")
    echo(f"{_DONE[added.action]} {recipe}. Read it, then run one of:")
    echo(f"  {pasteable('tundish', 'run', added.dataset)}")
    echo(f"  {repro(added.recipe.parents[1])}")


def _schema_files(added: Added) -> dict[str, str]:
    """The files of a schema that was made for the table."""
    return dict(getattr(added, "schema_files", {}))


def _answer(added: AddedImages | AddedRecords) -> dict[str, Any]:
    """What was found and done, for a program."""
    from dataclasses import asdict

    answer = asdict(added)
    answer["recipe"] = str(added.recipe)
    if added.written:
        del answer["text"]
    return answer


COMMANDS = {"add": add}
