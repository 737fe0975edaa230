"""The text of recipes that `tundish add` writes, and what it adds to those that people have written on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tundish.errors import UsageError
from tundish.neutral import for_terminal
from tundish.propose.editors import SCHEMA_LINE
from tundish.propose.yaml_edit import append, flow, quoted
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Evidence
    from tundish.propose.images.beside import Beside
    from tundish.propose.records import Proposal

__all__ = [
    "image_recipe",
    "list_pipeline",
    "record_recipe",
    "section_lines",
    "source_lines",
    "with_classes",
    "with_group_keys",
    "with_records",
    "with_source",
]

_TEMPLATE = (
    SCHEMA_LINE
    + """\
# {name}: what to do with this dataset. Written by 'tundish add' from what it saw:
{facts}dataset: {dataset}
# Of the plant's clocks: for times that name no zone.
timezone: Asia/Shanghai

{sources}
# Tables of process and laboratory records: 'tundish add {name} FILE' proposes them.
records: {{}}

images: {{schema: 'schemas/images.py:Images'}}

annotations:
  schema: 'schemas/annotations.py:Annotations'
  # The order is the numbering: add new classes at the end. Other spellings go into the brackets.
  classes:{classes}

dedup: {{level: auto, keep: first}}

# How people label in Label Studio, and when they agree.
label: {{}}

# Which record belongs to which image: by a key, by the nearest time or position.
link: {{}}

# A run that would lose more than this stops before the splits, and says which check took it. One or two
# labels or images are never too many for a share of more than 0% ('least: 3'), unless they were all.
guard: {{lost_labels: 5%, lost_images: 5%, emptied_classes: 0}}

split:
  ratios: {{train: 0.8, val: 0.1, test: 0.1}}
  group_by: {group_by}
  salt: '1'
{given}  unlabelled: {unlabelled}

# Derived training images: copies for each image, by these operations in this order.
augment: {{copies: 0, operations: [{{flip: {{p: 0.5}}}}, {{exposure: {{gain: 0.2}}}}]}}

export: {{formats: [parquet, coco]}}
"""
)

_GIVEN = """\
  # The images came with a split; keep it, or: train keeps train alone, ignore assigns all by the ratios.
  given: keep
"""

_SOURCES = """\
sources:
{source}
{keys}"""

_KEYS = """\
    # what a file's name says, as columns; split.group_by keeps equal values in one split:
    # keys: {coil_id: '^(?P<coil_id>[A-Z]\\d+)_'}
"""


def image_recipe(
    name: str,
    place: str,
    evidence: Evidence,
    beside: Beside,
    classes: Sequence[str],
    also: Sequence[Evidence] = (),
) -> str:
    """A new recipe for a folder or an archive of images, with the evidence on top.

    Args:
        name: The dataset's name.
        place: The source as the recipe names it.
        evidence: What the source turned out to be.
        beside: What else the recipe says of it.
        classes: Its classes, each in one spelling.
        also: Further formats that some of its labels are in.
    """
    return _TEMPLATE.format(
        name=name,
        dataset=quoted(name),
        facts="".join(f"#   {_comment(fact)}\n" for fact in evidence.facts),
        sources=_SOURCES.format(
            source="\n".join(f"  {line}" for line in source_lines(place, evidence, beside, also=also)),
            keys="" if beside.keys else _KEYS,
        ),
        group_by=flow(list(beside.keys)),
        given=_GIVEN if beside.keep else "",
        classes="".join(f"\n    {_class_line(label, beside.names)}" for label in classes) or " {}",
        unlabelled="exclude" if classes or beside.targets else "include",
    )


def record_recipe(name: str, table: str, lines: Sequence[str]) -> str:
    """A new recipe for a table of records.

    Args:
        name: The dataset's name.
        table: The table's name.
        lines: The table's part of the recipe.
    """
    text = _TEMPLATE.format(
        name=name,
        dataset=quoted(name),
        facts=f"#   a table of records, {table}\n",
        sources="sources: []\n",
        group_by="[]",
        given="",
        classes=" {}",
        unlabelled="exclude",
    )
    return append(text, ["records"], lines)


def _comment(text: str) -> str:
    """Text on one line: it may quote a file's name, which may hold line breaks and control characters."""
    return for_terminal(" ".join(text.split()))


def _reading_lines(evidence: Evidence) -> Iterator[str]:
    """How the files of a source are read."""
    if evidence.names:
        yield "  # the label files hold numbers; these are their names, from 0 on"
        yield f"  names: {flow(list(evidence.names))}"
    if evidence.pages:
        yield f"  pages: {evidence.pages}"
    if evidence.doubt:
        yield f"  # to settle before a run, or no label is read: {_comment(evidence.doubt)}"
    if evidence.extra:
        yield f"  options: {flow(dict(evidence.extra))}"


