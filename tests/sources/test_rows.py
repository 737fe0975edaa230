"""Pictures in the rows of Parquet files: each is read as it is, in whatever order, in little memory."""

from __future__ import annotations

import io
import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tundish.sources.files import Entry, EntryFault, open_source
from tundish.sources.rows import FILE_COLUMN, UNREAD_PICTURES, has_pictures

if TYPE_CHECKING:
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"


def picture(number: int, size: int = 100) -> bytes:
    return PNG + np.random.default_rng(number).bytes(size)


def write(path: Path, names: list[str | None] | None = None, count: int = 40, **more: Any) -> list[bytes]:
    """A file with pictures; returns them."""
    data: list[bytes] = [picture(number) for number in range(count)]
    given = names if names is not None else [None] * count
    rows = [{"bytes": one, "path": name} for one, name in zip(data, given, strict=True)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(rows, kind), "label": list(range(count)), **more})
    pq.write_table(table, path, row_group_size=7)
    return data


def entries(path: Path) -> list[Entry]:
    with open_source(path) as found:
        return list(found)


def test_a_row_is_an_entry_and_the_other_columns_are_one_more(tmp_path: Path) -> None:
    data = write(tmp_path / "b.parquet")
    (tmp_path / "a.jpg").write_bytes(b"first")
    (tmp_path / "c.txt").write_bytes(b"last")
    found = entries(tmp_path)
    assert [one.path for one in found[:3]] == ["a.jpg", "b.parquet/000000.png", "b.parquet/000001.png"]
    assert [one.path for one in found[-3:]] == ["b.parquet/000039.png", "b.parquet", "c.txt"]
    assert [one.read() for one in found[1:-2]] == data
    table = pq.read_table(io.BytesIO(found[-2].read()))
    assert table.column_names == ["label", FILE_COLUMN]
    assert table[FILE_COLUMN].to_pylist()[:2] == ["000000.png", "000001.png"]
    assert entries(tmp_path)[-2].read() == found[-2].read()


@pytest.mark.parametrize("seed", range(3))
def test_rows_may_be_read_in_any_order_and_on_threads(tmp_path: Path, seed: int) -> None:
    data = write(tmp_path / "b.parquet", count=150)
    found = entries(tmp_path / "b.parquet")[:-1]
    order = list(range(150))
    random.Random(seed).shuffle(order)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda row: found[row].read(), order))
    assert read == [data[row] for row in order]
    assert [found[row].read() for row in (149, 3, 3, 149)] == [data[row] for row in (149, 3, 3, 149)]


@pytest.mark.parametrize(
    "names",
    [
        ["龟裂/划痕 1.jpg", unicodedata.normalize("NFD", "Räude.jpg"), "a%20b.JPG"],
        ["sub/./x.png", "sub//y.png", "C:\\in\\z.png"],
    ],
)
def test_rows_keep_their_names_where_they_have_some(tmp_path: Path, names: list[str | None]) -> None:
    write(tmp_path / "b.parquet", names, count=3)
    found = [one.path.removeprefix("b.parquet/") for one in entries(tmp_path)[:-1]]
    plain = {"sub/./x.png": "sub/x.png", "sub//y.png": "sub/y.png", "C:\\in\\z.png": "z.png"}
    assert found == [plain.get(name or "", name) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "a.png", "b.png"],
        ["a.png", "A.png", "b.png"],
        ["a.png", None, "b.png"],
        ["a.png", "../../b.png", "c.png"],
        ["a.png", ".b.png", "c.png"],
        ["a", "b", "c"],
        ["a.png", "", "c.png"],
    ],
)
def test_rows_whose_names_cannot_be_used_are_numbered(tmp_path: Path, names: list[str | None]) -> None:
    data = write(tmp_path / "b.parquet", names, count=3)
    found = entries(tmp_path)[:-1]
    assert [one.path for one in found] == [f"b.parquet/00000{number}.png" for number in range(3)]
    assert [one.read() for one in found] == data


def test_a_row_without_bytes_is_a_fault_of_its_own(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": PNG, "path": "a.png"}, {"bytes": None, "path": "b.png"}, None]
    pq.write_table(pa.table({"image": pa.array(rows, kind)}), tmp_path / "b.parquet")
    found = entries(tmp_path)[:-1]
    assert found[0].read() == PNG
    for one in found[1:]:
        with pytest.raises(EntryFault) as caught:
            one.read()
        assert caught.value.reason == "no_picture_in_row"


def test_the_column_of_photographs_is_the_one_called_so_and_others_are_named(tmp_path: Path) -> None:
    write(tmp_path / "b.parquet", count=2, annotation=[b"\xff\xd8\xff\xe0"] * 2, blob=[b"none"] * 2)
    *_, rest = entries(tmp_path)
    table = pq.read_table(io.BytesIO(rest.read()))
    assert table.column_names == ["label", "blob", FILE_COLUMN]
    assert table.schema.metadata[UNREAD_PICTURES] == b"annotation"


def test_pictures_may_be_plain_bytes(tmp_path: Path) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        pq.write_table(pa.table({"png": pa.array([picture(1), picture(2)], kind)}), tmp_path / "b.parquet")
        assert [one.read() for one in entries(tmp_path)[:-1]] == [picture(1), picture(2)]


def test_files_without_pictures_are_entries_as_they_are(tmp_path: Path) -> None:
    pq.write_table(pa.table({"heat": ["H1"], "audio": [b"RIF no"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"image": pa.array([], pa.binary())}), tmp_path / "empty.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    write(tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    assert [one.path for one in entries(tmp_path)] == [
        "a.parquet",
        "broken.parquet",
        "cut.parquet",
        "empty.parquet",
    ]
    assert not has_pictures(tmp_path / "cut.parquet")
    assert entries(tmp_path)[2].read() == whole[: len(whole) // 2]


def test_damaged_pages_cost_their_rows_and_nothing_else(tmp_path: Path) -> None:
    data = write(tmp_path / "b.parquet", [f"{number}.png" for number in range(40)])
    whole = bytearray((tmp_path / "b.parquet").read_bytes())
    start = whole.index(data[20][8:])
    found = entries(tmp_path)
    whole[start - 400 : start + 40] = b"\xff" * 440
    (tmp_path / "b.parquet").write_bytes(whole)
    read = [data for data in map(attempt, found[:-1]) if data is not None]
    assert 10 <= len(read) < 40
    assert attempt(found[0]) == data[0]


def attempt(entry: Entry) -> bytes | None:
    with suppress(EntryFault):
        return entry.read()
    return None


def test_a_hidden_file_and_a_link_are_not_opened(tmp_path: Path) -> None:
    write(tmp_path / ".b.parquet")
    write(tmp_path / "b.parquet", count=1)
    (tmp_path / "c.parquet").symlink_to(tmp_path / "b.parquet")
    assert [one.path for one in entries(tmp_path)] == [
        ".b.parquet",
        "b.parquet/000000.png",
        "b.parquet",
        "c.parquet",
    ]


def test_memory_stays_flat_however_large_a_row_group_is(tmp_path: Path) -> None:
    data = [picture(number, 10_000) for number in range(5000)]
    pq.write_table(
        pa.table({"image": pa.array(data, pa.binary())}), tmp_path / "b.parquet", compression="none"
    )
    assert pq.read_metadata(tmp_path / "b.parquet").num_row_groups == 1
    before, most = pa.total_allocated_bytes(), 0
    for one, expected in zip(entries(tmp_path)[:-1], data, strict=True):
        assert one.read() == expected
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < sum(map(len, data)) / 2
