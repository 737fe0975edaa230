# ruff: noqa: PLC0415  (each side imports only what its own environment has)
"""Records against ten rules: `tundish.rules.check.check`, plain Pandera, and Great Expectations 1.24.

    python benchmarks/records.py --peer PEERS/bin/python [--rows 5000000] [--rounds 5]

PEERS is an environment with requirements-peers-records.txt. 12 columns: three of text, five real, one whole,
one of flags, two of times; ten rules: five limits, a set, a text's length, a column that must be filled, two
over pairs of columns. Once all rows are sound, once five percent break one rule each.

Each side is a process with the table in its memory (ours and Pandera: Polars; the peer: pandas); they take
turns, so that whatever else the machine does falls on all. Ours and the peer end with a table of failures
(row, check, value; ours with a sentence), Pandera with its failure cases; count and places must be the same.
Medians of the rounds; a ratio is the median of the ratios of rounds. Memory is the most that a process held
while it checked, above what it held before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime  # noqa: TC003  (Pandera reads the annotations)
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timing import in_turn, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandera.polars as pa

SIDES = ("tundish", "pandera", "peer")
WANTED = {"sound": ("tundish", "pandera", 1.5), "bad": ("peer", "tundish", 10.0)}
GRADES = ["Q235B", "Q345B", "SPHC", "DC01"]
CHECKS = 10


def make(path: Path, rows: int, share: float) -> None:
    """Coils as Parquet; `share` of them break one of the ten rules, each rule as often."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(3)
    number = pl.int_range(rows, eager=True)
    start = pl.lit(1_767_225_600_000_000).cast(pl.Datetime("us"))
    faults = np.where(rng.random(rows) < share, rng.integers(0, CHECKS, rows), -1)
    sound = pl.DataFrame(
        {
            "n": number,
            "fault": faults,
            "steel_grade": np.array(GRADES)[rng.integers(0, len(GRADES), rows)],
            "thickness": rng.uniform(1.5, 12, rows),
            "width": rng.uniform(900, 2000, rows),
            "mass": rng.uniform(5_000, 30_000, rows),
            "T_finishing": rng.uniform(800, 900, rows),
            "T_coil": rng.uniform(500, 700, rows),
            "passes": rng.integers(5, 8, rows),
            "trimmed": rng.random(rows) < 0.5,
            "untested": rng.random(rows) < 0.02,
        }
    ).select(
        pl.format("C{}", pl.col("n").cast(pl.String).str.zfill(9)).alias("coil_no"),
        pl.format("H{}", pl.col("n") // 20).alias("heat_no"),
        *("steel_grade", "thickness"),
        pl.when("untested").then(None).otherwise("width").alias("width"),
        *("mass", "T_finishing", "T_coil", "passes", "trimmed"),
        (start + pl.duration(seconds=pl.col("n") * 60)).alias("started_at"),
        (start + pl.duration(seconds=pl.col("n") * 60 + 300)).alias("finished_at"),
        "fault",
    )
    wrong = {
        "coil_no": "C1", "heat_no": None, "steel_grade": "?", "thickness": 0.3, "width": 2500.5, "mass": 5.25,
        "T_finishing": 750.5, "passes": 9, "T_coil": 950.0,
    }  # fmt: skip
    columns = [
        pl.when(pl.col("fault") == index).then(pl.lit(value)).otherwise(name).alias(name)
        for index, (name, value) in enumerate(wrong.items())
    ]
    late = pl.when(pl.col("fault") == len(wrong)).then("started_at").otherwise("finished_at")
    sound.with_columns(*columns, late.alias("finished_at")).drop("fault").write_parquet(path)


def model() -> type[pa.DataFrameModel]:
    import pandera.polars as pa
    import polars as pl

    from tundish.rules.across import across
    from tundish.rules.rule import error, rules

    class Coil(pa.DataFrameModel):
        coil_no: str = pa.Field(
            str_length={"exact_value": 10},
            nullable=True,
            metadata=rules(other=error("coil_no", "a wrong number")),
        )
        heat_no: str = pa.Field(metadata=rules(missing=error("heat_no", "no heat", "缺少炉次号")))
        steel_grade: str = pa.Field(
            isin=GRADES, nullable=True, metadata=rules(other=error("grade", "no such grade"))
        )
        thickness: float = pa.Field(ge=1.2, nullable=True, metadata=rules(below=error("thin", "too thin")))
        width: float = pa.Field(le=2100, nullable=True, metadata=rules(above=error("wide", "too wide")))
        mass: float = pa.Field(ge=1000, nullable=True, metadata=rules(below=error("light", "too light")))
        T_finishing: float = pa.Field(ge=780, nullable=True, metadata=rules(below=error("cold", "too cold")))
        T_coil: float = pa.Field(nullable=True)
        passes: int = pa.Field(le=7, nullable=True, metadata=rules(above=error("passes", "too many")))
        trimmed: bool = pa.Field(nullable=True)
        started_at: datetime = pa.Field(nullable=True)
        finished_at: datetime = pa.Field(nullable=True)

        @across(error("cooling", "the coil is hotter than the strip"), "T_finishing", "T_coil")
        def cooling(cls) -> pl.Expr:
            return pl.col("T_finishing") > pl.col("T_coil")

        @across(error("order", "it ends before it begins"), "started_at", "finished_at")
        def order(cls) -> pl.Expr:
            return pl.col("finished_at") > pl.col("started_at")

    return Coil


def tundish(path: Path) -> Callable[[], list[int]]:
    import polars as pl

    from tundish.rules.check import check

    frame, coil = pl.read_parquet(path), model()

    def work() -> list[int]:
        rows = check(coil, frame)["row"]
        return [rows.len(), int(rows.cast(pl.Int64).sum())]

    return work


def pandera(path: Path) -> Callable[[], list[int]]:
    import pandera.polars as pa
    import polars as pl

    frame, schema = pl.read_parquet(path), model().to_schema()

    def work() -> list[int]:
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as problem:
            rows = problem.failure_cases["index"]
            return [rows.len(), int(rows.cast(pl.Int64).sum())]
        return [0, 0]

    return work


def peer(path: Path) -> Callable[[], list[int]]:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # type: ignore[import-not-found]  # lives in the peers' environment
    import great_expectations.expectations as gxe  # type: ignore[import-not-found]
    import pandas as pd

    frame = pd.read_parquet(path)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("coils").add_dataframe_asset("coils")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    missing = "either_value_is_missing"
    suite = gx.ExpectationSuite("coils", expectations=[
        gxe.ExpectColumnValueLengthsToEqual(column="coil_no", value=10),
        gxe.ExpectColumnValuesToNotBeNull(column="heat_no"),
        gxe.ExpectColumnValuesToBeInSet(column="steel_grade", value_set=GRADES),
        gxe.ExpectColumnValuesToBeBetween(column="thickness", min_value=1.2),
        gxe.ExpectColumnValuesToBeBetween(column="width", max_value=2100),
        gxe.ExpectColumnValuesToBeBetween(column="mass", min_value=1000),
        gxe.ExpectColumnValuesToBeBetween(column="T_finishing", min_value=780),
        gxe.ExpectColumnValuesToBeBetween(column="passes", max_value=7),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="T_finishing", column_B="T_coil", ignore_row_if=missing
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="finished_at", column_B="started_at", ignore_row_if=missing
        ),
    ])  # fmt: skip

    def work() -> list[int]:
        reported = batch.validate(suite, result_format="COMPLETE")
        found = []
        for one in reported.results:
            assert not one.exception_info.get("raised_exception"), one.exception_info
            # COMPLETE lists all places, but only the first 200 values.
            rows = one.result["unexpected_index_list"]
            settings = one.expectation_config.kwargs
            columns = [settings[key] for key in ("column", "column_A", "column_B") if key in settings]
            values = [name + "=" + frame[name].iloc[rows].astype("str") for name in columns]
            value = values[0].str.cat(values[1:], sep=", ")
            kind = one.expectation_config.type
            found.append(pd.DataFrame({"row": rows, "check": kind, "value": value.to_numpy()}))
        failures = pd.concat(found)
        return [len(failures), int(failures["row"].astype("int64").sum())]

    return work


