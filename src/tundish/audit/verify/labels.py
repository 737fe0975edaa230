"""Labels and files of an export that are wrong, and how labels are spread over its splits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tundish.audit.verify.result import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["OUTSIDE", "class_table", "collect_faults", "fault_in_box", "missing_classes"]

OUTSIDE = 1.0
"""px: a box may extend this far beyond its image, as rounding to whole pixels does."""

_EXAMPLES = 3


def fault_in_box(
    x: float, y: float, width: float, height: float, image_width: int, image_height: int
) -> tuple[str, str] | None:
    """What is wrong with the geometry of a label, and a sentence; None where nothing is.

    Args:
        x: Left edge, px of the upright image.
        y: Upper edge, px.
        width: Width, px.
        height: Height, px.
        image_width: Width of the image, px.
        image_height: Height of the image, px.
    """
    if not (width > 0 and height > 0):
        return "label without area", f"a box of {width:g} x {height:g} px"
    beyond = max(-x, -y, x + width - image_width, y + height - image_height)
    if beyond > OUTSIDE:
        return "label outside its image", f"{beyond:.4g} px beyond the {image_width} x {image_height} px"
    return None


def collect_faults(found: Iterable[tuple[str, str]]) -> tuple[Fault, ...]:
    """Faults by kind, in the order in which the kinds come first.

    Args:
        found: The kind of each, and a sentence with its place.
    """
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for kind, text in found:
        counts[kind] += 1
        if len(shown := examples.setdefault(kind, [])) < _EXAMPLES:
            shown.append(text)
    return tuple(Fault(kind, count, tuple(examples[kind])) for kind, count in counts.items())


def class_table(labels: Iterable[tuple[str, str]], splits: Iterable[str]) -> dict[str, dict[str, int]]:
    """Labels of each class by split, classes sorted.

    Args:
        labels: The class and the split of each label.
        splits: The splits that have images.
    """
    counts = Counter(labels)
    columns = list(splits)
    return {
        name: {split: counts[name, split] for split in columns} for name in sorted({one for one, _ in counts})
    }


def missing_classes(classes: Mapping[str, Mapping[str, int]]) -> tuple[tuple[str, str], ...]:
    """Class and split where a split has no label of a class, as long as the split has labels at all."""
    labelled = {split for counts in classes.values() for split, count in counts.items() if count and split}
    return tuple(
        (name, split)
        for name, counts in classes.items()
        for split, count in counts.items()
        if split in labelled and not count
    )
