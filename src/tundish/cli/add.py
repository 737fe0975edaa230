"""``tundish add``: look at a source, tell what it is and why, and write its recipe."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import find_project, find_recipe, json_option, quoted
from tundish.cli.add_records import (
    answer,
    is_table,
    look,
    names_of,
    section_lines,
    table_name,
    tell,
    with_records,
)
from tundish.errors import SourceError, UsageError
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tundish.formats.base import Evidence

__all__ = ["COMMANDS", "list_pipeline"]

_TEMPLATE = """\
# {name}: what to do with this dataset. Written by 'tundish add' from what it saw:
{facts}dataset: {name}
# Of the plant's clocks: for times that name no zone.
timezone: Asia/Shanghai

{sources}
# Tables of process and laboratory records: 'tundish add NAME FILE' proposes them.
records: {{}}

images: {{schema: 'schemas/images.py:Images'}}

annotations:
  schema: 'schemas/annotations.py:Annotations'
  # The order is the numbering: add new classes at the end. Other spellings go into the brackets.
  classes:{classes}

dedup: {{level: fast, keep: first}}

# How people label in Label Studio, and when they agree.
label: {{}}

# Which record belongs to which image: by a key, by the nearest time or position.
link: {{}}

split:
  ratios: {{train: 0.8, val: 0.1, test: 0.1}}
  group_by: []
  salt: '1'
  unlabelled: {unlabelled}

# Derived training images: copies for each image, by these operations in this order.
augment: {{copies: 0, operations: [{{flip: {{p: 0.5}}}}, {{exposure: {{gain: 0.2}}}}]}}

export: {{formats: [parquet, coco]}}
"""

_SOURCES = """\
sources:
{source}
    # what a file's name tells, as columns; split.group_by keeps equal values in one split:
    # keys: {{coil_id: '^(?P<coil_id>[A-Z]\\d+)_'}}
"""


@click.command("add")
@click.argument("name")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over a recipe that is there.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--table", help="Name for a table of records; the file's own by default.")
@click.option("--schema", help="Schema for a table of records, such as schemas/coal.py:CoalAnalysis.")
@click.option("--sheet", help="The sheet of a workbook.")
@click.option("--names", help="Columns of a file without header: a,b,c or a file with one a line.")
@json_option
def add(
    name: str,
    source: Path,
    force: bool,
    dry_run: bool,
    table: str | None,
    schema: str | None,
    sheet: str | None,
    names: str | None,
    as_json: bool,
) -> None:
    """Look at SOURCE, tell what it is, and write pipelines/NAME.yaml.

    SOURCE is a folder, zip or tar of images and labels, or a table of process or laboratory records (CSV,
    Excel, Parquet). A table is added to the recipe that is there; what each of its columns would be read as
    is shown before anything runs.

    \b
    Example:
      tundish add line1 ~/photos/line1
      tundish add neu-det NEU-DET.zip
      tundish add line1 coils.xlsx --dry-run
    """
    project = find_project()
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise UsageError(f"'{name}' is no name for a dataset", fix="use letters, digits, '-' and '_'")
    path = find_recipe(project, name)
    if is_table(source):
        columns = names_of(names)
        proposal = look(project, source, schema, sheet, columns)
        label = table_name(source, table)
        place = _as_written(source, DatasetFolder(name, project))
        text = _with_table(name, label, list(section_lines(label, place, proposal, sheet, columns)), path)
        facts = answer(path, proposal)
        say: Callable[[], None] = partial(tell, source, proposal)
    else:
        text, facts, say = _from_images(project, name, source, path, force=force)
    if not dry_run:
        _write(project, name, path, text)
    if as_json:
        import orjson

        click.echo(orjson.dumps(facts).decode())
        return
    say()
    if dry_run:
        click.echo(f"Nothing was written. {path.relative_to(project)} would be:\n\n{text}")
    else:
        click.echo(f"Wrote {path.relative_to(project)}: read it, then 'tundish run {name}' or 'dvc repro'.")


def _write(project: Path, name: str, path: Path, text: str) -> None:
    from tundish.storage.table import write_atomically

    write_atomically(path, text.encode())
    list_pipeline(project / "params.yaml", name)


def _with_table(name: str, table: str, lines: list[str], path: Path) -> str:
    """The recipe, new or as it is there, with the table in it."""
    if path.exists():
        return with_records(path.read_text(encoding="utf-8"), table, lines, path)
    text = _TEMPLATE.format(
        name=name,
        facts=f"#   a table of records, {table}\n",
        sources="sources: []\n",
        classes=" {}",
        unlabelled="exclude",
    )
    return with_records(text, table, lines, path)


def _from_images(
    project: Path, name: str, source: Path, path: Path, *, force: bool
) -> tuple[str, dict[str, Any], Callable[[], None]]:
    """The recipe for a folder or archive of images, its facts, and how to tell them."""
    if path.exists() and not force:
        raise UsageError(
            "this recipe is there already", where=str(path), fix="choose another name, or --force"
        )
    found = _look(source)
    best = found[0]
    text = _recipe(name, _as_written(source, DatasetFolder(name, project)), best)
    facts = {"recipe": str(path), "format": best.format, "classes": best.classes, "facts": best.facts}
    return text, facts, partial(_tell, source, found)


def _look(source: Path) -> list[Evidence]:
    from tundish.formats.base import Listing
    from tundish.formats.registry import look
    from tundish.sources.files import open_source

    with open_source(source) as entries:
        members = {entry.path: entry for entry in entries if entry.fault is None}
        found, faults = look(Listing(sorted(members), lambda path: members[path].read()))
    for fault in faults:
        click.echo(f"Warning: {fault}", err=True)
    if not members:
        raise SourceError(
            "the source holds no files", where=str(source), fix="name the folder with the images"
        )
    if not found:
        raise SourceError(
            f"none of its {len(members):,} files is an image",
            where=str(source),
            fix="name the folder that holds the images and their labels",
        )
    return found


def _as_written(source: Path, dataset: DatasetFolder) -> str:
    """The source as the recipe names it: relative to the dataset's folder, unless it was given absolute."""
    inside = source.resolve().is_relative_to(dataset.project.resolve())
    if source.is_absolute() and not inside:
        return source.as_posix()
    return Path(os.path.relpath(source.resolve(), dataset.root.resolve())).as_posix()


