"""VIA, the VGG Image Annotator 1 and 2: a JSON project or export, or a CSV with JSON in its cells.

Rectangles, polygons, circles and ellipses (as polygons of 72 vertices) are read; points and lines are
reported. The class is one of the attributes of a region. The option ``attribute`` says which; without it, and
in `tundish add`, it is the one that most regions have filled in.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tundish.formats.base import Format, suffix_of
from tundish.formats.reading.fault import Fault, shown
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_named
from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import decode_text
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, name_of
from tundish.formats.tools.shapes import Drawn, box_between, ellipse, number, numbers, polygon, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas

__all__ = ["FORMAT"]

_READS = frozenset({"rect", "polygon", "circle", "ellipse"})

_USUAL = ("class", "label", "name", "category", "type", "object")
"""Attributes preferred where as many regions have them filled in."""


@dataclass
class _Listed:
    """An image as a file lists it: its regions with their rows, and what is filled in for the whole image."""

    regions: list[tuple[int, object]] = field(default_factory=list)
    flags: dict[str, object] = field(default_factory=dict)


_Images = dict[str, _Listed]
"""The images of a file by their names, in its order."""


def _pages(file: File) -> list[Page]:
    table = suffix_of(file.path) == ".csv"
    images = _of_table(file.data) if table else _of_json(file.data)
    attribute = file.options.extra.get("attribute") or _attribute(
        region for listed in images.values() for _, region in listed.regions
    )
    return [_page(file, name, listed, attribute) for name, listed in images.items()]


def _page(file: File, name: str, listed: _Listed, attribute: str) -> Page:
    items = [
        Item(row, (region, attribute), _kind(region), _value(region, attribute))
        for row, region in listed.regions
    ]
    image = find_named(file.catalog, file.path, name)
    if not listed.flags:
        return Page(name, image, items)
    filled = ", ".join(f"{key} {shown(value)[:40]}" for key, value in listed.flags.items())
    message = f"attributes of the whole image are not read as labels: {filled[:120]}"
    fault = Fault("image_flags", message, "file_attributes", filled)
    return (
        Page(name, image, items, notes=[fault]) if items else Page(name, image, items, lost=[(None, fault)])
    )


def _of_json(data: bytes) -> _Images:
    content = parse_json(data)
    if isinstance(content, dict) and "_via_img_metadata" in content:
        content = content["_via_img_metadata"]
    entries = list(content.values()) if isinstance(content, dict) else []
    if not any(isinstance(entry, dict) and {"filename", "regions"} <= entry.keys() for entry in entries):
        raise Fault("not_via", "a VIA file lists images, each with its 'filename' and its 'regions'")
    found: _Images = {}
    row = 0
    for entry in entries:
        name = entry.get("filename") if isinstance(entry, dict) else None
        listed = found.setdefault(name if isinstance(name, str) else "", _Listed())
        listed.flags |= _flags(entry.get("file_attributes") if isinstance(entry, dict) else None)
        regions = entry.get("regions") if isinstance(entry, dict) else entry
        if isinstance(regions, dict):  # VIA 1 numbers them
            regions = list(regions.values())
        for region in regions if isinstance(regions, list) else [regions]:
            listed.regions.append((row, region))
            row += 1
    return found


def _of_table(data: bytes) -> _Images:
    found: _Images = {}
    try:
        reader = csv.DictReader(io.StringIO(decode_text(data)[0], newline=""))
        names = [(column or "").lstrip("#").strip() for column in reader.fieldnames or ()]
        if not {"filename", "region_shape_attributes", "region_attributes"} <= set(names):
            message = "a VIA table has the columns filename, region_shape_attributes and region_attributes"
            raise Fault("not_via", message)
        reader.fieldnames = names
        for number_, row in enumerate(reader):
            listed = found.setdefault(row["filename"] or "", _Listed())
            listed.flags |= _flags(_cell(row.get("file_attributes")))
            shape = _cell(row["region_shape_attributes"])
            if shape != {} or (row.get("region_count") or "0").strip() not in ("0", ""):
                attributes = _cell(row["region_attributes"])
                listed.regions.append((number_, {"shape_attributes": shape, "region_attributes": attributes}))
    except csv.Error as error:
        raise Fault("broken_file", f"not readable as CSV: {error}") from error
    return found


def _flags(attributes: object) -> dict[str, object]:
    """What is filled in for a whole image."""
    if not isinstance(attributes, dict):
        return {}
    return {name: value for name, value in attributes.items() if value not in ("", None, False, {}, [])}


def _cell(text: str | None) -> object:
    """The JSON of a cell; text that is none is given back as it is, and refused where it is used."""
    try:
        return parse_json((text or "{}").encode())
    except (Fault, UnicodeEncodeError):
        return text


def _part(region: object, key: str) -> dict[str, Any]:
    part = region.get(key) if isinstance(region, dict) else None
    return part if isinstance(part, dict) else {}


def _kind(region: object) -> str:
    kind = _part(region, "shape_attributes").get("name")
    return kind[:40] if isinstance(kind, str) else "region"


def _value(region: object, attribute: str) -> object:
    """What a region says in an attribute: the text, the one ticked box, or a list of several."""
    value = _part(region, "region_attributes").get(attribute)
    if isinstance(value, dict):
        ticked = [name for name, state in value.items() if state is True]
        return ticked[0] if len(ticked) == 1 else ticked or None
    return value


def _filled(regions: Iterable[object]) -> tuple[Counter[str], dict[str, set[str]]]:
    """How many regions have each attribute filled in, and with what."""
    counts: Counter[str] = Counter()
    values: dict[str, set[str]] = defaultdict(set)
    for region in regions:
        for name in _part(region, "region_attributes"):
            value = _value(region, name)
            if isinstance(value, str) and value.strip():
                counts[name] += 1
                values[name].add(value)
    return counts, values


def _attribute(regions: Iterable[object]) -> str:
    counts, values = _filled(regions)
    order = {name: number_ for number_, name in enumerate(_USUAL)}

    def rank(name: str) -> tuple[int, int, int, str]:
        return -counts[name], order.get(name.lower(), len(order)), len(values[name]), name

    return min(counts, key=rank, default="")


def _draw(entry: Any, canvas: Canvas) -> Drawing:  # noqa: ARG001
    region, attribute = entry
    if not isinstance(region, dict):
        raise Fault(
            "wrong_type", f"the region is not an object but {type(region).__name__}", "regions", region
        )
    shape = region.get("shape_attributes")
    if not isinstance(shape, dict):
        raise Fault("missing_box", "the region has no shape_attributes", "shape_attributes", shape)
    value = _value(region, attribute)
    if isinstance(value, list):
        message = f"'{attribute}' names {len(value)} classes"
        raise Fault("ambiguous_class", message, attribute, ", ".join(map(str, value)))
    name = name_of(value, f"region_attributes.{attribute}")
    others = {key: value for key, value in _part(region, "region_attributes").items() if key != attribute}
    return Drawing(name, _drawn(shape), others)


def _drawn(shape: dict[str, Any]) -> Drawn:
    kind = shape.get("name")
    if kind == "rect":
        x, y, width, height = numbers(shape, "x", "y", "width", "height")
        if width < 0 or height < 0:
            raise Fault("negative_size", "the size of the box is negative", "shape_attributes", shape)
        box_between((x, y), (x + width, y + height))  # refuses what does not add up
        return Drawn("box", (x, y, width, height))
    if kind == "polygon":
        xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
        if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
            raise Fault("broken_polygon", "the lists of x and y are not of one length", "all_points_x", xs)
        pairs = zip(xs, ys, strict=True)
        return polygon([(number(x, "all_points_x"), number(y, "all_points_y")) for x, y in pairs])
    if kind == "circle":
        x, y, radius = numbers(shape, "cx", "cy", "r")
        return ellipse((x, y), (radius, radius))
    if kind == "ellipse":
        x, y, across, down = numbers(shape, "cx", "cy", "rx", "ry")
        return ellipse((x, y), (across, down), number(shape.get("theta", 0), "theta"))
    raise unsupported(kind)


def _settle(pages: list[Page]) -> tuple[dict[str, str], list[str]]:
    regions = [item.entry[0] for page in pages for item in page.items]
    attribute = _attribute(regions)
    if not attribute:
        return {}, ["no region has an attribute that could be its class"] if regions else []
    counts, values = _filled(regions)
    others = ", ".join(
        f"'{shown(name)[:40]}' {count}" for name, count in counts.most_common() if name != attribute
    )
    fact = (
        f"the class is in the attribute '{attribute}', which {counts[attribute]} of"
        f" {counted(len(regions), 'region')} have, with {counted(len(values[attribute]), 'value')}"
    )
    return {"attribute": attribute}, [f"{fact} (others: {others})" if others else fact]


FORMAT = Format(
    "via",
    "VIA (VGG Image Annotator) JSON and CSV: rectangles, polygons, circles, ellipses",
    reader=Tool("VIA", (".json", ".csv"), (b"region", b"filename"), _pages, _draw, _READS, settle=_settle),
    options=FILES | {"attribute": "the attribute of a region that names its class"},
    evidence="JSON or CSV with regions of files; the attribute that most regions fill in",
    reads="rectangles, polygons, circles, ellipses",
    reports="points and polylines, regions without the attribute",
)