def held(what: str) -> float:
    """MiB that the process uses now (VmRSS), or its peak since the last reset (VmHWM)."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert found is not None
    return int(found.group(1)) / 1024


def serve(side: str, path: Path) -> None:
    """Check once for each line of the input; answer with seconds, additional MiB, and the failures."""
    work = {"tundish": tundish, "pandera": pandera, "peer": peer}[side](path)
    print("ready", flush=True)
    for _ in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        before = held("VmRSS")
        start = time.perf_counter()
        failures = work()
        seconds = time.perf_counter() - start
        print(json.dumps([seconds, held("VmHWM") - before, failures]), flush=True)


class Side:
    def __init__(self, python: str, side: str, path: Path) -> None:
        self.process = subprocess.Popen(
            [python, __file__, "--serve", side, "--data", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def do(self) -> tuple[float, float, list[int]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, memory, failures = json.loads(self.process.stdout.readline())
        return seconds, memory, failures

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(kind: str, path: Path, python: str, rounds: int) -> None:
    sides = {side: Side(python if side == "peer" else sys.executable, side, path) for side in SIDES}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    memory: dict[str, float] = dict.fromkeys(SIDES, 0.0)
    for turn in range(rounds + 1):
        reported: dict[str, Any] = {}
        for side in in_turn(SIDES, turn):
            took, more, reported[side] = sides[side].do()
            memory[side] = max(memory[side], more)
            if turn:  # the first turn warms up
                seconds[side].append(took)
        assert reported["tundish"] == reported["pandera"] == reported["peer"], reported
    for process in sides.values():
        process.close()
    print(f"{kind}: {reported['tundish'][0]} failures")
    for side in SIDES:
        ratios = [theirs / ours for ours, theirs in zip(seconds["tundish"], seconds[side], strict=True)]
        took, middle = statistics.median(seconds[side]), statistics.median(ratios)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"  {side:8} {took:7.3f} s   {middle:6.2f} of tundish ({spread})   +{memory[side]:.0f} MiB")
    above, below, limit = WANTED[kind]
    found, bound = ratio(seconds[above], seconds[below]), "at most" if kind == "sound" else "at least"
    print(f"  {above} / {below}: {found:.2f} (wanted: {bound} {limit})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", help="the Python of the peers' environment")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.data)
        return
    if not options.peer:
        parser.error("--peer is needed: the Python of an environment with requirements-peers-records.txt")
    with tempfile.TemporaryDirectory() as temporary:
        for kind, share in (("sound", 0.0), ("bad", 0.05)):
            path = Path(temporary) / f"{kind}.parquet"
            make(path, options.rows, share)
            measure(kind, path, options.peer, options.rounds)


if __name__ == "__main__":
    main()