def _flow(values: dict[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(key)}: {quoted(value)}" for key, value in values.items()) + "}"


def _recipe(name: str, source: str, evidence: Evidence) -> str:
    """The recipe's text, with the evidence on top."""
    # A fact may quote a file's name, and a name may hold a line break.
    facts = "".join(f"#   {' '.join(fact.split())}\n" for fact in evidence.facts)
    return _TEMPLATE.format(
        name=name,
        facts=facts,
        sources=_SOURCES.format(source="\n".join(_source_lines(source, evidence))),
        classes="".join(f"\n    {quoted(label)}: []" for label in evidence.classes) or " {}",
        unlabelled="exclude" if evidence.classes else "include",
    )


def _source_lines(source: str, evidence: Evidence) -> Iterator[str]:
    yield f"  - path: {quoted(source)}"
    yield f"    format: {evidence.format}"
    if evidence.names:
        yield "    # the label files hold numbers; these are their names, from 0 on"
        yield f"    names: [{', '.join(map(quoted, evidence.names))}]"
    if evidence.extra:
        yield f"    options: {_flow(dict(evidence.extra))}"


def list_pipeline(params: Path, name: str) -> None:
    """Add the dataset to params.yaml's list, leaving the rest of the file as it is."""
    import yaml

    from tundish.storage.table import write_atomically

    text = params.read_text(encoding="utf-8") if params.exists() else "pipelines: []\n"
    listed = (yaml.safe_load(text) or {}).get("pipelines") or []
    if name in listed:
        return
    block = "pipelines:\n" + "".join(f"  - {quoted(item)}\n" for item in [*listed, name])
    pattern = re.compile(r"^pipelines:[^\n]*\n(?:[ \t]*-[^\n]*\n?)*", re.MULTILINE)
    text = pattern.sub(lambda _: block, text, count=1) if pattern.search(text) else text + block
    write_atomically(params, text.encode())


def _tell(source: Path, found: list[Evidence]) -> None:
    best, *others = found
    click.echo(f"{source} looks like '{best.format}':")
    for fact in best.facts:
        click.echo(f"  - {fact}")
    if best.classes:
        click.echo(f"  - classes: {', '.join(best.classes)}")
    if others:
        click.echo("It could also be: " + "; ".join(f"{other.format} ({other.facts[0]})" for other in others))


COMMANDS = {"add": add}
