"""Check the schemas of a project: whether they load, and what in them cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.errors import SchemaError
from tundish.propose.schema.state import SchemaState
from tundish.recipe.sections import Records
from tundish.rules.check import describe
from tundish.rules.models import models_of
from tundish.stages.records.plan import record_table
from tundish.tabular.headers.columns import load_columns
from tundish.tabular.text import compare

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable

__all__ = ["check_file"]


def check_file(project: Path, file: str, model: str | None = None) -> list[SchemaState]:
    """Check the models of records in a schema file.

    Args:
        project: The project.
        file: The file, such as ``schemas/steel.py``; it has an alias table beside it.
        model: Only this model.
    """
    try:
        names = [one.__name__ for one in models_of(project / file)]
        listed = load_columns((project / file).with_suffix(".yaml"))
    except SchemaError as error:
        return [SchemaState(file, problem=str(error))]
    found, known = [], set()
    for name in [model] if model else names:
        section = Records.model_validate({"path": "x", "schema": f"{file}:{name}"})
        try:
            table = record_table(project, "records", section)
            found.append(_checked(table))
            known |= set(table.wanted)
        except SchemaError as error:
            found.append(SchemaState(f"{file}:{name}", problem=str(error)))
    strange = sorted(set(listed.columns) - known)
    if strange and model is None and not any(one.problem for one in found):
        what = f"the alias table lists {', '.join(strange)}, which no model of the file has"
        found.append(SchemaState(file, problem=str(SchemaError(what, fix="rename or remove them"))))
    return found


def _checked(table: RecordTable) -> SchemaState:
    reference = table.section.schema_
    return SchemaState(
        reference,
        tuple(table.wanted),
        tuple(name for name in table.wanted if name in table.required),
        table.key,
        len({rule.name for rule, _, _ in describe(table.model)}),
        notes=tuple(_notes(table)),
    )


def _notes(table: RecordTable) -> list[str]:
    """Headers that mean two columns of the model, and units of columns that are not numbers."""
    meant: dict[str, list[str]] = {}
    narrow = table.columns.only(table.wanted)
    for column in narrow.columns.values():
        for name in column.every_name:
            meant.setdefault(compare(name), []).append(column.name)
    notes = [
        f"'{name}' may mean {' or '.join(dict.fromkeys(columns))}: a recipe has to say which"
        for name, columns in meant.items()
        if len(set(columns)) > 1 and not narrow.lookup(name).column
    ]
    return notes + [
        f"'{name}' has the unit {column.unit}, and its type is {table.wanted[name]}"
        for name, column in narrow.columns.items()
        if column.unit and table.wanted[name] not in {"real", "integer"}
    ]