def source_lines(
    place: str,
    evidence: Evidence,
    beside: Beside,
    *,
    label: str | None = None,
    facts: bool = False,
    also: Sequence[Evidence] = (),
) -> Iterator[str]:
    """A source's entry in the recipe.

    Args:
        place: The source as the recipe names it.
        evidence: What it turned out to be.
        beside: What else the recipe says of it.
        label: Its name in the tables, where the last part of its path is not the one.
        facts: Write the evidence above it.
        also: Further formats that some of its labels are in.
    """
    if facts:
        yield from (f"# {_comment(fact)}" for fact in evidence.facts)
    yield f"- path: {quoted(place)}"
    yield f"  format: {evidence.format}"
    if label is not None:
        yield f"  name: {quoted(label)}"
    yield from _reading_lines(evidence)
    if also:
        yield "  # labels of these formats are among the files too; of equal labels one is kept"
        yield "  also:"
    for one in also:
        further: dict[str, object] = {"format": one.format}
        further |= {"names": list(one.names)} if one.names else {}
        further |= {"options": dict(one.extra)} if one.extra else {}
        yield f"  - {flow(further)}"
    if beside.keys:
        yield "  # what a file's name says, as columns; split.group_by keeps equal values in one split"
        yield f"  keys: {flow(dict(beside.keys))}"
    if beside.targets:
        yield "  # numbers for whole images, to be predicted; those beyond min and max are quarantined"
        yield "  targets:"
        yield from (f"    {quoted(name)}: {flow(dict(target))}" for name, target in beside.targets.items())
    if beside.given:
        yield "  # what states the split that the images came with"
        yield f"  given: {flow(dict(beside.given))}"


def section_lines(
    table: str, place: str, proposal: Proposal, sheet: str | None, names: Sequence[str]
) -> Iterator[str]:
    """A table's entry in the recipe.

    Args:
        table: The table's name.
        place: The file as the recipe names it.
        proposal: The schema that fits it.
        sheet: The only sheet of a workbook that is read.
        names: The columns in order, where the file has no header.
    """
    yield f"{quoted(table)}:"
    yield f"  path: {quoted(place)}"
    yield f"  schema: {quoted(proposal.schema)}"
    only = (sheet,) if sheet is not None else proposal.sheets
    if only:
        yield f"  sheet: {quoted(only[0])}" if len(only) == 1 else f"  sheets: {flow(list(only))}"
    if proposal.header_rows is not None:
        yield f"  header_rows: {proposal.header_rows}"
    if names:
        yield "  # the file has no header; its columns in order"
        yield f"  names: {flow(list(names))}"
    if proposal.pivot is not None:
        yield "  # a row for each element or item becomes a column for each"
        columns = {"name": proposal.pivot.name, "value": proposal.pivot.value, "unit": proposal.pivot.unit}
        yield f"  pivot: {flow({key: header for key, header in columns.items() if header})}"
    yield from (f"  # {_comment(fact)}" for fact in proposal.evidence)
    if proposal.unit_columns:
        pairs = {pair.value_header: pair.unit_header for pair in proposal.unit_columns}
        yield f"  unit_columns: {flow(pairs)}"
    yield from (f"  # {option}: {value}" for option, value in proposal.conventions)
    if proposal.stated:
        yield "  # headers that are alike, or occur twice"
        yield f"  columns: {flow(dict(proposal.stated))}"
    unsure = [row for row in proposal.rows if row.candidates]
    if unsure:
        yield "  # These headers may mean several columns: choose, or write null to omit one."
        yield "  # columns:"
        for row in unsure:
            yield f"  #   {_comment(quoted(row.header))}: {' or '.join(row.candidates)}"


def with_source(text: str, lines: Iterable[str], where: str) -> str:
    """A recipe's text with one more source; the rest stays as it is.

    Raises:
        UsageError: The recipe is written in a way that cannot be added to.
    """
    return append(text, ["sources"], list(lines), where)


def _class_line(label: str, names: Mapping[str, str]) -> str:
    return f"{quoted(names[label])}: [{quoted(label)}]" if label in names else f"{quoted(label)}: []"


def with_classes(text: str, classes: Iterable[str], names: Mapping[str, str], where: str) -> str:
    """A recipe's text with more classes, behind those that it has: their order is their numbering.

    Args:
        text: The recipe.
        classes: The classes as label files have them.
        names: Names of those that are codes; a recipe that lists its classes keeps the codes.
        where: The recipe's file, for people.

    Raises:
        UsageError: The recipe is written in a way that cannot be added to.
    """
    written = ((yaml.safe_load(text) or {}).get("annotations") or {}).get("classes")
    for label in classes:
        listed = isinstance(written, list) and written
        line = f"- {quoted(label)}" if listed else _class_line(label, names)
        text = append(text, ["annotations", "classes"], [line], where)
    return text


def with_group_keys(text: str, keys: Iterable[str], where: str) -> str:
    """A recipe's text with more keys by which images are grouped.

    Raises:
        UsageError: The recipe is written in a way that cannot be added to.
    """
    for key in keys:
        text = append(text, ["split", "group_by"], [f"- {quoted(key)}"], where)
    return text


def with_records(text: str, lines: Iterable[str], where: str) -> str:
    """A recipe's text with one more table of records; the rest stays as it is.

    Raises:
        UsageError: The recipe is written in a way that cannot be added to.
    """
    return append(text, ["records"], list(lines), where)


def list_pipeline(params: Path, name: str) -> None:
    """Add the dataset to the list in params.yaml, leaving the rest of the file as it is.

    Raises:
        UsageError: The file is not YAML, or its list is written in a way that cannot be added to.
    """
    text = params.read_bytes().decode() if params.exists() else ""
    try:
        listed = (yaml.safe_load(text) or {}).get("pipelines") or []
    except (yaml.YAMLError, AttributeError) as error:
        raise UsageError(
            "this is not a YAML mapping", where=str(params), fix="fix the file, or remove it"
        ) from error
    if name in listed:
        return
    write_atomically(params, append(text, ["pipelines"], [f"- {quoted(name)}"], str(params)).encode())
