"""Ask a dataset's tables in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tundish.errors import UsageError

if TYPE_CHECKING:
    import os

    import polars as pl

__all__ = ["as_text", "query"]

_SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


def query(
    name: str,
    sql: str | None = None,
    *,
    format: Literal["table", "csv", "json", "parquet"] | None = None,  # noqa: A002  (as the option)
    output: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] = ".",
) -> pl.DataFrame:
    """Answer a question in SQL over a dataset's tables, records, splits and exports; ``tundish query``.

    ``coils`` has the accepted records of the table coils, ``records.coils`` all of them with their outcome;
    ``splits``, ``quarantine`` and the other tables of decisions have their own names, exports are
    ``exports.parquet``, ``exports.records_coils``. Nothing can be changed. Times are those of the recipe's
    time zone.

    Args:
        name: Name of the dataset.
        sql: One statement of DuckDB's SQL; without one the answer lists the tables with their columns.
        format: Of the file `output`; by default its suffix says it. Without `output` it only concerns what
            is printed.
        output: A file that the answer is written to as well.
        project: Folder of the project.

    Returns:
        The answer as a Polars table; its `to_arrow` and `to_pandas` give others.

    Raises:
        UsageError: There is no such dataset, the statement is wrong or does more than read, or DuckDB is not
            installed.
    """
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415
    from tundish.storage.query import ask  # noqa: PLC0415

    recipe = load_recipe(Path(project), name)
    dataset = DatasetFolder(recipe.dataset, Path(project))
    kind = None if output is None else _kind(Path(output), format)
    answer = _list_tables(dataset) if sql is None else ask(dataset, sql, recipe.timezone)
    if output is not None and kind is not None:
        _write(answer, Path(output), kind)
    return answer


def _list_tables(dataset: object) -> pl.DataFrame:
    """The tables of a dataset with what their rows are and the names of their columns."""
    import polars as pl  # noqa: PLC0415

    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415
    from tundish.storage.query import views  # noqa: PLC0415

    assert isinstance(dataset, DatasetFolder)
    rows = [(one.name, one.about, ", ".join(one.columns)) for one in views(dataset)]
    return pl.DataFrame(rows, {"table": pl.String, "rows are": pl.String, "columns": pl.String}, orient="row")


def _kind(output: Path, format: str | None) -> str:  # noqa: A002
    kind = format if format not in {None, "table"} else _SUFFIXES.get(output.suffix.lower())
    if kind is None:
        raise UsageError(
            "neither the file's name nor --format says how to write it",
            where=str(output),
            fix="choose csv, json or parquet",
        )
    return kind


def _write(answer: pl.DataFrame, output: Path, kind: str) -> None:
    from tundish.storage.table import replacing  # noqa: PLC0415

    with replacing(output) as temporary:
        if kind == "parquet":
            answer.write_parquet(temporary)
        else:
            temporary.write_text(as_text(answer, kind), encoding="utf-8")


def as_text(answer: pl.DataFrame, kind: str) -> str:
    """An answer as CSV or JSON, a row an object.

    Args:
        answer: The answer.
        kind: csv or json.

    Raises:
        UsageError: It has a column that CSV cannot hold.
    """
    if kind == "json":
        import orjson  # noqa: PLC0415

        return orjson.dumps(answer.to_dicts(), option=orjson.OPT_INDENT_2, default=str).decode() + "\n"
    nested = [name for name, dtype in answer.schema.items() if dtype.is_nested() or str(dtype) == "Binary"]
    if nested:
        raise UsageError(
            f"CSV cannot hold the column '{nested[0]}', whose values are {answer.schema[nested[0]]}",
            fix="leave it out, or choose --format json or parquet",
        )
    return answer.write_csv()
