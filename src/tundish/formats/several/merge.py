"""The labels of one picture from several formats: equal ones once, the others kept and reported.

Two labels are of the same object where class and box agree: the edges differ by up to 1.5 px, or the boxes
overlap by 90 %. The one that says more is kept, a mask before an outline before a box, else that of the
format that the recipe names first. Where the boxes overlap by half, the same object was drawn differently:
one is kept in the same way, and it is reported. One mask whose box is that of several labels of its class
together is a picture of all of them: the several are kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.formats.reading.sniffing import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tundish.formats.base import Label

__all__ = ["Merged", "merge"]

_SAME, _DRAWN_OTHERWISE = 0.9, 0.5
"""Overlap of two boxes (intersection over union) from which labels are equal, or of one object."""

_EDGES = 1.5
"""px: by how much the edges of equal boxes differ, as corners are counted in different ways."""

_FINENESS = {"mask": 3, "polygon": 2, "box": 1, "class": 0}

Box = tuple[float, float, float, float]


@dataclass
class Merged:
    """What became of the labels of a picture.

    Attributes:
        kept: The labels that count.
        repeated: Those that say what another says, each with the format of the other.
        otherwise: How many objects were drawn differently.
        alone: Labels that the other formats do not have: how many, by format.
    """

    kept: list[Label] = field(default_factory=list)
    repeated: list[tuple[Label, str]] = field(default_factory=list)
    otherwise: int = 0
    alone: Counter[str] = field(default_factory=Counter)

    @property
    def disagree(self) -> bool:
        """Whether the formats say different things of the picture."""
        return bool(self.otherwise or self.alone)

    def sentence(self) -> str:
        """What the formats say differently."""
        parts = [f"{self.otherwise} drawn differently"] if self.otherwise else []
        parts += [f"{counted(number, 'label')} only in {name}" for name, number in sorted(self.alone.items())]
        return ", ".join(parts)


@dataclass
class _Kept:
    label: Label
    format: str
    name: str
    met: bool = False


def merge(groups: Sequence[tuple[str, Sequence[Label]]], name_of: Callable[[str], str]) -> Merged:
    """Take equal labels of a picture once.

    Args:
        groups: The labels of each format that mentions the picture, in the recipe's order.
        name_of: The class that a label's name means.
    """
    merged = Merged()
    (first, labels), *others = groups
    kept = [_Kept(label, first, name_of(label.raw_label)) for label in labels]
    for form, more in others:
        new = [_Kept(label, form, name_of(label.raw_label)) for label in more]
        for one in kept:
            one.met = False
        _match(kept, new, merged)
        _one_for_several(kept, new, merged)
        lone = [one for one in (*kept, *new) if not one.met]
        lone = [one for one in lone if not _is_said_by_class(one, (*kept, *new))]
        merged.alone.update(one.format for one in lone)
        kept += new
    merged.kept = [one.label for one in kept]
    return merged


def _match(kept: list[_Kept], new: list[_Kept], merged: Merged) -> None:
    """Pair labels of the same object, the best pairs first; the better of each pair stays."""
    pairs = sorted(
        (-_overlap(old.label, other.label), place, number)
        for place, old in enumerate(kept)
        for number, other in enumerate(new)
        if old.name == other.name and (old.label.shape == "class") == (other.label.shape == "class")
    )
    taken: set[int] = set()
    for overlap, place, number in pairs:
        old, other = kept[place], new[number]
        if old.met or number in taken or -overlap < _DRAWN_OTHERWISE:
            continue
        taken.add(number)
        merged.otherwise += -overlap < _SAME
        old.met = other.met = True
        better, worse = (other, old) if _fineness(other) > _fineness(old) else (old, other)
        merged.repeated.append((worse.label, better.format))
        kept[place] = _Kept(better.label, better.format, old.name, met=True)
    new[:] = [other for number, other in enumerate(new) if number not in taken]


def _one_for_several(kept: list[_Kept], new: list[_Kept], merged: Merged) -> None:
    """Drop a mask that shows several labels of the other format at once."""
    for ones, several in ((kept, new), (new, kept)):
        for one in [one for one in ones if not one.met and one.label.shape == "mask"]:
            same = [other for other in several if not other.met and other.name == one.name]
            if len(same) > 1 and _overlap_of(_box(one.label), _hull(same)) >= _SAME:
                for other in same:
                    other.met = True
                ones.remove(one)
                merged.repeated.append((one.label, same[0].format))


def _is_said_by_class(one: _Kept, all_of_them: Sequence[_Kept]) -> bool:
    """Whether a class of the whole picture and what is drawn in it say the same of the picture."""
    whole = one.label.shape == "class"
    return any(
        other.name == one.name and (other.label.shape == "class") != whole and other.format != one.format
        for other in all_of_them
    )


def _fineness(one: _Kept) -> int:
    return _FINENESS[one.label.shape]


def _box(label: Label) -> Box:
    return label.x, label.y, label.x + label.width, label.y + label.height


def _hull(several: Sequence[_Kept]) -> Box:
    left, top, right, lower = zip(*(_box(one.label) for one in several), strict=True)
    return min(left), min(top), max(right), max(lower)


def _overlap(first: Label, second: Label) -> float:
    return _overlap_of(_box(first), _box(second))


def _overlap_of(first: Box, second: Box) -> float:
    """Intersection over union of two boxes; 1 where their edges differ by rounding and counting only."""
    if max(abs(one - other) for one, other in zip(first, second, strict=True)) <= _EDGES:
        return 1.0
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return common / (areas - common) if areas > common else 0.0
