"""What `tundish add` would write: a new recipe, or one more source or table in the recipe that exists."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tundish.errors import RecipeError, UsageError
from tundish.propose.recipe_text import (
    image_recipe,
    record_recipe,
    section_lines,
    source_lines,
    with_classes,
    with_group_keys,
    with_records,
    with_source,
)
from tundish.propose.source import as_written
from tundish.recipe.classes import normalise
from tundish.recipe.load import load
from tundish.recipe.sections import Source
from tundish.stages.ingest.labels import files_of_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Evidence
    from tundish.propose.images.beside import Beside
    from tundish.propose.records import Proposal
    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = ["Action", "Addition", "add_images", "add_records", "known_records"]

Action = Literal["created", "extended", "replaced"]


@dataclass(frozen=True)
class Addition:
    """A recipe as it would be.

    Attributes:
        text: The whole recipe.
        action: What becomes of the file: it is new, gets one more entry, or is replaced.
        place: The source as the recipe names it.
        label: Name of the source or table in the dataset's tables.
        new_classes: Classes that the recipe did not have before.
        notes: What a person should know, a sentence each.
    """

    text: str
    action: Action
    place: str
    label: str
    new_classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def add_images(
    dataset: DatasetFolder,
    recipe: Path,
    source: Path,
    evidence: Evidence,
    beside: Beside,
    *,
    also: Sequence[Evidence] = (),
    force: bool = False,
) -> Addition:
    """The recipe with a folder or an archive of images in it.

    Args:
        dataset: The dataset that the source is for.
        recipe: Its recipe, which need not exist.
        source: The folder or archive.
        evidence: What it turned out to be.
        also: Further formats that some of its labels are in.
        beside: What else the recipe says of it.
        force: Replace a recipe that exists.

    Raises:
        UsageError: The recipe has this source already, cannot be read, or cannot be added to.
    """
    place = as_written(source, dataset)
    evidence = replace(evidence, classes=[name for one in (evidence, *also) for name in one.classes])
    if force or not recipe.exists():
        classes = _distinct(evidence.classes, set())
        text = image_recipe(dataset.name, place, evidence, beside, classes, also)
        action: Action = "replaced" if recipe.exists() else "created"
        spelt = _other_spellings(evidence.classes, {})
        return Addition(text, action, place, _label_of(place), tuple(classes), tuple(spelt))
    before = load(recipe)
    notes = _overlaps(before, dataset, source)
    label = _free_label(place, source, before)
    if label != _label_of(place):
        notes.append(f"it is called '{label}' in the tables: '{_label_of(place)}' is another source")
    classes = _distinct(evidence.classes, set(before.annotations.lookup()))
    text = recipe.read_bytes().decode()
    own = label if label != _label_of(place) else None
    lines = source_lines(place, evidence, beside, label=own, facts=True, also=also)
    known = before.annotations.lookup()
    names = {code: name for code, name in beside.names.items() if normalise(name) not in known}
    text = with_classes(with_source(text, lines, str(recipe)), classes, names, str(recipe))
    new_keys = [key for key in beside.keys if key not in before.split.group_by]
    text = with_group_keys(text, new_keys, str(recipe))
    notes += _other_spellings(evidence.classes, before.annotations.lookup())
    notes += _remarks(before, evidence, beside, classes)
    return Addition(text, "extended", place, label, tuple(classes), tuple(notes))


def add_records(
    dataset: DatasetFolder,
    recipe: Path,
    source: Path,
    proposal: Proposal,
    *,
    table: str,
    sheet: str | None = None,
    names: Sequence[str] = (),
) -> Addition:
    """The recipe with a table of records in it.

    Args:
        dataset: The dataset that the table is for.
        recipe: Its recipe, which need not exist.
        source: The file.
        proposal: The schema that fits it.
        table: The table's name.
        sheet: The only sheet of a workbook that is read.
        names: The columns in order, where the file has no header.

    Raises:
        UsageError: The recipe has a source or a table of that name, cannot be read, or cannot be added to.
    """
    place = as_written(source, dataset)
    lines = list(section_lines(table, place, proposal, sheet, names))
    if not recipe.exists():
        text = record_recipe(dataset.name, table, lines)
        return Addition(text, "created", place, table, notes=proposal.notes)
    before = load(recipe)
    if table in {*before.records, *(one.label for one in before.sources)}:
        same = table in before.records and before.records[table].path
        known = same and dataset.locate(same).resolve() == source.resolve()
        raise UsageError(
            f"the recipe reads this file already, as '{table}'"
            if known
            else f"the recipe has a source or records called '{table}' already",
            where=str(recipe),
            fix="change its section there, or choose another name with --table",
        )
    text = with_records(recipe.read_bytes().decode(), lines, str(recipe))
    return Addition(text, "extended", place, table, notes=proposal.notes)


def known_records(dataset: DatasetFolder, recipe: Path) -> frozenset[Path]:
    """The files that a recipe reads as records; none where there is no recipe that can be read."""
    try:
        return files_of_records(dataset, load(recipe)) if recipe.exists() else frozenset()
    except RecipeError:
        return frozenset()  # a recipe that is replaced, or that `add_images` refuses


def _distinct(classes: Sequence[str], known: set[str]) -> list[str]:
    """The classes that are not known yet, one of each that differ in case or width alone."""
    found: dict[str, str] = {}
    for label in classes:
        if normalise(label) not in known:
            found.setdefault(normalise(label), label)
    return list(found.values())


def _other_spellings(classes: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Notes on classes that are one with another, which differs in case or width alone."""
    first = dict(known)
    notes = []
    for label in classes:
        name = first.setdefault(normalise(label), label)
        if name != label and normalise(name) == normalise(label):
            notes.append(f"'{label}' is read as '{name}': they differ only in case or width")
    return notes


