"""What becomes of records: small files through ingest and the stage, judged by the models of schemas/."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tundish.engine import LocalEngine
from tundish.errors import SchemaError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context
from tundish.stages.ingest import stage as ingest
from tundish.stages.records import stage as records
from tundish.storage.tables import RECORD_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[3]
COAL = "schemas/coal.py:CoalAnalysis"
HEAT, SLAB = "schemas/steel.py:HeatChemistry", "schemas/steel.py:Slab"
COIL, FAMILY = "schemas/steel.py:HotStripCoil", "schemas/steel.py:Genealogy"
LAB = "sample_id,tested_at,Mad(%),Aad(%),Vad(%),FCad(%)"
SMALL = """
import pandera.polars as pa
import polars as pl

from tundish.rules import across, error, number, optional, over_table


class Small(pa.DataFrameModel):
    name: str | None = optional()
    x: float | None = number("x", "x", "x", le=10)
    b: float | None = number("b", "b", "b", le=10)
    at: str | None = pa.Field(nullable=True, unique=True)

    @across(error("a_sum", "x and b are too large"), "x", "b")
    def a_sum(cls):
        return pl.col("x") + pl.col("b") <= 20

    @over_table(error("a_whole", "x is there twice"), "name", "x")
    def a_whole(cls, frame):
        return ~frame["x"].is_duplicated()


class Taken(pa.DataFrameModel):
    path: str | None = optional()
"""


class Data:
    """A project with raw files, and what the stage makes of them."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
        self.folder = folder
        self.raw = folder / "datasets" / "d" / "raw"
        self.raw.mkdir(parents=True)
        (folder / "schemas" / "small.py").write_text(SMALL, encoding="utf-8")
        (folder / "schemas" / "small.yaml").write_text(
            "columns: {name: {}, x: {unit: mm}, b: {}, at: {}, path: {}}\n", encoding="utf-8"
        )

    def csv(self, name: str, *lines: str) -> None:
        (self.raw / name).parent.mkdir(exist_ok=True)
        (self.raw / name).write_bytes("".join(f"{line}\n" for line in lines).encode())

    def workbook(self, name: str, **sheets: Sequence[Sequence[Any]]) -> None:
        with xlsxwriter.Workbook(self.raw / name) as book:
            for title, rows in sheets.items():
                sheet = book.add_worksheet(title)
                for number, row in enumerate(rows):
                    sheet.write_row(number, 0, row)

    def run(self, **tables: dict[str, Any]) -> None:
        sections = {name: {"path": f"raw/{name}.csv"} | section for name, section in tables.items()}
        self.context = Context(
            Recipe.model_validate({"dataset": "d", "records": sections}), self.folder, LocalEngine()
        )
        ingest.STAGE.run(self.context)
        self.counts = records.STAGE.run(self.context).counts

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.context.dataset.records / f"{name}.parquet")

    def became(self, name: str) -> list[tuple[str, str | None]]:
        """Outcome and reason of every record, in the table's order."""
        return self.table(name).select("outcome", "reason").rows()

    @property
    def faults(self) -> pl.DataFrame:
        return pl.read_parquet(self.context.dataset.table("record_faults"))

    def told(self, check: str) -> list[tuple[str, str, str]]:
        """Severity, place and message of what a check found."""
        found = self.faults.filter(pl.col("check") == check)
        return found.select("severity", "place", "message").rows()


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


ACCEPTED = ("accepted", None)
REPEATED = ("skipped", "repeated_row")
REPLACED = ("skipped", "superseded_by_retest")
CONFLICT = ("quarantined", "conflicting_record")


# Why a record is quarantined.


def test_reason__what_could_not_be_read_comes_before_what_breaks_a_rule(data: Data) -> None:
    data.csv("small.csv", "name,x,b", "1,abc,11", "2,1,30", "3,30", "4,11,11", "5,30,1", "6,10,10")
    data.run(small={"schema": "schemas/small.py:Small"})
    assert data.became("small") == [
        ("quarantined", "not_a_number"),
        ("quarantined", "b_range"),
        ("quarantined", "field_count"),
        ("quarantined", "b_range"),
        ("quarantined", "x_range"),
        ACCEPTED,
    ]
    checks = data.faults.group_by("row").agg(pl.col("check").sort()).sort("row")["check"].to_list()
    assert checks[0] == ["b_range", "not_a_number"]
    assert checks[3] == ["a_sum", "b_range", "x_range"]


