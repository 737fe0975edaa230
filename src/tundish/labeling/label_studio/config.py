"""The labelling configuration of a Label Studio project, made from the recipe's classes.

Label Studio shows a label's `value` and writes its `alias` into results. Every label has the class's name as
its alias, so that a label whose text was changed in the server still yields the class. Where a class was
renamed in the recipe after its project was made, the project shows the new name and results keep the old one.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tundish.errors import OutsideError, UsageError
from tundish.formats.label_studio.controls import CONTROLS, IMAGE, SEVERITY
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.xmlfile import parse_xml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tundish.formats.label_studio.controls import Shape

__all__ = ["ClassNames", "Control", "LabelConfig", "read_config"]

ClassNames: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""The name that results use for a class, where it is not the class's own: by control, then by class."""

_TAGS: dict[str, tuple[str, dict[str, str]]] = {
    "box": ("RectangleLabels", {"canRotate": "true", "strokeWidth": "2", "opacity": "0.2"}),
    "polygon": ("PolygonLabels", {"strokeWidth": "2", "pointSize": "small", "opacity": "0.2"}),
    "brush": ("BrushLabels", {}),
    "choice": ("Choices", {"choice": "multiple", "showInline": "true"}),
    SEVERITY: ("Choices", {"choice": "single-radio", "showInline": "true"}),
}
_PICTURE = {"zoom": "true", "zoomControl": "true", "brightnessControl": "true", "contrastControl": "true"}
_HEADER_STYLE = "font-size: 14px; font-weight: normal; line-height: 1.4; white-space: pre-line"
_HEADERS = {"choice": "Whole image", SEVERITY: "Severity"}
_TOOLS = {"box": "Box", "polygon": "Polygon", "brush": "Brush"}
"""Headers of the drawing controls, needed where there are several: their buttons look the same."""
_ITEMS = {"Choices": "Choice"}

_KEYS = "1234567890qtasdfgzxcyijln"
"""Keys that the editor does not use itself, in the order in which it would assign them."""

_GOLDEN = 0.6180339887498949

_BOXES: tuple[Shape, ...] = ("box",)


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a labelling configuration.

    Attributes:
        tag: The XML tag, such as RectangleLabels.
        labels: The labels it offers, in order: from the name in results (the alias, or the text where there
            is no alias) to the text shown.
    """

    tag: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """What a project should offer to annotators.

    Args:
        classes: The recipe's classes with their aliases, which show when the mouse rests on a label.
        shapes: The shapes that can be drawn.
        severities: The severities of an image, from the least to the worst; none omits the question.
        headers: Lines of text above the picture; `$name` shows that field of the task.

    Raises:
        UsageError: There are no classes, shapes or severities, or a name cannot be a label.
    """

    classes: Mapping[str, Sequence[str]]
    shapes: Collection[Shape] = _BOXES
    severities: Sequence[str] = ()
    headers: Sequence[str] = ()

    def __post_init__(self) -> None:
        if (self.shapes and not self.classes) or not (self.shapes or self.severities):
            raise UsageError(
                "the project has no labels to offer", fix="name classes and a shape in the recipe"
            )
        _check_names([*self.classes, *self.severities])

    def xml(self, names: ClassNames | None = None) -> str:
        """Write the configuration as Label Studio's XML; equal input gives equal text.

        A class's colour follows from its position, so that a class added at the end changes no other colour.

        Args:
            names: The names that results use, in a project that knows classes by other names.
        """
        controls = [name for shape, name in CONTROLS.items() if shape in self.shapes]
        view = Element("View")
        for line in self.headers:
            SubElement(view, "Header", {"value": line, "size": "6", "style": _HEADER_STYLE})
        SubElement(view, "Image", {"name": IMAGE, "value": f"${IMAGE}", **_PICTURE})
        keys = iter(_KEYS)
        headers = _HEADERS | (_TOOLS if len(_TOOLS.keys() & set(controls)) > 1 else {})
        known = names or {}
        for name in controls:
            _add_control(view, name, self.classes, keys, headers.get(name), known.get(name, {}))
        if self.severities:
            severities = dict.fromkeys(self.severities, ())
            _add_control(view, SEVERITY, severities, keys, _HEADERS[SEVERITY], {})
        indent(view)
        return tostring(view, encoding="unicode")  # without a final line break, as the server stores it


def read_config(xml: str) -> dict[str, Control]:
    """Read the controls of a configuration, whoever wrote it.

    Args:
        xml: The configuration as the server has it.

    Returns:
        The controls by name.

    Raises:
        OutsideError: The text is not valid XML.
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
        # Label Studio reads a text that begins with '$' as the name of a field of the task.
        if name.startswith("$"):
            raise UsageError(f"'{name}' cannot be a label: it begins with '$'", fix="choose another name")
        if not name.strip() or not name.isprintable():
            raise UsageError(
                f"{name!r} cannot be a label: it is blank or has characters that cannot be printed",
                fix="choose another name",
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
    """The colour for a position: hues lie a golden section apart, so that neighbours differ clearly."""
    red, green, blue = colorsys.hls_to_rgb(place * _GOLDEN % 1, 0.35 if place % 2 else 0.45, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
