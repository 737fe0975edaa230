"""Find the image that a label file is about, by names alone; no path in a label file is ever opened.

In this order: the image with the label file's own stem in the same folder or its counterpart
(``val/labels/a.txt``, ``val/images/a.jpg``); the one image with that stem, unless it is in another split;
the one image with the name that the file states. Where several images fit, that is reported, not guessed.
Where none does, names are compared once more with umlauts composed, without capitals and without ``%20``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from tundish.formats.base import IMAGE_SUFFIXES, ImageRef, parts_of, plain_folder, suffix_of
from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.formats.base import Catalog

__all__ = [
    "Miss",
    "class_folder",
    "find_beside",
    "find_named",
    "find_spelt",
    "is_split",
    "split_of",
    "stated_name",
    "stated_split",
]

_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_WHOLE = {
    "development": "val",
    "trainset": "train",
    "trainingset": "train",
    "valset": "val",
    "validset": "val",
    "validationset": "val",
    "devset": "val",
    "testset": "test",
    "testingset": "test",
    "训练集": "train",
    "训练": "train",
    "验证集": "val",
    "验证": "val",
    "测试集": "test",
    "测试": "test",
}
"""Other spellings of a split, as the whole name of a folder or a value in a column."""

_FILLERS = frozenset(
    {"set", "sets", "data", "dataset", "split", "splits", "list", "lists", "file", "files", "names"}
    | {"instances", "annotations", "person", "keypoints", "image", "images", "info", "coco", "labels"}
)
"""Words beside that of a split that change nothing: `train_set`, `instances_val2017`."""

_WORDS = re.compile(r"[^a-z]+")


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a label file has no image: 'image_not_found' or 'ambiguous_image', and a sentence."""

    check: str
    message: str


def find_beside(catalog: Catalog, label_path: str, stated: str = "") -> ImageRef | Miss:
    """The image of a label file that belongs to one image; `stated` is the image's name in it, if any."""
    found = _find_beside(catalog, label_path, stated)
    if isinstance(found, ImageRef) or found.check != "image_not_found":
        return found
    loose = catalog.loosely_spelt[0]
    again = _find_beside(loose, loose_spelling(label_path), loose_spelling(stated))
    return find_spelt(catalog, stated or label_path, found, again)


def _find_beside(catalog: Catalog, label_path: str, stated: str) -> ImageRef | Miss:
    folder, _, stem = parts_of(label_path)
    if suffix_of(stem) in IMAGE_SUFFIXES:  # some tools write a.jpg.txt for a.jpg
        stated, stem = stated or stem, parts_of(stem)[2]
    beside = catalog.beside(folder, stem)
    if beside:
        return _one_of(beside, label_path, stated or stem)
    own = _by_stem(catalog, label_path, stem, stated)
    if stated and not isinstance(own, ImageRef):
        named = _find_named(catalog, label_path, stated)
        return named if own is None or isinstance(named, ImageRef) else own
    return own or _none(stem)


def find_named(catalog: Catalog, label_path: str, stated: str) -> ImageRef | Miss:
    """The image that a label file calls `stated`: a name or a path, with or without its suffix."""
    found = _find_named(catalog, label_path, stated)
    if isinstance(found, ImageRef) or found.check != "image_not_found":
        return found
    loose = catalog.loosely_spelt[0]
    again = _find_named(loose, loose_spelling(label_path), loose_spelling(stated))
    return find_spelt(catalog, stated, found, again)


def find_spelt(catalog: Catalog, asked: str, found: Miss, again: ImageRef | Miss) -> ImageRef | Miss:
    """What a second look, at names loosely spelt, found; the catalogue notes it.

    Args:
        catalog: The images.
        asked: The name that was looked for.
        found: What the first look found.
        again: What the second look found in the loosely spelt catalogue.
    """
    if isinstance(again, Miss):
        return found if again.check == "image_not_found" else again
    images = catalog.loosely_spelt[1][again.path]
    if len(images) > 1:
        paths = ", ".join(image.path for image in images[:3])
        return Miss("ambiguous_image", f"{len(images)} images could be '{asked}': {paths}")
    catalog.spelt[asked] = images[0].path
    return images[0]


