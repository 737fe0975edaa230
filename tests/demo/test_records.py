"""The tables of the samples: written as plants write them, sound but for what is planted, always the same."""

from __future__ import annotations

import csv
import hashlib
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import pytest
import python_calamine
from PIL import Image

from tundish.demo.coal_records import sequence_start, write_lab
from tundish.demo.steel_plan import campaign, photographed
from tundish.demo.steel_records import write_steel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.painted import Painted

    from tundish.demo.truth import TableTruth

SEEDS = (2026, 7)


@pytest.fixture(scope="module", params=SEEDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("tables")
    return Made(folder, request.param)


class Made:
    """The tables of one seed, read back with what any program would take."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        tables = (*write_steel(folder, seed), write_lab(folder, seed))
        self.truth = {table.table: table for table in tables}

    def bytes(self, table: str) -> bytes:
        return (self.folder / self.truth[table].path).read_bytes()

    def csv(self, table: str, encoding: str) -> list[list[str]]:
        """The header and all records of a text table, as rows of cells; the quote left open is gone."""
        text = self.bytes(table).decode(encoding, "replace").replace('A1039,"', "A1039,")
        return list(csv.reader(StringIO(text, newline="")))

    def sound(self, table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        out = {planted.row for planted in self.truth[table].planted}
        return [row for place, row in enumerate(rows) if place not in out]


def records(rows: list[list[Any]]) -> list[dict[str, Any]]:
    header, *rest = rows
    return [dict(zip(header, row, strict=False)) for row in rest]


def test_two_runs_give_the_same_bytes(made: Made, tmp_path: Path) -> None:
    again = Made(tmp_path, made.seed)
    assert again.truth == made.truth
    for table in made.truth:
        assert hashlib.sha256(again.bytes(table)).digest() == hashlib.sha256(made.bytes(table)).digest()


def test_the_books_close(made: Made) -> None:
    for table in made.truth.values():
        assert table.accepted + table.quarantined + table.skipped == table.rows
        assert [planted.row for planted in table.planted] == sorted(
            {planted.row for planted in table.planted}
        )
    assert len(made.csv("lab", "gbk")) == made.truth["lab"].rows + 1
    assert len(made.csv("coils", "utf-8-sig")) == made.truth["coils"].rows + 1
    assert len(made.csv("genealogy", "utf-8")) == made.truth["genealogy"].rows + 1
    assert len(heat_rows(made)) == made.truth["heats"].rows


@pytest.mark.parametrize(("table", "encoding"), [("lab", "gbk"), ("coils", "utf-8"), ("genealogy", "utf-8")])
def test_planted_rows_are_on_their_lines(made: Made, table: str, encoding: str) -> None:
    lines = made.bytes(table).decode(encoding, "replace").splitlines()
    rows = made.csv(table, encoding)[1:]
    for planted in made.truth[table].planted:
        assert lines[planted.line - 1].startswith(rows[planted.row][0])


def test_the_laboratory_writes_gbk_with_one_line_that_is_not(made: Made) -> None:
    data = made.bytes("lab")
    first, *lines = data.split(b"\r\n")
    assert first.decode("gbk").startswith("化验编号,采样时间")
    with pytest.raises(UnicodeDecodeError):
        data.decode("gbk")
    [mixed] = made.truth["lab"].faults("mixed_encoding")
    for row, line in enumerate(lines):
        if row == mixed.row:
            assert line.decode("utf-8").startswith("0260306")
        else:
            line.decode("gbk")


def test_coils_begin_with_the_mark_of_excel(made: Made) -> None:
    data = made.bytes("coils")
    assert data.startswith("\ufeff钢卷号".encode())
    assert data.count(b'"') == 3  # a remark over two lines, and one that nobody closed


def test_the_header_of_heats_has_two_rows_under_a_title(made: Made) -> None:
    rows = sheet(made).to_python()
    assert str(rows[0][0]).endswith("炉次成分报表")
    assert rows[1][:3] == ["炉号", "钢种", "化学成分(%)"]
    assert rows[2][2:10] == ["C", "Si", "Mn", "P", "S", "Alt", "Als", "N(ppm)"]
    assert len(sheet(made).merged_cell_ranges or []) == 6
    kinds = {type(row["出钢时间"]) for row in heat_rows(made) if row["炉号"] != "平均"}
    assert kinds == {datetime, float}
    assert {type(row["C"]) for row in heat_rows(made)} == {str, float}
    [error] = made.truth["heats"].faults("error_cell")
    assert heat_rows(made)[error.row]["CEV"] in {"#DIV/0!", ""}


def sheet(made: Made) -> python_calamine.CalamineSheet:
    book = python_calamine.load_workbook(BytesIO(made.bytes("heats")))
    return book.get_sheet_by_name(made.truth["heats"].sheet or "")


def heat_rows(made: Made) -> list[dict[str, Any]]:
    _, upper, lower, *rows = sheet(made).to_python()
    header = [below or above for above, below in zip(upper, lower, strict=True)]
    return records([header, *rows])


def test_heats_are_sound_but_for_what_is_planted(made: Made) -> None:
    for row in made.sound("heats", heat_rows(made)):
        part = {name: float(row[name]) for name in ("C", "Mn", "Cr", "Mo", "V", "Ni", "Cu", "Als", "Alt")}
        assert 0 < part["Als"] <= part["Alt"] < 0.1
        alloyed = (part["Cr"] + part["Mo"] + part["V"]) / 5 + (part["Ni"] + part["Cu"]) / 15
        assert float(row["CEV"]) == pytest.approx(part["C"] + part["Mn"] / 6 + alloyed, abs=6e-4)
        assert 15 <= float(row["N(ppm)"]) <= 120


def test_coils_are_sound_but_for_what_is_planted(made: Made) -> None:
    rows = made.sound("coils", records(made.csv("coils", "utf-8-sig")))
    for row in rows:
        discharge, finish, coiling = (int(row[f"{name}温度(℃)"]) for name in ("出炉", "终轧", "卷取"))
        assert 1280 > discharge > finish > coiling > 500
        thickness, width, length = (float(row[name]) for name in ("厚度(mm)", "宽度(mm)", "长度(m)"))
        assert thickness < 1000 * float(row["板坯厚度(m)"]) < 300
        mass = 7.85 * thickness * width * length / 1e6
        assert float(row["重量(t)"]) == pytest.approx(mass, rel=0.02)
        assert row["出炉时间"] < row["卷取时间"]


def test_analyses_are_sound_but_for_what_is_planted(made: Made) -> None:
    rows = made.sound("lab", records(made.csv("lab", "gbk")))
    assert len(rows) > 20
    for row in rows:
        moisture, ash, volatile, fixed = (
            round(100 * float(row[name])) for name in ("Mad(%)", "灰分Aad(%)", "挥发分Vad(%)", "FCad(%)")
        )
        assert moisture + ash + volatile + fixed == 10_000
        total, hydrogen = float(row["全水(Mt)%"]), float(row["Had(%)"])
        gross = float(row["Qgr,ad(kcal/kg)"]) * 4.1868
        net = (gross - 206 * hydrogen) * (100 - total) / (100 - moisture / 100) - 23 * total
        assert float(row["Qnet,ar(MJ/kg)"]) == pytest.approx(net / 1000, abs=0.0051)
        assert total > moisture / 100


def test_the_genealogy_holds_every_piece(made: Made) -> None:
    heats, coils = campaign(made.seed)
    edges = [row[:2] for row in made.csv("genealogy", "utf-8")[1:]]
    parents = {child: parent for parent, child in edges}
    numbers = {heat.number for heat in heats}
    for coil in coils:
        piece, steps = coil.number, 0
        while piece not in numbers and steps < 5:
            piece, steps = parents[piece], steps + 1
        assert piece == coil.heat.number or coil.number in {"A1047", "A1048"}


def test_pieces_are_made_in_the_order_of_time(made: Made) -> None:
    _, coils = campaign(made.seed)
    for coil in coils:
        assert coil.heat.tapped < coil.discharged < coil.coiled <= coil.inspected
        assert coil.length > 390
    assert [coil.number for coil in photographed(coils)] == [f"A{number}" for number in range(1001, 1027)]


def test_each_sequence_of_the_belt_has_its_sample_within_ten_minutes(made: Made) -> None:
    rows = records(made.csv("lab", "gbk"))
    shot = [row for row in rows if row["化验编号"].startswith("0260305")]
    for sequence, row in enumerate(shot):
        day, clock = row["采样时间"].split()
        hour, minute = clock.split(":")
        sampled = datetime.strptime(day, "%Y/%m/%d") + timedelta(hours=int(hour), minutes=int(minute))  # noqa: DTZ007
        start = sequence_start(made.seed, sequence)
        for seconds in (0, 99):
            assert abs(start + timedelta(seconds=seconds) - sampled) < timedelta(minutes=10)


def test_pictures_say_when_they_were_taken(painted_coal: Painted) -> None:
    folder, truth = painted_coal
    for path in (folder / truth.source).glob("images/*/*.jpg"):
        with Image.open(path) as image:
            image.load()
            told = image.getexif().get_ifd(0x8769)[0x9003]
        sequence, frame = int(path.stem[9:11]), int(path.stem[-4:])
        taken = sequence_start(truth.seed, sequence - 1) + timedelta(seconds=frame)
        assert told == f"{taken:%Y:%m:%d %H:%M:%S}"


def test_truth_finds_tables_and_faults(made: Made) -> None:
    lab: TableTruth = made.truth["lab"]
    assert [planted.outcome for planted in lab.faults("conflicting_record")] == ["quarantined"] * 2
