from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from defusedxml.ElementTree import fromstring
from label_studio_sdk.label_interface.interface import LabelInterface

from tundish.errors import OutsideError, UsageError
from tundish.formats.xmlfile import parse_xml
from tundish.labeling.config import CONTROLS, Shape, differences, label_config, read_config

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

CLASSES = {"scratch": ("划伤", "scratches"), "龟裂": (), 'a<b & "c"': ("d'e",)}
ALL = tuple(CONTROLS)


def items(xml: str, control: str) -> list[Element]:
    root: Element = fromstring(xml)
    return [item for tag in root if tag.get("name") == control for item in tag]


def test_all_controls_with_fixed_names() -> None:
    controls = read_config(label_config(CLASSES, ALL, ("minor", "重")))
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
    assert list(read_config(label_config(CLASSES))) == ["box"]
    assert list(read_config(label_config(CLASSES, ["class", "mask"]))) == ["brush", "choice"]
    assert list(read_config(label_config({}, [], ["bad"]))) == ["severity"]


def test_buttons_say_what_they_draw_where_they_look_the_same() -> None:
    def headers(*shapes: Shape) -> list[str | None]:
        return [one.get("value") for one in fromstring(label_config(CLASSES, shapes)).iter("Header")]

    assert headers("box") == []
    assert headers("box", "class") == ["Whole image"]
    assert headers("box", "mask") == ["Box", "Brush"]


def test_boxes_can_be_turned() -> None:
    assert 'canRotate="true"' in label_config(CLASSES)


def test_the_sdk_reads_it() -> None:
    interface: Any = LabelInterface(label_config(CLASSES, ALL, ("minor",)))
    interface.validate()
    assert set(interface.get_control("box").labels) == set(CLASSES)


def test_aliases_are_shown_and_names_are_what_results_say() -> None:
    first = items(label_config(CLASSES), "box")[0]
    assert (first.get("value"), first.get("alias"), first.get("hint")) == (
        "scratch",
        "scratch",
        "划伤, scratches",
    )


def test_equal_input_gives_equal_text() -> None:
    assert label_config(CLASSES, {"mask", "box", "polygon"}) == label_config(
        CLASSES, ["polygon", "mask", "box"]
    )


def test_colours_go_by_the_place_of_a_class() -> None:
    few = [item.get("background") for item in items(label_config(CLASSES, ALL), "box")]
    more = label_config(CLASSES | dict.fromkeys(map(str, range(40)), ()), ALL)
    many = [item.get("background") for item in items(more, "box")]
    assert many[:3] == few
    assert many == [item.get("background") for item in items(more, "brush")]
    assert len(set(many)) == len(many)


def test_no_key_is_dealt_twice_nor_one_of_the_editor() -> None:
    config = label_config(dict.fromkeys("abcdefghij", ()), ALL, ("x", "y"))
    keys = [item.get("hotkey") for tag in fromstring(config) for item in tag if item.get("hotkey")]
    assert keys[:11] == list("1234567890q")
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set("behkmoprvwu")


@pytest.mark.parametrize("name", ["$image", "", " ", "a\nb", "a\x00b"])
def test_names_that_cannot_stand_there(name: str) -> None:
    with pytest.raises(UsageError):
        label_config({name: ()})


@pytest.mark.parametrize(("classes", "shapes"), [({}, ["box"]), ({"a": ()}, [])])
def test_nothing_to_label_with(classes: dict[str, tuple[str, ...]], shapes: list[Shape]) -> None:
    with pytest.raises(UsageError, match="nothing to label with"):
        label_config(classes, shapes)


def test_no_difference() -> None:
    config = label_config(CLASSES, ALL, ("minor",))
    assert differences(config, config) == []
    assert differences(label_config(CLASSES), config) == []


def test_a_label_shown_by_another_name_still_yields_its_class() -> None:
    config = label_config(CLASSES)
    found = config.replace('value="scratch" alias="scratch"', 'value="Kratzer" alias="scratch"')
    (told,) = differences(config, found)
    assert (told.control, told.label, told.now, told.breaking) == ("box", "scratch", "Kratzer", False)


def test_a_label_renamed_altogether_is_told_with_what_stands_in_its_place() -> None:
    config = label_config(CLASSES)
    found = config.replace('value="龟裂" alias="龟裂"', 'value="裂纹"')
    (told,) = differences(config, found)
    assert (told.control, told.label, told.now, told.breaking) == ("box", "龟裂", "裂纹", True)
    assert "'龟裂'" in told.message
    assert "'裂纹'" in told.message


def test_labels_and_controls_that_are_gone() -> None:
    config = label_config(CLASSES, ["box", "mask"])
    told = differences(config, label_config({"scratch": ()}))
    assert [(one.control, one.label, one.breaking) for one in told] == [
        ("box", "龟裂", True),
        ("box", 'a<b & "c"', True),
        ("brush", None, True),
    ]
    other = config.replace("BrushLabels", "EllipseLabels")
    assert [(one.control, one.now) for one in differences(config, other)] == [("brush", "EllipseLabels")]


@pytest.mark.parametrize("text", ["", "<View>", '<!DOCTYPE x [<!ENTITY e "x">]><View>&e;</View>'])
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(OutsideError, match="cannot be read"):
        read_config(text)


def test_lines_above_the_picture__a_text_or_a_field_of_the_task() -> None:
    config = label_config({"scratch": ()}, told=("Keep one.", "$why"))
    view = parse_xml(config.encode())[0]
    assert [(one.tag, one.get("value")) for one in view][:3] == [
        ("Header", "Keep one."),
        ("Header", "$why"),
        ("Image", "$image"),
    ]
    assert differences(config, label_config({"scratch": ()})) == []
