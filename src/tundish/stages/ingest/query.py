"""Query a database for records with ADBC or SQLAlchemy, and write the result to a Parquet file."""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import OutsideError, UsageError
from tundish.storage.table import write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.recipe.sections import Query

__all__ = ["ask"]

_ADBC = {
    "sqlite": "adbc_driver_sqlite",
    "postgresql": "adbc_driver_postgresql",
    "postgres": "adbc_driver_postgresql",
    "snowflake": "adbc_driver_snowflake",
}


def ask(query: Query, name: str, answer: Path) -> Path | None:
    """Write the result of the query to `answer`; None where the environment names no database.

    The connection string may contain a password: it is not in any message.

    Raises:
        UsageError: No driver for that database is installed, or the query is wrong.
        OutsideError: The database cannot be reached.
    """
    connection = os.environ.get(query.connection)
    if not connection:
        return None
    frame = _through_adbc(query, connection, name)
    if frame is None:
        frame = _through_sqlalchemy(query, connection, name)
    write_parquet(frame.to_arrow(), answer)
    return answer


def _through_adbc(query: Query, connection: str, name: str) -> pl.DataFrame | None:
    driver = _ADBC.get(connection.partition(":")[0])
    if driver is None or importlib.util.find_spec(driver) is None:
        return None
    errors: type[Exception] = importlib.import_module("adbc_driver_manager").Error
    try:
        return pl.read_database_uri(query.query, connection, engine="adbc")
    except errors as problem:
        raise _failure(query, name, connection, problem) from None


def _through_sqlalchemy(query: Query, connection: str, name: str) -> pl.DataFrame:
    if importlib.util.find_spec("sqlalchemy") is None:
        raise UsageError(
            "no driver for this database is installed",
            where=f"records.{name}.sql",
            fix="pip install 'tundish[sql]' and the driver of the database",
        )
    sqlalchemy = importlib.import_module("sqlalchemy")
    try:
        engine = sqlalchemy.create_engine(connection)
        try:
            return pl.read_database(query.query, engine)
        finally:
            engine.dispose()
    except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError, ModuleNotFoundError):
        raise UsageError(
            f"${query.connection} is not a connection string that SQLAlchemy knows, or its driver is missing",
            where=f"records.{name}.sql",
            fix="write it as postgresql://user:password@host/base, and install the driver",
        ) from None
    except sqlalchemy.exc.SQLAlchemyError as problem:
        raise _failure(query, name, connection, problem) from None


def _failure(query: Query, name: str, connection: str, problem: Exception) -> OutsideError:
    text = str(getattr(problem, "orig", None) or problem).replace(connection, f"${query.connection}")
    return OutsideError(
        f"the database did not answer the query ({' '.join(text.split())[:200]})",
        where=f"records.{name}.sql",
        fix=f"fix the query, or ${query.connection}",
    )
