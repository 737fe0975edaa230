"""Sources made in memory for the tests of formats."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from tundish.formats.base import Catalog, Evidence, ImageRef, Label, Listing, Options, Problem, Reading
from tundish.formats.registry import load_reader, look

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def refs(*paths: str, width: int = 200, height: int = 100, orientation: int = 1) -> list[ImageRef]:
    return [ImageRef(path, f"id-{path}", width, height, orientation) for path in paths]


def read(
    name: str,
    files: Mapping[str, bytes | str],
    images: list[ImageRef],
    names: tuple[str, ...] = (),
    **extra: str,
) -> Reading:
    """Read what the format takes of these files, as the validate stage does."""
    options = Options(names, extra)
    chosen = [
        (path, data.encode() if isinstance(data, str) else data)
        for path, data in sorted(files.items())
        if load_reader(name).role(path, options) in ("annotation", "classes")
    ]
    return load_reader(name).read(chosen, Catalog(images), options)


def listing(files: Mapping[str, bytes | str]) -> Listing:
    def get(path: str) -> bytes:
        data = files[path]
        return data.encode() if isinstance(data, str) else data

    return Listing(sorted(files), get)


def sniff_all(files: Listing) -> list[Evidence]:
    """What suggests each format in a listing, best first."""
    return look(files).found


def box(label: Label) -> tuple[float, float, float, float]:
    return label.x, label.y, label.width, label.height


def checks(reading: Reading, severity: str = "error") -> list[str]:
    return [problem.check for problem in reading.problems if problem.severity == severity]


def only(reading: Reading) -> Problem:
    (problem,) = reading.problems
    return problem


def folder_listing(root: Path) -> Listing:
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return Listing(paths, lambda path: (root / path).read_bytes())


def read_folder(
    root: Path, name: str, extra: Mapping[str, str] | None = None
) -> tuple[Reading, list[ImageRef]]:
    """Read a real source: its images by their headers, its labels by the format."""
    found = folder_listing(root)
    options = Options(extra=extra or {})
    images = []
    for path in found.paths:
        if load_reader(name).role(path, options) == "image":
            with Image.open(io.BytesIO(found.read(path))) as opened:
                images.append(ImageRef(path, f"id-{path}", *opened.size))
    files = [
        (path, found.read(path))
        for path in found.paths
        if load_reader(name).role(path, options) in ("annotation", "classes")
    ]
    return load_reader(name).read(files, Catalog(images), options), images


def negatives(reading: Reading) -> set[str]:
    return reading.covered - {label.image.path for label in reading.labels}