def test_reason__of_rules_over_the_table_too_one_column_comes_first(data: Data) -> None:
    data.csv("small.csv", "name,x,at", "1,1,a", "2,1,a", "3,1,b", "4,2,b")
    data.run(small={"schema": "schemas/small.py:Small"})
    assert data.became("small") == [
        ("quarantined", "at_field_uniqueness"),
        ("quarantined", "at_field_uniqueness"),
        ("quarantined", "at_field_uniqueness"),
        ("quarantined", "at_field_uniqueness"),
    ]
    assert set(data.faults["check"]) == {"a_whole", "at_field_uniqueness"}


# Records that stand several times.


def test_repeated_row__the_first_stays(data: Data) -> None:
    data.csv(
        "lab.csv", LAB, "1,2026-01-01,2,10,30,58", "2,2026-01-01,2,11,30,57", "1,2026-01-01,2.00,10,30,58.0"
    )
    data.run(lab={"schema": COAL})
    assert data.became("lab") == [ACCEPTED, ACCEPTED, REPEATED]
    assert data.faults.is_empty()
    assert data.counts["lab skipped"] == 1


def test_retest__the_latest_counts_wherever_it_is(data: Data) -> None:
    data.csv(
        "lab.csv",
        LAB,
        "1,2026-01-02,2,10.1,30,57.9",
        "1,2026-01-01,2,10.0,30,58.0",
        "1,,2,10.2,30,57.8",
        "2,2026-01-01,2,10,30,58",
    )
    data.run(lab={"schema": COAL})
    assert data.became("lab") == [ACCEPTED, REPLACED, REPLACED, ACCEPTED]
    (first, second) = data.told("retest")
    assert first[:2] == ("warning", "line 3")
    assert "1 was determined again within the tolerance" in first[2]
    assert second[1] == "line 4"


def test_retest__without_a_time_the_last_counts(data: Data) -> None:
    lines = (LAB.replace("tested_at,", ""), "1,2,10.0,30,58.0", "1,2,10.1,30,57.9")
    data.csv("lab.csv", *lines)
    data.run(lab={"schema": COAL})
    assert data.became("lab") == [REPLACED, ACCEPTED]


def test_retest__of_sheets_the_later_one_counts(data: Data) -> None:
    head: list[Any] = ["sample_id", "Aad(%)"]
    data.workbook("lab.xlsx", May=[head, ["1", 10]], June=[head, ["1", 10.1]])
    data.run(lab={"schema": COAL, "path": "raw/lab.xlsx"})
    assert data.became("lab") == [REPLACED, ACCEPTED]


def test_retest__of_nothing_but_the_time(data: Data) -> None:
    data.csv("lab.csv", "sample_id,tested_at", "1,2026-01-02", "1,2026-01-01")
    data.run(lab={"schema": COAL})
    assert data.became("lab") == [ACCEPTED, REPLACED]


def test_halves__rows_of_one_key_with_other_columns_filled_are_one_record(data: Data) -> None:
    head = "heat_no,C(%),Mn(%),N(ppm),方法"
    data.csv("heats.csv", head, "A1,0.17,,,ICP", "A1,,1.33,,XRF", "A2,0.2,1.1,,", "A2,0.2,,45,", "A3,0.2,1,,")
    data.run(heats={"schema": HEAT})
    merged = ("skipped", "merged_into_record")
    assert data.became("heats") == [merged, ACCEPTED, merged, ACCEPTED, ACCEPTED]
    kept = data.table("heats").filter(pl.col("outcome") == "accepted")
    assert kept.select("heat_no", "C", "Mn").rows() == [
        ("A1", 0.17, 1.33),
        ("A2", 0.2, 1.1),
        ("A3", 0.2, 1.0),
    ]
    assert [severity for severity, *_ in data.told("merged_record")] == ["warning", "warning"]


