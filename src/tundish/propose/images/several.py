"""Which formats the labels of a source are in: the best one, and those of the files that it leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tundish.formats.base import Catalog, ImageRef, Listing, Options, suffix_of
from tundish.formats.masks.look import mask_patterns
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.sniffing import (
    catalog_of,
    counted,
    sample,
    unlabelled_note,
    without_unlabelled_note,
)
from tundish.formats.registry import load_reader, look
from tundish.formats.several.parts import LABELS, Part, reads_labels_in, recognises, redraws, role_among
from tundish.formats.several.read import read_together
from tundish.formats.unread.found import by_sample
from tundish.formats.unread.judge import is_readable, judge
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import read_header
from tundish.imaging.geometry import oriented_size
from tundish.propose.images.unread import UnreadLabels
from tundish.recipe.classes import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.formats.base import Evidence
    from tundish.formats.several.read import Together

__all__ = ["Combined", "combine", "parts_of_formats"]

_MOST = 4
"""Formats that one source is proposed with."""

_WITHOUT_FILES = ("masks", "folders", "class-in-name", "images")
"""Formats that have no label files of their own, or, as masks, are found beside the others."""

_MOST_READ = 2000
"""Label files and pictures up to which they are read to find out how several formats go together."""


@dataclass(frozen=True)
class Combined:
    """The formats of a source.

    Attributes:
        chosen: Their evidence, that of the most labels first, with what they say together.
        images: The pictures of the source.
        taken: The files that their readers take.
        given: Further files that a reader is given by their names, with its format: it reports what is wrong.
        unread: Label files that are not read although a format knows them, and why.
    """

    chosen: list[Evidence]
    images: frozenset[str]
    taken: frozenset[str]
    given: dict[str, str] = field(default_factory=dict)
    unread: tuple[UnreadLabels, ...] = ()


def combine(found: Sequence[Evidence], listing: Listing) -> Combined:
    """Choose the formats that a source is read with.

    Args:
        found: What suggests each format, best first.
        listing: The files of the source.
    """
    source = _Source(listing, [found[0]])
    masks = next((one for one in found if one.format == "masks"), None)
    if masks is not None and found[0].format != "masks":
        source.consider_masks(masks)
    while len(source.chosen) < _MOST and source.consider_another():
        pass
    parts = parts_of_formats(source.chosen)
    images, taken = _images(parts, listing), _taken(parts, listing)
    chosen = source.chosen
    if len(chosen) > 1:
        first, *others = chosen
        facts = without_unlabelled_note(first.facts)
        facts += [fact for one in others for fact in _facts_of(one)]
        chosen = [replace(first, facts=[*facts, *_together(parts, listing, images)]), *others]
    chosen = [replace(chosen[0], facts=[*chosen[0].facts, *source.facts]), *chosen[1:]]
    given = {
        path: part.format
        for path in listing.paths
        for part in reversed(parts)
        if path not in taken and part.reader.role(path, part.options) == "annotation"
    }
    taken |= source.left
    return Combined(chosen, frozenset(images), frozenset(taken), given, tuple(source.unread))


@dataclass
class _Source:
    """A source while its formats are chosen.

    Attributes:
        listing: The files of the source.
        chosen: The formats so far.
        left: Label files of formats that are not chosen.
        unread: What is said of them.
        facts: What else was found.
    """

    listing: Listing
    chosen: list[Evidence]
    left: set[str] = field(default_factory=set)
    unread: list[UnreadLabels] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def consider_another(self) -> bool:
        """Take the format that most of the files are in that nobody takes yet; False where there is none.

        One that says nothing new is left: its labels are those that are read already.
        """
        parts = parts_of_formats(self.chosen)
        images, taken = _images(parts, self.listing), _taken(parts, self.listing)
        rest = set(self.listing.paths) - images - taken - self.left
        further = _further(self.listing, images, rest, self.chosen) if rest else None
        if further is None:
            return False
        more = parts_of_formats([further])
        own = rest & _taken(more, self.listing)
        together = _read([*parts, *more], self.listing, images)[0]
        if together.repeated and not any(label.label_path in own for label in together.reading.labels):
            why = f"{self.chosen[0].format} has its {counted(together.repeated, 'label')} too"
            self._leave(own, why)
        else:
            self.chosen.append(further)
        return True

    def consider_masks(self, masks: Evidence) -> None:
        """Read masks beside the best format, or keep them out of the images.

        Masks that only draw its labels again, as its reader says, are left to it.
        Masks whose values have no names are read where the best format has one class, which is theirs, or no
        labels on their pictures: otherwise one object would get two classes.
        """
        best, mask_part = self.chosen[0], parts_of_formats([masks])[0]
        drawn = {path for path in self.listing.paths if role_among([mask_part], path) == "annotation"}
        if drawn and all(redraws(parts_of_formats([best])[0], path) for path in drawn):
            return
        if best.weight and best.classes and best.format not in _WITHOUT_FILES:
            nameless = all(re.fullmatch(r"\d+|#[0-9a-f]{6}", name) for name in masks.classes)
            if nameless and len(best.classes) == len(masks.classes) == 1:
                masks = replace(masks, names=("background", best.classes[0]), classes=[best.classes[0]])
                nameless = False
            parts = parts_of_formats([best, masks])
            images = _images(parts, self.listing)
            if not nameless or not _read(parts, self.listing, images)[0].shared:
                self.chosen.append(masks)
                return
        self._keep_out(drawn)

    def _keep_out(self, drawn: set[str]) -> None:
        best = self.chosen[0]
        parts = parts_of_formats([best])
        paths = [path for path in self.listing.paths if role_among(parts, path) == "image"]
        patterns = mask_patterns(self.listing, paths)
        kept = {path for path in paths if any(rule.stem_of(path) is not None for rule in rules_of(patterns))}
        if kept:
            fact = f"{counted(len(kept), 'mask')} ('{patterns}') are not photographs: kept out of the images"
            extra = {**best.extra, "masks": patterns}
            self.chosen = [replace(best, facts=[*best.facts, fact], extra=extra)]
        if best.classes and best.format not in _WITHOUT_FILES:
            why = f"their values have no names, and {best.format} labels the same pictures"
            self._leave(kept | drawn, why, "mask")

    def _leave(self, paths: set[str], why: str, kind: str = "") -> None:
        if paths:
            kind = kind or suffix_of(min(paths)).removeprefix(".").upper()
            self.unread.append(UnreadLabels(kind, len(paths), why, min(paths)))
            self.left |= paths


def parts_of_formats(chosen: Sequence[Evidence]) -> list[Part]:
    """The readers of formats, with the options that their evidence suggests."""
    return [Part(one.format, load_reader(one.format), Options(one.names, one.extra)) for one in chosen]


def _images(parts: Sequence[Part], listing: Listing) -> set[str]:
    """The pictures of a source: without those that its option ``masks`` keeps out."""
    rules = rules_of(parts[0].options.extra.get("masks", ""))
    paths = [path for path in listing.paths if role_among(parts, path) == "image"]
    return {path for path in paths if not any(rule.stem_of(path) is not None for rule in rules)}


def _taken(parts: Sequence[Part], listing: Listing) -> set[str]:
    """The files that readers take, and recognise by their content; a list of classes must not be labels."""
    paths = [path for path in listing.paths if role_among(parts, path) in LABELS]
    catalog = catalog_of(_images(parts, listing))

    def is_taken(path: str) -> bool:
        takers = [part for part in parts if part.reader.role(path, part.options) in LABELS]
        if not is_readable(path) and suffix_of(path) != ".txt":
            return True
        data = listing.read(path)
        listed = role_among(parts, path) == "classes"
        if listed and reads_labels_in(parts, path, data, catalog):
            return True
        if listed and (suspect := judge(path, data, Catalog([]))) is not None and not suspect.beside:
            return False
        return any(recognises(part, path, data) for part in takers)

    return {path for path, taken in by_sample(paths, is_taken).items() if taken}


def _further(
    listing: Listing, images: set[str], rest: set[str], chosen: Sequence[Evidence]
) -> Evidence | None:
    """The format that most of the files are in that nobody takes yet; None where no format knows them."""
    part_of_it = Listing([path for path in listing.paths if path in images or path in rest], listing.read)
    names = {one.format for one in chosen}
    for evidence in look(part_of_it, without={*_WITHOUT_FILES, *names}).found:
        if evidence.weight and rest & _taken(parts_of_formats([evidence]), part_of_it):
            return evidence
    return None


def _facts_of(evidence: Evidence) -> list[str]:
    return [f"also {evidence.format}: {fact}" for fact in without_unlabelled_note(evidence.facts)]


def _together(parts: Sequence[Part], listing: Listing, images: set[str]) -> list[str]:
    """Sentences on how the formats go together; of very many files a sample is read."""
    together, read, total = _read(parts, listing, images)
    if read < total:
        return [f"{fact} ({read} of {total} label files were read)" for fact in together.facts(parts)]
    mentioned = {path for found in together.mentioned for path in found}
    return together.facts(parts) + unlabelled_note(len(images), len(mentioned))


def _read(parts: Sequence[Part], listing: Listing, images: set[str]) -> tuple[Together, int, int]:
    """What the formats say together, and how many of how many label files were read."""
    labels = [path for path in listing.paths if role_among(parts, path) in LABELS]
    chosen = sample(labels, _MOST_READ)
    files = ((path, listing.read(path)) for path in chosen)
    return read_together(parts, files, _sized(listing, images), normalise), len(chosen), len(labels)


def _sized(listing: Listing, images: set[str]) -> Catalog:
    """The pictures with their upright sizes; of very many, a sample is opened."""
    opened = set(sample(sorted(images), _MOST_READ))
    refs = []
    for path in sorted(images):
        width = height = 0
        orientation = 1
        if path in opened:
            try:
                header = read_header(listing.read(path))
            except BadImage:
                continue
            orientation = header.orientation
            width, height = oriented_size(orientation, header.width, header.height)
        refs.append(ImageRef(path, "", width, height, orientation))
    return Catalog(refs)
