"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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


LEFT_OUT = pytest.StashKey[int]()
"""How many slow tests `-m "not slow"` has left out."""


def pytest_deselected(items: list[pytest.Item]) -> None:
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        slow[0].config.stash[LEFT_OUT] = len(slow)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker says it to the process that prints; all workers collect the same tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    count = terminalreporter.config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(f"{count} slow tests were left out; 'make test-all' and CI run them too.")


@pytest.fixture(scope="session")
def sample_plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the sample steel-surface, run up to its splits; tests may only read it."""
    from tests.painted import paint, run_pipeline  # noqa: PLC0415  (most tests do without)

    sample = paint("steel-surface", tmp_path_factory)
    return run_pipeline(sample, tmp_path_factory.mktemp("steel-surface")).project