def test_halves__together_they_must_follow_the_rules_too(data: Data) -> None:
    data.csv("heats.csv", "heat_no,Als(%),Alt(%)", "A1,0.05,", "A1,,0.03", "A2,0.03,", "A2,,0.05")
    data.run(heats={"schema": HEAT})
    merged, broken = ("skipped", "merged_into_record"), ("quarantined", "Als_above_Alt")
    assert data.became("heats") == [merged, broken, merged, ACCEPTED]


def test_halves__one_row_for_each_element_is_not_a_repeat_test(data: Data) -> None:
    data.csv("heats.csv", "heat_no,元件,含量", "A1,x,0.17", "A1,y,0.2", "A2,x,0.3")
    data.run(heats={"schema": HEAT})
    assert data.became("heats") == [CONFLICT, CONFLICT, ACCEPTED]
    assert "different values of 元件, 含量" in data.told("conflicting_record")[0][2]


def test_stage__samples_of_one_heat_at_several_stages_are_records_of_their_own(data: Data) -> None:
    data.csv(
        "heats.csv",
        "heat_no,工位,C(%)",
        "A1,转炉,0.04",
        "A1,LF,0.16",
        "A1,连铸,0.17",
        "A1,LF,0.16",
        "A2,LF,0.2",
    )
    data.run(heats={"schema": HEAT})
    assert data.became("heats") == [ACCEPTED, ACCEPTED, ACCEPTED, REPEATED, ACCEPTED]


def test_key__of_the_recipe_may_be_a_column_that_the_schema_lacks(data: Data) -> None:
    data.csv("heats.csv", "heat_no,班次,C(%)", "A1,甲,0.04", "A1,乙,0.16", "A1,乙,0.2")
    data.run(heats={"schema": HEAT, "key": ["heat_no", "班次"]})
    assert data.became("heats") == [ACCEPTED, CONFLICT, CONFLICT]
    with pytest.raises(SchemaError, match="neither schema nor file has"):
        data.run(heats={"schema": HEAT, "key": ["heat_no", "炉长"]})


def test_conflict__all_are_quarantined_and_the_others_are_named(data: Data) -> None:
    data.csv("lab/a.csv", LAB, "1,2026-01-01,2,10,30,58", "2,2026-01-01,2,10,30,58")
    data.csv("lab/b.csv", LAB, "1,2026-01-02,2,20,20,58", "3,,,,,")
    data.run(lab={"schema": COAL, "path": "raw/lab"})
    assert data.became("lab") == [CONFLICT, ACCEPTED, CONFLICT, ("skipped", "no_values")]
    first, second = data.told("conflicting_record")
    assert first[:2] == ("error", "line 2")
    for _, _, message in (first, second):
        assert "different values of A_ad, V_ad" in message
        assert "a.csv line 2; b.csv line 2" in message


def test_conflict__sheets_are_named(data: Data) -> None:
    rows = LAB.split(",")
    data.workbook("lab.xlsx", May=[rows, ["1", None, 2, 10, 30, 58]], June=[rows, ["1", None, 2, 20, 20, 58]])
    data.run(lab={"schema": COAL, "path": "raw/lab.xlsx"})
    assert data.became("lab") == [CONFLICT, CONFLICT]
    assert "(lab.xlsx May, row 2; lab.xlsx June, row 2)" in data.told("conflicting_record")[0][2]


def test_conflict__a_wrong_key_does_not_name_every_record_in_every_message(data: Data) -> None:
    data.csv("lab.csv", LAB, *(f"1,,2,{number / 1000},,{number / 1000}" for number in range(3000)))
    data.run(lab={"schema": COAL})
    assert set(data.became("lab")) == {CONFLICT}
    assert data.faults["message"].str.len_chars().max() < 300  # type: ignore[operator]
    assert "lab.csv line 4 and 2997 more" in data.told("conflicting_record")[0][2]


def test_no_key__only_exact_repeats_count(data: Data) -> None:
    data.csv("small.csv", "name,b", "1,1", "1,2", "1,1", ",", "2,1", "1,1")
    data.run(small={"schema": "schemas/small.py:Small"})
    skipped = ("skipped", "blank_row")
    assert data.became("small") == [ACCEPTED, ACCEPTED, REPEATED, skipped, ACCEPTED, REPEATED]


