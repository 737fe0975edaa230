"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# How long an example takes depends on what else the machine does; benchmarks/ is where time is measured.
settings.register_profile("tundish", deadline=None)
settings.load_profile("tundish")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public sets; a user of the project does not have it."""
    folder = Path(os.environ.get("TUNDISH_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not here ({folder}); set TUNDISH_SHARED to their folder")
    return folder


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow tests: of workers that run side by side none is left with a long one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
