"""Verify an export that anybody made: leaks between its splits, labels and files that are wrong."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tundish.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from tundish.api.results import Progress
    from tundish.audit.verify.find import Families, Leaks
    from tundish.audit.verify.measured import Measured
    from tundish.audit.verify.result import Fault, Verification
    from tundish.formats.base import Catalog, Reading
    from tundish.propose.images.export import Export

__all__ = ["verify"]

_ORDER = ("train", "val", "test", "")
_BY_PATH = frozenset({"images", "folders", "class-in-name"})
"""Formats without label files: none mentions an image."""

_NOT_FAULTS = frozenset({"same_in_two_formats"})
_KINDS = {"image_not_found": "image that is not there", "ambiguous_image": "label of one of several images"}
_LEVELS = {
    "fast": "fast: images that show the same as a whole, not those that show the same in part",
    "thorough": "thorough: images that show the same as a whole or in part",
}


def verify(
    path: str | os.PathLike[str],
    *,
    key: Mapping[str, str] | None = None,
    within: float = 2.0,
    level: Literal["fast", "thorough"] = "thorough",
    progress: Progress | None = None,
) -> Verification:
    """Look for leaks between the splits of an export, whoever made it; ``tundish verify``.

    It needs no project: images are decoded and compared again, and nothing is written.

    Args:
        path: A folder, zip or tar of images and labels, or Parquet files with pictures, with all splits.
        key: By the name of a key, such as the coil, a regular expression with a group of that name for the
            name of a file, or for its path where it has a slash: images of one value must be in one split.
        within: Seconds up to which two frames of one camera are near.
        level: 'fast' omits images that show the same in part.
        progress: Called as (step, done, total).

    Returns:
        Leaks by kind, counts, classes, labels and files that are wrong.

    Raises:
        UsageError: A key's pattern cannot be used, or matches no image.
        SourceError: The export cannot be read, has no images, or states no splits.
    """
    from tundish.audit.verify.find import find_leaks  # noqa: PLC0415
    from tundish.audit.verify.measured import measure_images  # noqa: PLC0415
    from tundish.audit.verify.names import key_pattern  # noqa: PLC0415
    from tundish.propose.images.export import open_export  # noqa: PLC0415

    watch = progress or (lambda _step, _done, _total: None)
    if level not in _LEVELS:
        raise UsageError(f"unknown level '{level}'", fix=f"choose one of {', '.join(_LEVELS)}")
    keys = {name: key_pattern(name, pattern) for name, pattern in (key or {}).items()}
    watch("look", 0, 0)
    with (
        open_export(Path(path)) as export,
        tempfile.TemporaryFile() as one,
        tempfile.TemporaryFile() as other,
    ):
        splits = {one: export.splits.get(one, "") for one in export.images}
        measured = measure_images(
            splits, export.cameras, export.read, (one, other), partial(watch, "measure")
        )
        leaks = find_leaks(
            measured,
            export.read,
            several=export.several,
            families=_families(export),
            keys=keys,
            within=within,
            thorough=level == "thorough",
            progress=watch,
        )
        return _verification(str(path), export, measured, leaks, _LEVELS[level])


def _families(export: Export) -> Families | None:
    """How versions and tiles of one picture are known by their names."""
    from tundish.audit.verify.find import Families  # noqa: PLC0415
    from tundish.propose.images.derived import KEY  # noqa: PLC0415

    derived = export.derived
    if derived is None:
        return None
    return Families(KEY, re.compile(derived.pattern), derived.versions)


def _verification(path: str, export: Export, measured: Measured, leaks: Leaks, level: str) -> Verification:
    """What was found, with what the labels say."""
    from tundish.audit.verify.labels import class_table, missing_classes  # noqa: PLC0415
    from tundish.audit.verify.result import Verification  # noqa: PLC0415

    reading = export.labels(_catalog(measured))
    splits = measured.splits
    images = Counter(splits.values())
    names = sorted(images, key=_ORDER.index)
    found = [(label.raw_label, splits[label.image.path]) for label in reading.labels]
    labels = Counter(split for _, split in found)
    classes = class_table(found, names)
    return Verification(
        path,
        export.formats,
        f"{export.stated_by} the split",
        level,
        {name: images[name] for name in names},
        {name: labels[name] for name in names},
        classes,
        missing_classes(classes),
        leaks.keys,
        {name: leaks.leaking.get(name, 0) for name in names if name},
        tuple(leaks.leaks),
        tuple(leaks.warnings),
        _faults(export, measured, reading),
        tuple(export.facts),
    )


def _catalog(measured: Measured) -> Catalog:
    """The images with their sizes; one that cannot be decoded is there, too: it is not missing."""
    from tundish.formats.base import Catalog, ImageRef  # noqa: PLC0415

    sized = {one.path: (one.width, one.height, one.orientation) for one in measured.pictures}
    return Catalog(ImageRef(path, "", *sized.get(path, (0, 0, 1))) for path in measured.splits)


def _faults(export: Export, measured: Measured, reading: Reading) -> tuple[Fault, ...]:
    from tundish.audit.verify.labels import collect_faults, fault_in_box  # noqa: PLC0415

    def find() -> Iterator[tuple[str, str]]:
        for path, why in measured.unreadable.items():
            yield "image that cannot be decoded", f"{path}: {why}"
        for problem in reading.problems:
            place = problem.path if problem.row is None else f"{problem.path}, entry {problem.row + 1}"
            if problem.severity == "error" and problem.check not in _NOT_FAULTS:
                yield (
                    _KINDS.get(problem.check, problem.check.replace("_", " ")),
                    f"{place}: {problem.message}",
                )
        for label in reading.labels:
            size = label.image.width, label.image.height
            if label.shape == "class" or label.image.path in measured.unreadable:
                continue
            fault = fault_in_box(label.x, label.y, label.width, label.height, *size)
            if fault is not None:
                kind, text = fault
                yield kind, f"{label.image.path}, '{label.raw_label}' of {label.label_path}: {text}"
        if not _BY_PATH.issuperset(export.formats):
            for path in sorted(measured.splits.keys() - reading.covered - reading.refused):
                yield "image that no label file mentions", path

    return collect_faults(find())
