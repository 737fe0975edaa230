"""What all use cases begin with: a dataset, its recipe, and the Label Studio server that is meant."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.errors import OutsideError, UsageError
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.connection import find_token
from tundish.labeling.label_studio.server import running_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = [
    "Session",
    "address_file",
    "executable_of",
    "home_of",
    "no_progress",
]

_URL = "LABEL_STUDIO_URL"


def no_progress(_step: str, _done: int, _total: int) -> None:
    """Report to nobody. A progress function is called as (step, done, total) while a use case works."""


def home_of(project: Path) -> Path:
    """Folder of the server that `tundish label start` starts in a project."""
    return project / ".label-studio"


def address_file(project: Path) -> Path:
    """The file that holds the address of a project's own server while it runs."""
    return home_of(project) / "address"


def executable_of(project: Path) -> Path:
    """Where Label Studio is installed: as TUNDISH_LABEL_STUDIO says, in the project, or on the PATH.

    Raises:
        UsageError: It is not installed.
    """
    named = os.environ.get("TUNDISH_LABEL_STUDIO")
    if named:
        return Path(named)
    own = project / ".venv-label-studio" / ("Scripts" if os.name == "nt" else "bin") / "label-studio"
    found = str(own) if own.is_file() else shutil.which("label-studio")
    if found is None:
        raise UsageError(
            "Label Studio is not installed",
            where=str(own),
            fix="run 'python -m venv .venv-label-studio && .venv-label-studio/bin/pip install label-studio'",
        )
    return Path(found)


@dataclass(frozen=True)
class Session:
    """A dataset, and the server on which its images are labelled.

    Attributes:
        dataset: The dataset's folder.
        recipe: The dataset's recipe.
        server: Address of the server; None takes LABEL_STUDIO_URL, the recipe's, or the project's own.
        token_file: File (mode 600) that holds the token; None takes LABEL_STUDIO_TOKEN.
        progress: Called as (step, done, total).
    """

    dataset: DatasetFolder
    recipe: Recipe
    server: str | None = None
    token_file: Path | None = None
    progress: Callable[[str, int, int], None] = no_progress

    def step(self, name: str) -> Callable[[int, int], None]:
        """A function to be called with (done, total) during one step.

        Args:
            name: Name of the step.
        """
        return partial(self.progress, name)

    @property
    def config(self) -> LabelConfig:
        """What the projects of the recipe offer to annotators."""
        section = self.recipe.label
        return LabelConfig(self.recipe.annotations.classes, section.shapes, section.severities)

    def connect(self) -> Client:
        """A client of the server, to be closed after use.

        Raises:
            UsageError: No server is configured, its address cannot be one, or no token is known.
            OutsideError: The project's own server is not running, or the server refuses to answer.
        """
        project = self.dataset.project
        address = self.server or os.environ.get(_URL) or self.recipe.label.server
        token_file = self.token_file
        if address is None and address_file(project).is_file():
            address = address_file(project).read_text("utf-8").strip()
            if running_process(home_of(project)) is None:
                raise OutsideError(
                    "this project's Label Studio is not running any more",
                    where=address,
                    fix="start it again with 'tundish label start'",
                )
            token_file = token_file or home_of(project) / "token"
        if address is None:
            raise UsageError(
                "no Label Studio server is configured",
                fix="start one with 'tundish label start', or name it with --server or in the recipe",
            )
        return Client(address, find_token(token_file))
