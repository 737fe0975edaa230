"""Write the parts of docs/ that are made from the code; ``--check`` only tells whether they are stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
import yaml
from tools.architecture import architecture
from tools.between import between
from tools.format_trees import look_at
from tools.recipe_page import recipe

from tundish.cli import main as tundish
from tundish.formats.markdown import table as markdown_table
from tundish.formats.registry import BUILT_IN, load_format
from tundish.labeling.acceptance.batch import BATCH_IMAGES, FINDINGS
from tundish.labeling.tables import JUDGEMENTS
from tundish.recipe.load import json_schema
from tundish.rules.check import describe
from tundish.rules.models import models_of
from tundish.storage.accepted import ACCEPTED
from tundish.storage.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandera.polars as pa

    from tundish.formats.base import Format

DOCS = Path(__file__).resolve().parents[1] / "docs"


def commands() -> str:
    """Every command's help."""
    parts = ["# Commands", "", "Made from the commands' own help by `make docs`.", ""]
    # With the settings of the real thing: click keeps the help option that it made first.
    settings = {**tundish.context_settings, "max_content_width": 100, "terminal_width": 100}
    context = click.Context(tundish, info_name="tundish", **settings)
    return "\n".join([*parts, *_helps(tundish, context)])


def _helps(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(
            command, info_name=name, parent=context, max_content_width=100, terminal_width=100
        )
        yield from (f"## {inner.command_path}", "", "```text", command.get_help(inner), "```", "")
        if isinstance(command, click.Group):
            yield from _helps(command, inner)


def tables() -> str:
    """Every canonical table with its columns, types and units."""
    parts = [
        "# Tables",
        "",
        "Made from their schemas by `make docs`. Times are UTC; boxes are 0-based and half-open, x right,",
        "y down, in the upright image. A file is named by (source, path).",
        "",
    ]
    for table in (*TABLES, ACCEPTED, JUDGEMENTS, BATCH_IMAGES, FINDINGS):
        parts += [
            f"## {table.name}",
            "",
            f"Written by `{table.written_by}`, sorted by {', '.join(table.order)}.",
            "",
        ]
        parts += ["| column | type | unit | what |", "| --- | --- | --- | --- |"]
        for field in table.schema:
            about = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            parts.append(
                f"| {field.name} | {field.type} | {about.get('unit', '')} | {about['description']} |"
            )
        parts.append("")
    return "\n".join(parts)


def rules() -> str:
    """Every rule of the Pandera models that come with the project."""
    parts = [
        "# Rules",
        "",
        "Made from the Pandera models in `schemas/` by `make docs`. An error removes the image, label or",
        "record; a warning keeps it, and is reported. A plant that subclasses a model and sets another",
        "limit keeps the rule's name.",
        "",
    ]
    for path in sorted(DOCS.parent.glob("schemas/*.py")):
        for model in models_of(path):
            if model.__name__.startswith("_"):
                continue
            about = (model.__doc__ or "").partition("\n")[0]
            parts += [f"## schemas/{path.name}:{model.__name__}", "", about, "", *_rules_of(model), ""]
    return "\n".join(parts)


def _rules_of(model: type[pa.DataFrameModel]) -> Iterator[str]:
    """A model's rules as a table, with Chinese sentences and standards where it has any."""
    found = list(describe(model))
    if not found:
        yield "No rules but the columns' types."
        return
    heads = ["rule", "column", "limit", "severity", "what it says"]
    more = {"chinese": "中文", "standard": "standard"}
    more = {name: head for name, head in more.items() if any(getattr(rule, name) for rule, _, _ in found)}
    yield _line([*heads, *more.values()])
    yield _line(["---"] * (len(heads) + len(more)))
    for rule, column, limit in found:
        told = [f"`{rule.name}`", column, limit, rule.severity, rule.sentence]
        yield _line([*told, *(getattr(rule, name) for name in more)])


def formats() -> str:
    """The page on formats, whose tables are made from the registry of those that come with Tundish."""
    forms = [load_format(name) for name in BUILT_IN]
    about = [
        (
            f"`{form.name}`",
            "yes" if form.reader else "",
            "yes" if form.writer else "",
            form.about,
            "; ".join(f"`{option}`: {meaning}" for option, meaning in form.options.items()),
        )
        for form in forms
    ]
    lost = [(f"`{form.name}`", form.lost) for form in forms if form.writer]
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    text = between(
        text, "formats", markdown_table(["format", "read", "written", "what", "options of a source"], about)
    )
    text = between(text, "evidence", _evidence(form for form in forms if form.reader))
    return between(text, "lost", markdown_table(["written as", "what has no place there"], lost))


def _evidence(forms: Iterable[Format]) -> str:
    """What each format that can be read asks for, reads and reports; and what `tundish add` says."""
    heads = ["format", "evidence asked for", "what is read", "what is reported", "what `tundish add` says"]
    rows = []
    for form in forms:
        added = look_at(form.name)
        if added.format != form.name:
            raise ValueError(
                f"the tree of '{form.name}' in tools/format_trees.py is taken for {added.format}"
            )
        options = yaml.safe_load(added.text)["sources"][0].get("options", {})
        written = "; ".join(f"{name}: {value}" for name, value in options.items())
        said = "; ".join(added.facts[:2]) + (f"; writes {written}" if written else "")
        rows.append((f"`{form.name}`", form.evidence, form.reads, form.reports, said))
    return markdown_table(heads, rows)


def _line(cells: list[str]) -> str:
    whole = " | ".join(cell.replace("|", r"\|") for cell in cells)
    return f"| {whole} |"


PARTS: dict[str, Callable[[], bytes]] = {
    "commands.md": lambda: commands().encode(),
    "tables.md": lambda: tables().encode(),
    "formats.md": lambda: formats().encode(),
    "rules.md": lambda: rules().encode(),
    "architecture.md": lambda: architecture().encode(),
    "recipe.md": lambda: recipe().encode(),
    "recipe.schema.json": lambda: orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2) + b"\n",
}


def stale() -> list[str]:
    """The parts that are not what the code says."""
    return [name for name, make in PARTS.items() if not _is(DOCS / name, make())]


def _is(path: Path, data: bytes) -> bool:
    return path.exists() and path.read_bytes() == data


if __name__ == "__main__":
    names = stale()
    if "--check" in sys.argv:
        sys.exit(f"stale: {', '.join(names)}; run 'make docs'" if names else 0)
    for name in names:
        (DOCS / name).write_bytes(PARTS[name]())
