"""Tables as files: what an earlier version of Tundish wrote, and what is damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest

from tundish.errors import MissingStepError, OutsideError
from tundish.labeling.tables import ANSWERS
from tundish.storage.table import Table, field
from tundish.storage.tables import CONSENSUS, SPLITS, TABLES

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema([field("key", pa.string(), "which"), field("size", pa.int32(), "how large", "px")])
PLAIN = Table("sizes", SCHEMA, ("key",), "measure")


def test_table__reads_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "sizes.parquet"
    PLAIN.write(PLAIN.frame([{"key": "b", "size": 2}, {"key": "a"}]), path)
    assert PLAIN.read(path).rows() == [("a", None), ("b", 2)]


def test_table__of_an_earlier_version_is_refused_with_its_command(tmp_path: Path) -> None:
    path = tmp_path / "sizes.parquet"
    pl.DataFrame({"key": ["a"]}).write_parquet(path)
    with pytest.raises(MissingStepError) as told:
        PLAIN.read(path)
    assert str(told.value) == (
        f"{path}: an earlier version of Tundish wrote this sizes table: it has no 'size'; "
        "run 'tundish measure' to write it again."
    )


def test_table__of_a_later_version_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "sizes.parquet"
    pl.DataFrame({"key": ["a"], "size": [1], "weight": [2.0]}).write_parquet(path)
    assert PLAIN.read(path).columns == ["key", "size", "weight"]


def test_table__with_history_makes_later_columns_of_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "sizes.parquet"
    grown = Table("sizes", SCHEMA, ("key",), "measure", later=(pl.lit(0, pl.Int32).alias("size"),))
    pl.DataFrame({"key": ["a"]}).write_parquet(path)
    assert grown.read(path).rows() == [("a", 0)]
    PLAIN.write(PLAIN.frame([{"key": "a", "size": 5}]), path)
    assert grown.read(path).rows() == [("a", 5)]


@pytest.mark.parametrize("table", [*TABLES, ANSWERS], ids=lambda table: table.name)
def test_table__what_comes_later_is_a_column_of_the_table(table: Table, tmp_path: Path) -> None:
    """And with the columns of the first version alone it reads as the table, types and all."""
    later = {column.meta.output_name() for column in table.later}
    path = tmp_path / "t.parquet"
    table.empty().drop(later).write_parquet(path)
    read = table.read(path)
    assert read.select(table.schema.names).schema == table.empty().schema


def test_answers__of_an_earlier_version_are_pulled_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.parquet"
    ANSWERS.empty().drop("role").write_parquet(path)
    with pytest.raises(MissingStepError, match="no 'role'; run 'tundish label pull d' to write it again"):
        ANSWERS.read(path, dataset="d")


def test_consensus__of_an_earlier_version_names_all_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "consensus.parquet"
    CONSENSUS.empty().drop("votes", "agreement").write_parquet(path)
    with pytest.raises(MissingStepError, match="no 'votes', 'agreement'; run 'tundish consensus d'"):
        CONSENSUS.read(path, dataset="d")


def test_splits__of_an_earlier_version_are_those_of_the_day(tmp_path: Path) -> None:
    path = tmp_path / "splits.parquet"
    before = SPLITS.frame([{"image_id": "a", "split": "val"}, {"image_id": "b"}]).drop("last_split")
    before.write_parquet(path)
    assert SPLITS.read(path)["last_split"].to_list() == ["val", None]


def test_table__damaged_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sizes.parquet"
    path.write_bytes(b"PAR1 and then nothing PAR1")
    with pytest.raises(OutsideError, match="the sizes table is damaged; bring it back"):
        PLAIN.read(path)
