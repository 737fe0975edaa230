"""The samples after their run, which the tests of records and of images look at from their own side."""

from __future__ import annotations

import pytest
from tests.painted import MAKE, Ran, paint, run_pipeline


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Both samples by name, each in a project of its own, run up to split; to be read only."""
    return {name: run_pipeline(paint(name, tmp_path_factory), tmp_path_factory.mktemp(name)) for name in MAKE}
