"""What suggests masks in a source: names, and what a bounded sample of pictures shows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.formats.base import IMAGE_SUFFIXES, Evidence, ImageRef, Options, suffix_of
from tundish.formats.masks.content import Surface, Verdict, measure_surface, verdict
from tundish.formats.masks.pairs import candidate_rules
from tundish.formats.masks.rules import Rule, find_image, is_named_as_mask
from tundish.formats.masks.values import (
    ClassNames,
    MaskPixels,
    classes_of,
    cut_at,
    decode_mask,
    threshold_for,
)
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.match import class_folder
from tundish.formats.reading.sniffing import INSTANCES, catalog_of, counted, in_folder, read_note, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tundish.formats.base import Listing, Role

__all__ = ["look_for_masks", "mask_patterns"]

_SAMPLE = 100
"""Masks whose values are counted to find out about a source."""
_PAIRS = 200
"""Pairs of pictures that are measured at most, over all rules."""
_FEW = 12
"""Pairs of a rule after which no more are measured where all show photographs, or pictures are large."""
_PIXELS = 400_000_000
"""Pixels that are measured before only few pairs of each rule are."""
_MOST_RULES = 40
_AGAIN = re.compile(r"(?i)(instance\w*|train_?ids|colou?rs?|panoptic|vis)$")
"""How the names of masks end that draw once more what others say."""
_LEAST = 0.8
"""Share of the measured pairs that must agree."""
_WITHOUT_MARK = frozenset(
    {
        "good",
        "ok",
        "normal",
        "free",
        "negative",
        "negatives",
        "clean",
        "no_defect",
        "no-defect",
        "defect-free",
        "defect_free",
        "non_defective",
    }
)


@dataclass
class _Measured:
    """The pairs that were measured, and what was seen in them."""

    masks: list[float] = field(default_factory=list)
    images: list[float] = field(default_factory=list)
    other_size: int = 0
    pairs: int = 0
    pixels: int = 0


@dataclass
class _Found:
    """Masks with their images, and the options by which a recipe finds them."""

    paths: list[str]
    pairs: dict[str, str]
    images: list[str]
    extra: dict[str, str]


def look_for_masks(
    listing: Listing, role: Callable[[str, Options], Role], names: ClassNames
) -> Evidence | None:
    """Masks that belong to an image, whatever they are called, and the values in them.

    Args:
        listing: The files of a source.
        role: What a file is by its path and the options.
        names: What colours are called.
    """
    found, measured = _find(listing, role)
    if not found.pairs:
        return None
    facts = [f"{len(found.pairs)} of {len(found.paths)} masks belong to an image that is here"]
    facts += _by_content(measured, found.extra.get("masks", ""))
    if "omit" in found.extra:
        facts.append(f"'{found.extra['omit']}' draw the same labels again and are not read (options.omit)")
    taken = sample(sorted(found.pairs), _SAMPLE)
    decoded = dict(_decoded(listing, taken))
    threshold = threshold_for(decoded.values())
    if threshold is not None:
        found.extra["threshold"] = str(threshold)
        facts.append(f"soft edges or JPEG: from gray {threshold} of 255 on is foreground (options.threshold)")
        decoded = {path: cut_at(mask, threshold) for path, mask in decoded.items()}
    classes, empty = _count(decoded, found, names, facts)
    if empty:
        facts.append(f"{counted(empty, 'mask')} without a mark: negatives")
    facts += read_note(len(taken), len(found.pairs), "masks")
    return Evidence(len(found.pairs), facts, classes, extra=found.extra)


def mask_patterns(listing: Listing, paths: list[str]) -> str:
    """Patterns, as the option ``masks`` takes them, of those pictures that are masks of others by content.

    Args:
        listing: The files of a source.
        paths: Its pictures, sorted.
    """
    candidates = candidate_rules(paths)[:_MOST_RULES]
    share = max(4, _PAIRS // max(1, len(candidates)))
    found = [
        rule for rule, pairs in candidates if _judge(listing, sample(pairs, share), _Measured()) == "mask"
    ]
    return " | ".join(sorted(map(str, found)))


def _find(listing: Listing, role: Callable[[str, Options], Role]) -> tuple[_Found, _Measured]:
    """The masks by their usual names, or else by the rules whose pictures look like masks."""
    pictures = [
        path
        for path in listing.paths
        if suffix_of(path) in IMAGE_SUFFIXES and not in_folder(path, *INSTANCES)
    ]
    candidates = candidate_rules(pictures)[:_MOST_RULES]
    measured = _Measured()
    by_content: list[Rule] = []
    refuted: set[str] = set()
    for rule, pairs in candidates:
        answer = _judge(listing, sample(pairs, max(4, _PAIRS // len(candidates))), measured)
        if answer == "mask" or (answer == "unsure" and is_named_as_mask(rule)):
            by_content.append(rule)
        elif answer == "image":
            refuted |= {mask for mask, _ in pairs}
    usual = _with_options(pictures, role, {})
    by_content, omitted = _one_of_several(by_content)
    patterns = " | ".join(sorted(map(str, by_content)))
    if patterns:
        extra = {"masks": patterns}
        if omitted:
            extra["omit"] = " | ".join(sorted(map(str, omitted)))
        seen = _with_options(pictures, role, extra)
        if not set(seen.paths) <= set(usual.paths) or set(usual.pairs) & refuted:
            return seen, measured
    return (_Found([], {}, pictures, {}) if set(usual.pairs) <= refuted else usual), measured


def _one_of_several(rules: list[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules to read by, and those that draw the same images again: as instances, or in colours."""
    again = [
        rule
        for rule in rules
        if rule.image
        and _AGAIN.search(rule.suffix)
        and any(
            (other.folder, other.image) == (rule.folder, rule.image) and not _AGAIN.search(other.suffix)
            for other in rules
        )
    ]
    return [rule for rule in rules if rule not in again], again


