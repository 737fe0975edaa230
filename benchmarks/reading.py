"""Reading a large CSV in pieces, every record accounted for, against a plain `polars.read_csv`.

    python benchmarks/reading.py [--megabytes 1000] [--repeats 3] [--encoding utf-8] [--quoted] [--broken]

Each turn runs both sides in a process of its own, one after the other, on the same seeded file; so the peak
of memory is the side's own. Ours finds encoding, separator and header, and drops each piece after it is read;
the bare one reads the whole file as text. `--broken` puts a stray quote into every hundredth line.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from timing import in_turn, load, options, peak, ratio, seconds
from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import open_table

LINES = 20_000


def make(path: Path, size: int, encoding: str, *, quoted: bool, broken: bool) -> None:
    """Heats with an identifier, a time, a grade, a Chinese remark and nine measurements."""
    rng = np.random.default_rng(1)
    around = '"' if quoted else ""
    lines = []
    for number in range(LINES):
        day, hour, minute = rng.integers(1, 29), rng.integers(24), rng.integers(60)
        texts = (
            f"H{rng.integers(1_000_000):07d}",
            f"2024-03-{day:02d} {hour:02d}:{minute:02d}",
            "Q235B",
            "合格",
        )
        line = ",".join(around + text + around for text in texts)
        line += "," + ",".join(f"{value:.3f}" for value in rng.normal(100, 30, 9))
        lines.append('"' + line if broken and number % 100 == 99 else line)
    block = ("\n".join(lines) + "\n").encode(encoding)
    with path.open("wb") as file:
        file.write(
            ("炉号,时间,牌号,判定," + ",".join(f"v{number}" for number in range(9)) + "\n").encode(encoding)
        )
        while file.tell() < size:
            file.write(block)


def ours(path: Path) -> int:
    (sheet,) = open_table(path, path.name, FileOptions())
    return sum(piece.cells.height + piece.broken.height for piece in sheet.pieces())


def bare(path: Path) -> int:
    return pl.read_csv(path, infer_schema=False).height


def one(side: str, path: Path) -> None:
    """Run one side; print its time, its peak memory and its number of records."""
    counts: list[int] = []
    took = seconds(lambda: counts.append({"ours": ours, "bare": bare}[side](path)))
    print(took, peak(), *counts)


def run(side: str, path: Path) -> tuple[float, float, int]:
    command = [sys.executable, __file__, "--side", side, "--file", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(answer[0]), float(answer[1]), int(answer[2])


def compare(path: Path, repeats: int, sides: list[str]) -> None:
    times: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(repeats):
        for side in in_turn(sides, turn):
            took, held, count = run(side, path)
            times[side].append(took)
            print(f"{side:5s} {took:6.2f} s, peak {held:5.0f} MiB, {count} records, {load()}")
    for side, taken in times.items():
        print(f"{side:5s} {statistics.median(taken):6.2f} s (median)")
    if len(sides) > 1:
        times_longer = ratio(times["ours"], times["bare"])
        print(f"ours takes {times_longer:.2f} times as long as polars.read_csv alone (wanted: at most 3)")


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--encoding", default="utf-8")
    parser.add_argument("--quoted", action="store_true", help="texts in quotes")
    parser.add_argument("--broken", action="store_true", help="stray quotes; only ours is run")
    parser.add_argument("--side", choices=["ours", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        one(arguments.side, arguments.file)
    else:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "heats.csv"
            make(
                file,
                arguments.megabytes * 1_000_000,
                arguments.encoding,
                quoted=arguments.quoted,
                broken=arguments.broken,
            )
            alone = arguments.broken or arguments.encoding != "utf-8"
            compare(file, arguments.repeats, ["ours"] if alone else ["ours", "bare"])
