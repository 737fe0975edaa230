"""Finds pictures that were made from others, by their names: augmented versions, and tiles of one picture.

A version and its original, or two tiles of one picture, must not be in two splits. A name alone is believed
where its form says so (``.rf.HASH``, ``_flip``, ``_tile_3_4``); two bare numbers at its end (``_0_1``) may
also count, so they are believed where the pictures join at their edges.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import parts_of
from tundish.formats.reading.sniffing import counted
from tundish.propose.images.seams import Grid, join_at_edges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["KEY", "Derived", "find_derived"]

KEY = "original"
"""The key in the recipe by which such pictures are grouped."""

_MADE = (
    "aug(?:mented|mentation)?|[hv]?flip(?:ped|lr|ud|[hvxy])?|mirror(?:ed)?|rot(?:ated?|ation)?"
    "|bright(?:ness|er|ened)?|dark(?:er|ened)?|contrast|gamma|blur(?:red)?|nois[ey]|gauss(?:ian)?|crop(?:ped)?"
    "|shear(?:ed)?|zoom(?:ed)?|shift(?:ed)?|jitter|hue|saturation|clahe|cutout|copy"
)
_FORMS = {
    ".rf.HASH": r"[.]rf[.][0-9A-Za-z]{6,}",
    "_aug1, _flip, _rot90": rf"(?:[-_. ](?:{_MADE})[-_]?[hvxy]?-?\d{{0,4}}(?:deg)?)+",
    "__SCALE__X___Y": r"__\d+(?:[.]\d+)?__\d+___\d+",
    "_tile_1_2": r"[-_. ](?:tile|patch|chip|slice|window)[-_]?\d+(?:[-_x]\d+){0,3}",
    "_r1_c2": r"[-_. ](?:r|row)[-_]?\d+[-_]?(?:c|col|column)[-_]?\d+",
    "_x0_y512": r"[-_. ](?:x[-_]?\d+[-_]?y|y[-_]?\d+[-_]?x)[-_]?\d+",
    "_LEFT_TOP_RIGHT_BOTTOM": r"[-_]\d+[-_]\d+[-_]\d+[-_]\d+",
    "_0_1": r"[-_]\d+[-_]\d+",
}
"""What the end of a name may say, before its suffix."""

_VERSIONS = (".rf.HASH", "_aug1, _flip, _rot90")
_BOXES, _PAIRS = "_LEFT_TOP_RIGHT_BOTTOM", "_0_1"
_ENDS = {form: re.compile(f"^(.+?)({end})$", re.IGNORECASE) for form, end in _FORMS.items()}

_MOST_VERSIONS = 100
"""Of one original, in the median; more are numbers of a series that only look like it."""

_MOST_OF_ALL = 0.5
"""Share of the images that versions of one original may be, unless the original is here too."""

_LEAST_PAIRED = 0.5
"""Share of the images that must be tiles where their names only have two bare numbers."""


@dataclass(frozen=True)
class Derived:
    """Pictures that were made from others.

    Attributes:
        pattern: The regular expression of the key, for the name of a file.
        facts: On what evidence, a sentence for each form of name.
        versions: Paths of pictures that are versions of another one; the others are tiles or originals.
    """

    pattern: str
    facts: tuple[str, ...]
    versions: frozenset[str] = frozenset()


def find_derived(images: Sequence[str], read: Callable[[str], bytes]) -> Derived | None:
    """Find pictures that were made from others.

    Args:
        images: Paths of all images.
        read: Reads a file.

    Returns:
        None where no name says so, or no original has two pictures.
    """
    stems = {path: parts_of(path)[2] for path in images}
    ends, facts = [], []
    versions: set[str] = set()
    for form, end in _FORMS.items():
        families = _families(form, stems.items())
        if not _believed(form, families, set(stems.values()), len(images)):
            continue
        if form == _PAIRS and not join_at_edges(_grids(families), read):
            continue
        # What a version was made of may be a version itself.
        stems |= {path: name for name, members in families.items() for path in members}
        if form in _VERSIONS:
            versions |= {path for members in families.values() for path in members}
        ends.append(end)
        facts.append(_fact(form, families))
    if not ends:
        return None
    # A version may be made of a version; of bare numbers only the last ones count.
    times = "?" if {_FORMS[_BOXES], _FORMS[_PAIRS]} & set(ends) else "*"
    return Derived(
        rf"^(?P<{KEY}>.+?)(?i:{'|'.join(ends)}){times}[.][^.]+$", tuple(facts), frozenset(versions)
    )


def _families(form: str, stems: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """The derived pictures of each original: what the end of the name says, by path."""
    families: dict[str, dict[str, str]] = {}
    for path, stem in stems:
        if match := _ENDS[form].match(stem):
            families.setdefault(match[1], {})[path] = match[2]
    return families


def _believed(form: str, families: dict[str, dict[str, str]], here: set[str], images: int) -> bool:
    """Whether names of a form say what they seem to say."""
    several = [name for name, members in families.items() if len(members) + (name in here) > 1]
    if not several:
        return False
    sizes = sorted(len(families[name]) for name in several)
    if sizes[len(sizes) // 2] > _MOST_VERSIONS:
        return False
    alone = len(several) == 1 and several[0] not in here and sizes[0] > _MOST_OF_ALL * images
    if form == _BOXES:
        return _are_boxes(families)
    if form == _PAIRS:
        return sum(map(len, families.values())) >= _LEAST_PAIRED * images
    return not (alone and form in _VERSIONS)


def _numbers(end: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", end)))


def _are_boxes(families: dict[str, dict[str, str]]) -> bool:
    """Whether four numbers are the corners of tiles: nearly all of the same width and height."""
    corners = [_numbers(end) for members in families.values() for end in members.values()]
    sizes = Counter((right - left, lower - top) for left, top, right, lower in corners)
    (size, count), *_ = sizes.most_common(1)
    return min(size) >= 8 and count >= 0.8 * len(corners)


def _grids(families: dict[str, dict[str, str]]) -> list[Grid]:
    grids = []
    for members in families.values():
        places = {}
        for path, end in members.items():
            first, second = _numbers(end)
            places[first, second] = path
        grids.append(Grid(places))
    return grids


def _fact(form: str, families: dict[str, dict[str, str]]) -> str:
    count = sum(map(len, families.values()))
    largest = max(families.values(), key=len)
    example = min(largest)
    kind = "versions" if form in _VERSIONS else "tiles"
    proof = ", and join at their edges" if form == _PAIRS else ""
    return (
        f"{counted(count, 'image')} are {kind} of {counted(len(families), 'original')} by their names"
        f" ('{form}', such as {example}){proof}: the key '{KEY}' keeps those of one original in one split"
    )
