"""JSON, YAML and XML: whether what is nested in them draws something, or says something of pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from tundish.formats.base import IMAGE_SUFFIXES, suffix_of
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.text import decode_text, real
from tundish.formats.reading.xmlfile import parse_xml
from tundish.formats.unread.suspect import Suspect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

__all__ = ["is_plain", "judge_json", "judge_json_lines", "judge_xml", "judge_yaml"]

_LARGEST = 16 << 20
"""Bytes up to which a file is parsed; of a larger one the beginning is searched for words."""

_SEARCHED = 1 << 20
_MOST_NODES = 200_000
_LINES = 200

_DRAWN = frozenset(
    [
        "bbox",
        "box",
        "boxes",
        "bndbox",
        "bounding_box",
        "boundingbox",
        "bounding_boxes",
        "polygon",
        "polygons",
        "polyline",
        "points",
        "shapes",
        "segmentation",
        "segments",
        "rle",
        "counts",
        "keypoints",
        "xmin",
        "x_min",
        "xtl",
        "contour",
        "contours",
        "coordinates",
        "exterior",
        "all_points_x",
        "rect",
        "rectangle",
        "rectangles",
        "mask",
        "masks",
        "annotations",
        "objects",
        "regions",
        "instances",
        "defects",
        "result",
    ]
)
"""Names of what is drawn, or of a list of it."""

_SIDES = frozenset({"xmin", "x_min", "xtl"})
"""Those of them that hold one number."""

_PLAIN = frozenset(
    [
        "id",
        "image_id",
        "name",
        "file_name",
        "filename",
        "image",
        "images",
        "file",
        "files",
        "path",
        "url",
        "coco_url",
        "flickr_url",
        "license",
        "width",
        "height",
        "size",
        "channels",
        "depth",
        "mode",
        "format",
        "date_captured",
        "date",
        "time",
        "timestamp",
        "camera",
        "exposure",
        "gain",
        "split",
        "set",
        "subset",
        "sha256",
        "md5",
        "hash",
        "bytes",
        "source",
        "orientation",
        "parent_id",
        "group_id",
    ]
)
"""What is said of a picture beside labels: a list of pictures has it too."""

_WORDS = re.compile(rb"[\"'<\s](" + "|".join(sorted(_DRAWN)).encode() + rb")[\"'>\s]", re.IGNORECASE)


def is_plain(name: str) -> bool:
    """Whether a key or a column says of a picture what lists of pictures say too."""
    return name.lower() in _PLAIN


def judge_json(data: bytes) -> Suspect | None:
    """Whether a JSON file may be labels."""
    if len(data) > _LARGEST:
        return _by_words("JSON", data)
    try:
        content = parse_json(data)
    except Fault:
        return Suspect("JSON", "it cannot be read as JSON") if data.strip() else None
    return _judge("JSON", content)


def judge_json_lines(data: bytes) -> Suspect | None:
    """Whether a file of JSON values, one on each line, may be labels."""
    lines = [line for line in data[:_LARGEST].splitlines() if line.strip()][:_LINES]
    try:
        return _judge("JSON", [orjson.loads(line) for line in lines])
    except orjson.JSONDecodeError:
        return Suspect("JSON", "it cannot be read as JSON, line by line")


def judge_yaml(data: bytes) -> Suspect | None:
    """Whether a YAML file may be labels; most are settings."""
    if len(data) > _SEARCHED:
        return _by_words("YAML", data)
    try:
        # The loader that makes texts, lists and dictionaries only; not that in C, which deep nesting crashes.
        content = yaml.load(decode_text(data)[0], Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        return Suspect("YAML", "it cannot be read as YAML")
    return _judge("YAML", content)


def judge_xml(data: bytes) -> Suspect | None:
    """Whether an XML file may be labels."""
    if len(data) > _LARGEST:
        return _by_words("XML", data)
    try:
        root, _ = parse_xml(data)
    except Fault:
        return Suspect("XML", "it cannot be read as XML") if data.strip() else None
    drawn = next((tag for tag in map(_tag, root.iter()) if tag.lower() in _DRAWN), None)
    if drawn is not None:
        return Suspect("XML", f"no format reads it, and it has <{_shown(drawn)}>")
    if any(suffix_of(text) in IMAGE_SUFFIXES for element in root.iter() for text in _texts(element)):
        return Suspect("XML", "no format reads it, and it names pictures")
    return Suspect("XML", "it has the name of a picture, and no format reads it", beside=True)


def _judge(kind: str, content: Any) -> Suspect | None:
    """Whether parsed content may be labels: what it draws, then what it says of pictures."""
    if content in (None, "", [], {}):
        return None
    of_pictures = False
    for node in _dictionaries(content):
        drawn = next((key for key in node if _is_drawn(str(key).lower(), node[key])), None)
        if drawn is not None:
            return Suspect(kind, f"no format reads it, and it has '{_shown(drawn)}'")
        of_pictures = of_pictures or _says_of_pictures(node)
    if of_pictures:
        return Suspect(kind, "no format reads it, and it says something of pictures that it names")
    return Suspect(kind, "it has the name of a picture, and no format reads it", beside=True)


def _dictionaries(content: Any) -> Iterator[dict[Any, Any]]:
    """The dictionaries in a content, those outside first; up to `_MOST_NODES` values are looked at."""
    waiting, seen = [content], 0
    while waiting and seen < _MOST_NODES:
        nested: list[Any] = []
        for node in waiting:
            seen += 1
            if isinstance(node, dict):
                yield node
                nested += node.values()
            elif isinstance(node, list):
                nested += node[: _MOST_NODES - seen]
        waiting = [node for node in nested if isinstance(node, (dict, list))]


def _is_drawn(name: str, value: object) -> bool:
    """Whether a value may be what is drawn: numbers, or a list or dictionary with more than names in it."""
    if name not in _DRAWN:
        return False
    if isinstance(value, dict):
        return bool(value)
    if isinstance(value, list):
        return any(isinstance(one, (dict, list)) or real(one) is not None for one in value)
    if name in _SIDES:
        return real(value) is not None
    numbers = re.split(r"[\s,;]+", value.strip()) if isinstance(value, str) else []
    return len(numbers) > 3 and all(real(one) is not None for one in numbers)


def _says_of_pictures(node: dict[Any, Any]) -> bool:
    """Whether a dictionary names a picture and says of it what lists of pictures do not."""
    if any(suffix_of(str(key)) in IMAGE_SUFFIXES and node[key] not in (None, "", [], {}) for key in node):
        return True
    names = any(isinstance(value, str) and suffix_of(value) in IMAGE_SUFFIXES for value in node.values())
    return names and not all(is_plain(str(key)) for key in node)


def _by_words(kind: str, data: bytes) -> Suspect | None:
    found = _WORDS.search(data[:_SEARCHED])
    if found:
        return Suspect(kind, f"no format reads it, and it has '{found[1].decode()}'")
    return Suspect(kind, f"it is large ({len(data) >> 20} MB), and no format reads it")


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _texts(element: Element) -> Iterator[str]:
    yield (element.text or "").strip()
    yield from element.attrib.values()


def _shown(name: object) -> str:
    return str(name)[:30]
