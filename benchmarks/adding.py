"""`tundish add` on 20,000 files: 10,000 images and a label file for each.

    python benchmarks/adding.py [--images 10000] [--rounds 3]

Each turn is a process of its own, with the start of Python and the imports in it, as a person waits for them.
The pictures are small: `add` reads the headers of some and the pixels of few. Medians of the rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from timing import load, options, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT = 160, 120
TARGET = 10.0


def photo(number: int) -> bytes:
    """A small picture that no other is equal to."""
    random = np.random.default_rng(number)
    coarse = cv2.resize(random.uniform(30, 220, (6, 8)).astype(np.float32), (WIDTH, HEIGHT))
    pixels = np.clip(coarse + random.normal(0, 6, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def split_of(number: int) -> str:
    return ("train", "train", "train", "val", "test")[number % 5]


def yolo(folder: Path, number: int) -> None:
    """The layout of Ultralytics, with a given split."""
    split = split_of(number)
    image, label = folder / f"{split}/images/{number:06d}.jpg", folder / f"{split}/labels/{number:06d}.txt"
    write(image, photo(number))
    write(label, f"{number % 3} 0.5 0.5 0.2 0.3\n{number % 2} 0.2 0.3 0.1 0.1\n".encode())


def voc(folder: Path, number: int) -> None:
    """Pictures and XML in folders of their own."""
    write(folder / f"JPEGImages/{number:06d}.jpg", photo(number))
    place = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>60</xmax><ymax>80</ymax></bndbox>"
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    text = f"<filename>{number:06d}.jpg</filename>{size}<object><name>pit</name>{place}</object>"
    write(folder / f"Annotations/{number:06d}.xml", f"<annotation>{text}</annotation>".encode())


def labelme(folder: Path, number: int) -> None:
    """JSON beside each picture."""
    write(folder / f"{number:06d}.jpg", photo(number))
    shape = {"label": f"class {number % 3}", "points": [[10, 20], [60, 80]], "shape_type": "rectangle"}
    content = {
        "shapes": [shape], "imagePath": f"{number:06d}.jpg", "imageWidth": WIDTH, "imageHeight": HEIGHT
    }  # fmt: skip
    write(folder / f"{number:06d}.json", json.dumps(content).encode())


def masks(folder: Path, number: int) -> None:
    """A mask for each picture, in a folder of their own."""
    write(folder / f"images/{number:06d}.jpg", photo(number))
    drawn = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (40 + number % 60, 60), 12, 255, -1)
    write(folder / f"drawn/{number:06d}.png", cv2.imencode(".png", drawn)[1].tobytes())


LAYOUTS: dict[str, Callable[[Path, int], None]] = {
    "yolo": yolo, "voc": voc, "labelme": labelme, "masks": masks
}  # fmt: skip


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def add(project: Path, source: Path) -> None:
    command = [sys.executable, "-m", "tundish", "add", "line1", str(source), "--dry-run"]
    answer = subprocess.run(command, check=True, cwd=project, capture_output=True, text=True)
    assert "classes:" in answer.stdout, answer.stdout


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            project, source = Path(folder, "project"), Path(folder, "set")
            (project / "pipelines").mkdir(parents=True)
            for number in range(given.images):
                layout(source, number)
            took = [seconds(lambda: add(project, source)) for _ in range(given.rounds)]  # noqa: B023
            middle = statistics.median(took)
            print(f"{name:8} {middle:5.1f} s (wanted: under {TARGET:g} s), {load()}", flush=True)


if __name__ == "__main__":
    main()
