"""Which formats the labels of a source are in: the best one, and those of the files that it leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tundish.formats.base import Catalog, ImageRef, Listing, Options, suffix_of
from tundish.formats.masks.look import mask_patterns
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.sniffing import counted, sample
from tundish.formats.registry import load_reader, look
from tundish.formats.several.parts import LABELS, Part, recognises, role_among
from tundish.formats.several.read import read_together
from tundish.formats.unread.found import by_sample
from tundish.formats.unread.judge import is_readable, judge
from tundish.formats.unread.suspect import UnreadLabels
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import read_header
from tundish.imaging.geometry import oriented_size
from tundish.recipe.classes import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.formats.base import Evidence

__all__ = ["Combined", "combine"]

_MOST = 4
"""Formats that one source is proposed with."""

_WITHOUT_FILES = ("masks", "folders", "images")
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
        unread: Masks that are kept out of the images and not read either.
    """

    chosen: list[Evidence]
    images: frozenset[str]
    taken: frozenset[str]
    unread: tuple[UnreadLabels, ...] = ()


def combine(found: Sequence[Evidence], listing: Listing) -> Combined:
    """Choose the formats that a source is read with.

    Args:
        found: What suggests each format, best first.
        listing: The files of the source.
    """
    best, unread = _with_masks(found, listing)
    chosen = list(best)
    while len(chosen) < _MOST:
        parts = _parts(chosen)
        images, taken = _images(parts, listing), _taken(parts, listing)
        rest = set(listing.paths) - images - taken
        further = _further(listing, images, rest, chosen) if rest else None
        if further is None:
            break
        chosen.append(further)
    parts = _parts(chosen)
    images, taken = _images(parts, listing), _taken(parts, listing)
    if len(chosen) > 1:
        first, *others = chosen
        facts = [fact for one in others for fact in _facts_of(one)]
        chosen = [replace(first, facts=[*first.facts, *facts, *_together(parts, listing, images)]), *others]
    return Combined(chosen, frozenset(images), frozenset(taken), unread)


def _parts(chosen: Sequence[Evidence]) -> list[Part]:
    return [Part(one.format, load_reader(one.format), Options(one.names, one.extra)) for one in chosen]


def _images(parts: Sequence[Part], listing: Listing) -> set[str]:
    """The pictures of a source: without those that its option ``masks`` keeps out."""
    rules = rules_of(parts[0].options.extra.get("masks", ""))
    paths = [path for path in listing.paths if role_among(parts, path) == "image"]
    return {path for path in paths if not any(rule.stem_of(path) is not None for rule in rules)}


def _taken(parts: Sequence[Part], listing: Listing) -> set[str]:
    """The files that readers take, and recognise by their content; a list of classes must not be labels."""
    paths = [path for path in listing.paths if role_among(parts, path) in LABELS]

    def is_taken(path: str) -> bool:
        takers = [part for part in parts if part.reader.role(path, part.options) in LABELS]
        if not is_readable(path) and suffix_of(path) != ".txt":
            return True
        data = listing.read(path)
        listed = role_among(parts, path) == "classes"
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
        if evidence.weight and rest & _taken(_parts([evidence]), part_of_it):
            return evidence
    return None


def _with_masks(
    found: Sequence[Evidence], listing: Listing
) -> tuple[list[Evidence], tuple[UnreadLabels, ...]]:
    """The best format, with that of masks beside it; or with the option that keeps masks out of the images.

    Masks are read where they label pictures that have no other labels, or where their values are classes of
    the best format: the one class where there is one and the masks have one value.
    """
    best = found[0]
    masks = next((one for one in found if one.format == "masks"), None)
    if masks is None or best.format == "masks":
        return [best], ()
    reader, options = load_reader(best.format), Options(best.names, best.extra)
    paths = [path for path in listing.paths if reader.role(path, options) == "image"]
    if not best.weight or not best.classes or best.format in _WITHOUT_FILES:
        return _kept_out(best, listing, paths)
    images = _images(_parts([masks]), listing)
    if len(best.classes) == len(masks.classes) == 1 and masks.classes[0].isdecimal() and not masks.names:
        masks = replace(masks, names=("background", best.classes[0]), classes=[best.classes[0]])
    known = {normalise(name) for name in best.classes}
    if best.weight < len(images) or known & {normalise(name) for name in masks.classes}:
        return [best, masks], ()
    return _kept_out(best, listing, paths)


def _kept_out(
    best: Evidence, listing: Listing, paths: list[str]
) -> tuple[list[Evidence], tuple[UnreadLabels, ...]]:
    patterns = mask_patterns(listing, paths)
    kept = [path for path in paths if any(rule.stem_of(path) is not None for rule in rules_of(patterns))]
    if not kept:
        return [best], ()
    fact = f"{counted(len(kept), 'mask')} ('{patterns}') are not photographs: not read, kept out"
    why = (
        f"its values are not classes of {best.format}; name them with also: [{{format: masks, names: [...]}}]"
    )
    best = replace(best, facts=[*best.facts, fact], extra={**best.extra, "masks": patterns})
    return [best], (UnreadLabels("mask", len(kept), why, min(kept)),)


def _facts_of(evidence: Evidence) -> list[str]:
    return [f"also {evidence.format}: {fact}" for fact in evidence.facts]


def _together(parts: Sequence[Part], listing: Listing, images: set[str]) -> list[str]:
    """Sentences on how the formats go together; of very many files a sample is read."""
    labels = [path for path in listing.paths if role_among(parts, path) in LABELS]
    chosen = sample(labels, _MOST_READ)
    files = ((path, listing.read(path)) for path in chosen)
    together = read_together(parts, files, _sized(listing, images), normalise)
    note = f" ({len(chosen)} of {len(labels)} label files were read)" if len(chosen) < len(labels) else ""
    return [f"{fact}{note}" for fact in together.facts(parts)]


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