def test_no_key__a_table_that_lacks_a_column_of_it_and_records_that_lack_a_value(data: Data) -> None:
    tensile = {"schema": "schemas/steel.py:TensileTest"}
    data.csv("lacks.csv", "coil_no,Rm", "1,300", "1,400", "1,300")
    data.csv("empty.csv", "coil_no,sample_id,Rm", "1,,300", "1,,400", "1,,300", "1,a,300", "1,a,400")
    data.run(lacks=tensile, empty=tensile)
    assert data.became("lacks") == [ACCEPTED, ACCEPTED, REPEATED]
    assert data.became("empty") == [ACCEPTED, ACCEPTED, REPEATED, CONFLICT, CONFLICT]


def test_key__of_the_recipe(data: Data) -> None:
    data.csv("lab.csv", LAB, "1,2026-01-01,2,10,30,58", "1,2026-01-02,2,20,20,58")
    data.run(lab={"schema": COAL, "key": ["sample_id", "tested_at"]})
    assert data.became("lab") == [ACCEPTED, ACCEPTED]


def test_headers_of_the_plant__may_be_called_like_anything(data: Data) -> None:
    names = "outcome,outcome_new,reason_new,row,first,conflict,where,severity"
    data.csv("lab.csv", f"sample_id,Aad,{names}", "1,10,11,12,13,14,15,16,17,18", "1,20,,,,,,,,")
    data.run(lab={"schema": COAL})
    assert data.became("lab") == [CONFLICT, CONFLICT]
    assert data.table("lab").row(0, named=True)["outcome (2)"] == 11.0
    assert data.table("lab").row(0, named=True)["outcome_new"] == 12.0


# Rules over the whole table, and references.


def test_whole_table__a_cycle_across_files_is_an_error_for_all_on_it(data: Data) -> None:
    head = "parent_id,child_id,parent_from_m,parent_to_m"
    data.csv("family/a.csv", head, "A1,B1,0,10", "C1,D1,0,10")
    data.csv("family/b.csv", head, "B1,A1,0,10", "A1,E1,5,12")
    data.run(family={"schema": FAMILY, "path": "raw/family"})
    assert [why for _, why in data.became("family")] == ["cycle", None, "cycle", "overlap"]
    assert data.faults.filter(pl.col("check") == "cycle").select("path", "row").rows() == [
        ("a.csv", 0),
        ("b.csv", 0),
    ]


def plates(data: Data, order: Sequence[str], **more: Any) -> None:
    """Heats, slabs of them, coils of those; H2 is impossible, and what H9 should be is nowhere."""
    data.csv("heats.csv", "heat_no,C(%)", "H1,0.1", "H2,20")
    data.csv("slabs.csv", "slab_no,heat_no", "S1,H1", "S2,H2", "S3,H9", "S4,")
    data.csv("coils.csv", "coil_no,slab_no", "C1,S1", "C2,S3", "C3,S8", "C4,X1")
    sections: dict[str, dict[str, Any]] = {
        "heats": {"schema": HEAT},
        "slabs": {"schema": SLAB, "references": {"heat_no": "heats.heat_no"}},
        "coils": {"schema": COIL, "references": {"slab_no": ["slabs.slab_no", *more.get("also", ())]}},
    }
    data.run(**{name: sections[name] for name in order})


@pytest.mark.parametrize("order", [("heats", "slabs", "coils"), ("coils", "slabs", "heats")])
def test_reference__unknown_is_an_error_and_quarantined_a_warning_in_whatever_order(
    data: Data, order: tuple[str, ...]
) -> None:
    plates(data, order)
    unknown = ("quarantined", "unknown_reference")
    assert data.became("slabs") == [ACCEPTED, ACCEPTED, unknown, ACCEPTED]
    assert data.became("coils") == [ACCEPTED, ACCEPTED, unknown, unknown]
    told = data.faults.filter(pl.col("check") == "reference_taken_out")
    assert told.select("severity", "source", "value").rows() == [
        ("warning", "coils", "S3"),
        ("warning", "slabs", "H2"),
    ]
    assert data.told("unknown_reference")[-1] == (
        "error",
        "line 4",
        "heat_no is H9, which does not occur in heats.heat_no",
    )


