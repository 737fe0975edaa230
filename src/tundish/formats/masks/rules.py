"""Which files are masks and of which image: by the usual names, or by the patterns that a recipe states."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from tundish.formats.base import IMAGE_SUFFIXES, ImageRef, parts_of, plain_folder, suffix_of
from tundish.formats.reading.match import Miss, find_beside, find_spelt, is_split
from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from tundish.formats.base import Catalog, Options

__all__ = ["Rule", "find_image", "image_stem", "is_named_as_mask", "is_omitted", "rules_of"]

_SUFFIXES_OF_MASKS = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"})

_FOLDERS = frozenset(
    {
        "mask",
        "masks",
        "segmentationclass",
        "segmentation",
        "segmentations",
        "gt",
        "ground_truth",
        "groundtruth",
        "label",
        "labels",
        "annotation",
        "annotations",
    }
)
_SUFFIX = re.compile(r"(?i)(.+)[-_ .](?:masks?|gt|labels?|seg)")


class Rule(NamedTuple):
    """How masks are distinguished from images by their paths; what is empty is not asked for.

    Attributes:
        folder: Folders that follow each other somewhere in a mask's path.
        prefix: How the name of a mask begins before the image's stem.
        suffix: What follows the image's stem in the stem of a mask.
        ending: The suffix of the mask's file, with its dot.
        image: What follows, in the image's stem, what both names begin with: ``a_gt`` is for ``a_rgb``.
    """

    folder: str = ""
    prefix: str = ""
    suffix: str = ""
    ending: str = ""
    image: str = ""

    def __str__(self) -> str:
        name = f"{self.prefix}*{self.suffix}{self.ending}"
        name = f"{self.folder}/{name}" if self.folder else name
        return f"{name} > *{self.image}" if self.image else name

    def stem_of(self, path: str) -> str | None:
        """The stem of the image that a mask is for, or None where the path is not that of a mask."""
        folder, name, stem = parts_of(path)
        if self.folder and f"/{self.folder.lower()}/" not in f"/{folder.lower()}/":
            return None
        if self.ending and not name.lower().endswith(self.ending.lower()):
            return None
        if not (stem.startswith(self.prefix) and stem.endswith(self.suffix)):
            return None
        shared = stem[len(self.prefix) : len(stem) - len(self.suffix)]
        return f"{shared}{self.image}" if shared else None

    def without_folder(self, folder: str) -> str:
        """The folder of a mask without those that only say that it is one."""
        if not self.folder:
            return folder
        before, _, after = f"/{folder}/".lower().partition(f"/{self.folder.lower()}/")
        kept = folder[: len(before) - 1] if before else ""
        return f"{kept}/{folder[len(folder) - len(after.rstrip('/')) :] if after else ''}".strip("/")


@lru_cache(maxsize=64)
def rules_of(patterns: str) -> tuple[Rule, ...]:
    """The rules that an option states: patterns with '|' between them; ' > *_rgb' is how images end."""
    rules = []
    for text in patterns.split("|"):
        pattern, _, image = text.partition(" > ")
        image = image.strip().removeprefix("*")
        folder, _, name = pattern.strip().strip("/").rpartition("/")
        if not name:
            continue
        ending = name[len(name) - len(suffix_of(name)) :] if suffix_of(name) in IMAGE_SUFFIXES else ""
        stem = name[: len(name) - len(ending)]
        prefix, star, suffix = stem.partition("*")
        names = (prefix, suffix) if star else ("", stem)
        rules.append(Rule(folder, *names, ending, image))
    return tuple(rules)


def is_named_as_mask(rule: Rule) -> bool:
    """Whether the words of a rule are those by which masks are usually called."""
    words = (rule.folder, rule.prefix, rule.suffix)
    return any(part.lower() in _FOLDERS for part in rule.folder.split("/")) or any(
        re.search(r"(?i)(?:^|[^a-z])(?:masks?|gt|labels?|seg|ground[-_ ]?truth|annot\w*)(?:[^a-z]|$)", word)
        for word in words
    )


def image_stem(path: str, options: Options) -> str | None:
    """The stem of the image that a mask is for, or None where the path is not that of a mask."""
    if options.extra.get("masks"):
        stems = (rule.stem_of(path) for rule in rules_of(options.extra["masks"]))
        return next((stem for stem in stems if stem is not None), None)
    folder, name, stem = parts_of(path)
    asked_folder, asked_suffix = options.extra.get("folder", ""), options.extra.get("suffix", "")
    folders = folder.lower().split("/")
    if asked_folder or asked_suffix:
        in_folder = not asked_folder or f"/{asked_folder.strip('/').lower()}/" in f"/{folder.lower()}/"
        if not in_folder or not stem.endswith(asked_suffix):
            return None
        return stem[: len(stem) - len(asked_suffix)]
    if suffix_of(name) not in _SUFFIXES_OF_MASKS:
        return None
    named = _SUFFIX.fullmatch(stem)
    if named:
        return named[1]
    return None if _FOLDERS.isdisjoint(folders) else stem


def is_omitted(path: str, options: Options) -> bool:
    """Whether the option ``omit`` says that a picture is neither an image nor a mask."""
    rules = rules_of(options.extra.get("omit", ""))
    return any(rule.stem_of(path) is not None for rule in rules)


def find_image(catalog: Catalog, path: str, options: Options) -> ImageRef | Miss:
    """The image of a mask.

    Args:
        catalog: The images, without the masks.
        path: A mask's path.
        options: As `image_stem` reads them.
    """
    folder, wanted, strict = _wanted(path, options)
    found = _by_rule(catalog, folder, wanted, strict=strict)
    if isinstance(found, ImageRef) or found.check != "image_not_found":
        return found
    loose = catalog.loosely_spelt[0]
    again = _by_rule(loose, loose_spelling(folder), loose_spelling(wanted), strict=strict)
    return find_spelt(catalog, wanted, found, again)


def _wanted(path: str, options: Options) -> tuple[str, str, bool]:
    """Folder and stem of the image of a mask, and whether it must lie in this folder."""
    folder, _, stem = parts_of(path)
    if options.extra.get("masks"):
        for rule in rules_of(options.extra["masks"]):
            wanted = rule.stem_of(path)
            if wanted is not None:
                return rule.without_folder(folder), wanted, True
    asked = options.extra.get("folder", "").strip("/")
    if asked:
        folder = "/".join(part for part in folder.split("/") if part.lower() != asked.lower())
    return folder, image_stem(path, options) or stem, False


def _by_rule(catalog: Catalog, folder: str, stem: str, *, strict: bool = True) -> ImageRef | Miss:
    """The image with this stem whose folders, but for splits and words for images, are the mask's.

    So ``ground_truth/scratch/000_mask.png`` is for ``test/scratch/000.png``, not for ``test/dent/000.png``.
    """
    own = _without_splits(folder)
    here = f"{folder}/{stem}.png".lstrip("/")  # a suffix of its own: the stem may have dots
    fits = [one for one in catalog.by_stem(stem) if _without_splits(parts_of(one.path)[0]) == own]
    if len(fits) == 1 and not catalog.beside(folder, stem):
        return fits[0]
    if strict and not fits:
        alike = [one for one in catalog.by_stem(stem) if _nested(own, _without_splits(parts_of(one.path)[0]))]
        if not alike:
            return Miss("image_not_found", f"no readable image is called '{stem}' in the folder of its mask")
    return find_beside(catalog, here)


@lru_cache(maxsize=65536)
def _without_splits(folder: str) -> tuple[str, ...]:
    return tuple(part for part in plain_folder(folder).split("/") if part and not is_split(part))


def _nested(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether all folders of one path are among those of the other."""
    one, other = Counter(first), Counter(second)
    return one <= other or other <= one
