"""The stage link: a million images, ten million records of a signal, a genealogy of four recoilings.

    python benchmarks/linking.py [--images 1000000] [--records 10000000] [--folder DIR]

Each case runs in a process of its own, so that its peak of memory is its own; the tables are made before,
where --folder does not hold them already. The bare join_asof of Polars on the same sorted columns, in memory
and without reasons, ties or ids, is timed beside it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from timing import load, options, peak, seconds
from tundish.engine import LocalEngine
from tundish.recipe.load import Recipe
from tundish.stages.base import Context, Outcome
from tundish.stages.link.stage import STAGE
from tundish.storage.table import field
from tundish.storage.tables import IMAGES, LINKS, RECORD_FIELDS

COIL_SECONDS = 2000
STRIP_M = 3000.0
PIECE = 1_000_000
AHEAD_S = 8 * 3600
START = 1_700_000_000

BY_TIME = {"record": "at", "tolerance": "2s"}
CASES: dict[str, dict[str, dict[str, Any]]] = {
    "key": {"heats": {"on": {"image": "heat_no", "record": "heat_no"}}},
    "key and nearest time": {"signals": {"on": "coil_no", "nearest": BY_TIME | {"clock_offset": "8h"}}},
    "nearest time alone": {"signals": {"nearest": BY_TIME | {"clock_offset": "8h"}}},
    "nearest time, clocks told apart": {"shots": {"nearest": BY_TIME | {"clock_offset": "auto"}}},
    "genealogy, position": {
        "heats": {
            "on": {"image": "coil_no", "record": "heat_no"},
            "through": "edges",
            "position": "position_m",
        }
    },
    "genealogy, nearest metre": {
        "bars": {
            "on": {"image": "coil_no", "record": "slab_no"},
            "through": "edges",
            "nearest": {"image": "position_m", "record": "metre", "tolerance": 0.05},
        }
    },
}


def context_of(project: Path, link: dict[str, Any]) -> Context:
    tables = ("signals", "shots", "heats", "edges", "bars")
    recipe = {
        "dataset": "strip",
        "records": {name: {"path": f"{name}.csv", "schema": "schemas/steel.py:X"} for name in tables},
        "link": link,
    }
    return Context(Recipe.model_validate(recipe), project, LocalEngine())


def make(project: Path, images: int, records: int) -> None:
    context = context_of(project, {})
    context.dataset.records.mkdir(parents=True)
    rng = np.random.default_rng(3)
    coils = max(2, records // COIL_SECONDS)
    write_records(context.dataset.records / "signals.parquet", records, signal)
    number = np.arange(coils)
    ids = {
        "coil_no": texts("U", number),
        "slab_no": texts("S", number),
        "heat_no": texts("E", number // 8),
    }
    one_table(context.dataset.records / "heats.parquet", {"heat_no": texts("E", np.arange(coils // 8 + 1))})
    bars = rng.integers(0, coils, coils * 100)
    one_table(
        context.dataset.records / "bars.parquet",
        {"slab_no": texts("S", bars), "metre": pl.Series(rng.uniform(0, 10, bars.size))},
    )
    one_table(context.dataset.records / "edges.parquet", edges(number, ids))
    coil = rng.integers(0, coils, images)
    second = START + coil * COIL_SECONDS + rng.uniform(0, COIL_SECONDS, images)
    reported = np.sort(
        second[rng.random(images) < 0.8]
    )  # the line's own log of the camera's shots, with gaps
    one_table(
        context.dataset.records / "shots.parquet",
        {"at": times(reported + rng.normal(0, 0.05, reported.size))},
    )
    image_id = pl.Series([f"{n:032x}" for n in range(images)])
    frame = pl.DataFrame(
        {
            "image_id": image_id,
            "path": image_id + ".jpg",
            "source": pl.Series(["line"]).extend_constant("line", images - 1),
            "captured_at": times(second + AHEAD_S),
            "valid": pl.Series([True]).extend_constant(value=True, n=images - 1),
            "coil_no": texts("U", coil),
            "heat_no": texts("E", coil // 8),
            "position_m": pl.Series(rng.uniform(0, STRIP_M, images)).round(3).cast(pl.String),
        }
    )
    missing = [pl.lit(None).alias(name) for name in IMAGES.schema.names if name not in frame.columns]
    IMAGES.write(frame.with_columns(missing), context.dataset.table("images"))


def texts(letter: str, numbers: np.ndarray[Any, np.dtype[Any]]) -> pl.Series:
    return letter + pl.Series(numbers).cast(pl.String).str.zfill(7)


def times(seconds: np.ndarray[Any, np.dtype[np.float64]]) -> pl.Series:
    return pl.Series((seconds * 1e6).astype(np.int64)).cast(pl.Datetime("us", "UTC"))


def edges(number: np.ndarray[Any, np.dtype[Any]], ids: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Heat, slab, hot coil, cold coil, part: every piece whole, each four times as long as the one before."""
    ways = [
        (ids["heat_no"], ids["slab_no"], None, 10.0),
        (ids["slab_no"], texts("H", number), 10.0, 750.0),
        (texts("H", number), texts("C", number), 750.0, STRIP_M),
        (texts("C", number), ids["coil_no"], STRIP_M, STRIP_M),
    ]
    frames = [
        pl.DataFrame({"parent_id": parent, "child_id": child}).with_columns(
            parent_from_m=pl.lit(0.0),
            parent_to_m=pl.lit(before, pl.Float64),
            child_from_m=pl.lit(0.0),
            child_to_m=pl.lit(after, pl.Float64),
        )
        for parent, child, before, after in ways
    ]
    return pl.concat(frames).to_dict()


