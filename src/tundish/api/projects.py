"""Begin a project and describe data to it: `init` and `add`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tundish.api.results import Result
from tundish.errors import GateError, UsageError
from tundish.propose.column import RecordColumn
from tundish.propose.images.unread import UnreadLabels

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tundish.propose.addition import Addition
    from tundish.propose.schema.start import Start
    from tundish.storage.dataset import DatasetFolder

__all__ = [
    "Added",
    "AddedImages",
    "AddedRecords",
    "Project",
    "RecordColumn",
    "UnreadLabels",
    "add",
    "init",
    "project_folder",
    "recipe_of",
]


@dataclass(frozen=True)
class Project(Result):
    """A project that was laid out.

    Attributes:
        folder: Where it is.
        notes: What a person should know, a sentence each: a project above it, files that were kept.
    """

    folder: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Added(Result):
    """A source that was added to a recipe, or would be.

    Attributes:
        dataset: The dataset's name.
        recipe: The recipe's file.
        action: What became of the file: it is new, got one more entry, or was replaced.
        written: False after a dry run.
        place: The source as the recipe names it.
        label: Name of the source or table in the dataset's tables.
        notes: What a person should know, a sentence each.
        text: The whole recipe.
    """

    dataset: str
    recipe: Path
    action: Literal["created", "extended", "replaced"]
    written: bool
    place: str
    label: str
    notes: tuple[str, ...]
    text: str = field(repr=False)


@dataclass(frozen=True)
class AddedImages(Added):
    """A folder or an archive of images that was added to a recipe, or would be.

    Attributes:
        format: How its labels are written.
        facts: On what evidence.
        classes: Classes of its labels, in the format's own order.
        new_classes: Those that the recipe did not have before.
        others: Other formats that it could be, each with its evidence.
        also: Further formats that some of its labels are in.
        unread: Files that may be labels and are not read, by kind and reason.
        warnings: What is wrong with formats of installed packages, a sentence each.
        problem: What must be settled in the recipe before its labels can be read, in a sentence; None where
            all is clear.
    """

    format: str
    facts: tuple[str, ...]
    classes: tuple[str, ...]
    new_classes: tuple[str, ...]
    others: tuple[str, ...]
    also: tuple[str, ...] = ()
    unread: tuple[UnreadLabels, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class AddedRecords(Added):
    """A table of records that was added to a recipe, or would be.

    Attributes:
        schema: The schema that fits it, as recipes name it.
        layout: How the file is laid out: sheet, encoding, separator, rows of its header.
        columns: What each of its headers would be read as.
        missing: Required columns that none of its headers means.
        problem: Why it could not be read so to the end, in a sentence; None where it could.
        evidence: How the file writes numbers and days, and what shows it, a sentence each.
        others: Other schemas that know some of its headers, the best first, with what speaks against them.
        key: The column that names a record in a schema that was written for it; None where it has none.
        schema_files: The files of that schema, by their names in the project; empty where one of the
            project's fits.
    """

    schema: str
    layout: tuple[str, ...]
    columns: tuple[RecordColumn, ...]
    missing: tuple[str, ...]
    problem: str | None
    evidence: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    key: str | None = None
    schema_files: Mapping[str, str] = field(default_factory=dict, repr=False)


def init(folder: str | os.PathLike[str]) -> Project:
    """Lay out a new project: pipeline, schemas, a README, with Git and DVC; ``tundish init``.

    Args:
        folder: Where; it may exist. Files that it has already stay as they are.

    Raises:
        UsageError: It is a project already, or a file.
        OutsideError: Git, DVC or the disk failed.
    """
    from tundish.propose.layout import (  # noqa: PLC0415  (importing the package stays cheap)
        check_free,
        lay_out,
        project_above,
        start_version_control,
    )

    here = Path(folder).expanduser()
    check_free(here)
    above = project_above(here)
    notes = []
    if above is not None:
        notes.append(
            f"it lies inside another project, {above}: commands in it do not see that one's datasets"
        )
    here.mkdir(parents=True, exist_ok=True)
    notes += start_version_control(here)
    if kept := lay_out(here):
        notes.append(f"kept as they were: {', '.join(kept)}")
    return Project(here, tuple(notes))


def add(
    name: str,
    source: str | os.PathLike[str],
    *,
    force: bool = False,
    dry_run: bool = False,
    strict: bool = False,
    table: str | None = None,
    schema: str | None = None,
    sheet: str | None = None,
    names: str | Sequence[str] | None = None,
    project: str | os.PathLike[str] = ".",
) -> AddedImages | AddedRecords:
    """Look at a source, find out what it is, and write it into the dataset's recipe; ``tundish add``.

    A recipe that exists gets one more source or table; the rest of its text stays as it is.

    Args:
        name: The dataset's name.
        source: A folder, zip or tar of images and labels, a Parquet file with pictures, or a table of records
            (CSV, Excel, Parquet, Arrow).
        force: Replace a recipe that exists by one for this source alone; for images.
        dry_run: Find out everything, and write nothing.
        strict: Refuse a source with files that may be labels and that no format reads.
        table: Name for a table of records; the file's own by default.
        schema: Schema for a table of records, such as ``schemas/coal.py:CoalAnalysis``.
        sheet: The only sheet of a workbook to be read.
        names: Columns of a table without header: one by one, as ``a,b,c``, or a file with one on each line.
        project: Folder of the project.

    Raises:
        UsageError: The name, the source or an option cannot be, or the recipe has this source already.
        GateError: With `strict`, files that may be labels are not read; nothing was written.
    """
    from tundish.propose.source import check_source, is_table  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    path = Path(source).expanduser()
    dataset = DatasetFolder(_dataset_name(name, path), project_folder(project))
    check_source(path, dataset)
    if is_table(path):
        return _add_records(
            dataset, path, force=force, dry_run=dry_run, table=table, schema=schema, sheet=sheet, names=names
        )
    given = {"table": table, "schema": schema, "sheet": sheet, "names": names}
    wrong = [option for option, value in given.items() if value is not None]
    if wrong:
        raise UsageError(
            f"'{wrong[0]}' is for a table of records, and this is a source of images",
            where=str(path),
            fix=f"omit '{wrong[0]}', or name a table",
        )
    return _add_images(dataset, path, force=force, dry_run=dry_run, strict=strict)


def _add_images(
    dataset: DatasetFolder, source: Path, *, force: bool, dry_run: bool, strict: bool
) -> AddedImages:
    from tundish.propose.addition import add_images, known_records  # noqa: PLC0415
    from tundish.propose.images.look import examine  # noqa: PLC0415

    recipe = recipe_of(dataset)
    looked = examine(source, known_records(dataset, recipe))
    if strict and looked.unread:
        raise GateError(
            "; ".join(map(str, looked.unread)),
            where=str(source),
            fix="convert them or remove them from the source, or add it without 'strict'",
        )
    best, named = looked.best, looked.beside.names
    addition = add_images(dataset, recipe, source, best, looked.beside, also=looked.also, force=force)
    if not dry_run:
        _write(dataset, recipe, addition.text)
    return AddedImages(
        **_in_common(dataset, recipe, addition, written=not dry_run),
        format=best.format,
        facts=tuple(best.facts),
        classes=tuple(
            dict.fromkeys(named.get(name, name) for one in (best, *looked.also) for name in one.classes)
        ),
        new_classes=tuple(named.get(name, name) for name in addition.new_classes),
        others=tuple(f"{other.format} ({other.facts[0]})" for other in looked.others),
        also=tuple(one.format for one in looked.also),
        unread=looked.unread,
        warnings=tuple(map(str, looked.faults)),
        problem=best.doubt or None,
    )


def _add_records(
    dataset: DatasetFolder,
    source: Path,
    *,
    force: bool,
    dry_run: bool,
    table: str | None,
    schema: str | None,
    sheet: str | None,
    names: str | Sequence[str] | None,
) -> AddedRecords:
    from tundish.propose.addition import add_records  # noqa: PLC0415
    from tundish.propose.records import column_names, propose, table_name  # noqa: PLC0415

    recipe = recipe_of(dataset)
    if force and recipe.exists():
        raise UsageError(
            "'force' replaces a whole recipe, and a table is added to it",
            where=str(recipe),
            fix="omit 'force'; remove the table's section first if it is to be written again",
        )
    label, columns = table_name(source, table), column_names(names)
    proposal = propose(dataset.project, source, schema, sheet, columns, label)
    addition = add_records(dataset, recipe, source, proposal, table=label, sheet=sheet, names=columns)
    if not dry_run:
        _write(dataset, recipe, addition.text, proposal.start)
    return AddedRecords(
        **_in_common(dataset, recipe, addition, written=not dry_run),
        schema=proposal.schema,
        layout=proposal.layout_facts,
        columns=proposal.rows,
        missing=proposal.missing,
        problem=proposal.problem,
        evidence=proposal.evidence,
        others=proposal.others,
        key=proposal.start.key if proposal.start else None,
        schema_files=proposal.start.texts if proposal.start else {},
    )


def _in_common(dataset: DatasetFolder, recipe: Path, addition: Addition, *, written: bool) -> dict[str, Any]:
    """What images and records have in common."""
    return {
        "dataset": dataset.name,
        "recipe": recipe,
        "action": addition.action,
        "written": written,
        "place": addition.place,
        "label": addition.label,
        "notes": addition.notes,
        "text": addition.text,
    }


def recipe_of(dataset: DatasetFolder) -> Path:
    """The file of a dataset's recipe, whether it exists or not."""
    return dataset.project / "pipelines" / f"{dataset.name}.yaml"


