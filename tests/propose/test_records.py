"""Tables of records in `tundish add`: every kind of file that ingest takes, and what is written for it."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
import yaml
from tests.plants import make_plant
from tests.propose.workbooks import xlsb

import tundish
from tundish.errors import SourceError
from tundish.propose.records import column_names, table_name
from tundish.propose.source import is_table
from tundish.recipe.load import load
from tundish.tabular.files.open import TABLE_SUFFIXES

ROOT = Path(__file__).resolve().parents[2]
ROWS = {"coil_no": ["A1", "A2"], "终轧温度(℃)": [880.0, 876.0]}
CSV = "coil_no,终轧温度(℃)\nA1,880\nA2,876\n"


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return make_plant(tmp_path / "plant")


ITEMS = (("C", 0.17, "%"), ("Mn", 1.3, "%"), ("N", 51, "ppm"))


def add(plant: Path, source: Path, **options: str | bool) -> tundish.AddedRecords:
    added = tundish.add("line1", source, project=plant, **options)  # type: ignore[arg-type]
    assert isinstance(added, tundish.AddedRecords)
    return added


def written(suffix: str) -> bytes:
    """The same two coils in a file of that kind."""
    frame, data = pl.DataFrame(ROWS), io.BytesIO()
    match suffix:
        case ".parquet" | ".pq":
            frame.write_parquet(data)
        case ".arrow" | ".feather" | ".ipc":
            frame.write_ipc(data)
        case ".xlsx" | ".xlsm":
            with xlsxwriter.Workbook(data) as book:
                frame.write_excel(book)
        case ".xlsb":
            return xlsb([list(ROWS), *(list(row) for row in frame.iter_rows())])
        case _:
            return CSV.encode()
    return data.getvalue()


@pytest.mark.parametrize(
    "suffix", [".csv", ".PARQUET", ".pq", ".arrow", ".feather", ".ipc", ".xlsx", ".xlsb", ".data"]
)
def test_add__takes_every_kind_of_table_that_ingest_takes(plant: Path, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"coils{suffix}").write_bytes(written(suffix.lower()))
    added = add(plant, tmp_path / f"coils{suffix}")
    assert added.schema == "schemas/steel.py:HotStripCoil"
    assert [(row.header, row.column) for row in added.columns] == [
        ("coil_no", "coil_no"),
        ("终轧温度(℃)", "T_finish"),
    ]
    tundish.run("line1", project=plant, last="records")
    coils = tundish.read_table("coils", "line1", project=plant)
    assert coils.select("coil_no", "T_finish").rows() == [("A1", 880.0), ("A2", 876.0)]


def test_is_table__by_the_name_and_a_folder_or_a_zip_by_what_is_in_it(tmp_path: Path) -> None:
    assert {
        suffix for suffix in TABLE_SUFFIXES if is_table(tmp_path / f"x{suffix.upper()}")
    } == TABLE_SUFFIXES
    (tmp_path / "folder.csv").mkdir()
    assert not is_table(tmp_path / "folder.csv")
    assert not is_table(tmp_path / "photos.zip")
    (tmp_path / "folder.csv" / "may.csv").write_text(CSV, encoding="utf-8")
    assert is_table(tmp_path / "folder.csv")
    (tmp_path / "folder.csv" / "notes.txt").write_text("0 0.5 0.5 0.1 0.1", encoding="utf-8")
    assert not is_table(tmp_path / "folder.csv")
    with zipfile.ZipFile(tmp_path / "tables.zip", "w") as archive:
        archive.writestr("may.csv", CSV)
    assert is_table(tmp_path / "tables.zip")
    with zipfile.ZipFile(tmp_path / "tables.zip", "a") as archive:
        archive.writestr("photo.jpg", b"")
    assert not is_table(tmp_path / "tables.zip")


def parquet(**columns: list[object]) -> bytes:
    data = io.BytesIO()
    pl.DataFrame(columns).write_parquet(data)
    return data.getvalue()


PARTS = {"a.parquet": parquet(coil_no=["A1"]), "b.parquet": parquet(image=[b"\xff\xd8\xff" + bytes(9)])}


def test_is_table__pictures_in_any_parquet_file_of_a_folder_or_a_zip_make_it_none(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with zipfile.ZipFile(tmp_path / "parts.zip", "w") as archive:
        for number, (name, data) in enumerate(PARTS.items()):
            (tmp_path / "parts" / name).write_bytes(data)
            archive.writestr(name, data)
            assert is_table(tmp_path / "parts") is (number == 0)
    assert not is_table(tmp_path / "parts.zip")
    with zipfile.ZipFile(tmp_path / "tables.zip", "w") as archive:
        archive.writestr("a.parquet", PARTS["a.parquet"])
    assert is_table(tmp_path / "tables.zip")


def test_add__a_folder_of_monthly_files_is_one_table(plant: Path, tmp_path: Path) -> None:
    months = tmp_path / "months"
    months.mkdir()
    (months / "2024-01.csv").write_text("coil_no,FT\nA1,880\n", encoding="utf-8")
    (months / "2024-02.csv.gz").write_bytes(gzip.compress(b"coil_no;CT;FT\nA2;600,5;870\n"))
    added = add(plant, months)
    assert added.evidence[:2] == (
        "2 files are one table; the first is 2024-01.csv",
        "2024-02.csv.gz has other headers: more CT; fewer -",
    )
    tundish.run("line1", project=plant, last="records")
    rows = tundish.read_table("months", "line1", project=plant).select("coil_no", "T_finish", "T_coil").rows()
    assert rows == [("A1", 880.0, None), ("A2", 870.0, 600.5)]


def test_add__a_zip_of_tables_and_what_in_it_cannot_be_read(plant: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "coils.zip", "w") as archive:
        archive.writestr("一月.csv", b"coil_no,FT\nA1,880\n")
        archive.writestr("二月.csv", b"")
        archive.writestr("三月.xlsx", b"PK\x03\x04 cut off")
    add(plant, tmp_path / "coils.zip")
    tundish.run("line1", project=plant, last="records")
    rows = tundish.read_table("coils", "line1", project=plant).select("record_id", "T_finish").rows()
    assert rows == [("coils.zip#一月.csv!0", 880.0)]


def test_add__a_long_table_is_pivoted(plant: Path, tmp_path: Path) -> None:
    path = tmp_path / "lims.csv"
    head = "炉号,分析项目,结果,单位,分析员\n"
    rows = "".join(f"H{heat},{name},{value},{unit},张\n" for heat in (1, 2) for name, value, unit in ITEMS)
    path.write_text(head + rows + "H2,C,0.18,%,张\nH3,N,0.005,%,李\n", encoding="utf-8")
    added = add(plant, path)
    assert added.schema == "schemas/steel.py:HeatChemistry"
    assert "pivot: {name: 分析项目, value: 结果, unit: 单位}" in added.recipe.read_text(encoding="utf-8")
    tundish.run("line1", project=plant, last="records")
    found = tundish.read_table("lims", "line1", project=plant)
    assert found.select("heat_no", "C", "Mn", "N", "outcome", "reason").rows() == [
        ("H1", 0.17, 1.3, 0.0051, "accepted", None),
        ("H2", 0.17, 1.3, 0.0051, "quarantined", "conflicting_record"),
        ("H2", 0.18, None, None, "quarantined", "conflicting_record"),
        ("H3", None, None, 0.005, "accepted", None),
    ]


def test_run__a_long_table_without_pivot_is_refused(plant: Path, tmp_path: Path) -> None:
    path = tmp_path / "lims.csv"
    rows = "".join(f"H{heat},{name},{value}\n" for heat in (1, 2) for name, value, _ in ITEMS)
    path.write_text("炉号,项目,值\n" + rows, encoding="utf-8")
    recipe = add(plant, path).recipe
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(
        "".join(line for line in text.splitlines(keepends=True) if "pivot:" not in line), encoding="utf-8"
    )
    with pytest.raises(SourceError, match="a row for each '项目'"):
        tundish.run("line1", project=plant, last="records")


def test_add__tells_what_the_file_settled_in_its_comments(plant: Path, tmp_path: Path) -> None:
    path = tmp_path / "coils.csv"
    path.write_text(
        "coil_no;coil_time;FT\nA1;31.12.2023 08:00;870,5\nA2;01.02.2024 08:00;1.870,5\n", encoding="utf-8"
    )
    added = add(plant, path)
    assert added.evidence == (
        "decimal comma: '870,5' in line 2 and 1 more",
        "day first: '31.12.2023 08:00' in line 2",
    )
    text = added.recipe.read_text(encoding="utf-8")
    assert "    # decimal: ','\n    # dates: dmy\n" in text


def test_add__a_second_table_keeps_the_text_and_the_order(plant: Path, tmp_path: Path) -> None:
    for name in ("coils", "more"):
        (tmp_path / f"{name}.csv").write_text(CSV, encoding="utf-8")
    recipe = add(plant, tmp_path / "coils.csv").recipe
    ours = recipe.read_text(encoding="utf-8").replace("records:\n", "records:  # ours\n")
    recipe.write_text(ours.replace("\n", "\r\n"), encoding="utf-8", newline="")
    added = add(plant, tmp_path / "more.csv")
    assert (added.action, added.label) == ("extended", "more")
    after = recipe.read_bytes().decode()
    assert after.count("\n") == after.count("\r\n")
    assert set(ours.splitlines()) <= set(after.splitlines())
    assert list(load(recipe).records) == ["coils", "more"]


def test_add__the_same_table_is_refused_and_the_recipe_stays(plant: Path, tmp_path: Path) -> None:
    (tmp_path / "coils.csv").write_text(CSV, encoding="utf-8")
    recipe = add(plant, tmp_path / "coils.csv").recipe
    before = recipe.read_bytes()
    with pytest.raises(tundish.UsageError, match="reads this file already, as 'coils'"):
        add(plant, tmp_path / "coils.csv")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/coils.csv").write_text(CSV, encoding="utf-8")
    with pytest.raises(tundish.UsageError, match="a source or records called 'coils' already"):
        add(plant, tmp_path / "b/coils.csv")
    with pytest.raises(tundish.UsageError, match="'force' replaces a whole recipe"):
        add(plant, tmp_path / "b/coils.csv", force=True)
    assert recipe.read_bytes() == before


@pytest.mark.parametrize("name", ["2024.csv", "on.csv", "五月 报表.csv", "-x-.csv"])
def test_add__a_file_with_an_odd_name_gives_a_recipe_that_can_be_read(
    plant: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(CSV, encoding="utf-8")
    added = add(plant, tmp_path / name)
    assert list(load(added.recipe).records) == [added.label]


def test_add__headers_that_may_mean_several_columns_are_shown_as_comments(
    plant: Path, tmp_path: Path
) -> None:
    (tmp_path / "lab.csv").write_text("化验编号,水分(%),灰分Aad(%)\n1,2.0,10.0\n", encoding="utf-8")
    added = add(plant, tmp_path / "lab.csv", schema="schemas/coal.py:CoalAnalysis")
    unsure = {row.header: row.candidates for row in added.columns if row.candidates}
    assert list(unsure) == ["水分(%)"]
    assert f"#   水分(%): {' or '.join(unsure['水分(%)'])}" in added.text
    load(added.recipe)


def test_add__a_file_without_header_with_names(plant: Path, tmp_path: Path) -> None:
    (tmp_path / "coils.dat").write_text("".join(f"{number}\t{number + 800}\n" for number in range(30)))
    with pytest.raises(tundish.UsageError, match="has no header over its 2 columns"):
        add(plant, tmp_path / "coils.dat")
    (tmp_path / "names.txt").write_text("coil_no\nT_finish\n")
    for names in ("coil_no,T_finish", str(tmp_path / "names.txt"), ["coil_no", "T_finish"]):
        added = add(plant, tmp_path / "coils.dat", names=names, dry_run=True)  # type: ignore[arg-type]
        assert yaml.safe_load(added.text)["records"]["coils"]["names"] == ["coil_no", "T_finish"]


def test_column_names__twice_and_none() -> None:
    assert column_names(None) == ()
    assert column_names("a, b,") == ("a", "b")
    assert len(column_names(",".join(map(str, range(2000))))) == 2000
    with pytest.raises(tundish.UsageError, match="'a' twice"):
        column_names("a,b,a")


def test_table_name__of_the_file_or_as_given() -> None:
    assert table_name(Path("五月 报表.xlsx")) == "五月-报表"
    assert table_name(Path("---.csv")) == "records"
    with pytest.raises(tundish.UsageError, match="'a b' cannot be the name of a table"):
        table_name(Path("x.csv"), "a b")