def _label_of(place: str) -> str:
    """A source's name in the tables where the recipe gives it none."""
    return Source(path=place, format="images").label


def _free_label(place: str, source: Path, recipe: Recipe) -> str:
    """A name for the source that no other source and no table has: with its folder's name, or a number."""
    taken = {*recipe.records, *(one.label for one in recipe.sources)}
    label = _label_of(place)
    longer = re.sub(r"[^\w.-]+", "-", f"{source.resolve().parent.name}-{label}").strip("-.")
    candidates = [label, longer, *(f"{label}-{number}" for number in range(2, len(taken) + 3))]
    named = (one for one in candidates if re.fullmatch(r"\w[\w.-]{0,99}", one) or one == label)
    return next(one for one in named if one not in taken)


def _overlaps(recipe: Recipe, dataset: DatasetFolder, source: Path) -> list[str]:
    """Notes on sources that hold the same files in part.

    Raises:
        UsageError: The recipe has the very same source.
    """
    real = source.resolve()
    notes = []
    for one in recipe.sources:
        other = dataset.locate(one.path).resolve()
        if other == real:
            raise UsageError(
                f"the recipe has this source already, as '{one.label}'",
                where=str(source),
                fix="new files in it come in by the next run; --force writes the recipe from scratch",
            )
        if real.is_relative_to(other) or other.is_relative_to(real):
            inner, outer = (
                ("it", f"'{one.label}'") if real.is_relative_to(other) else (f"'{one.label}'", "it")
            )
            notes.append(f"{inner} lies inside {outer}: the files in both come in twice, as copies")
    return notes


def _remarks(recipe: Recipe, evidence: Evidence, beside: Beside, new: Sequence[str]) -> list[str]:
    """What the sections of the recipe that stay as they are mean for one more source."""
    notes = []
    if new:
        notes.append(f"classes added after those that the recipe had: {', '.join(new)}")
    if not evidence.classes and recipe.split.unlabelled == "exclude":
        notes.append("its images have no labels: 'split.unlabelled: exclude' keeps them out of the splits")
    if evidence.classes and recipe.split.unlabelled == "include":
        notes.append("'split.unlabelled: include' puts images without labels into the splits")
    if beside.keep and recipe.split.given != "keep":
        notes.append(f"it came with a split, which 'split.given: {recipe.split.given}' does not keep")
    if new_keys := [key for key in beside.keys if key not in recipe.split.group_by]:
        notes.append(f"split.group_by names {', '.join(new_keys)} too")
    elif recipe.split.group_by and not beside.keys:
        keys = ", ".join(recipe.split.group_by)
        notes.append(
            f"split.group_by names {keys}: give the new source 'keys' too, or its images stay ungrouped"
        )
    return notes