def test_reference__several_targets(data: Data) -> None:
    plates(data, ("heats", "slabs", "coils"), also=["coils.coil_no"])
    assert [out for out, _ in data.became("coils")] == ["accepted", "accepted", "quarantined", "quarantined"]
    assert "does not occur in slabs.slab_no, coils.coil_no" in data.told("unknown_reference")[0][2]


def test_reference__to_the_own_table(data: Data) -> None:
    data.csv("family.csv", "parent_id,child_id", "A1,B1", "B1,C1", "C1,D1")
    data.run(family={"schema": FAMILY, "references": {"parent_id": "family.child_id"}})
    unknown = ("quarantined", "unknown_reference")
    assert data.became("family") == [unknown, ACCEPTED, ACCEPTED]
    assert data.told("reference_taken_out")[0][1:] == (
        "line 3",
        "parent_id is B1, which is quarantined in family.child_id",
    )


def test_reference__of_a_column_that_the_file_lacks_holds_nothing(data: Data) -> None:
    data.csv("heats.csv", "heat_no", "H1")
    data.csv("slabs.csv", "slab_no", "S1")
    data.run(heats={"schema": HEAT}, slabs={"schema": SLAB, "references": {"heat_no": "heats.heat_no"}})
    assert data.became("slabs") == [ACCEPTED]


def test_reference__to_a_column_that_the_schema_lacks_is_refused(data: Data) -> None:
    data.csv("heats.csv", "heat_no", "H1")
    data.csv("slabs.csv", "slab_no,heat_no", "S1,H1")
    with pytest.raises(SchemaError, match=r"heats\.number"):
        data.run(heats={"schema": HEAT}, slabs={"schema": SLAB, "references": {"heat_no": "heats.number"}})


# The table that is written.


def test_two_files__with_other_columns_make_one_table(data: Data) -> None:
    data.csv("lab/a.csv", "sample_id,Aad(%),remark", "1,10,good")
    data.csv("lab/b.csv", "Mad(%),sample_id,batch", "2,2,x", "3,3,")
    data.run(lab={"schema": COAL, "path": "raw/lab"})
    table = data.table("lab")
    taken = [field.name for field in RECORD_FIELDS]
    assert table.columns == [*taken, "sample_id", "Mad", "A_ad", "remark", "batch"]
    assert table.select("sample_id", "Mad", "A_ad", "remark", "batch").rows() == [
        ("1", None, 10.0, "good", None),
        ("2", 2.0, None, None, "x"),
        ("3", 3.0, None, None, None),
    ]
    files = pl.read_parquet(data.context.dataset.table("record_files"))
    assert files.select("path", "rows", "header_rows").rows() == [("a.csv", 1, 1), ("b.csv", 2, 1)]


def test_sheets__one_that_does_not_fit_is_left_out_with_a_warning(data: Data) -> None:
    data.workbook(
        "lab.xlsx", Lab=[["sample_id", "Aad(%)"], ["1", 10]], Notes=[["who", "what"], ["me", "calibrated"]]
    )
    data.run(lab={"schema": COAL, "path": "raw/lab.xlsx"})
    assert data.became("lab") == [ACCEPTED]
    ((severity, _, message),) = data.told("sheet_left_out")
    assert severity == "warning"
    assert "the table under row 1 of 'Notes' is skipped" in message
    assert data.faults["kind"].to_list() == ["file"]


def test_order__files_then_sheets_then_rows_each_with_its_place(data: Data) -> None:
    head: list[Any] = ["sample_id", "Aad(%)"]
    data.workbook("b.xlsx", Second=[head, ["1", 10], ["2", 11]], First=[["Laboratory"], head, ["3", 12]])
    data.csv("a.csv", "sample_id,Aad(%)", "4,10", "5,1,1", "6,11")
    data.run(lab={"schema": COAL, "path": "raw"})
    table = data.table("lab")
    assert table["record_id"].to_list() == [
        *("a.csv#0", "a.csv#1", "a.csv#2"),
        *("b.xlsx#Second!0", "b.xlsx#Second!1", "b.xlsx#First!0"),
    ]
    assert table["outcome"].to_list().index("quarantined") == 1
    assert table.filter(pl.col("path") == "b.xlsx").select("sheet", "row", "line", "sample_id").rows() == [
        ("Second", 0, 2, "1"),
        ("Second", 1, 3, "2"),
        ("First", 0, 3, "3"),
    ]


