"""The labelling configuration of a Label Studio project, made from the recipe's classes.

Label Studio shows a label's `value` and writes its `alias` into results. Every label has one, the class's
name: a label whose text is changed in the server still yields the class. Where a class was renamed in the
recipe after a project was made, its label is shown by the new name there, and results go on saying the old.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tundish.errors import OutsideError, UsageError
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.xmlfile import parse_xml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["CONTROLS", "IMAGE", "SEVERITY", "ClassNames", "Control", "LabelConfig", "Shape", "read_config"]

Shape = Literal["box", "polygon", "mask", "class"]
"""As the annotations table calls them."""

ClassNames: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""What results call a class where it is not the class's name: by control, by class."""

IMAGE = "image"
"""Name of the picture, and of the task's field that holds its address."""

SEVERITY = "severity"
"""Name of the control that says how bad the image is as a whole."""

CONTROLS: dict[Shape, str] = {"box": "box", "polygon": "polygon", "mask": "brush", "class": "choice"}
"""Name of the control that draws a shape."""

_TAGS: dict[str, tuple[str, dict[str, str]]] = {
    "box": ("RectangleLabels", {"canRotate": "true", "strokeWidth": "2", "opacity": "0.2"}),
    "polygon": ("PolygonLabels", {"strokeWidth": "2", "pointSize": "small", "opacity": "0.2"}),
    "brush": ("BrushLabels", {}),
    "choice": ("Choices", {"choice": "multiple", "showInline": "true"}),
    SEVERITY: ("Choices", {"choice": "single-radio", "showInline": "true"}),
}
_PICTURE = {"zoom": "true", "zoomControl": "true", "brightnessControl": "true", "contrastControl": "true"}
_TOLD = "font-size: 14px; font-weight: normal; line-height: 1.4; white-space: pre-line"
_HEADERS = {"choice": "Whole image", SEVERITY: "Severity"}
_TOOLS = {"box": "Box", "polygon": "Polygon", "brush": "Brush"}
"""Headers that are needed where there is more than one: their buttons look the same."""
_ITEMS = {"Choices": "Choice"}

_KEYS = "1234567890qtasdfgzxcyijln"
"""Keys the editor does not use for itself, in the order in which it would deal them."""

_GOLDEN = 0.6180339887498949

_BOXES: tuple[Shape, ...] = ("box",)


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a labelling configuration: its tag, and the labels it offers.

    `labels` maps what results say (the alias, or the text where there is none) to the text shown, in order.
    """

    tag: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """What a project should offer.

    Args:
        classes: The recipe's classes with their aliases, which are shown where the mouse rests on a label.
        shapes: What can be drawn.
        severities: How bad an image can be; none means it is not asked.
        told: Lines above the picture: a text, or the name of a field of the task after a '$'.

    Raises:
        UsageError: There is nothing to label with, or a name cannot stand in a configuration.
    """

    classes: Mapping[str, Sequence[str]]
    shapes: Collection[Shape] = _BOXES
    severities: Sequence[str] = ()
    told: Sequence[str] = ()

    def __post_init__(self) -> None:
        if (self.shapes and not self.classes) or not (self.shapes or self.severities):
            raise UsageError("there is nothing to label with", fix="name classes in the recipe, and a shape")
        _check_names([*self.classes, *self.severities])

    def xml(self, names: ClassNames | None = None) -> str:
        """The configuration as Label Studio takes it; equal input gives equal text.

        Colours go by the place of a class, so that a class added at the end changes no other.

        Args:
            names: What results call classes in a project that knows them by other names.
        """
        controls = [name for shape, name in CONTROLS.items() if shape in self.shapes]
        view = Element("View")
        for line in self.told:
            SubElement(view, "Header", {"value": line, "size": "6", "style": _TOLD})
        SubElement(view, "Image", {"name": IMAGE, "value": f"${IMAGE}", **_PICTURE})
        keys = iter(_KEYS)
        headers = _HEADERS | (_TOOLS if len(_TOOLS.keys() & set(controls)) > 1 else {})
        known = names or {}
        for name in controls:
            _add_control(view, name, self.classes, keys, headers.get(name), known.get(name, {}))
        if self.severities:
            asked = dict.fromkeys(self.severities, ())
            _add_control(view, SEVERITY, asked, keys, _HEADERS[SEVERITY], {})
        indent(view)
        return tostring(view, encoding="unicode")  # without a last line break, as the server keeps it


def read_config(xml: str) -> dict[str, Control]:
    """The controls of a configuration by name, whoever wrote it.

    Raises:
        OutsideError: The text is no XML.
    """
    try:
        root, _ = parse_xml(xml.encode("utf-8"))
    except Fault as fault:
        raise OutsideError(
            f"the labelling configuration cannot be read: {fault.message}",
            fix="set it again in the project's settings, or push into a new project",
        ) from fault
    controls = {}
    for tag in root.iter():
        if tag.get("name") and tag.get("toName"):
            items = [item for item in tag.iter() if item.tag in ("Label", "Choice")]
            texts = [
                (item.get("alias") or item.get("value") or "", item.get("value") or "") for item in items
            ]
            controls[tag.get("name", "")] = Control(tag.tag, dict(texts))
    return controls


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        # Label Studio takes a text that begins so for the name of a field of the task.
        if name.startswith("$"):
            raise UsageError(f"'{name}' cannot be a label: it begins with '$'", fix="call it something else")
        if not name.strip() or not name.isprintable():
            raise UsageError(
                f"{name!r} cannot be a label: it cannot be printed", fix="call it something else"
            )


def _add_control(
    view: Element,
    name: str,
    labels: Mapping[str, Sequence[str]],
    keys: Iterator[str],
    header: str | None,
    names: Mapping[str, str],
) -> None:
    tag, attributes = _TAGS[name]
    if header is not None:
        SubElement(view, "Header", {"value": header, "size": "5"})
    control = SubElement(view, tag, {"name": name, "toName": IMAGE, **attributes})
    for place, (label, aliases) in enumerate(labels.items()):
        item = SubElement(
            control, _ITEMS.get(tag, "Label"), {"value": label, "alias": names.get(label, label)}
        )
        if tag != "Choices":
            item.set("background", _colour(place))
        if aliases:
            item.set("hint", ", ".join(aliases))
        key = next(keys, None)
        if key is not None:
            item.set("hotkey", key)


def _colour(place: int) -> str:
    """Hues a golden section apart: however many there are, neighbours differ most."""
    red, green, blue = colorsys.hls_to_rgb(place * _GOLDEN % 1, 0.35 if place % 2 else 0.45, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
