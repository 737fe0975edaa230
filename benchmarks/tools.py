# ruff: noqa: PLC0415  (each side imports only what its own environment has)
"""Labels of annotation tools read, 10,000 images with 50,000 labels, against Datumaro 1.13.

    python benchmarks/tools.py --peer PEERS/bin/python [--rounds 5]

PEERS is an environment with requirements-peers-coco.txt. Read is what both sides know: CVAT for images, CSV
files of boxes as VoTT writes them, and LabelMe's XML; Datumaro does not know labelme's JSON, which Tundish
alone is timed for. Each turn is a process of its own that has imported all it needs; the sides take turns.
Reading ends with every label in memory (ours: as rows of the annotations table). Seconds of processor time,
which other load disturbs less than the clock's: medians of the rounds, and the median of their ratios.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from timing import in_turn, options, ratio

IMAGES, LABELS, CLASSES = 10_000, 50_000, 20
WIDTH, HEIGHT = 1600, 256
TARGET = 2.0
FORMATS = {"cvat": "cvat", "boxes-csv": "vott_csv", "voc": "label_me", "labelme": None}
"""What the sides call each format; None where the peer does not know it."""

Box = tuple[float, float, float, float]


def boxes() -> list[list[tuple[str, Box]]]:
    """Class and corners of the labels of each image."""
    rng = np.random.default_rng(1)
    corners = rng.uniform(0, [WIDTH - 64, HEIGHT - 64], (LABELS, 2)).round(2)
    sizes = rng.uniform(4, 64, (LABELS, 2)).round(2)
    found: list[list[tuple[str, Box]]] = [[] for _ in range(IMAGES)]
    for number, (x, y, right, lower) in enumerate(np.hstack([corners, corners + sizes]).round(2).tolist()):
        found[number % IMAGES].append((f"class {number % CLASSES}", (x, y, right, lower)))
    return found


def name(number: int) -> str:
    return f"{number:06d}.jpg"


def make_cvat(folder: Path) -> None:
    (folder / "images").mkdir()  # Datumaro looks for the pictures, and opens none
    for number in range(IMAGES):
        (folder / "images" / name(number)).touch()
    labels = "".join(
        f"<label><name>class {number}</name><attributes></attributes></label>" for number in range(CLASSES)
    )
    images = []
    for number, found in enumerate(boxes()):
        marks = "".join(
            f'<box label="{label}" occluded="0" xtl="{x}" ytl="{y}" xbr="{right}" ybr="{lower}" z_order="0"/>'
            for label, (x, y, right, lower) in found
        )
        images.append(
            f'<image id="{number}" name="{name(number)}" width="{WIDTH}" height="{HEIGHT}">{marks}</image>'
        )
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    text = f"<annotations><version>1.1</version>{meta}{''.join(images)}</annotations>"
    (folder / "annotations.xml").write_text(text)


def make_csv(folder: Path) -> None:
    rows = [
        f'"{name(number)}",{x},{y},{right},{lower},"{label}"'
        for number, found in enumerate(boxes())
        for label, (x, y, right, lower) in found
    ]
    head = '"image","xmin","ymin","xmax","ymax","label"'
    (folder / "line-export.csv").write_text("\n".join([head, *rows]) + "\n")


def make_xml(folder: Path) -> None:
    (folder / "Annotations").mkdir()
    for number, found in enumerate(boxes()):
        objects = []
        for place, (label, (x, y, right, lower)) in enumerate(found):
            points = "".join(
                f"<pt><x>{a}</x><y>{b}</y></pt>" for a, b in ((x, y), (right, y), (right, lower), (x, lower))
            )
            objects.append(
                f"<object><name>{label}</name><deleted>0</deleted><occluded>no</occluded>"
                f"<attributes></attributes><id>{place}</id>"
                f"<polygon><username></username>{points}</polygon></object>"
            )
        size = f"<imagesize><nrows>{HEIGHT}</nrows><ncols>{WIDTH}</ncols></imagesize>"
        text = f"<filename>{name(number)}</filename><folder></folder>{size}{''.join(objects)}"
        (folder / f"Annotations/{number:06d}.xml").write_text(f"<annotation>{text}</annotation>")


def make_json(folder: Path) -> None:
    for number, found in enumerate(boxes()):
        shapes = [
            {"label": label, "points": [[x, y], [right, lower]], "shape_type": "rectangle", "flags": {}}
            for label, (x, y, right, lower) in found
        ]
        content: dict[str, object] = {
            "version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name(number), "imageData": None,
            "imageHeight": HEIGHT, "imageWidth": WIDTH,
        }  # fmt: skip
        (folder / f"{number:06d}.json").write_text(json.dumps(content))


MAKE = {"cvat": make_cvat, "boxes-csv": make_csv, "voc": make_xml, "labelme": make_json}


def ours(form: str, folder: Path) -> tuple[float, int]:
    """Seconds of processor time for reading the files of a folder, and the number of labels."""
    from tundish.formats.base import Catalog, ImageRef, Options
    from tundish.formats.frames import labels_to_frame
    from tundish.formats.registry import load_reader

    reader = load_reader(form)
    start = time.process_time()
    refs = [ImageRef(name(number), f"{number:032x}", WIDTH, HEIGHT) for number in range(IMAGES)]
    paths = sorted(path for path in folder.rglob("*") if path.suffix != ".jpg" and path.is_file())
    files = ((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)
    labels = labels_to_frame(reader.read(files, Catalog(refs), Options()), "bench").height
    return time.process_time() - start, labels


def peer(form: str, folder: Path) -> tuple[float, int]:
    """As `ours`."""
    import logging

    import datumaro  # type: ignore[import-not-found]  # lives in the peers' environment

    logging.disable(logging.WARNING)
    start = time.process_time()
    dataset = datumaro.Dataset.import_from(str(folder), FORMATS[form])
    labels = sum([len(item.annotations) for item in dataset])
    return time.process_time() - start, labels


def run(python: str, side: str, form: str, folder: Path) -> float:
    command = [python, __file__, "--side", side, "--format", form, "--folder", str(folder)]
    took, labels = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert labels == LABELS, (side, form, labels)
    return float(took)


def measure(peer_python: str, rounds: int) -> None:
    for form, theirs in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            MAKE[form](Path(folder))
            pythons = {"ours": sys.executable} | ({"peer": peer_python} if theirs else {})
            times: dict[str, list[float]] = {side: [] for side in pythons}
            for turn in range(rounds):
                for side in in_turn(list(pythons), turn):
                    times[side].append(run(pythons[side], side, form, Path(folder)))
            shown = f"{form:10} tundish {statistics.median(times['ours']):6.2f} s"
            if theirs:
                shown += f"  Datumaro's {theirs} {statistics.median(times['peer']):6.2f} s"
                shown += f"  {ratio(times['peer'], times['ours']):5.1f}x  (wanted: {TARGET:g}x)"
            print(shown, flush=True)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--peer", help="the Python of the peers' environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", choices=["ours", "peer"])
    parser.add_argument("--format", choices=list(FORMATS))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.side:
        print(json.dumps({"ours": ours, "peer": peer}[given.side](given.format, given.folder)))
    elif given.peer:
        measure(given.peer, given.rounds)
    else:
        parser.error("--peer is needed: the Python of an environment with requirements-peers-coco.txt")


if __name__ == "__main__":
    main()
