"""What suggests YOLO in a source: text files named as images, and what a sample of their rows is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tundish.formats.base import Evidence, ImageRef
from tundish.formats.csv.source import sized
from tundish.formats.reading.match import Miss, find_beside
from tundish.formats.reading.sniffing import (
    SAMPLE,
    catalog_of,
    counted,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.reading.text import decode_text, real
from tundish.formats.yolo.lines import holds_labels, is_list, lines_of
from tundish.formats.yolo.names import ClassNames
from tundish.formats.yolo.places import settle_places
from tundish.formats.yolo.rows import is_dota, settle

if TYPE_CHECKING:
    from tundish.formats.base import Listing, Role
    from tundish.formats.yolo.places import Places
    from tundish.formats.yolo.rows import Meaning

__all__ = ["look_for_yolo"]


def look_for_yolo(listing: Listing, roles: dict[str, Role]) -> Evidence | None:
    """Text files whose rows are numbers and whose names are those of images.

    Args:
        listing: The files of a source.
        roles: What each of them is by its path.
    """
    images = [path for path, role in roles.items() if role == "image"]
    catalog = catalog_of(images)
    listed = {path: listing.read(path) for path, role in roles.items() if role == "classes"}
    listed = {path: data for path, data in listed.items() if not holds_labels(path, data, catalog)}
    labels = [
        path for path, role in roles.items() if role in ("annotation", "classes") and path not in listed
    ]
    found = [find_beside(catalog, path) for path in labels]
    lists = [isinstance(image, Miss) and is_list(path) for path, image in zip(labels, found, strict=True)]
    labels = [path for path, listed in zip(labels, lists, strict=True) if not listed]
    found = [image for image, listed in zip(found, lists, strict=True) if not listed]
    matched = [path for path, image in zip(labels, found, strict=True) if isinstance(image, ImageRef)]
    look = _look(listing, sample(matched))
    if look is None:
        return None
    look.pictures = {
        path: image.path for path, image in zip(labels, found, strict=True) if isinstance(image, ImageRef)
    }
    names = ClassNames(listed.items(), (), [])
    with_labels = len({image.path for image in found if isinstance(image, ImageRef)})
    facts = [f"{len(matched)} of {len(labels)} text files have the name of an image that is here"]
    meaning, extra = _meaning_of(look)
    places = _places_of(listing, look)
    facts += look.facts(meaning) + places.facts + unlabelled_note(len(images), with_labels)
    facts += read_note(min(SAMPLE, len(matched)), len(matched), "label files")
    facts += [f"{found.path} names {counted(len(found.names), 'class')}" for found in names.lists]
    classes = _classes(names, matched, look.numbers)
    return Evidence(len(matched), facts, classes, extra=places.extra | extra)


def _meaning_of(look: _Look) -> tuple[Meaning, dict[str, str]]:
    """What rows of six and seven numbers are, and the option that holds the recipe to it."""
    meaning = settle([look.odd])
    if not look.odd or meaning.seven == "unsettled":
        return meaning, {}
    stated = "track" if "track" in (meaning.six, meaning.seven) else "polygon"
    same = settle([look.odd], stated) if any(len(tokens) == 7 for _, tokens in look.odd) else None
    held = same == meaning if same is not None else settle([look.odd], stated).six == meaning.six
    return meaning, {"rows": stated} if held else {}


def _places_of(listing: Listing, look: _Look) -> Places:
    """What the boxes are; pictures are opened only where their numbers may be pixels."""
    boxes = np.array([numbers for _, numbers in look.places], np.float64).reshape(-1, 4)
    known: dict[str, tuple[float, float]] = {}
    if len(boxes) and np.median(np.abs(boxes).max(axis=1)) > 1:
        sizes = sized(listing, {look.pictures[path] for path, _ in look.places if path in look.pictures})
        known = {image.path: (image.width, image.height) for image in sizes.images}
    nothing = (np.nan, np.nan)
    rows = [known.get(look.pictures.get(path, ""), nothing) for path, _ in look.places]
    return settle_places(boxes, np.array(rows, np.float64).reshape(-1, 2))


@dataclass
class _Look:
    """What sniffing counts in label files."""

    numbers: Counter[int]
    boxes: int = 0
    polygons: int = 0
    empty: int = 0
    strange: int = 0
    odd: list[tuple[int, list[str]]] = field(default_factory=list)
    places: list[tuple[str, list[float]]] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)

    def facts(self, meaning: Meaning) -> list[str]:
        """Sentences on what was counted."""
        sevens = sum(len(tokens) == 7 for _, tokens in self.odd)
        facts = []
        if sevens and meaning.seven == "track":
            self.boxes, self.polygons = self.boxes + sevens, self.polygons - sevens
            facts = [f"{counted(sevens, 'row')} of seven numbers: boxes with a confidence and a track"]
        elif sevens and meaning.seven == "unsettled":
            facts = [f"{counted(sevens, 'row')} of seven numbers: refused unless options.rows settles it"]
        if meaning.six == "track":
            facts.append("rows of six numbers: boxes with the number of a track")
        facts.insert(0, f"{counted(self.boxes, 'box')} and {counted(self.polygons, 'polygon')} in them")
        if self.empty:
            facts.append(f"{counted(self.empty, 'empty label file')}: negatives")
        if self.strange:
            facts.append(f"{counted(self.strange, 'row')} that no YOLO format has")
        return facts


def _look(listing: Listing, paths: list[str]) -> _Look | None:
    """Count the rows of some label files; None where they are mostly something else."""
    look = _Look(Counter())
    for path in paths:
        rows = [line.split() for line in lines_of(decode_text(listing.read(path))[0]) if line.strip()]
        look.empty += not rows
        for tokens in rows:
            values = [real(token) for token in tokens]
            if len(values) < 5 or None in values or values[0] != int(values[0] or 0) or is_dota(values):
                look.strange += 1
                continue
            look.numbers[int(values[0] or 0)] += 1
            look.boxes += len(values) <= 6
            look.polygons += len(values) > 6
            if len(values) in (6, 7):
                look.odd.append((0, tokens))
            elif len(values) == 5:
                look.places.append((path, [value or 0.0 for value in values[1:]]))
    known = look.boxes + look.polygons
    return look if paths and known >= look.strange else None


def _classes(names: ClassNames, labels: list[str], numbers: Counter[int]) -> list[str]:
    """Class names in the order of the lists in use, or the numbers where there are none."""
    chosen = {found.path: found for path in labels if (found := names.of(path)) is not None}
    classes = {
        name or str(number): None for found in chosen.values() for number, name in enumerate(found.names)
    }
    return list(classes) or [str(number) for number in sorted(numbers)]
