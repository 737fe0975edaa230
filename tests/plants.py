"""Projects without Git and DVC, and pictures for them that do not look alike."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]


def make_plant(folder: Path) -> Path:
    """A project as `tundish add` needs it, with schemas of its own: what a test writes there stays there."""
    (folder / "pipelines").mkdir(parents=True)
    (folder / "datasets").mkdir()
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "params.yaml").write_text("pipelines: []\n")
    return folder


def photo(seed: int | Sequence[int]) -> NDArray[np.uint8]:
    """A grey picture of 120 x 90 px: light and dark places, noise, and scratches."""
    noise = np.random.default_rng(seed)
    coarse = cv2.resize(noise.uniform(30, 220, (6, 8)).astype(np.float32), (120, 90))
    image = coarse + noise.normal(0, 6, (90, 120))
    for _ in range(6):
        ends = noise.integers(0, 90, 4).tolist()
        cv2.line(image, tuple(ends[:2]), tuple(ends[2:]), float(noise.uniform(0, 255)), 2)
    return np.clip(image, 0, 255).astype(np.uint8)


def put(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a picture, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
