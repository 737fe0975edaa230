"""Process signals, one row a second: time and peak memory of ingesting and checking them, by number of rows.

    python benchmarks/signals.py --rows 1000000 10000000

Each size is a process of its own, from the CSV file to the table of records. Flat memory means that the peak
of ten times the rows is about the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import tundish
from timing import peak

SCHEMA = '''
from __future__ import annotations

from typing import Annotated

import pandera.polars as pa
import polars as pl

from tundish.rules import across, error, rules, warning


class Signals(pa.DataFrameModel):
    """A hot strip mill's signals, one row a second."""

    at: Annotated[pl.Datetime, "us", "UTC"]
    mill: str
    T_finish: float = pa.Field(ge=0, le=1400, metadata=rules(above=error("too_hot", "hotter than a slab")))
    T_coil: float = pa.Field(ge=0, le=1400)
    speed: float = pa.Field(ge=0, le=30)
    force: float = pa.Field(ge=0, le=60000)

    class Config:
        metadata = {"key": ("mill", "at")}

    @across(warning("coil_hotter", "coiled hotter than finished"), "T_finish", "T_coil")
    def coil_hotter(cls) -> pl.Expr:
        return pl.col("T_finish") > pl.col("T_coil")
'''
ALIASES = "columns:\n  at: {}\n  mill: {}\n" + "".join(
    f"  {name}: {{}}\n" for name in ("T_finish", "T_coil", "speed", "force")
)
RECIPE = """\
dataset: mill
timezone: Asia/Shanghai
records: {signals: {path: raw/signals.csv, schema: 'schemas/signals.py:Signals'}}
images: {}
annotations: {}
dedup: {}
label: {}
link: {}
split: {}
augment: {}
export: {}
"""


def lay_out(project: Path, rows: int) -> int:
    """Write the project; returns the size of its CSV file in bytes."""
    raw = project / "datasets/mill/raw"
    for folder in (raw, project / "schemas", project / "pipelines"):
        folder.mkdir(parents=True)
    (project / "schemas/signals.py").write_text(SCHEMA)
    (project / "schemas/signals.yaml").write_text(ALIASES)
    (project / "pipelines/mill.yaml").write_text(RECIPE)
    rng = np.random.default_rng(7)
    with (raw / "signals.csv").open("wb") as stream:
        for start in range(0, rows, 1_000_000):
            count = min(1_000_000, rows - start)
            seconds = pl.Series(np.arange(start, start + count)).cast(pl.Int64)
            hot = rng.normal(880, 15, count).round(1)
            hot[rng.random(count) < 0.0005] = 1900.0
            frame = pl.DataFrame(
                {
                    "at": (seconds * 1_000_000 + 1_700_000_000_000_000).cast(pl.Datetime("us")),
                    "mill": "HSM1",
                    "T_finish": hot,
                    "T_coil": rng.normal(620, 12, count).round(1),
                    "speed": rng.normal(11, 1, count).round(3),
                    "force": rng.normal(15000, 900, count).round(0),
                }
            )
            frame.write_csv(stream, include_header=start == 0, datetime_format="%Y-%m-%d %H:%M:%S")
    return (raw / "signals.csv").stat().st_size


def measure(project: Path) -> dict[str, float]:
    """Run ingest and records in this process."""
    before = time.perf_counter()
    tundish.run("mill", project=project, last="ingest")
    taken = time.perf_counter()
    outcome = tundish.run("mill", project=project, first="records", last="records")["records"]
    done = time.perf_counter()
    counts = outcome.counts
    return {
        "ingest_s": taken - before,
        "records_s": done - taken,
        "peak_mib": peak(),
        "accepted": counts["signals accepted"],
        "quarantined": counts["signals quarantined"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        print(json.dumps(measure(chosen.serve)))
        return
    for rows in chosen.rows:
        with tempfile.TemporaryDirectory() as folder:
            size = lay_out(Path(folder), rows)
            command = [sys.executable, __file__, "--serve", folder]
            answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(
            f"{rows:>11,} rows, {size / 1e6:7.0f} MB: ingest {answer['ingest_s']:5.1f} s, records"
            f" {answer['records_s']:6.1f} s, peak {answer['peak_mib']:5.0f} MiB,"
            f" {answer['accepted']:,} accepted, {answer['quarantined']:,} quarantined"
        )


if __name__ == "__main__":
    main()
