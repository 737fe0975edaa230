"""The stages, in the order in which data passes through them.

A stage reads tables and writes tables, and never rewrites those of an earlier one; it does not print.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tundish.errors import UsageError

if TYPE_CHECKING:
    from tundish.stages.base import Stage

__all__ = ["ABOUT", "between", "load_stage"]

ABOUT = {
    "ingest": "Add new files of the sources to the store.",
    "measure": "Decode every new image once: size, hashes, sharpness, exposure.",
    "records": "Read tables of process and laboratory records, and judge every record.",
    "validate": "Check images and labels by the Pandera models in schemas/.",
    "dedup": "Find images that are the same picture, and decide which one is kept.",
    "consensus": "Decide which labels count: those on which annotators agree, else the imported ones.",
    "link": "Find the records that belong to each image, by key, genealogy, time or position.",
    "split": "Assign images to train, val and test without leaks.",
    "augment": "Make derived training images, with their labels and lineage.",
    "export": "Write what trainers read, in the formats that the recipe names.",
    "report": "Write metrics and plots.",
}
"""Names and purposes, without importing a stage, so that ``--help`` is quick."""

_IN_FOLDERS = frozenset({"augment", "dedup", "export", "ingest", "link", "records", "split", "validate"})
"""Stages of several modules; their `STAGE` is in ``stage.py`` of the folder."""


def load_stage(name: str) -> Stage:
    """Load the stage `name`.

    Raises:
        KeyError: There is no such stage.
    """
    ABOUT[name]
    module = f"{name}.stage" if name in _IN_FOLDERS else name
    stage: Stage = importlib.import_module(f"tundish.stages.{module}").STAGE
    return stage


def between(first: str | None, last: str | None) -> list[str]:
    """The stages from `first` to `last`, both included; from the beginning or to the end where None.

    Raises:
        UsageError: There is no such stage, or `first` comes after `last`.
    """
    names = list(ABOUT)
    for name in (first, last):
        if name is not None and name not in ABOUT:
            raise UsageError(f"unknown stage '{name}'", fix=f"choose one of {', '.join(names)}")
    start = names.index(first) if first else 0
    end = names.index(last) + 1 if last else len(names)
    if start >= end:
        raise UsageError(f"the stage '{first}' comes after '{last}'", fix="swap --from and --to")
    return names[start:end]
