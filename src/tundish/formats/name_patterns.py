"""Which part of file names is a class: a proposal from the names of all images of a source.

A name is cut into runs of letters and of digits. A part can be a class where it is made of letters, has
numbers beside it (``crazing_12``, ``img_0001_scratch``), takes few values that each come again, and none of
them is a word for pictures, splits, cameras, sides or times.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tundish.formats.base import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["PATTERNS", "NamePattern", "class_of_name", "propose_pattern"]

_LETTERS = r"[^\W\d_]"
_BETWEEN = r"[-_ .()（）]"  # noqa: RUF001  (Chinese brackets, too)
_PIECE = re.compile(rf"(?P<word>{_LETTERS}+)|(?P<number>\d+)|(?P<between>{_BETWEEN}+)")
_MADE = re.compile(r"(?:_(?:jpe?g|png|bmp|tiff?))?\.rf\.[0-9a-f]{16,}$")
"""What Roboflow appends to a name."""

PATTERNS = {
    "first": rf"^(?P<class>{_LETTERS}+(?:[-_ ]{_LETTERS}+)*){_BETWEEN}*\d",
    "last": rf"\d{_BETWEEN}+(?P<class>{_LETTERS}+(?:[-_ ]{_LETTERS}+)*)\.[^.]+$",
}
"""Expressions for the words that a name begins with, and for those that it ends with."""

_MIDDLE = rf"^{{before}}(?P<class>{_LETTERS}+(?:[-_ ]{_LETTERS}+)*){_BETWEEN}+\d"

_LEAST_IMAGES = 6
_LEAST_SHARE = 0.9
"""Of the images: names that have the part, and images whose class comes again."""
_IMAGES_A_CLASS = 3
_MOST_CLASSES = 200

_PICTURES = (
    "img image images imag pic pics picture pict photo photos foto bild im frame frames fr dsc dscn dscf "
    "dcim capture captured snapshot snap screenshot scan crop tile roi file sample samples data item page "
    "video vid clip shot mov mvi gopr gp dji win wa pano burst hdr raw orig original copy export output "
    "result untitled unnamed new temp tmp nr num id idx index seq part slide exposure exp "
    "图 图片 图像 照片 样本 样品 帧"
)
_SPLITS = "train training val valid validation test testing trainval eval holdout dev 训练 验证 测试"
_PLACES = (
    "cam camera kamera ch channel station line sensor view pos position side left right top bottom up down "
    "upper lower front back rear head tail middle center centre inner outer north south east west l r "
    "os ds ws rgb ir nir uv gray grey depth thermal 上 下 左 右 前 后 相机"
)
_TIMES = (
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august "
    "september october november december mon tue wed thu fri sat sun monday tuesday wednesday thursday "
    "friday saturday sunday am pm day night morning evening shift date time week month year day1 年 月 日 "
    "早 晚 夜"
)
_DERIVED = (
    "aug augmented flip flipped mirror mirrored rot rotated rotate hflip vflip noise blur bright dark resize "
    "resized cropped mask masks gt label labels seg overlay vis pred annotated edit edited final"
)
_NO_CLASSES = frozenset(f"{_PICTURES} {_SPLITS} {_PLACES} {_TIMES} {_DERIVED}".split())
_PLACE_WORDS = frozenset(_PLACES.split())
_BEGINNINGS = frozenset(f"{_PICTURES} {_SPLITS}".split())


@dataclass(frozen=True)
class NamePattern:
    """A regular expression with a group ``class``, and what it finds.

    Attributes:
        pattern: The expression; it is searched in the name of a file, with its suffix.
        counts: How many images have each class, as written first.
        numbers: The smallest and largest sequence number beside each class.
        without: How many images have no class by it.
    """

    pattern: str
    counts: Counter[str]
    numbers: dict[str, tuple[int, int]]
    without: int


def class_of_name(pattern: re.Pattern[str], path: str) -> str:
    """The class in a file's name, or in its path where the pattern has a slash; empty where it has none.

    Letters of two characters (as a Mac writes umlauts) are composed; where the name does not match, it is
    tried once more with ``%20`` as a space.
    """
    name = unicodedata.normalize("NFC", path if "/" in pattern.pattern else parts_of(path)[1])
    match = pattern.search(name) or pattern.search(unicodedata.normalize("NFC", unquote(name)))
    return (match["class"] or "").strip() if match else ""


def propose_pattern(paths: Sequence[str]) -> NamePattern | None:
    """The part of the names of images that is a class; None where there is none, or more than one.

    Args:
        paths: The images of a source.
    """
    if len(paths) < _LEAST_IMAGES:
        return None
    found = [fit for pattern in _candidates(paths) if (fit := _fit(pattern, paths)) is not None]
    return found[0] if len(found) == 1 else None


def _candidates(paths: Sequence[str]) -> Iterator[str]:
    """Patterns for the first words, the last words, and for words behind a part that all names share."""
    yield from PATTERNS.values()
    befores: Counter[str] = Counter()
    for path in paths:
        pieces = list(_pieces(path))
        for number, (kind, text) in enumerate(pieces[:-2]):
            if kind == "number" or (kind == "word" and text.casefold() in _NO_CLASSES):
                befores[_before(pieces[: number + 1])] += 1
    for before, count in befores.most_common(4):
        if count >= _LEAST_SHARE * len(paths):
            yield _MIDDLE.format(before=before)


def _before(pieces: Iterable[tuple[str, str]]) -> str:
    """An expression for what comes before a class: words as they are, numbers as any number."""
    made = {"number": r"\d+", "between": f"{_BETWEEN}+"}
    return "".join(made.get(kind) or re.escape(text) for kind, text in pieces) + f"{_BETWEEN}+"


def _pieces(path: str) -> Iterator[tuple[str, str]]:
    stem = _MADE.sub("", unicodedata.normalize("NFC", unquote(parts_of(path)[2])))
    for match in _PIECE.finditer(stem):
        kind = match.lastgroup
        assert kind is not None
        yield kind, match[0]


def _fit(pattern: str, paths: Sequence[str]) -> NamePattern | None:
    """What a pattern finds, where that can be classes."""
    compiled = re.compile(pattern)
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for path in paths:
        name = class_of_name(compiled, path)
        if name:
            name = names.setdefault(name.casefold(), name)
            counts[name] += 1
            digits = [int(text) for kind, text in _pieces(path) if kind == "number" and len(text) < 10]
            numbers[name] += digits[-1:]
    if not _could_be_classes(counts, len(paths)):
        return None
    ranges = {name: (min(found), max(found)) for name, found in numbers.items() if found}
    return NamePattern(pattern, counts, ranges, len(paths) - counts.total())


def _could_be_classes(counts: Counter[str], images: int) -> bool:
    again = {name: count for name, count in counts.items() if count > 1}
    few = len(counts) <= min(_MOST_CLASSES, images / _IMAGES_A_CLASS)
    enough = sum(again.values()) >= _LEAST_SHARE * images
    return len(again) > 1 and few and enough and not any(map(_is_no_class, counts))


def _is_no_class(name: str) -> bool:
    """Whether a word is for pictures, splits, places or times, or one letter, as codes have it."""
    words = [word for word in re.split(r"[-_ ]+", name.casefold()) if word]
    if words[0] in _BEGINNINGS or all(
        word in _NO_CLASSES or (len(word) == 1 and word.isascii()) for word in words
    ):
        return True
    whole = "".join(words)
    return len(whole) > len("cam") and whole[-1:].isascii() and whole[:-1] in _PLACE_WORDS
