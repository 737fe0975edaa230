"""The stages, in the order in which data passes them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tundish.stages.base import Stage

__all__ = ["ABOUT", "load_stage"]

ABOUT = {
    "ingest": "Take new files of the sources into the store.",
    "measure": "Decode every new image once: size, hashes, sharpness, exposure.",
    "validate": "Hold images and labels against the Pandera models in schemas/.",
    "dedup": "Find images that are the same picture, and say which one stays.",
    "split": "Deal images into leak-free train, val and test.",
    "augment": "Make derived training images, with their labels and lineage.",
    "export": "Write what trainers read: Parquet and COCO.",
    "report": "Write metrics and plots.",
}
"""Names and purposes; known without importing a stage, so that ``--help`` is quick."""


def load_stage(name: str) -> Stage:
    """The stage called `name`.

    Raises:
        KeyError: There is none.
    """
    ABOUT[name]
    stage: Stage = importlib.import_module(f"tundish.stages.{name}").STAGE
    return stage