def test_notes__say_what_a_value_or_a_gap_does_not(data: Data) -> None:
    data.csv("lab.csv", "sample_id,Aad(%),Mad(%)", "1,10,<0.5", "2,未测,2", "3,11,2")
    data.run(lab={"schema": COAL})
    table = data.table("lab")
    assert table["Mad"].to_list() == [0.5, 2.0, 2.0]
    first, second, third = table["notes"].to_list()
    assert first == [{"column": "Mad", "note": "<", "raw": "<0.5"}]
    assert [(note["column"], note["raw"]) for note in second] == [("A_ad", "未测")]
    assert third is None


def test_units__are_in_the_arrow_metadata(data: Data) -> None:
    data.csv("lab.csv", "sample_id,Aad(%),Qnet.ar(kcal/kg)", "1,10,5000")
    data.run(lab={"schema": COAL})
    schema = pq.read_schema(data.context.dataset.records / "lab.parquet")
    assert schema.field("Q_net_ar").metadata[b"unit"] == b"MJ/kg"
    assert schema.field("A_ad").metadata[b"unit"] == b"%"
    assert b"unit" not in schema.field("sample_id").metadata
    assert data.table("lab")["Q_net_ar"].to_list() == [pytest.approx(5 * 4.1868)]


def test_same_input__same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        data = Data(tmp_path / name)
        plates(data, ("heats", "slabs", "coils"))
        curated = data.context.dataset.curated
        written.append({path.relative_to(curated): path.read_bytes() for path in curated.rglob("*.parquet")})
        records.STAGE.run(data.context)
        again = {path.relative_to(curated): path.read_bytes() for path in curated.rglob("*.parquet")}
        assert again == written[-1]
    assert written[0] == written[1]
    assert len(written[0]) == 5


def test_pieces__make_no_difference(data: Data) -> None:
    """An Arrow file comes a record batch at a time."""
    frame = pl.DataFrame(
        {
            "sample_id": ["1", "2", "1", "3", "3", "4", "5", "5"],
            "Aad": [10.0, 11.0, 10.0, 10.0, 10.1, 200.0, 10.0, 20.0],
        }
    )
    (whole,) = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches()
    for name, size in (("whole", 8), ("cut", 3)):
        with pa.ipc.new_file(data.raw / f"{name}.arrow", whole.schema) as file:
            for start in range(0, 8, size):
                file.write_batch(whole.slice(start, size))
    data.run(**{name: {"schema": COAL, "path": f"raw/{name}.arrow"} for name in ("whole", "cut")})
    assert data.became("cut") == data.became("whole")
    assert data.became("cut") == [
        *(ACCEPTED, ACCEPTED, REPEATED, REPLACED, ACCEPTED),
        *(("quarantined", "A_ad_range"), CONFLICT, CONFLICT),
    ]
    groups = pq.ParquetFile(data.context.dataset.records / "cut.parquet").num_row_groups
    assert groups == 3


def test_table_of_nothing_but_a_header(data: Data) -> None:
    data.csv("lab.csv", LAB)
    data.run(lab={"schema": COAL})
    assert data.became("lab") == []
    assert data.counts["lab"] == 0


def test_table_that_left_the_recipe__leaves_the_folder(data: Data) -> None:
    data.csv("lab.csv", LAB)
    data.csv("heats.csv", "heat_no", "H1")
    data.run(lab={"schema": COAL}, heats={"schema": HEAT})
    data.run(heats={"schema": HEAT})
    assert [path.name for path in data.context.dataset.records.iterdir()] == ["heats.parquet"]


def test_schema__a_column_called_like_one_of_every_table_is_refused(data: Data) -> None:
    data.csv("small.csv", "path", "1")
    with pytest.raises(SchemaError, match="'path' is a reserved column of every table of records"):
        data.run(small={"schema": "schemas/small.py:Taken"})
