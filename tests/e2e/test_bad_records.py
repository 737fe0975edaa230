"""Bad tables through the command line: a clear sentence or quarantine rows, nothing lost, nothing guessed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import xlsxwriter
from click.testing import CliRunner, Result
from tests.recipes import least

import tundish
from tundish.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
COAL = "schemas/coal.py:CoalAnalysis"
HEADER = "化验编号,Mad(%),灰分Aad(%),挥发分Vad(%),FCad(%)"
SOUND = ["001,2.00,10.00,30.00,58.00", "002,3.00,12.00,28.00,57.00", "003,1.50,10.50,29.00,59.00"]


class Project:
    """A project with one dataset of tables."""

    def __init__(self, folder: Path, **records: str) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "pipelines").mkdir()
        self.raw = folder / "datasets/d/raw"
        self.raw.mkdir(parents=True)
        self.recipe(**records)

    def recipe(self, **records: str) -> None:
        lines = "".join(f"  {name}: {section}\n" for name, section in records.items())
        text = f"dataset: d\nrecords:\n{lines}{least('records', timezone='Asia/Shanghai')}"
        (self.folder / "pipelines/d.yaml").write_text(text, encoding="utf-8")

    def lab(self, lines: Sequence[str], encoding: str = "utf-8", name: str = "lab.csv") -> None:
        (self.raw / name).write_bytes("\r\n".join([*lines, ""]).encode(encoding))

    def command(self, *words: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            return CliRunner().invoke(main, list(words))

    def refused(self) -> str:
        """The sentence of a run that is refused as wrong use."""
        result = self.command("run", "d", "--to", "records")
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
        return result.stderr

    def faults(self) -> list[tuple[str, str, str]]:
        """Check, place and severity of all faults, after the ledger has been seen to close."""
        result = self.command("run", "d")
        assert result.exit_code == 0, result.output
        ledger = tundish.status("d", project=self.folder)
        assert ledger.closes, ledger
        rows = tundish.read_table("quarantine", "d", project=self.folder)
        return rows.select("check", pl.col("place").fill_null(""), "severity").rows()

    def table(self, name: str = "lab") -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"datasets/d/curated/records/{name}.parquet")


@pytest.fixture
def lab(tmp_path: Path) -> Project:
    return Project(tmp_path, lab=f"{{path: raw/lab.csv, schema: '{COAL}'}}")


def test_sound__everything_is_accepted(lab: Project) -> None:
    lab.lab([HEADER, *SOUND])
    assert lab.faults() == []
    assert lab.table()["sample_id"].to_list() == ["001", "002", "003"]
    assert lab.table()["A_ad"].to_list() == [10.0, 12.0, 10.5]


def test_csv_called_xlsx(tmp_path: Path) -> None:
    here = Project(tmp_path, lab=f"{{path: raw/lab.xlsx, schema: '{COAL}'}}")
    here.lab([HEADER, *SOUND], name="lab.xlsx")
    sentence = here.refused()
    assert "lab.xlsx" in sentence
    assert "rename" in sentence


def test_workbook_with_a_password(tmp_path: Path) -> None:
    here = Project(tmp_path, lab=f"{{path: raw/lab.xlsx, schema: '{COAL}'}}")
    # What Office writes for a locked workbook: a compound file with the stream 'EncryptedPackage'.
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
    (here.raw / "lab.xlsx").write_bytes(head + "EncryptedPackage".encode("utf-16-le") + bytes(2000))
    assert "password" in here.refused()


def test_one_unreadable_workbook_among_others_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    here = Project(tmp_path, lab=f"{{path: 'raw/*', schema: '{COAL}'}}")
    here.lab([HEADER, *SOUND], name="a.csv")
    (here.raw / "b.xlsx").write_bytes(b"PK\x03\x04 and then nothing")
    assert here.faults() == [("unreadable_table", "", "error")]
    assert here.table().height == 3
    assert tundish.status("d", project=here.folder).files.quarantined == {"unreadable_table": 1}


def test_broken_quote_costs_one_record(lab: Project) -> None:
    lab.lab([HEADER, SOUND[0], '"002,3.00,12.00,28.00,57.00', SOUND[2]])
    assert lab.faults() == [("broken_quote", "line 3", "error")]
    assert lab.table()["outcome"].to_list() == ["accepted", "quarantined", "accepted"]


def test_mixed_encodings_cost_the_lines_that_do_not_fit(lab: Project) -> None:
    lines = [f"{line},{name}" for line, name in zip(SOUND, ("张三", "李四", "王五"), strict=True)]
    parts = [f"{HEADER},化验员", *lines]
    data = [part.encode("utf-8" if place == 2 else "gb18030") for place, part in enumerate(parts)]
    (lab.raw / "lab.csv").write_bytes(b"\r\n".join([*data, b""]))
    assert lab.faults() == [("mixed_encoding", "line 3", "error")]
    assert lab.table()["化验员"].to_list() == ["张三", None, "王五"]


def test_column_missing_renamed_and_twice(lab: Project) -> None:
    lab.lab(["样号x,Mad(%)", "001,2.0"])
    assert "sample_id" in lab.refused()
    assert "records.lab.columns" in lab.refused()
    lab.recipe(lab=f"{{path: raw/lab.csv, schema: '{COAL}', columns: {{样号x: sample_id}}}}")
    assert lab.faults() == []
    lab.lab([f"{HEADER},空干基水(%)", f"{SOUND[0]},2.1"])
    lab.recipe(lab=f"{{path: raw/lab.csv, schema: '{COAL}'}}")
    assert "both mean Mad" in lab.refused()
    lab.recipe(lab=f"{{path: raw/lab.csv, schema: '{COAL}', columns: {{空干基水(%): null}}}}")
    assert lab.faults() == []


def test_ambiguous_header_is_never_guessed(lab: Project) -> None:
    lab.lab(["化验编号,灰分", "001,10.0"])
    sentence = lab.refused()
    assert "A_ad" in sentence
    assert "A_d" in sentence
    assert "never guessed" in sentence


def test_two_records_for_one_key(lab: Project) -> None:
    lab.lab([HEADER, *SOUND, SOUND[0], "002,3.00,12.10,27.90,57.00", "003,1.50,20.50,19.00,59.00"])
    assert lab.faults() == [
        ("retest", "line 3", "warning"),
        ("conflicting_record", "line 4", "error"),
        ("conflicting_record", "line 7", "error"),
    ]
    table = lab.table().select("outcome", "reason").rows()
    assert table == [
        ("accepted", None),
        ("skipped", "superseded_by_retest"),
        ("quarantined", "conflicting_record"),
        ("skipped", "repeated_row"),
        ("accepted", None),
        ("quarantined", "conflicting_record"),
    ]


def test_cyclic_genealogy_and_unknown_parent(tmp_path: Path) -> None:
    here = Project(
        tmp_path,
        edges="{path: raw/edges.csv, schema: 'schemas/steel.py:Genealogy',"
        " references: {parent_id: [edges.child_id, heats.heat_no]}}",
        heats="{path: raw/heats.csv, schema: 'schemas/steel.py:HeatChemistry'}",
    )
    here.lab(["parent_id,child_id", "H1,S1", "S1,C1", "C2,C3", "C3,C2", "H9,S9"], name="edges.csv")
    here.lab(["heat_no,C(%)", "H1,0.05"], name="heats.csv")
    found = here.faults()
    assert ("unknown_reference", "line 6", "error") in found
    assert {place for check, place, severity in found if severity == "error"} == {
        "line 4",
        "line 5",
        "line 6",
    }
    assert here.table("edges")["outcome"].to_list() == ["accepted"] * 2 + ["quarantined"] * 3


def test_workbook_of_two_header_rows_with_one_bad_cell(tmp_path: Path) -> None:
    here = Project(tmp_path, heats="{path: raw/heats.xlsx, schema: 'schemas/steel.py:HeatChemistry'}")
    with xlsxwriter.Workbook(here.raw / "heats.xlsx") as book:
        sheet = book.add_worksheet("五月")
        sheet.merge_range("A1:A2", "炉号")
        sheet.merge_range("B1:D1", "化学成分(%)")
        for place, name in enumerate(("C", "Mn", "N(ppm)")):
            sheet.write(1, 1 + place, name)
        for row, values in enumerate((("0012345", 0.05, 0.3, 40), ("0012346", "abc", 0.3, 35))):
            for column, value in enumerate(values):
                sheet.write(2 + row, column, value)
    assert [one for one in here.faults() if one[2] == "error"] == [("not_a_number", "五月!B4", "error")]
    table = here.table("heats")
    assert table["heat_no"].to_list() == ["0012345", "0012346"]
    assert table["N"].to_list() == pytest.approx([0.0040, 0.0035])


def test_changed_schema_limit_moves_a_record(lab: Project) -> None:
    """A plant inherits a model and changes a limit; the rule keeps its name."""
    lab.lab([HEADER, "001,2.00,10.00,30.00,58.30"])
    assert lab.faults() == [("proximate_closure", "line 2", "error")]
    with (lab.folder / "schemas/coal.py").open("a", encoding="utf-8") as schema:
        schema.write("\n\nclass Ours(CoalAnalysis):\n")
        schema.write("    proximate_closure = CoalAnalysis.proximate_closure.but(tolerance=0.5)\n")
    lab.recipe(lab="{path: raw/lab.csv, schema: 'schemas/coal.py:Ours'}")
    assert lab.faults() == []


def test_add__proposes_a_table_and_the_recipe_runs(tmp_path: Path) -> None:
    here = Project(tmp_path, lab=f"{{path: raw/lab.csv, schema: '{COAL}'}}")
    (here.folder / "pipelines/d.yaml").unlink()
    here.lab([f"{HEADER},备注", f"{SOUND[0]},x"], name="五月 lab.csv")
    (here.folder / "params.yaml").write_text("pipelines: []\n")
    source = str(here.raw / "五月 lab.csv")
    shown = here.command("add", "d", source, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert not (here.folder / "pipelines/d.yaml").exists()
    for part in ("A_ad", "10.0", "not in the schema", "Nothing was written"):
        assert part in shown.output
    assert here.command("add", "d", source, "--table", "lab").exit_code == 0
    assert here.faults() == []
    again = here.command("add", "d", source, "--table", "lab")
    assert again.exit_code == 2
    assert "already" in again.stderr
    assert here.command("add", "d", source, "--table", "more").exit_code == 0
    assert here.command("run", "d", "--to", "records").exit_code == 0


def test_add__a_missing_file_and_an_odd_name_change_nothing(lab: Project) -> None:
    lab.lab([HEADER, *SOUND])
    before = (lab.folder / "pipelines/d.yaml").read_bytes()
    missing = lab.command("add", "d", str(lab.raw / "lap.csv"))
    assert (missing.exit_code, "nothing is here" in missing.stderr) == (2, True)
    odd = lab.command("add", "d", str(lab.raw / "lab.csv"), "--table", "a b")
    assert (odd.exit_code, "'a b'" in odd.stderr) == (2, True)
    assert (lab.folder / "pipelines/d.yaml").read_bytes() == before


def test_add__a_table_that_no_schema_knows(lab: Project) -> None:
    lab.lab(["foo,bar", "1,2"])
    result = lab.command("add", "other", str(lab.raw / "lab.csv"))
    assert result.exit_code == 0, result.output
    assert "its own schema schemas/lab.py:Lab" in result.output
    assert lab.command("run", "other", "--to", "records").exit_code == 0
