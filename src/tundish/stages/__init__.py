"""The stages, in the order in which data passes them.

A stage reads tables and writes tables, and never rewrites what an earlier one wrote; it does not print.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tundish.errors import UsageError

if TYPE_CHECKING:
    from tundish.stages.base import Stage

__all__ = ["ABOUT", "between", "load_stage"]

ABOUT = {
    "ingest": "Take new files of the sources into the store.",
    "measure": "Decode every new image once: size, hashes, sharpness, exposure.",
    "records": "Read tables of process and laboratory records, and judge every record.",
    "validate": "Hold images and labels against the Pandera models in schemas/.",
    "dedup": "Find images that are the same picture, and say which one stays.",
    "consensus": "Settle which labels count: those of the annotators who agree, or those that came.",
    "link": "Find the records that belong to each image, by key, genealogy, time or position.",
    "split": "Deal images into leak-free train, val and test.",
    "augment": "Make derived training images, with their labels and lineage.",
    "export": "Write what trainers read, in the formats that the recipe names.",
    "report": "Write metrics and plots.",
}
"""Names and purposes; known without importing a stage, so that ``--help`` is quick."""

_IN_FOLDERS = frozenset({"augment", "dedup", "export", "ingest", "link", "records", "split", "validate"})
"""Stages of several modules; their `STAGE` is in the folder's ``stage.py``."""


def load_stage(name: str) -> Stage:
    """The stage called `name`.

    Raises:
        KeyError: There is none.
    """
    ABOUT[name]
    module = f"{name}.stage" if name in _IN_FOLDERS else name
    stage: Stage = importlib.import_module(f"tundish.stages.{module}").STAGE
    return stage


def between(first: str | None, last: str | None) -> list[str]:
    """The stages from `first` to `last`, both in; from the beginning or to the end where None.

    Raises:
        UsageError: There is no such stage, or `first` comes after `last`.
    """
    names = list(ABOUT)
    for name in (first, last):
        if name is not None and name not in ABOUT:
            raise UsageError(f"there is no stage '{name}'", fix=f"choose one of {', '.join(names)}")
    start = names.index(first) if first else 0
    end = names.index(last) + 1 if last else len(names)
    if start >= end:
        raise UsageError(f"the stage '{first}' comes after '{last}'", fix="turn them round")
    return names[start:end]
