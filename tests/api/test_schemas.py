"""Schemas by hand: made from a file, checked, and compared with another file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import tundish
from tundish.cli import main

LINES = [f"2026-05-{day:02d},{day * 1.5},{'甲乙'[day % 2]}" for day in range(1, 29)]
TABLE = ["日期,蒸汽(GJ),班次", *LINES]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("pipelines", "schemas"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    write("meters.csv", TABLE)
    return tmp_path


def write(name: str, lines: list[str]) -> None:
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_schema_is_written_once_and_replaced_by_force_only(plant: Path) -> None:
    shown = tundish.schema_infer("meters.csv", dry_run=True)
    assert not list((plant / "schemas").iterdir())
    made = tundish.schema_infer("meters.csv")
    assert (made.schema, made.key, made.rows) == ("schemas/meters.py:Meters", "date", 28)
    assert made.files == shown.files
    assert {name: (plant / name).read_text("utf-8") for name in made.files} == made.files
    with pytest.raises(tundish.UsageError, match="has a schema of this name; replace it with --force"):
        tundish.schema_infer("meters.csv")
    assert tundish.schema_infer("meters.csv", force=True).files == made.files
    assert tundish.schema_infer("meters.csv", table="energy").schema == "schemas/energy.py:Energy"


def test_check__a_schema_that_was_made_is_sound(plant: Path) -> None:
    tundish.schema_infer("meters.csv")
    (found,) = tundish.schema_check()
    assert (found.schema, found.columns, found.key) == (
        "schemas/meters.py:Meters",
        ("date", "steam", "shift"),
        ("date",),
    )
    assert (found.problem, found.notes) == (None, ())


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("schemas/meters.yaml", "unit: GJ", "unit: parsec", "has the unit 'parsec', define it under 'units'"),
        ("schemas/meters.yaml", "  steam:", "  stream:", "lists stream, which no model of the file has"),
        ("schemas/meters.py", "float | None", "list | None", "has the type"),
        ("schemas/meters.py", "import expected", "import expect", "does not run"),
        ("schemas/meters.yaml", "  GJ:", "  GJ: much", "is a multiple of a known unit, such as"),
    ],
)
def test_check__names_what_is_wrong(plant: Path, file: str, old: str, new: str, problem: str) -> None:
    tundish.schema_infer("meters.csv")
    text = (plant / file).read_text("utf-8")
    assert old in text
    (plant / file).write_text(text.replace(old, new), "utf-8")
    assert any(problem in (one.problem or "") for one in tundish.schema_check())
    done = CliRunner().invoke(main, ["schema", "check"])
    assert (done.exit_code, problem in done.output) == (2, True)


def test_diff__says_what_is_new_missing_and_otherwise_and_gives_the_lines(plant: Path) -> None:
    tundish.schema_infer("meters.csv")
    same = tundish.schema_diff("meters.csv")
    assert (same.new, same.missing, same.changed) == ((), (), ())
    numbers = [line.replace("甲", "10").replace("乙", "20") for line in LINES]
    write("june.csv", ["日期,蒸汽(GJ),电量(kWh)", *numbers])
    found = tundish.schema_diff("june.csv")
    (new,) = found.new
    assert (new.header, new.column, new.read_as) == ("电量(kWh)", "electricity", "number, kWh")
    assert found.missing == ("shift",)
    assert "    electricity: float | None = expected(" in "\n".join(found.model_lines)
    assert found.alias_lines[-1] == "  electricity: {unit: kWh, about: 电量(kWh), names: [电量]}"
    write("odd.csv", ["日期,蒸汽(kPa),班次", *(line.replace("甲", "丙") for line in LINES)])
    changed = tundish.schema_diff("odd.csv").changed
    assert any("is in kPa where the schema has GJ" in line for line in changed)
    assert any("values that the schema does not list: 丙" in line for line in changed)


def test_the_lines_of_a_diff_make_the_schema_fit(plant: Path) -> None:
    tundish.schema_infer("meters.csv")
    write("june.csv", [f"{TABLE[0]},电量(kWh)", *(f"{line},{at + 0.5}" for at, line in enumerate(LINES))])
    found = tundish.schema_diff("june.csv")
    model, alias = plant / "schemas/meters.py", plant / "schemas/meters.yaml"
    end = "    class Config:"
    lines = "\n".join([*found.model_lines, "", end])
    text = model.read_text("utf-8").replace(end, lines)
    model.write_text(text.replace("import expected", "import usual, expected"), "utf-8")
    text = alias.read_text("utf-8").replace("units:\n", "units:\n  kWh:\n")
    alias.write_text(text + found.alias_lines[-1] + "\n", "utf-8")
    assert [one.problem for one in tundish.schema_check()] == [None]
    after = tundish.schema_diff("june.csv")
    assert (after.new, after.missing, after.changed) == ((), (), ())


def test_the_commands_print_what_the_functions_return(plant: Path) -> None:
    run = CliRunner().invoke
    shown = run(main, ["schema", "infer", "meters.csv", "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "steam: float | None" in shown.output
    assert not list((plant / "schemas").iterdir())
    assert run(main, ["schema", "infer", "meters.csv"]).exit_code == 0
    assert "3 columns, key date" in run(main, ["schema", "check"]).output
    assert "no more and no less" in run(main, ["schema", "diff", "meters.csv"]).output
    assert run(main, ["schema", "diff", "nothing.csv"]).exit_code == 2
