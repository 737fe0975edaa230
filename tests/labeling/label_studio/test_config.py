from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from defusedxml.ElementTree import fromstring
from label_studio_sdk.label_interface.interface import LabelInterface

from tundish.errors import OutsideError, UsageError
from tundish.formats.label_studio.controls import CONTROLS, Shape
from tundish.formats.reading.xmlfile import parse_xml
from tundish.labeling.label_studio.config import LabelConfig, read_config

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CLASSES = {"scratch": ("划伤", "scratches"), "龟裂": (), 'a<b & "c"': ("d'e",)}
ALL = tuple(CONTROLS)


def items(xml: str, control: str) -> list[Element]:
    root: Element = fromstring(xml)
    return [item for tag in root if tag.get("name") == control for item in tag]


def test_all_controls_with_fixed_names() -> None:
    controls = read_config(LabelConfig(CLASSES, ALL, ("minor", "重")).xml())
    assert {name: control.tag for name, control in controls.items()} == {
        "box": "RectangleLabels",
        "polygon": "PolygonLabels",
        "brush": "BrushLabels",
        "choice": "Choices",
        "severity": "Choices",
    }
    for name in ("box", "polygon", "brush", "choice"):
        assert list(controls[name].labels) == list(CLASSES)
    assert list(controls["severity"].labels) == ["minor", "重"]


def test_only_the_shapes_asked_for() -> None:
    assert list(read_config(LabelConfig(CLASSES).xml())) == ["box"]
    assert list(read_config(LabelConfig(CLASSES, ["class", "mask"]).xml())) == ["brush", "choice"]
    assert list(read_config(LabelConfig({}, [], ["bad"]).xml())) == ["severity"]


def test_buttons_say_what_they_draw_where_they_look_the_same() -> None:
    def headers(*shapes: Shape) -> list[str | None]:
        return [one.get("value") for one in fromstring(LabelConfig(CLASSES, shapes).xml()).iter("Header")]

    assert headers("box") == []
    assert headers("box", "class") == ["Whole image"]
    assert headers("box", "mask") == ["Box", "Brush"]


def test_boxes_can_be_turned() -> None:
    assert 'canRotate="true"' in LabelConfig(CLASSES).xml()


def test_the_sdk_reads_it() -> None:
    interface: Any = LabelInterface(LabelConfig(CLASSES, ALL, ("minor",)).xml())
    interface.validate()
    assert set(interface.get_control("box").labels) == set(CLASSES)


def test_aliases_are_shown_and_names_are_what_results_say() -> None:
    first = items(LabelConfig(CLASSES).xml(), "box")[0]
    assert (first.get("value"), first.get("alias"), first.get("hint")) == (
        "scratch",
        "scratch",
        "划伤, scratches",
    )


def test_a_class_is_shown_by_its_name_and_called_as_the_project_calls_it() -> None:
    config = LabelConfig(CLASSES, ("box", "class"))
    renamed = config.xml({"box": {"scratch": "scratches"}})
    assert [(one.get("value"), one.get("alias")) for one in items(renamed, "box")] == [
        ("scratch", "scratches"),
        ("龟裂", "龟裂"),
        ('a<b & "c"', 'a<b & "c"'),
    ]
    assert config.xml({"box": {"scratch": "scratch"}}) == config.xml({}) == config.xml()


def test_equal_input_gives_equal_text() -> None:
    assert (
        LabelConfig(CLASSES, {"mask", "box", "polygon"}).xml()
        == LabelConfig(CLASSES, ["polygon", "mask", "box"]).xml()
    )


def test_colours_go_by_the_place_of_a_class() -> None:
    few = [item.get("background") for item in items(LabelConfig(CLASSES, ALL).xml(), "box")]
    more = LabelConfig(CLASSES | dict.fromkeys(map(str, range(40)), ()), ALL).xml()
    many = [item.get("background") for item in items(more, "box")]
    assert many[:3] == few
    assert many == [item.get("background") for item in items(more, "brush")]
    assert len(set(many)) == len(many)


def test_no_key_is_assigned_twice_nor_one_of_the_editor() -> None:
    config = LabelConfig(dict.fromkeys("abcdefghij", ()), ALL, ("x", "y")).xml()
    keys = [item.get("hotkey") for tag in fromstring(config) for item in tag if item.get("hotkey")]
    assert keys[:11] == list("1234567890q")
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set("behkmoprvwu")


@pytest.mark.parametrize("name", ["$image", "", " ", "a\nb", "a\x00b"])
def test_names_that_cannot_be_labels(name: str) -> None:
    with pytest.raises(UsageError):
        LabelConfig({name: ()})


@pytest.mark.parametrize(("classes", "shapes"), [({}, ["box"]), ({"a": ()}, [])])
def test_nothing_to_label_with(classes: dict[str, tuple[str, ...]], shapes: list[Shape]) -> None:
    with pytest.raises(UsageError, match="no labels to offer"):
        LabelConfig(classes, shapes)


@pytest.mark.parametrize("text", ["", "<View>", '<!DOCTYPE x [<!ENTITY e "x">]><View>&e;</View>'])
def test_what_is_not_a_configuration(text: str) -> None:
    with pytest.raises(OutsideError, match="cannot be read"):
        read_config(text)


def test_lines_above_the_picture__a_text_or_a_field_of_the_task() -> None:
    config = LabelConfig({"scratch": ()}, headers=("Keep one.", "$why")).xml()
    view = parse_xml(config.encode())[0]
    assert [(one.tag, one.get("value")) for one in view][:3] == [
        ("Header", "Keep one."),
        ("Header", "$why"),
        ("Image", "$image"),
    ]
