"""One PostgreSQL for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stages.ingest.servers import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stages.ingest.servers import Postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that runs as long as the tests; skipped where it is not installed."""
    with running_postgres() as found:
        yield found
