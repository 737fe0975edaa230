"""A real Label Studio for the tests of this room: one a session, started from a ready data folder."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tundish.labeling.client import Client
from tundish.labeling.server import LabelStudio, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def label_studio_executable() -> Path:
    """Where Label Studio is installed: an environment of its own."""
    named = os.environ.get("TUNDISH_LABEL_STUDIO")
    path = Path(named) if named else ROOT / ".venv-label-studio" / "bin" / "label-studio"
    if not path.is_file():
        pytest.skip(
            f"there is no {path}: run 'make label-studio-installed', or name another by TUNDISH_LABEL_STUDIO"
        )
    return path


@pytest.fixture(scope="session")
def label_studio_template(label_studio_executable: Path) -> Path:
    """A ready data folder; workers that run side by side make it once."""
    installed = f"{label_studio_executable}:{label_studio_executable.stat().st_mtime_ns}"
    template = ROOT / ".cache" / "label-studio" / hashlib.sha256(installed.encode()).hexdigest()[:12]
    template.parent.mkdir(parents=True, exist_ok=True)
    with (template.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(label_studio_executable, template)
    return template


@pytest.fixture(scope="session")
def label_studio(
    label_studio_executable: Path, label_studio_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A server that all tests of a worker share; each makes projects of its own."""
    folder = tmp_path_factory.mktemp("label-studio") / "server"
    shutil.copytree(label_studio_template, folder)
    with LabelStudio(label_studio_executable, folder) as server:
        yield server


@pytest.fixture
def client(label_studio: LabelStudio) -> Iterator[Client]:
    with Client(label_studio.url, label_studio.account.token) as client:
        yield client


@pytest.fixture
def title() -> str:
    """The title of a project that no other test uses."""
    return f"project {next(_NUMBERS)}"