def _find_named(catalog: Catalog, label_path: str, stated: str) -> ImageRef | Miss:
    name = stated_name(stated)
    named = catalog.by_name(name)
    if len(named) == 1:
        return named[0]
    if named:
        return _one_of(named, label_path, stated)
    stem = parts_of(name)[2] if suffix_of(name) else name
    return _by_stem(catalog, label_path, name) or _by_stem(catalog, label_path, stem) or _none(stated)


def stated_name(stated: str) -> str:
    """The file name in a path as label files state it, with slashes of either kind."""
    return stated.replace("\\", "/").rpartition("/")[2]


def is_split(folder: str) -> bool:
    """Whether a folder's whole name is that of a split."""
    return folder.lower().rstrip("0123456789") in _SPLITS


@lru_cache(maxsize=65536)
def stated_split(name: str) -> str:
    """'train', 'val' or 'test' where a whole name says so, else the empty string.

    `train2017`, `images_train`, `test-set` and `Validation` do; `hardness_test` and `trainval` do not.

    Args:
        name: The name of one folder, the stem of a file, or a value in a column.
    """
    lower = name.strip().lower()
    if lower in _WHOLE:
        return _WHOLE[lower]
    words = [word for word in _WORDS.split(lower) if word and word not in _FILLERS]
    if len(words) != 1:
        return ""
    return _SPLITS.get(words[0], "") or _WHOLE.get(words[0], "")


def class_folder(path: str) -> str:
    """The nearest folder of an image that is not a split or a word for images, or the empty string."""
    for part in reversed(parts_of(path)[0].split("/")):
        if part and plain_folder(part) and not is_split(part):
            return part
    return ""


@lru_cache(maxsize=65536)
def split_of(path: str) -> str:
    """'train', 'val' or 'test' where a folder or the file's name says so, else the empty string."""
    for part in reversed(path.lower().split("/")):
        for word in _WORDS.split(part):
            if word in _SPLITS:
                return _SPLITS[word]
    return ""


def _by_stem(catalog: Catalog, label_path: str, stem: str, stated: str = "") -> ImageRef | Miss | None:
    split = split_of(parts_of(label_path)[0])
    found = [image for image in catalog.by_stem(stem) if _same_split(image, split)]
    return _one_of(found, label_path, stated or stem) if found else None


def _same_split(image: ImageRef, split: str) -> bool:
    own = split_of(parts_of(image.path)[0])
    return not split or not own or own == split


def _one_of(found: Sequence[ImageRef], label_path: str, stated: str) -> ImageRef | Miss:
    """The one of several that fits best: by the stated path, then by nearness, then by the same split."""
    if len(found) == 1:
        return found[0]
    stated_folder, stated_file, _ = parts_of(stated.replace("\\", "/"))
    folder, split = parts_of(label_path)[0], split_of(label_path)

    def fit(image: ImageRef) -> tuple[bool, int, bool, int, bool]:
        own, name, _ = parts_of(image.path)
        return (
            name == stated_file,
            _shared(own.split("/")[::-1], stated_folder.split("/")[::-1]),
            own == folder,
            _shared(own.split("/"), folder.split("/")),
            bool(split) and split_of(own) == split,
        )

    fits = [fit(image) for image in found]
    best = [image for image, own in zip(found, fits, strict=True) if own == max(fits)]
    if len(best) == 1:
        return best[0]
    paths = ", ".join(sorted(image.path for image in best)[:3])
    return Miss("ambiguous_image", f"{len(best)} images could be '{stated}': {paths}")


def _shared(first: list[str], second: list[str]) -> int:
    """How many folders two paths have in common, from the first on."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1] != "", pairs))


def _none(stated: str) -> Miss:
    return Miss("image_not_found", f"no readable image is called '{stated}'")
