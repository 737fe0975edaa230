"""Run a query in a database, with ADBC or SQLAlchemy, and read its answer in batches.

The connection string may contain a password and names a server: neither is in any message.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import polars as pl
import pyarrow as pa

from tundish.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Database"]

_ADBC = {
    "postgresql": "adbc_driver_postgresql",
    "postgres": "adbc_driver_postgresql",
    "snowflake": "adbc_driver_snowflake",
}
"""Drivers that hand out Arrow. Not SQLite's: where a column has numbers and text, it rounds the numbers."""

_ROWS = 50_000
_BATCH_SIZE = {
    "adbc_driver_postgresql": ("adbc.postgresql.batch_size_hint_bytes", 4 << 20),
}
"""By driver: the option that limits a batch of the answer."""

_SERVER = re.compile(r'(?:connection to )?server (?:at|on socket) "[^"]*"(?: \([^)]*\))?(?:, port \d+)?')

_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')


class Database:
    """A database that the environment names.

    Args:
        connection: The connection string, such as postgresql://user:password@host/base.
        variable: The environment variable that holds it, for messages.
        place: The section of the recipe, for messages.
    """

    def __init__(self, connection: str, variable: str, place: str) -> None:
        self._connection = connection
        self._variable = variable
        self._place = place

    @contextmanager
    def answer(self, query: str) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        """Run a query; its answer is the columns and the rows in batches, as long as the block runs.

        Raises:
            UsageError: No driver for the database is installed, or the connection string is wrong.
            OutsideError: The database cannot be reached, refuses the query or is lost while it is read.
        """
        driver = self._driver()
        if driver is not None:
            with self._through_adbc(driver, query) as found:
                yield found
        else:
            with tempfile.TemporaryDirectory(prefix="tundish-") as scratch:
                yield self._through_sqlalchemy(query, Path(scratch))

    @contextmanager
    def _through_adbc(self, driver: str, query: str) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
        connect = importlib.import_module(f"{driver}.dbapi").connect
        errors = (importlib.import_module("adbc_driver_manager").Error, OSError, pa.ArrowException)
        option, size = _BATCH_SIZE.get(driver, ("", 0))
        connected = cursor = None
        try:
            try:
                connected = connect(self._connection)
            except errors as problem:
                raise self._failure(problem, connecting=True) from None
            try:
                cursor = connected.cursor()
                if option:
                    cursor.adbc_statement.set_options(**{option: str(size)})
                cursor.execute(query)
                reader = cursor.fetch_record_batch()
            except errors as problem:
                raise self._failure(problem) from None
            yield reader.schema, self._batches(reader, errors)
        finally:
            for each in (cursor, connected):
                _close(each, errors)

    def _batches(
        self, reader: Iterator[pa.RecordBatch], errors: tuple[type[Exception], ...]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the batches; an error here is one of the connection, not of the disk."""
        while True:
            try:
                batch = next(reader, None)
            except errors as problem:
                raise self._failure(problem) from None
            if batch is None:
                return
            yield batch

    def _through_sqlalchemy(self, query: str, scratch: Path) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Read to disk first: a batch does not know which types come in later ones."""
        engine = self._engine()
        sqlalchemy = importlib.import_module("sqlalchemy")
        lost = (sqlalchemy.exc.SQLAlchemyError, OSError, pl.exceptions.PolarsError, TypeError)
        parts: list[Path] = []
        try:
            connected = engine.connect()
        except lost as problem:
            raise self._failure(problem, connecting=True) from None
        try:
            with connected.execution_options(stream_results=True, max_row_buffer=_ROWS) as link:
                found = link.exec_driver_sql(query)
                shape = pl.DataFrame(schema=dict.fromkeys(found.keys(), pl.Null))
                while rows := found.fetchmany(_ROWS):
                    frame = pl.DataFrame(
                        [tuple(row) for row in rows],
                        list(found.keys()),
                        orient="row",
                        infer_schema_length=None,
                    )
                    parts.append(scratch / f"{len(parts)}.parquet")
                    frame.write_parquet(parts[-1])
                    shape = pl.concat([shape, frame.clear()], how="vertical_relaxed")
        except lost as problem:
            raise self._failure(problem) from None
        finally:
            engine.dispose()
        kinds = shape.with_columns(pl.col(pl.Null).cast(pl.String))
        return kinds.to_arrow().schema, _replay(parts, kinds.schema)

    def quoted(self, column: str) -> str:
        """Write the name of a column as the SQL of this database does: MySQL has marks of its own.

        Raises:
            UsageError: As for `answer`.
        """
        if self._driver() is not None:
            return '"' + column.replace('"', '""') + '"'
        return str(self._engine().dialect.identifier_preparer.quote_identifier(column))

    def _driver(self) -> str | None:
        """The ADBC driver for the database, where it is installed."""
        driver = _ADBC.get(self._connection.partition(":")[0])
        return driver if driver is not None and importlib.util.find_spec(driver) is not None else None

    def _engine(self) -> Any:
        if importlib.util.find_spec("sqlalchemy") is None:
            raise UsageError(
                "no driver for this database is installed",
                where=self._place,
                fix="pip install 'tundish[sql]' and the driver of the database",
            )
        sqlalchemy = importlib.import_module("sqlalchemy")
        wrong = (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError, ModuleNotFoundError)
        try:
            return sqlalchemy.create_engine(self._connection)
        except (*wrong, ValueError):
            raise self._unknown() from None

    def _unknown(self) -> UsageError:
        return UsageError(
            f"${self._variable} is not a connection string that SQLAlchemy knows, or its driver is missing",
            where=self._place,
            fix="write it as postgresql://user:password@host/base, and install the driver",
        )

    def _failure(self, problem: Exception, *, connecting: bool = False) -> OutsideError:
        text = self._hide(str(getattr(problem, "orig", None) or problem))
        if connecting:  # drivers quote what they could not use: of a password with '@' its end, as a host
            text = _QUOTED.sub("...", text)
        return OutsideError(
            f"the database did not answer the query ({' '.join(text.split())[:200]})",
            where=self._place,
            fix=f"check that it runs, then the query and ${self._variable}; nothing was kept of this answer",
        )

    def _hide(self, text: str) -> str:
        """Remove what the connection string says: address, account, password, database."""
        text = text.replace(self._connection, f"${self._variable}")
        text = _SERVER.sub("the server", text)
        for secret in sorted(_secrets(self._connection), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "...", text)
        return text


def _secrets(connection: str) -> set[str]:
    """The parts of a connection string that no message may contain, as written and decoded."""
    try:
        url = urlsplit(connection)
        parts = [url.netloc, url.hostname, url.username, url.password, url.path, url.path.lstrip("/")]
        parts += [
            value for key, value in parse_qsl(url.query) if key in {"password", "user", "host", "dbname"}
        ]
    except ValueError:
        parts = [connection.partition("://")[2]]
    found = {part for part in parts if part}
    return found | {unquote(part) for part in found}


def _close(each: Any, errors: tuple[type[Exception], ...]) -> None:
    """Close a cursor or a connection; one that is lost cannot say goodbye."""
    if each is not None:
        try:
            each.close()
        except errors:
            return


def _replay(parts: list[Path], kinds: pl.Schema) -> Iterator[pa.RecordBatch]:
    """The parts again, with the types that fit all of them."""
    for part in parts:
        yield from pl.read_parquet(part, glob=False).cast(kinds).to_arrow().to_batches()