def _write(dataset: DatasetFolder, recipe: Path, text: str, start: Start | None = None) -> None:
    from tundish.propose.editors import SCHEMA_LINE, write_schema  # noqa: PLC0415
    from tundish.propose.recipe_text import list_pipeline  # noqa: PLC0415
    from tundish.propose.schema.start import write_start  # noqa: PLC0415
    from tundish.storage.table import write_atomically  # noqa: PLC0415

    if start is not None:
        write_start(dataset.project, start)
    # The list first: it is what may be refused.
    list_pipeline(dataset.project / "params.yaml", dataset.name)
    write_atomically(recipe, text.encode())
    if SCHEMA_LINE in text:
        write_schema(dataset.project)


def project_folder(project: str | os.PathLike[str]) -> Path:
    """The folder of a project.

    Raises:
        UsageError: It is not one.
    """
    folder = Path(project)
    if not (folder / "pipelines").is_dir():
        raise UsageError("not a Tundish project", where=str(folder), fix="make one with 'tundish init'")
    return folder


def _dataset_name(name: str, source: Path) -> str:
    """The name of a dataset; its recipe's file may be named, too."""
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    if re.fullmatch(r"\w[\w.-]{0,99}", stem):
        return stem
    fix = "use letters, digits, '.', '-' and '_', a letter or digit first"
    if Path(name).expanduser().exists() and not source.exists():
        fix = f"the name comes first, then the source: '{source}' '{name}'"
    raise UsageError(f"'{name}' cannot be the name of a dataset", fix=fix)
