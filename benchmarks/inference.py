# ruff: noqa: PLC0415, RUF005  (each side imports only what its own environment has; rows are two lines)
"""Types and units of twelve tables that no schema knows: `tundish add`, and three libraries that infer types.

    python benchmarks/inference.py --peer PEERS/bin/python [--write docs/inference.md]

PEERS is an environment with requirements-peers-inference.txt. The files are made by this script, each as one
kind of plant or laboratory program writes it; it knows type and unit of every column. A column counts where
both are right: text, number, time or flag; a column without a unit needs none. Whole and other numbers count
as one. The peers are told the encoding and the separator of every text file, which they do not find out;
Tundish is told nothing. A file that cannot be read at all counts 0.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
Row = tuple[str, int, list[tuple[float, float]]]
"""A file, its columns, and the shares of each side: with type and unit, with the type alone."""

PEERS = ("pandera.infer_schema", "polars", "sqlite-utils")
ROWS = 200


class File(NamedTuple):
    """A file: what it is, its columns as (header, kind, unit), and what the peers are told."""

    about: str
    columns: list[tuple[str, str, str | None]]
    encoding: str = "utf-8"
    separator: str = ","


def day(row: int, form: str = "%Y-%m-%d %H:%M") -> str:
    return (datetime(2026, 3, 1) + timedelta(hours=7 * row)).strftime(form)  # noqa: DTZ001  (plant's clock)


def wave(row: int, column: int) -> float:
    """A number that differs from row to row, between 0 and 1."""
    return (row * 7919 + column * 104729) % 1009 / 1009


def comma(number: float, places: int, groups: str = "") -> str:
    return f"{number:,.{places}f}".replace(",", "_").replace(".", ",").replace("_", groups)


def text(path: Path, lines: list[list[str]], encoding: str = "utf-8", separator: str = ",") -> None:
    path.write_bytes("\r\n".join(separator.join(line) for line in lines).encode(encoding))


def meter(folder: Path) -> File:
    head = ["Zeitpunkt", "Zähler-Nr", "Wirkarbeit [kWh]", "Leistung [kW]", "Störung"]
    rows = [
        [
            day(at, "%d.%m.%Y %H:%M"),
            f"00{at % 3}7",
            comma(1000 + at * 9.5, 3, "."),
            comma(50 + wave(at, 1), 2),
        ]
        + [("nein", "ja")[at % 40 == 7]]
        for at in range(ROWS)
    ]
    text(
        folder / "meter.csv",
        [head, *[[*row[:4], {"ja": "yes", "nein": "no"}[row[4]]] for row in rows]],
        "cp1252",
        ";",
    )
    kinds = [("time", None), ("text", None), ("number", "kWh"), ("number", "kW"), ("flag", None)]
    return File("energy meter, decimal commas", named(head, kinds), "cp1252", ";")


def named(head: list[str], kinds: list[tuple[str, str | None]]) -> list[tuple[str, str, str | None]]:
    return [(name, *kind) for name, kind in zip(head, kinds, strict=True)]


def furnace(folder: Path) -> File:
    head = ["铁次", "时间", "风量", "热风温度", "顶压", "喷煤比"]
    units = ["", "", "万m3/h", "°C", "kPa", "kg/t"]
    rows = [
        [f"F{at:04d}", day(at, "%Y/%m/%d %H:%M"), f"{28 + wave(at, 1):.2f}", f"{1150 + 60 * wave(at, 2):.0f}"]
        + [f"{220 + wave(at, 3):.1f}", f"{150 + 9 * wave(at, 4):.1f}"]
        for at in range(ROWS)
    ]
    for at, state in ((11, "Bad Input"), (30, "No Data"), (31, "I/O Timeout")):
        rows[at][3] = state
    text(folder / "furnace.csv", [head, units, *rows], "gb18030")
    return File(
        "furnace log, a row of units, historian's states",
        [
            (name, kind, unit or None)
            for name, kind, unit in zip(head, ["text", "time", *["number"] * 4], units, strict=True)
        ],
        "gb18030",
    )


def sinter(folder: Path) -> File:
    head = ["Sample ID", "Date", "FeO (%)", "RDI (%)", "Basicity", "Strand speed (m/min)"]
    rows = [
        [f"S-{at:03d}", day(at, "%m/%d/%Y"), f"{7 + wave(at, 1):.2f}", f"{30 + 5 * wave(at, 2):.1f}"]
        + [f"{1.8 + wave(at, 3) / 5:.3f}", f"{2 + wave(at, 4) / 2:.2f}"]
        for at in range(ROWS)
    ]
    text(folder / "sinter.csv", [head, *rows])
    kinds = [("text", None), ("time", None), ("number", "%"), ("number", "%"), ("number", None)]
    return File("sinter analyses, American dates", named(head, [*kinds, ("number", "m/min")]))


def tensile(folder: Path) -> File:
    head = ["Probe", "Rp0,2 [MPa]", "Rm [MPa]", "A80 [%]", "Datum"]
    rows = [
        [f"{at:06d}", comma(300 + 9 * wave(at, 1), 1), comma(420 + 9 * wave(at, 2), 1)]
        + [comma(30 + wave(at, 3), 1), day(at, "%d.%m.%Y")]
        for at in range(ROWS)
    ]
    text(folder / "tensile.txt", [head, *rows], "utf-16", "\t")
    kinds = [("text", None), ("number", "MPa"), ("number", "MPa"), ("number", "%"), ("time", None)]
    return File("tensile bench, UTF-16, decimal commas", named(head, kinds), "utf-16", "\t")


def coal(folder: Path) -> File:
    head = ["化验单号", "采样时间", "水分(%)", "硫(%)", "热值(kcal/kg)", "复检"]
    rows = [
        [f"0260{at:05d}", day(at), f"{8 + wave(at, 1):.1f}", f"{0.4 + wave(at, 2) / 3:.2f}"]
        + [f"{6200 + 300 * wave(at, 3):.0f}", "是" if at % 30 == 4 else "否"]
        for at in range(ROWS)
    ]
    for at, cell in ((9, "<0.05"), (20, "未检"), (44, "0.61*")):
        rows[at][3] = cell
    text(folder / "coal.csv", [head, *rows], "gb18030")
    kinds = [("text", None), ("time", None), ("number", "%"), ("number", "%"), ("number", "kcal/kg")]
    return File("coal laboratory, <0.05, 未检", named(head, [*kinds, ("flag", None)]), "gb18030")


def bench(folder: Path) -> File:
    head = ["Specimen", "Force (kN)", "Stroke (mm)", "Rate (mm/s)", "Operator"]
    rows = [
        [f"B{at}", f"{80 + wave(at, 1):.2f}", f"{12 + wave(at, 2):.3f}", f"{0.5 + wave(at, 3) / 9:.3f}"]
        + [("Li", "Wang", "Zhao")[at % 3]]
        for at in range(ROWS)
    ]
    top = [["Machine: UTM-100"], [f"Printed: {day(0)}"], ["Standard: ISO 6892-1"], [""]] * 4
    below = [["Mean", "80.5", "12.5", "0.55", ""], ["Std", "0.3", "0.3", "0.03", ""]]
    text(folder / "bench.csv", [*top, head, *rows, *below])
    kinds = [("text", None), ("number", "kN"), ("number", "mm"), ("number", "mm/s"), ("text", None)]
    return File("test bench, preamble and statistics", named(head, kinds))


def tags(folder: Path) -> File:
    head = ["Zeit", "Tag", "Wert", "Einheit"]
    some = (("FT101", "m3/h", 90), ("TE201", "°C", 700), ("PT301", "kPa", 220), ("AE401", "%", 3))
    rows = [
        [day(at), tag, f"{value + wave(at, value):.2f}", unit]
        for at in range(ROWS)
        for tag, unit, value in some
    ]
    text(folder / "tags.csv", [head, *rows], separator=";")
    wide = [("Zeit", "time", None), *((tag, "number", unit) for tag, unit, _ in some)]
    return File("tags of a historian, a row for each value", wide, separator=";")


def rolls(folder: Path) -> File:
    head = ["Walze", "Durchmesser", "Verschleiß", "Ausbringen", "Einbau"]
    rows = [
        [f"R{at:04d}", f"{comma(650 + 9 * wave(at, 1), 2)} mm", f"{comma(0.1 + wave(at, 2), 3)} mm"]
        + [f"{comma(93 + wave(at, 3), 1)} %", day(at, "%Y%m%d")]
        for at in range(ROWS)
    ]
    text(folder / "rolls.csv", [head, *rows], separator=";")
    kinds = [("text", None), ("number", "mm"), ("number", "mm"), ("number", "%"), ("time", None)]
    return File("roll shop, units behind the numbers", named(head, kinds), separator=";")


def coils(folder: Path) -> File:
    head = ["coil", "heat", "weight (t)", "width_mm", "FT [degC]", "passed"]
    rows = [
        [f"00{at:05d}", f"2603{at:014d}", f"{12 + wave(at, 1):.3f}", f"{1250 + at % 7}"]
        + [f"{870 + 9 * wave(at, 2):.1f}", ("Y", "N")[at % 25 == 3]]
        for at in range(ROWS)
    ]
    text(folder / "coils.csv", [head, *rows])
    kinds = [("text", None), ("text", None), ("number", "t"), ("number", "mm"), ("number", "°C")]
    return File("coils, identifiers of digits", named(head, [*kinds, ("flag", None)]))


def book(path: Path, fill: Callable[[Any, Any], None]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path) as opened:
        fill(opened, opened.add_worksheet("1月"))


def daily(folder: Path) -> File:
    head = ["日期", "产量(t)", "焦比(kg/t)", "富氧率", "作业率"]

    def fill(opened: Any, sheet: Any) -> None:
        forms = [opened.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "0.00%")]
        sheet.write_row(0, 0, ["XX钢厂高炉日报"])
        sheet.write_row(2, 0, head)
        for at in range(ROWS):
            sheet.write_number(3 + at, 0, 46082 + at, forms[0])
            sheet.write_row(3 + at, 1, [5000 + at, 350 + round(9 * wave(at, 1), 1)])
            sheet.write_number(3 + at, 3, 0.03 + wave(at, 2) / 100, forms[1])
            sheet.write_number(3 + at, 4, 0.9 + wave(at, 3) / 20, forms[1])
        sheet.write_row(3 + ROWS, 0, ["合计", 5000 * ROWS])

    book(folder / "daily.xlsx", fill)
    kinds = [("time", None), ("number", "t"), ("number", "kg/t"), ("number", "%"), ("number", "%")]
    return File("daily report, xlsx, title, percent formats", named(head, kinds))


def grouped(folder: Path) -> File:
    groups = [
        ("卷号", []),
        ("尺寸", ["厚度(mm)", "宽度(mm)"]),
        ("温度", ["终轧(℃)", "卷取(℃)"]),
        ("时间", []),
    ]

    def fill(opened: Any, sheet: Any) -> None:
        zeros = opened.add_format({"num_format": "0000000"})
        time = opened.add_format({"num_format": "yyyy/m/d h:mm"})
        sheet.merge_range(0, 0, 1, 0, "卷号")
        sheet.merge_range(0, 1, 0, 2, "尺寸")
        sheet.merge_range(0, 3, 0, 4, "温度")
        sheet.merge_range(0, 5, 1, 5, "时间")
        sheet.write_row(1, 1, [name for _, names in groups for name in names])
        for at in range(ROWS):
            sheet.write_number(2 + at, 0, 12345 + at, zeros)
            sheet.write_row(2 + at, 1, [2 + wave(at, 1), 1250 + at % 9, 870 + at % 7, f"{610 + at % 5}"])
            sheet.write_number(2 + at, 5, 46082.25 + at / 3, time)

    book(folder / "grouped.xlsx", fill)
    head = ["卷号", "尺寸_厚度(mm)", "尺寸_宽度(mm)", "温度_终轧(℃)", "温度_卷取(℃)", "时间"]
    kinds = [("text", None), ("number", "mm"), ("number", "mm"), ("number", "°C"), ("number", "°C")]
    return File("strip report, xlsx, grouped header", named(head, [*kinds, ("time", None)]))


def wide(folder: Path) -> File:
    tags = [f"TAG{at:03d}.PV (°C)" for at in range(60)]
    rows = [[day(at), *(f"{900 + 9 * wave(at, tag):.1f}" for tag in range(60))] for at in range(ROWS)]
    for at in range(0, ROWS, 17):
        rows[at][1 + at % 60] = ("Bad", "Calc Failed", "#N/A")[at % 3]
    text(folder / "wide.csv", [["Timestamp", *tags], *rows])
    return File(
        "sixty thermocouples, bad values",
        [("Timestamp", "time", None), *((tag, "number", "°C") for tag in tags)],
    )


MAKERS = (*(meter, furnace, sinter, tensile, coal, bench, tags, rolls, coils, daily, grouped, wide),)


def ours(path: Path) -> list[tuple[str, str | None]]:
    """What `tundish add` makes of a file in a project whose schemas know none of it."""
    import tundish

    with tempfile.TemporaryDirectory() as folder:
        for name in ("pipelines", "schemas"):
            (Path(folder) / name).mkdir()
        added = tundish.add("d", path, project=folder, dry_run=True)
    assert isinstance(added, tundish.AddedRecords)
    kinds = {"number": "number", "whole number": "number", "yes or no": "flag"}
    found = []
    for row in added.columns:
        kind, _, unit = row.read_as.partition(", ")
        found.append((kinds.get(kind, kind), unit or None))
    return found


def peer(name: str, path: Path, encoding: str, separator: str) -> list[str]:
    """The kinds that a peer gives the columns of a file; none of them knows units."""
    if name == "sqlite-utils":
        return sqlite(path, encoding, separator)
    if name == "polars":
        import polars as pl

        if path.suffix == ".xlsx":
            frame = pl.read_excel(path)
        else:
            frame = pl.read_csv(
                path.read_bytes().decode(encoding).encode(),
                separator=separator,
                try_parse_dates=True,
                infer_schema_length=None,
                truncate_ragged_lines=True,
            )
        return [kind_of_polars(kind) for kind in frame.schema.values()]
    import pandas as pd
    import pandera.pandas as pa

    read = (
        pd.read_excel(path, engine="calamine")
        if path.suffix == ".xlsx"
        else pd.read_csv(path, encoding=encoding, sep=separator)
    )
    return [kind_of_pandas(str(column.dtype)) for column in pa.infer_schema(read).columns.values()]


def kind_of_polars(kind: Any) -> str:
    if kind.is_numeric():
        return "number"
    return "time" if kind.is_temporal() else "flag" if str(kind) == "Boolean" else "text"


def kind_of_pandas(kind: str) -> str:
    if kind.startswith(("int", "float")):
        return "number"
    return "time" if kind.startswith("datetime") else "flag" if kind == "bool" else "text"


def sqlite(path: Path, encoding: str, separator: str) -> list[str]:
    import sqlite3

    if path.suffix == ".xlsx":
        raise ValueError("it reads no workbooks")
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "d.db"
        command = [sys.executable, "-m", "sqlite_utils", "insert", str(database), "t", str(path), "--csv"]
        subprocess.run(
            [*command, "--encoding", encoding, "--delimiter", separator], check=True, capture_output=True
        )
        with sqlite3.connect(database) as opened:
            rows = opened.execute("pragma table_info(t)").fetchall()
    return ["number" if row[2] in {"INTEGER", "FLOAT", "REAL"} else "text" for row in rows]


def share(
    truth: list[tuple[str, str, str | None]], found: list[tuple[str, str | None]]
) -> tuple[float, float]:
    """The shares of the true columns found in their place: with type and unit, and with the type alone."""
    pairs = list(zip(truth, found, strict=False))
    both = sum((kind, unit) == one for (_, kind, unit), one in pairs)
    return both / len(truth), sum(kind == one[0] for (_, kind, _), one in pairs) / len(truth)


def measure(peer_python: str) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {make.__name__: make(Path(folder)) for make in MAKERS}
        paths = {path.stem: path for path in Path(folder).iterdir()}
        for name, file in files.items():
            shares = [share(file.columns, ours(paths[name]))]
            for one in PEERS:
                asked = json.dumps([one, str(paths[name]), file.encoding, file.separator])
                done = subprocess.run(
                    [peer_python, __file__, "--one", asked], capture_output=True, text=True, check=False
                )
                kinds = json.loads(done.stdout) if done.returncode == 0 else []
                shares.append(share(file.columns, [(kind, None) for kind in kinds]))
            rows.append((file.about, len(file.columns), shares))
            print(f"{file.about:50}", *(f"{both:5.0%} ({kind:.0%})" for both, kind in shares))
    return rows


def page(rows: list[Row]) -> str:
    """The page for docs."""
    lines = [
        "# Types and units without a schema",
        "",
        "Twelve tables as plants and laboratories write them, made by `benchmarks/inference.py`, which also",
        "wrote this page: the share of columns whose type and unit come out right, in brackets the type",
        "alone, by `tundish add` and by three libraries that infer types. These know no units, and take it",
        "as it comes where a table begins, what a bad value is, which mark is the decimal one, and that",
        "0012345 is not 12345. They got the encoding and the separator of each text file, Tundish",
        "nothing.",
        "sqlite-utils reads no workbooks, and its tables have no type for times.",
        "",
        f"| file | columns | Tundish | {' | '.join(PEERS)} |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for about, count, shares in rows:
        lines.append(f"| {about} | {count} | {' | '.join(map(shown, shares))} |")
    means = [
        tuple(sum(shares[side][part] for _, _, shares in rows) / len(rows) for part in (0, 1))
        for side in range(1 + len(PEERS))
    ]
    lines.append(f"| mean of the files | | {' | '.join(map(shown, means))} |")
    return "\n".join([*lines, "", "Measured with pandera 0.35, polars 2.1 and sqlite-utils 4.2.", ""])


def shown(shares: tuple[float, ...]) -> str:
    return f"{shares[0]:.0%} ({shares[1]:.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--one")
    args = parser.parse_args()
    if args.one:
        name, path, encoding, separator = json.loads(args.one)
        print(json.dumps(peer(name, Path(path), encoding, separator)))
        return
    rows = measure(args.peer)
    behind = [about for about, _, shares in rows if shares[0][0] <= max(shares[1:])[0]]
    if args.write:
        args.write.write_text(page(rows), encoding="utf-8")
    if behind:
        sys.exit(f"not ahead in: {', '.join(behind)}")


if __name__ == "__main__":
    main()
