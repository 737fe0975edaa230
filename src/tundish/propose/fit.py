"""How well the models of a project fit a file of records, by its headers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.recipe.sections import Records
from tundish.rules.models import models_of
from tundish.stages.records.plan import record_table
from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable
    from tundish.tabular.base import Layout, Sheet
    from tundish.tabular.headers.columns import Match

__all__ = ["Fit", "fit_of", "fits_of", "lacks_header"]


@dataclass(frozen=True)
class Fit:
    """How well a model of the project fits a sheet, by its headers alone.

    Attributes:
        table: The model with its alias table.
        schema: As a recipe names it.
        sheet: The sheet.
        matches: What each header means.
        missing: Columns of the key, and required ones, that no header means.
    """

    table: RecordTable
    schema: str
    sheet: Sheet
    matches: Mapping[str, Match]
    missing: tuple[str, ...]

    @property
    def understood(self) -> int:
        """The columns of the file that the model knows, those included that only a person can tell apart."""
        return sum(
            self.matches[header].column is not None or bool(self.matches[header].candidates)
            for header in self.sheet.layout.headers
        )

    @property
    def unsure(self) -> dict[str, tuple[str, ...]]:
        """Headers that only a person can tell apart, with the columns that each may mean."""
        return {header: match.candidates for header, match in self.matches.items() if match.candidates}

    @property
    def fits(self) -> bool:
        """Whether the key is understood, and at least half of the columns."""
        return not self.missing and 2 * self.understood >= len(self.sheet.layout.headers)

    @property
    def rank(self) -> tuple[bool, int]:
        """Better fits are larger: all required columns first, then the most columns understood."""
        return (not self.missing, self.understood)


def fits_of(
    project: Path,
    file: Path,
    schema: str | None = None,
    sheet: str | None = None,
    names: tuple[str, ...] = (),
) -> tuple[Sequence[Sheet], list[Fit]]:
    """The sheets of a file, and how the models of the project that know a header fit them, the best first.

    Args:
        project: The project whose schemas are tried.
        file: The file.
        schema: Try this schema only, and however badly it fits.
        sheet: Look at this sheet of a workbook only.
        names: The columns in order, for a file without header.

    Raises:
        SourceError: The file cannot be read at all, or has no header and `names` are not given.
        SchemaError: A schema is wrong.
    """
    references = [schema] if schema else list(_record_schemas(project))
    tables = [
        record_table(project, "records", Records.model_validate({"path": file.name, "schema": one}))
        for one in references
    ]
    known = tuple({name for table in tables for name in table.columns.spellings()})
    options = FileOptions(sheets=(sheet,) if sheet else (), names=names, known=known)
    sheets = open_table(file, file.name, options)
    if not names and all(lacks_header(one.layout) for one in sheets):
        raise SourceError(
            f"the file has no header over its {len(sheets[0].layout.headers)} columns",
            where=str(file),
            fix="give their names in order: --names a,b,c or --names FILE with one on each line",
        )
    found = [
        fit
        for table, reference in zip(tables, references, strict=True)
        for one in sheets
        if (fit := fit_of(table, reference, one)).understood or schema
    ]
    return sheets, sorted(found, key=lambda fit: fit.rank, reverse=True)


def fit_of(table: RecordTable, reference: str, sheet: Sheet) -> Fit:
    """How well one model fits a sheet.

    Args:
        table: The model with its alias table.
        reference: The model as a recipe names it.
        sheet: The sheet.
    """
    narrow = table.columns.only(table.wanted).beside(sheet.layout.headers)
    joined = sheet.layout.header_rows > 1
    matches = {header: narrow.lookup(header, joined=joined) for header in sheet.layout.headers}
    found = {match.column for match in matches.values()}
    found |= {name for match in matches.values() for name in match.candidates}
    # The names of a schema's own columns count, too, where the alias table does not list them.
    found |= set(sheet.layout.headers)
    return Fit(table, reference, sheet, matches, tuple(sorted({*table.required, *table.key} - found)))


def lacks_header(layout: Layout) -> bool:
    """Whether the first row is a record already. Parquet and Arrow name their columns elsewhere."""
    return layout.header_rows == 0 and (layout.separator is not None or layout.sheet is not None)


def _record_schemas(project: Path) -> Iterator[str]:
    """The models that have an alias table beside them."""
    for path in sorted((project / "schemas").glob("*.py")):
        if path.with_suffix(".yaml").exists():
            yield from (f"schemas/{path.name}:{model.__name__}" for model in models_of(path))
