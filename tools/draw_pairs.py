"""Draw pairs of images that overlap, one laid on the other, so that a person can judge them.

python -m tools.draw_pairs datasets/NAME IMAGES sheet.png [--count 12] [--seed 1] [--relation overlapping]

Each row shows the first image, mirrored or turned as the pair says, the second, the first laid on the second
in the squares of a chessboard, and the difference of both (gray where they agree).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl

from tundish.imaging.framehash import apply_code
from tundish.imaging.similarity import TRANSFORMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE, SQUARE, TITLE = 256, 32, 16
_WHITE = 255


def row(one: NDArray[np.uint8], other: NDArray[np.uint8], pair: dict[str, Any]) -> NDArray[np.uint8]:
    """Four pictures beside each other, with a title."""
    one = apply_code(one, TRANSFORMS.index(pair["transform"]))
    turn = pair["scale"] * np.exp(1j * np.radians(pair["angle"]))
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    middle = (np.array(one.shape[::-1]) - 1) / 2
    shift = np.array([pair["dx"], pair["dy"]]) + (np.array(other.shape[::-1]) - 1) / 2 - linear @ middle
    matrix, size = np.column_stack([linear, shift]), other.shape[::-1]
    laid = cv2.warpAffine(one, matrix, size)
    both = cv2.warpAffine(np.full_like(one, _WHITE), matrix, size) == _WHITE
    down, across = np.indices(other.shape) // max(8, min(other.shape) * SQUARE // SIDE)
    chess = np.where(both & ((down + across) % 2 == 0), laid, other)
    difference = np.where(both, np.clip(128.0 + 2.0 * laid - 2.0 * other, 0, 255), 0)
    pictures = np.hstack([framed(picture) for picture in (one, other, chess, difference)])
    drawn = cv2.copyMakeBorder(pictures, TITLE, 0, 0, 0, cv2.BORDER_CONSTANT, value=(_WHITE,))
    title = (
        f"{pair['a']}  {pair['b']}  {pair['relation']}, score {pair['score']:.2f}, worst {pair['worst']:.2f},"
        f" share {pair['share']:.2f}"
    )
    cv2.putText(drawn, title, (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0,), 1, cv2.LINE_AA)
    return drawn.astype(np.uint8, copy=False)


def framed(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """The picture in its shape, as large as a square of `SIDE` px less a white margin has room."""
    room = SIDE - 4
    scale = room / max(picture.shape)
    size = [max(1, round(side * scale)) for side in picture.shape[::-1]]
    drawn = np.full((SIDE, SIDE), _WHITE, np.uint8)
    drawn[2 : size[1] + 2, 2 : size[0] + 2] = cv2.resize(picture.astype(np.uint8), size)
    return drawn


def main() -> None:
    """Draw a random sample of the pairs of a dataset into one picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dataset", type=Path, help="folder of the dataset")
    parser.add_argument("images", type=Path, help="folder of the images: the source's path")
    parser.add_argument("sheet", type=Path, help="the picture to write")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--relation", default="overlapping")
    options = parser.parse_args()
    paths = pl.read_parquet(options.dataset / "curated/coverage.parquet").select("image_id", "path")
    paths = paths.unique("image_id", keep="first", maintain_order=True)
    pairs = pl.read_parquet(options.dataset / "curated/pairs.parquet").filter(relation=options.relation)
    pairs = pairs.sort("image_id", "other_id")
    pairs = pairs.sample(min(options.count, pairs.height), seed=options.seed, shuffle=True)
    pairs = pairs.join(paths.rename({"path": "a"}), on="image_id", maintain_order="left")
    pairs = pairs.join(
        paths.rename({"path": "b"}), left_on="other_id", right_on="image_id", maintain_order="left"
    )
    rows = []
    for pair in pairs.iter_rows(named=True):
        both = [cv2.imread(str(options.images / pair[end]), cv2.IMREAD_GRAYSCALE) for end in "ab"]
        if both[0] is None or both[1] is None:
            sys.exit(f"{options.images}: has no {pair['a']} or {pair['b']}; give the path of the source")
        rows.append(row(both[0].astype(np.uint8, copy=False), both[1].astype(np.uint8, copy=False), pair))
    half = (len(rows) + 1) // 2
    rows += [np.full_like(rows[0], _WHITE)] * (2 * half - len(rows))
    cv2.imwrite(str(options.sheet), np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])]))


if __name__ == "__main__":
    main()
