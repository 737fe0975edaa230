"""Check a split for pictures that show the same surface, by template matching and nothing of the detector's.

python -m tools.overlap_check IMAGES --splits splits.parquet [--from test] [--to train] [--pairs FILE]
python -m tools.overlap_check IMAGES --pairs FILE            (every image against every other of its class)

Of each image of one split, nine patches of 64 px are searched in the images of the other split that have the
same class, by normalised cross-correlation; the place found is searched back in the image the patch comes
from. Two images overlap where both correlations are at least 0.95 and the offsets are opposite within 2 px.
Mirrored, turned and rescaled overlaps are not searched, so what is found is a lower bound.

The class of an image is its folder and the part of its name before the last number: `scratches_12.jpg` is of
the class `scratches`. FILE gets one row a pair: a, b (paths below IMAGES), dx, dy (px, from a to b) and the
two correlations of the best patch.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

PATCH = 64
ACROSS = 3
LEAST = 0.95
SLACK = 2
FLAT = 2.0
"""Standard deviation, gray levels, below which a patch is too flat to be found again."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"}


class Match(NamedTuple):
    """Two images that overlap: paths, the offset of the second in the first (px), both correlations."""

    a: str
    b: str
    dx: int
    dy: int
    there: float
    back: float


def class_of(path: str) -> str:
    """The folder and the name before its last number."""
    return re.sub(r"[\W_]*\d*\.\w+$", "", path)


def search(image: NDArray[np.uint8], patch: NDArray[np.uint8]) -> tuple[float, int, int]:
    """The best correlation of a patch in an image, with its place x, y; 0 where the patch does not fit."""
    if min(np.subtract(image.shape, patch.shape)) < 0:
        return 0.0, 0, 0
    _, best, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(image, patch, cv2.TM_CCOEFF_NORMED))
    return best, x, y


def places(image: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    """The top left corners x, y of the nine patches, those that are not flat."""
    height, width = image.shape
    for y in np.linspace(0, height - PATCH, ACROSS).astype(int):
        for x in np.linspace(0, width - PATCH, ACROSS).astype(int):
            if image[y : y + PATCH, x : x + PATCH].std() >= FLAT:
                yield int(x), int(y)


def overlap(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[int, int, float, float] | None:
    """Offset and both correlations of the best patch of `one` that `other` shows as well."""
    found = None
    for x, y in places(one):
        there, u, v = search(other, one[y : y + PATCH, x : x + PATCH])
        if there < LEAST:
            continue
        patch = other[v : v + PATCH, u : u + PATCH]
        back, i, j = search(one, patch)
        opposite = abs(i - x) <= SLACK and abs(j - y) <= SLACK
        if opposite and back >= LEAST and (found is None or there > found[2]):
            found = u - x, v - y, there, back
    return found


def read(file: Path) -> NDArray[np.uint8]:
    """A gray image, large enough for a patch."""
    image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if image is None or min(image.shape) < PATCH:
        sys.exit(f"{file}: not an image of at least {PATCH} px; check the folder")
    return image.astype(np.uint8, copy=False)


def check(folder: Path, queries: Sequence[str], targets: Sequence[str], threads: int) -> Iterable[Match]:
    """The pairs of a query and a target of its class that overlap, in the order of the queries."""
    names = sorted({*queries, *targets})
    images = {name: read(folder / name) for name in names}
    of_class = defaultdict(list)
    for name in targets:
        of_class[class_of(name)].append(name)

    def matches(query: str) -> list[Match]:
        return [
            Match(query, name, *place)
            for name in of_class[class_of(query)]
            if name != query and (place := overlap(images[query], images[name]))
        ]

    cv2.setNumThreads(0)
    with ThreadPoolExecutor(threads) as pool:
        for number, found in enumerate(pool.map(matches, queries), 1):
            yield from found
            if number % 50 == 0:
                print(f"{number} of {len(queries)} images", file=sys.stderr)  # noqa: T201


def main() -> None:
    """Check the images of a folder, and print how many of one split another split shows as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("images", type=Path, help="folder of the images")
    parser.add_argument("--splits", type=Path, help="Parquet or CSV with the columns path and split")
    parser.add_argument("--from", dest="first", default="test", help="the split whose images are searched")
    parser.add_argument("--to", dest="second", default="train", help="the split they are searched in")
    parser.add_argument("--pairs", type=Path, help="write the pairs to this CSV file")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.splits:
        read = pl.read_parquet if options.splits.suffix == ".parquet" else pl.read_csv
        frame = read(options.splits).drop_nulls("split").sort("path")
        queries, targets = (
            frame.filter(pl.col("split") == split)["path"].to_list()
            for split in (options.first, options.second)
        )
    else:
        paths = sorted(path for path in options.images.rglob("*") if path.suffix.lower() in SUFFIXES)
        queries = targets = [path.relative_to(options.images).as_posix() for path in paths]
    found = list(check(options.images, queries, targets, options.threads))
    if options.pairs:
        with options.pairs.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(Match._fields)
            table.writerows(found)
    touched = len({match.a for match in found})
    pairs = len({tuple(sorted((match.a, match.b))) for match in found})
    share = touched / max(1, len(queries))
    print(f"{pairs} pairs; {touched} of {len(queries)} images ({share:.1%}) overlap one that is searched")  # noqa: T201


if __name__ == "__main__":
    main()
