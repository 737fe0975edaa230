"""The text of a schema for a table that no schema knew: a Pandera model and its alias table, as a start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.neutral import for_terminal
from tundish.propose.column import RecordColumn
from tundish.propose.schema.python_text import assignment, comment, literal
from tundish.propose.yaml_edit import flow, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tundish.propose.schema.column import StartColumn
    from tundish.tabular.infer.evidence import Evidence

__all__ = ["alias_lines", "alias_text", "column_lines", "describe", "model_text", "shown"]

_TYPES = {"text": "str", "real": "float", "integer": "int", "flag": "bool", "time": "Time"}
_HEAD = '''\
"""{about}

A start that Tundish wrote from the values of {file}; it is yours to change. Above each column
is what was found. Nothing here removes a record but an empty or repeated key and a cell
that cannot be read: all else is reported, and the record kept. Limits are wide ones, from
percentiles: replace them by those of your process.
"""
'''
_TIME = 'Time = Annotated[pl.Datetime, "us", "UTC"]'
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SHOWN = 60
"""Characters of an example."""


def model_text(model: str, file: str, rows: int, columns: Sequence[StartColumn], key: str | None) -> str:
    """The Python file with the model.

    Args:
        model: The name of its class.
        file: The file it was found in.
        rows: The records of that file.
        columns: The columns, in the order of the file.
        key: The column that names a record.
    """
    body = [line for column in columns for line in ("", *column_lines(column, key=column.name == key))]
    used = sorted({name for line in body for name in re.findall(r" = (\w+)\(", line)})
    timed = any(column.found.kind == "time" for column in columns)
    typing = [*(["Annotated"] if timed else []), *(["Any", "ClassVar"] if key else [])]
    lines = [
        _HEAD.format(about=f"What counts as a valid record of {_safe(model)}.", file=_safe(file)),
        "from __future__ import annotations",
        "",
        *([f"from typing import {', '.join(typing)}", ""] if typing else []),
        "import pandera.polars as pa",
        *(["import polars as pl"] if timed else []),
        f"from tundish.rules import {', '.join(used)}",
        "",
        f"__all__ = [{literal(model)}]",
        "",
        *([_TIME, ""] if timed else []),
        "",
        f"class {model}(pa.DataFrameModel):",
        f'    """{rows:,} records of {len(columns):,} columns were looked at."""',
        *body,
        *(_config(key) if key else ()),
    ]
    return "\n".join(lines) + "\n"


def _config(key: str) -> Iterator[str]:
    yield from ("", "    class Config:", '        """How records are told apart."""', "")
    yield from ("        metadata: ClassVar[dict[str, Any]] = {", f'            "key": [{literal(key)}],')
    yield "        }"


def column_lines(column: StartColumn, *, key: bool) -> Iterator[str]:
    """The lines of a column in the model: its evidence as a comment, its type, its usual limits.

    Args:
        column: The column.
        key: Whether it names a record.
    """
    found, evidence = column.found, column.found.evidence
    yield from comment(f"{found.header}: {describe(column)}", 4)
    kind = _TYPES[found.kind]
    english, chinese = _called(column)
    arguments = [column.name, english, chinese] if chinese else [column.name, english]
    if key:
        yield from assignment(f"{column.name}: {kind}", "name_of", arguments)
        return
    values = [_plain(one, evidence) for one in column.categories]
    options: dict[str, object] = {"filled": True} if evidence.filled and not evidence.missing else {}
    if values:
        options["values"] = values
    if column.limits is not None:
        options["usual"] = column.limits
    target = f"{column.name}: {kind} | None"
    yield from (
        assignment(target, "expected", arguments, options) if options else assignment(target, "optional", ())
    )


def _called(column: StartColumn) -> tuple[str, str]:
    """What the column is called in English and Chinese; one of them may be empty."""
    written = " ".join(column.found.unit.name.split())
    chinese = written if _CHINESE.search(written) else ""
    english = "" if _CHINESE.search(column.name) else column.name.replace("_", " ")
    return english, chinese


def describe(column: StartColumn) -> str:
    """The evidence on a column in a sentence: values, missing ones, least, most, examples."""
    evidence, kind = column.found.evidence, column.found.kind
    if not evidence.filled:
        return "no values at all, kept as text"
    facts = [
        f"{evidence.filled:,} values",
        f"{evidence.missing:,} missing" if evidence.missing else "none missing",
    ]
    if evidence.unread:
        facts.append(f"{evidence.unread:,} of these cannot be read as {_NOUNS[kind]}")
    if evidence.least is not None:
        unit = f" {column.found.unit.unit}" if column.found.unit.unit else ""
        facts.append(f"{_shown(evidence.least, evidence)} to {_shown(evidence.most, evidence)}{unit}")
    if evidence.unique:
        facts.append("each once")
    return f"{', '.join(facts)}; such as {', '.join(_examples(evidence))}"


_NOUNS = {"real": "numbers", "integer": "whole numbers", "time": "times", "flag": "flags", "text": "text"}


def _examples(evidence: Evidence) -> tuple[str, ...]:
    """The examples of a column as text."""
    return tuple(_shown(one, evidence) for one in evidence.examples)


def _plain(value: object, evidence: Evidence) -> object:
    """A value of a whole column as a whole number: they are gathered as real ones."""
    return int(value) if isinstance(value, float) and evidence.whole else value


def _shown(value: object, evidence: Evidence) -> str:
    value = _plain(value, evidence)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        text = str(value)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    if isinstance(value, float):
        return literal(float(f"{value:.6g}"))
    return f"{value:%Y-%m-%d %H:%M}"


def shown(column: StartColumn) -> RecordColumn:
    """The column as `tundish add` shows it."""
    found = column.found
    kind = {"real": "number", "integer": "whole number", "flag": "yes or no"}.get(found.kind, found.kind)
    unit = f", {found.unit.unit}" if found.unit.unit else ""
    return RecordColumn(found.header, column.name, f"{kind}{unit}", _examples(found.evidence))


def alias_text(file: str, columns: Sequence[StartColumn]) -> str:
    """The YAML file with the headers and units of the columns, and the units that Tundish does not know.

    Args:
        file: The file they were found in.
        columns: The columns.
    """
    lines = [
        f"# The headers of {_safe(file)}, and the units of its columns. Add the names that other files use.",
        *alias_lines(columns),
    ]
    return "\n".join(lines) + "\n"


def alias_lines(columns: Sequence[StartColumn]) -> Iterator[str]:
    """The lines of an alias table for these columns, with the units that Tundish does not know."""
    yield from _unit_lines(columns)
    yield "columns:"
    for column in columns:
        facts: dict[str, object] = {}
        if column.found.unit.unit:
            facts["unit"] = column.found.unit.unit
        facts["about"] = " ".join(column.found.header.split())
        if column.names:
            facts["names"] = list(column.names)
        yield f"  {quoted(column.name)}: {flow(facts)}"


def _unit_lines(columns: Sequence[StartColumn]) -> Iterator[str]:
    own = {unit.unit: unit.own for unit in (one.found.unit for one in columns) if unit.own is not None}
    if not own:
        return
    yield "# Units that Tundish does not know: how many of which known unit one is, or nothing."
    yield "units:"
    for name, definition in own.items():
        yield f"  {quoted(str(name))}: {quoted(definition) if definition else ''}".rstrip()


def _safe(text: str) -> str:
    """A name on one line of a docstring or a comment."""
    bare = for_terminal(" ".join(text.split()))
    return bare.replace("\\", "/").replace('"', "'")
