"""Schemas of records: made from a file, checked, and compared with another file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.api.projects import RecordColumn, project_folder
from tundish.errors import SourceError, UsageError
from tundish.propose.schema.state import SchemaState
from tundish.results import Result, Results

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

__all__ = [
    "SchemaDiff",
    "SchemaInferred",
    "SchemaState",
    "schema_check",
    "schema_diff",
    "schema_infer",
]


@dataclass(frozen=True)
class SchemaInferred(Result):
    """A schema that was made from a file, or would be.

    Attributes:
        schema: The model as recipes name it.
        key: The column that names a record; None where none does.
        rows: The records that were looked at.
        columns: What each header becomes.
        columns_stated: Headers that only a recipe can tell apart, for its `columns`.
        written: False after a dry run.
        files: The texts of its files, by their names in the project.
    """

    schema: str
    key: str | None
    rows: int
    columns: tuple[RecordColumn, ...]
    columns_stated: Mapping[str, str]
    written: bool
    files: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class SchemaDiff(Result):
    """What tells a file and a schema apart.

    Attributes:
        schema: The schema, as recipes name it.
        new: The columns of the file that the schema does not know, with names for them.
        missing: The columns of the schema that the file does not have.
        changed: What is otherwise than the schema says, a sentence for each column.
        model_lines: The new columns as the model would have them.
        alias_lines: The new columns as the alias table would have them.
    """

    schema: str
    new: tuple[RecordColumn, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    model_lines: tuple[str, ...] = field(repr=False)
    alias_lines: tuple[str, ...] = field(repr=False)


def schema_infer(
    file: str | os.PathLike[str],
    *,
    table: str | None = None,
    sheet: str | None = None,
    names: str | Sequence[str] | None = None,
    force: bool = False,
    dry_run: bool = False,
    project: str | os.PathLike[str] = ".",
) -> SchemaInferred:
    """Make a schema from the values of a file, as `add` does where none fits; ``tundish schema infer``.

    Args:
        file: A table: CSV, Excel, Parquet, Arrow.
        table: The name of the schema's files; the table's own by default.
        sheet: The only sheet of a workbook to look at.
        names: Columns of a table without header: one by one, as ``a,b,c``, or a file with one on each line.
        force: Replace a schema of that name.
        dry_run: Find out everything, and write nothing.
        project: Folder of the project.

    Raises:
        UsageError: The file cannot be read, or the project has a schema of that name.
    """
    from tundish.propose.fit import fits_of  # noqa: PLC0415
    from tundish.propose.records import column_names, several_columns, table_name  # noqa: PLC0415
    from tundish.propose.schema.start import make_start, write_start  # noqa: PLC0415
    from tundish.propose.schema.text import shown  # noqa: PLC0415
    from tundish.tabular.plan import ReadOptions  # noqa: PLC0415

    path, folder = _table(file), project_folder(project)
    name = table_name(path, table)
    existing = [one for one in (f"schemas/{name}.py", f"schemas/{name}.yaml") if (folder / one).exists()]
    if existing and not force:
        raise UsageError(
            "the project has a schema of this name",
            where=str(folder / existing[0]),
            fix="replace it with --force, or choose another name with --table",
        )
    sheets, _ = fits_of(folder, path, None, sheet, column_names(names))
    start = make_start(folder, name, path.name, several_columns(sheets), ReadOptions(), instead=True)
    if not dry_run:
        write_start(folder, start)
    columns = tuple(map(shown, start.columns))
    return SchemaInferred(
        start.schema, start.key, start.rows, columns, start.renamed, not dry_run, start.texts
    )


def schema_check(schema: str | None = None, *, project: str | os.PathLike[str] = ".") -> Results[SchemaState]:
    """Check that the schemas of records load and their alias tables fit them; ``tundish schema check``.

    Args:
        schema: A file such as ``schemas/steel.py``, or a model in it; all by default.
        project: Folder of the project.

    Raises:
        UsageError: The folder is not a project, or has no such schema.
    """
    from tundish.propose.schema.check import check_file  # noqa: PLC0415

    folder = project_folder(project)
    file, _, model = (schema or "").partition(":")
    files = [file] if file else _files_of_records(folder)
    return Results(one for name in files for one in check_file(folder, name, model or None))


def _files_of_records(project: Path) -> list[str]:
    """The schema files with an alias table beside them."""
    paths = sorted((project / "schemas").glob("*.yaml"))
    return [f"schemas/{path.stem}.py" for path in paths]


def schema_diff(
    file: str | os.PathLike[str],
    *,
    schema: str | None = None,
    sheet: str | None = None,
    names: str | Sequence[str] | None = None,
    project: str | os.PathLike[str] = ".",
) -> SchemaDiff:
    """Compare a file with a schema: what the file has that the schema lacks; ``tundish schema diff``.

    Args:
        file: A table: CSV, Excel, Parquet, Arrow.
        schema: Such as ``schemas/coal.py:CoalAnalysis``; by default the one that knows most headers.
        sheet: The only sheet of a workbook to look at.
        names: Columns of a table without header: one by one, as ``a,b,c``, or a file with one on each line.
        project: Folder of the project.

    Raises:
        UsageError: The file cannot be read, or no schema knows any of its headers.
    """
    from tundish.propose.fit import fits_of  # noqa: PLC0415
    from tundish.propose.records import column_names  # noqa: PLC0415
    from tundish.propose.schema.diff import compare_schema  # noqa: PLC0415
    from tundish.propose.schema.text import shown  # noqa: PLC0415
    from tundish.tabular.plan import ReadOptions  # noqa: PLC0415

    path, folder = _table(file), project_folder(project)
    _, fits = fits_of(folder, path, schema, sheet, column_names(names))
    if not fits:
        raise SourceError(
            "no schema of this project knows any of its headers",
            where=str(path),
            fix="make one with 'tundish schema infer', or name one with --schema",
        )
    found = compare_schema(fits[0], ReadOptions())
    return SchemaDiff(
        fits[0].schema,
        tuple(map(shown, found.new)),
        found.missing,
        found.changed,
        found.model_lines,
        found.alias_lines if found.new else (),
    )


def _table(file: str | os.PathLike[str]) -> Path:
    path = Path(file).expanduser()
    if not path.is_file():
        raise SourceError(
            "this is not a file", where=str(path), fix="name a table: CSV, Excel, Parquet or Arrow"
        )
    return path