def signal(row: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, pl.Series]:
    return {
        "coil_no": texts("U", row // COIL_SECONDS),
        "at": times((START + row).astype(np.float64)),
        "force_kN": pl.Series(np.sin(row / 100)),
    }


def one_table(path: Path, columns: dict[str, pl.Series]) -> None:
    length = len(next(iter(columns.values())))
    write_records(path, length, lambda row: {name: values.gather(row) for name, values in columns.items()})


def write_records(path: Path, count: int, columns_of: Any) -> None:
    writer = None
    for first in range(0, count, PIECE):
        row = np.arange(first, min(first + PIECE, count))
        frame = pl.DataFrame({"row": row, **columns_of(row)}).with_columns(
            record_id=pl.format("{}.csv#{}", pl.lit(path.stem), "row"),
            path=pl.lit(f"{path.stem}.csv"),
            line=pl.col("row") + 2,
            outcome=pl.when(pl.col("row") % 100 == 7)
            .then(pl.lit("quarantined"))
            .otherwise(pl.lit("accepted")),
        )
        names = [one.name for one in RECORD_FIELDS]
        frame = frame.with_columns(pl.lit(None).alias(name) for name in names if name not in frame.columns)
        extra = [name for name in frame.columns if name not in names]
        arrow = frame.select(names + extra).to_arrow()
        kinds = [field(name, plain(arrow.schema.field(name).type), "of the benchmark") for name in extra]
        arrow = arrow.cast(pa.schema([*RECORD_FIELDS, *kinds]))
        writer = writer or pq.ParquetWriter(path, arrow.schema, compression="zstd")
        writer.write_table(arrow)
    assert writer is not None
    writer.close()


def plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def run(project: Path, case: str) -> None:
    context = context_of(project, CASES[case])
    before = peak()
    outcomes: list[Outcome] = []
    took = seconds(lambda: outcomes.append(STAGE.run(context)))
    (outcome,) = outcomes
    print(f"{case:34s} {took:6.1f} s, peak {peak() / 1024:.2f} GiB (before {before / 1024:.2f})")
    print("   ", outcome.counts)
    for note in outcome.notes:
        print("   ", note)
    assert LINKS.read(context.dataset.table("links"))["image_id"].n_unique()


def bare(project: Path) -> None:
    """Only the join of columns that are sorted and in memory."""
    context = context_of(project, {})
    columns = {"images": "captured_at", "signals": "at"}
    left = pl.read_parquet(context.dataset.table("images"), columns=["captured_at"]).select(
        at=pl.col("captured_at") - pl.duration(seconds=AHEAD_S)
    )
    right = pl.read_parquet(context.dataset.records / "signals.parquet", columns=[columns["signals"]])
    left, right = left.sort("at"), right.with_columns(found="at").sort("at")
    took = seconds(lambda: left.join_asof(right, on="at", strategy="nearest", tolerance="2s"))
    print(f"{'bare join_asof':34s} {took:6.2f} s, peak {peak() / 1024:.2f} GiB")


def main(folder: Path, images: int, records: int) -> None:
    sizes = ["--images", str(images), "--records", str(records)]
    command = [sys.executable, __file__, "--folder", str(folder), *sizes, "--case"]
    if not (folder / "datasets").exists():
        subprocess.run([*command, "make"], check=True)
    print(f"{images} images, {records} records, {load()} before", flush=True)
    for case in (*CASES, "bare"):
        subprocess.run([*command, case], check=True)
    print(f"{load()} after")


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--case", help="only this one, in this process")
    arguments = parser.parse_args()
    if arguments.case == "make":
        make(arguments.folder, arguments.images, arguments.records)
    elif arguments.case == "bare":
        bare(arguments.folder)
    elif arguments.case:
        run(arguments.folder, arguments.case)
    elif arguments.folder:
        main(arguments.folder, arguments.images, arguments.records)
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name), arguments.images, arguments.records)
