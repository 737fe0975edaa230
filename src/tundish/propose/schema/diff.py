"""What a file has that a schema lacks: new columns with the lines for them, missing ones, other kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.propose.schema.column import StartColumn
from tundish.propose.schema.start import reserved_names
from tundish.propose.schema.text import alias_lines, column_lines, describe
from tundish.tabular.infer.identifiers import identifier, unique_names
from tundish.tabular.infer.survey import survey
from tundish.tabular.units import UnitError, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.propose.fit import Fit
    from tundish.tabular.infer.survey import Surveyed
    from tundish.tabular.plan import ReadOptions

__all__ = ["Difference", "compare_schema"]

_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """What tells a file and a schema apart.

    Attributes:
        new: The columns of the file that the schema does not know.
        missing: The columns of the schema that the file does not have.
        changed: What is otherwise than the schema says, a sentence for each column.
        model_lines: The lines of the new columns for the model.
        alias_lines: Those for the alias table.
    """

    new: tuple[StartColumn, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    model_lines: tuple[str, ...]
    alias_lines: tuple[str, ...]


def compare_schema(fit: Fit, options: ReadOptions) -> Difference:
    """Compare a sheet with a model.

    Args:
        fit: The model, the sheet, and what its headers mean.
        options: What is known about the values of the sheet.
    """
    surveyed = survey(fit.sheet, options)
    known = {one.index: fit.matches[one.header].column for one in surveyed}
    fresh = [one for one in surveyed if known[one.index] is None and not fit.matches[one.header].candidates]
    reserved = {*reserved_names(), *fit.table.wanted}
    names = unique_names([identifier(one.unit.name) for one in fresh], reserved)
    new = tuple(
        StartColumn(name, found, (found.unit.name,) if found.unit.name != name else ())
        for name, found in zip(names, fresh, strict=True)
    )
    seen = {one for match in fit.matches.values() for one in (match.column, *match.candidates)}
    return Difference(
        new,
        tuple(name for name in fit.table.wanted if name not in seen),
        tuple(line for one in surveyed if (line := _changed(fit, one, known[one.index]))),
        tuple(line for column in new for line in ("", *column_lines(column, key=False)))[1:],
        tuple(alias_lines(new)),
    )


def _changed(fit: Fit, found: Surveyed, column: str | None) -> str:
    """What differs of a column that the schema knows; empty where nothing does."""
    if column is None:
        return ""
    return "; ".join(f"{found.header} ({column}) {what}" for what in _changes(fit, found, column))


def _changes(fit: Fit, found: Surveyed, column: str) -> Iterator[str]:
    wanted, shown = fit.table.wanted[column], describe(StartColumn(column, found))
    numbers = {"real", "integer"}
    alike = wanted in {found.kind, "text"} or {wanted, found.kind} <= numbers
    if found.evidence.filled and not alike:
        yield f"is {found.kind} where the schema has {wanted}: {shown}"
    elif wanted == "integer" and found.kind == "real" and not found.evidence.whole:
        yield f"has fractions where the schema has whole numbers: {shown}"
    unit = fit.table.columns.unit(column)
    if unit and found.unit.unit and wanted in numbers:
        try:
            convert(found.unit.unit, unit, own=fit.table.columns.units)
        except UnitError as error:
            yield f"is in {found.unit.unit} where the schema has {unit}: {error}"
    allowed = _allowed(fit, column)
    other = [one for one in found.evidence.categories or found.evidence.examples if one not in allowed]
    if allowed and other:
        yield f"has values that the schema does not list: {', '.join(map(str, other[:_SHOWN]))}"


def _allowed(fit: Fit, column: str) -> tuple[object, ...]:
    """The values that the model lists for a column; empty where any is allowed."""
    for check in fit.table.model.to_schema().columns[column].checks:
        values = (check.statistics or {}).get("allowed_values")
        if check.name == "isin" and values is not None:
            return tuple(values)
    return ()
