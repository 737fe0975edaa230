"""Projects for tests from end to end: new ones, and the samples after their run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.painted import MAKE, Ran, paint, run_pipeline
from tests.plants import make_plant

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A project of its own for each test."""
    return make_plant(tmp_path / "plant")


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Both samples by name, each in a project of its own, run up to split; to be read only."""
    return {name: run_pipeline(paint(name, tmp_path_factory), tmp_path_factory.mktemp(name)) for name in MAKE}
