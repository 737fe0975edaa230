# ruff: noqa: PLC0415  (each side imports only what its own environment has)
"""COCO read and written, 20,000 images with 100,000 boxes, against Datumaro 1.13.

    python benchmarks/coco.py --peer PEERS/bin/python [--rounds 5] [--polygons]

PEERS is an environment with requirements-peers-coco.txt. Each side is one process that has imported all it
needs; they take turns, so that whatever else the machine does falls on both. Medians of the rounds; the ratio
is the median of the ratios of rounds. Reading ends with every label in memory (ours: as rows of the
annotations table), writing with the file on disk. Both sides' files are read back and counted.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from timing import ratio

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES, LABELS, CLASSES = 20_000, 100_000, 20
TARGET = 3.0
WIDTH, HEIGHT = 1600, 256


def make(folder: Path, *, polygons: bool) -> None:
    """One instances file; the listed images do not exist, since neither side opens them."""
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, [WIDTH - 64, HEIGHT - 64], (LABELS, 2)).round(2).tolist()
    sizes = rng.uniform(4, 64, (LABELS, 2)).round(2).tolist()
    annotations = []
    for number, ((x, y), (width, height)) in enumerate(zip(corners, sizes, strict=True)):
        ring = [x, y, x + width, y, x + width, y + height, x + width / 2, y + height / 3, x, y + height]
        annotations.append({
            "id": number + 1, "image_id": number % IMAGES + 1, "category_id": number % CLASSES + 1,
            "bbox": [x, y, width, height], "area": width * height, "iscrowd": 0,
            "segmentation": [ring] if polygons else [],
        })  # fmt: skip
    content = {
        "info": {}, "licenses": [],
        "categories": [{"id": i + 1, "name": f"class {i}", "supercategory": ""} for i in range(CLASSES)],
        "images": [
            {"id": i + 1, "file_name": f"{i:06d}.jpg", "width": WIDTH, "height": HEIGHT}
            for i in range(IMAGES)
        ],
        "annotations": annotations,
    }  # fmt: skip
    path = folder / "annotations" / "instances_train.json"
    path.parent.mkdir(parents=True)
    (folder / "images" / "train").mkdir(parents=True)
    path.write_text(json.dumps(content))


def ours(folder: Path) -> dict[str, Callable[[], int]]:
    import polars as pl

    from tundish.formats.base import Catalog, ImageRef, Options
    from tundish.formats.coco.format import Coco
    from tundish.formats.coco.write import write_coco
    from tundish.formats.frames import labels_to_frame

    path = folder / "annotations" / "instances_train.json"
    refs = [(f"images/train/{i:06d}.jpg", f"{i:032x}", WIDTH, HEIGHT) for i in range(IMAGES)]
    schema = ["path", "image_id", "width", "height"]
    images = pl.DataFrame(refs, schema=schema, orient="row").with_columns(source=pl.lit("bench"))
    names = {image_id: Path(image).name for image, image_id, *_ in refs}
    held: list[pl.DataFrame] = []

    def read() -> int:
        catalog = Catalog(ImageRef(*row) for row in refs)
        reading = Coco().read([("annotations/instances_train.json", path.read_bytes())], catalog, Options())
        frame = labels_to_frame(reading, "bench")
        held[:] = [frame.with_columns(label="raw_label")]
        return frame.height

    def write() -> int:
        classes = [f"class {i}" for i in range(CLASSES)]
        data = write_coco(images, held[0], classes, file_names=names)
        (folder / "ours.json").write_bytes(data)
        return held[0].height

    return {"read": read, "write": write}


def peer(folder: Path) -> dict[str, Callable[[], int]]:
    import logging

    import datumaro  # type: ignore[import-not-found]  # lives in the peers' environment

    logging.disable(logging.WARNING)
    held: list[Any] = []

    def read() -> int:
        dataset = datumaro.Dataset.import_from(str(folder), "coco_instances")
        held[:] = [dataset]
        return sum([len(item.annotations) for item in dataset])

    def write() -> int:
        shutil.rmtree(folder / "peer", ignore_errors=True)
        held[0].export(str(folder / "peer"), "coco_instances", save_media=False)
        return sum([len(item.annotations) for item in held[0]])

    return {"read": read, "write": write}


def serve(side: str, folder: Path) -> None:
    """Do the work that each line of the input names; answer with the seconds and the number of labels."""
    work = {"ours": ours, "peer": peer}[side](folder)
    print(json.dumps([0, 0]), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        labels = work[line.strip()]()
        print(json.dumps([time.perf_counter() - start, labels]), flush=True)


class Side:
    def __init__(self, python: str, side: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [python, __file__, "--serve", side, "--folder", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.answer()

    def answer(self) -> tuple[float, int]:
        assert self.process.stdout is not None
        seconds, labels = json.loads(self.process.stdout.readline())
        return seconds, labels

    def do(self, work: str) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        seconds, labels = self.answer()
        assert labels >= LABELS, labels  # Datumaro makes two of a polygon that has a box
        return seconds

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measure(peer_python: str, rounds: int, *, polygons: bool) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make(folder, polygons=polygons)
        sides = {"ours": Side(sys.executable, "ours", folder), "peer": Side(peer_python, "peer", folder)}
        seconds: dict[tuple[str, str], list[float]] = {}
        for turn in range(rounds):
            order = list(sides) if turn % 2 else list(sides)[::-1]
            for work in ("read", "write"):
                for side in order:
                    seconds.setdefault((side, work), []).append(sides[side].do(work))
        for process in sides.values():
            process.close()
        for path in (folder / "ours.json", folder / "peer" / "annotations" / "instances_train.json"):
            written = json.loads(path.read_text())
            assert (len(written["images"]), len(written["annotations"])) == (IMAGES, LABELS), path
    kind = "polygons" if polygons else "boxes"
    for work in ("read", "write", "both"):
        both = {
            side: [sum(seconds[side, part][turn] for part in ("read", "write") if work in (part, "both"))
                   for turn in range(rounds)]
            for side in sides
        }  # fmt: skip
        medians = {side: statistics.median(values) for side, values in both.items()}
        verdict = "" if work != "both" else f"  (wanted: {TARGET}x)"
        print(f"{kind:9} {work:6} tundish {medians['ours']:6.2f} s  Datumaro {medians['peer']:6.2f} s  "
              f"{ratio(both['peer'], both['ours']):5.1f}x{verdict}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", help="the Python of the peers' environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--polygons", action="store_true", help="polygons instead of boxes")
    parser.add_argument("--serve", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.folder)
    elif options.peer:
        measure(options.peer, options.rounds, polygons=options.polygons)
    else:
        parser.error("--peer is needed: the Python of an environment with requirements-peers-coco.txt")


if __name__ == "__main__":
    main()
