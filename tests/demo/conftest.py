"""The samples as they are painted from their own seed: once for all tests, which only read them."""

from __future__ import annotations

import pytest
from tests.painted import Painted, paint


@pytest.fixture(scope="session")
def painted_steel(tmp_path_factory: pytest.TempPathFactory) -> Painted:
    return paint("steel-surface", tmp_path_factory)


@pytest.fixture(scope="session")
def painted_coal(tmp_path_factory: pytest.TempPathFactory) -> Painted:
    return paint("coal-belt", tmp_path_factory)