def _with_options(paths: list[str], role: Callable[[str, Options], Role], extra: dict[str, str]) -> _Found:
    options = Options(extra=extra)
    roles = {path: role(path, options) for path in paths}
    images = [path for path in paths if roles[path] == "image"]
    masks = [path for path in paths if roles[path] == "annotation"]
    catalog = catalog_of(images)
    partners = {path: find_image(catalog, path, options) for path in masks}
    pairs = {path: image.path for path, image in partners.items() if isinstance(image, ImageRef)}
    return _Found(masks, pairs, images, dict(extra))


def _judge(listing: Listing, pairs: Iterable[tuple[str, str]], measured: _Measured) -> Verdict:
    """What most pairs of a rule show; only pairs that agree that it is a mask count as measured."""
    answers: Counter[str] = Counter()
    seen: list[tuple[Surface, Surface]] = []
    for mask, image in pairs:
        enough = _FEW if measured.pixels > _PIXELS or answers["image"] == answers.total() else _PAIRS
        if answers.total() >= enough:
            break
        first, second = measure_surface(listing.read(mask)), measure_surface(listing.read(image))
        if first is None or second is None:
            continue
        measured.pixels += first.width * first.height + second.width * second.height
        answers[verdict(first, second)] += 1
        seen.append((first, second))
    total = answers.total()
    if total and answers["image"] >= _LEAST * total:
        return "image"
    if not total or answers["mask"] < _LEAST * total:
        return "unsure"
    for first, second in seen:
        measured.pairs += 1
        measured.masks.append(first.flat)
        measured.images.append(second.flat)
        measured.other_size += sorted((first.width, first.height)) != sorted((second.width, second.height))
    return "mask"


def _by_content(measured: _Measured, patterns: str) -> list[str]:
    facts = []
    if patterns:
        flat = sum(measured.masks) / max(1, measured.pairs)
        rough = sum(measured.images) / max(1, measured.pairs)
        facts.append(
            f"'{patterns}' are masks by their content: {counted(measured.pairs, 'pair')} measured, {flat:.0%}"
            f" of the neighbouring pixels of a mask are equal, {rough:.0%} of those of its photograph"
        )
    if measured.other_size:
        facts.append(f"{counted(measured.other_size, 'mask')} of another size than the image: not read")
    return facts


def _decoded(listing: Listing, paths: Iterable[str]) -> Iterable[tuple[str, MaskPixels]]:
    for path in paths:
        try:
            yield path, decode_mask(listing.read(path), None)
        except Fault:
            continue


def _count(
    decoded: dict[str, MaskPixels], found: _Found, names: ClassNames, facts: list[str]
) -> tuple[list[str], int]:
    """The classes of the masks and how many masks have none; adds to the facts and the options."""
    values = {path: [name for _, name in classes_of(mask, names)] for path, mask in decoded.items()}
    empty = sum(not names_in for names_in in values.values())
    unmarked = _folders_without_mark(values, found)
    if unmarked:
        images = set(found.pairs.values())
        bare = [path for path in found.images if path not in images and class_folder(path) in unmarked]
        if bare:
            found.extra["negative"] = "|".join(sorted({class_folder(path) for path in bare}))
            facts.append(
                f"{counted(len(bare), 'image')} in '{found.extra['negative']}' without a mask: negatives"
            )
    kinds = {name for names_in in values.values() for name in names_in}
    folders = {class_folder(found.pairs[path]) for path, names_in in values.items() if names_in} - {""}
    if unmarked and len(kinds) == 1 and folders:
        found.extra["class"] = "folder"
        values = {
            path: [class_folder(found.pairs[path]) or name for name in names_in]
            for path, names_in in values.items()
        }
        facts.append("the folder of an image names the class of its mask (options.class)")
    classes = Counter(name for names_in in values.values() for name in set(names_in))
    listed = ", ".join(f"{name} in {count}" for name, count in sorted(classes.items()))
    facts.append(f"{'classes' if 'class' in found.extra else 'values'} in them: {listed}")
    return sorted(classes), empty


def _folders_without_mark(values: dict[str, list[str]], found: _Found) -> set[str]:
    """Folders that hold what has no mark: none of their images has one, and their name or masks say so."""
    marked = {class_folder(found.pairs[path]) for path, names_in in values.items() if names_in}
    blank = {class_folder(found.pairs[path]) for path, names_in in values.items() if not names_in}
    named = {class_folder(path) for path in found.images if class_folder(path).lower() in _WITHOUT_MARK}
    return (blank | named) - marked - {""}
