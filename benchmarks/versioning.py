"""Versioning many small images: `dvc add` of the loose folder against ingest and `dvc add` of the store.

    python benchmarks/versioning.py [--images 20000] [--rounds 3]

Both sides stand in folders of their own below one temporary folder and take turns step by step, so that
whatever else the machine does falls on both. Medians of the rounds; every round starts from nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

ADDED = 100
TARGET = 3.0
RECIPE = """\
dataset: small
sources:
  - {path: raw/line-1, format: images}
images: {}
annotations: {}
timezone: UTC
records: {}
label: {}
link: {}
dedup: {}
split: {}
augment: {}
export: {}
"""
STEPS = ("first time", "nothing new", f"{ADDED} images added", "checkout")


def make_images(folder: Path, first: int, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 255, (60, 100), dtype=np.uint8)
        pixels = cv2.resize(coarse, (200, 120), interpolation=cv2.INTER_LINEAR)
        (folder / f"{number:06d}.jpg").write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())


def command(folder: Path, *arguments: str) -> float:
    """Run one command of DVC or Tundish in `folder`; returns the seconds it took."""
    program = {"dvc": ["-m", "dvc"], "tundish": ["-c", "from tundish.cli import main; main()"]}[arguments[0]]
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".site")}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *program, *arguments[1:]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def start_project(folder: Path) -> None:
    folder.mkdir()
    command(folder, "dvc", "init", "--no-scm", "--quiet")
    command(folder, "dvc", "config", "core.check_update", "false")
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "small.yaml").write_text(RECIPE)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "params.yaml").write_text("pipelines: [small]\n")


def take_turns(loose: Path, packed: Path, step: str, times: dict[tuple[str, str], list[float]]) -> None:
    raw, store = "datasets/small/raw", "datasets/small/store"
    if step == "checkout":
        for folder, target in ((loose, raw), (packed, store)):
            shutil.rmtree(folder / target)
        times[step, "loose"].append(command(loose, "dvc", "checkout", "--quiet", f"{raw}.dvc"))
        times[step, "store"].append(command(packed, "dvc", "checkout", "--quiet", f"{store}.dvc"))
        return
    times[step, "loose"].append(command(loose, "dvc", "add", "--quiet", raw))
    times[step, "pack"].append(command(packed, "tundish", "run", "small", "--to", "ingest"))
    times[step, "store"].append(command(packed, "dvc", "add", "--quiet", store))


def one_round(base: Path, pictures: Path, count: int, times: dict[tuple[str, str], list[float]]) -> None:
    loose, packed = base / "loose", base / "packed"
    for folder in (loose, packed):
        start_project(folder)
        shutil.copytree(pictures, folder / "datasets/small/raw/line-1")
    for step in STEPS:
        if step == STEPS[2]:
            for folder in (loose, packed):
                make_images(folder / "datasets/small/raw/line-1", count, ADDED)
        take_turns(loose, packed, step, times)
    have, want = (len(list((folder / "datasets/small").rglob("*"))) for folder in (packed, loose))
    assert have < want + 1000, "the store was not checked out"
    for folder in (loose, packed):
        shutil.rmtree(folder)


def show(times: dict[tuple[str, str], list[float]]) -> None:
    print("| step | loose, s | store, s | ratio | packing, s | ratio with packing |")
    print("| --- | --- | --- | --- | --- | --- |")
    for step in STEPS:
        loose, store = (statistics.median(times[step, side]) for side in ("loose", "store"))
        pack = statistics.median(times.get((step, "pack"), [0.0]))
        print(
            f"| {step} | {loose:.2f} | {store:.2f} | {loose / store:.1f}x "
            f"| {pack:.2f} | {loose / (store + pack):.1f}x |"
        )
    start_up = statistics.median(times["start-up", "dvc"])
    load = os.getloadavg()[0]
    print(
        f"\n`dvc version` alone takes {start_up:.2f} s; target {TARGET:.0f}x. Load average after {load:.1f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        make_images(base / "pictures", 0, options.images)
        size = sum(path.stat().st_size for path in (base / "pictures").iterdir())
        print(f"{options.images} images, {size / 1e6:.0f} MB; load average before {os.getloadavg()[0]:.1f}\n")
        for _ in range(options.rounds):
            one_round(base, base / "pictures", options.images, times)
            times["start-up", "dvc"].append(command(base, "dvc", "version"))
    show(times)


if __name__ == "__main__":
    main()
