from __future__ import annotations

import pytest

from tundish.errors import OutsideError
from tundish.formats.label_studio.controls import CONTROLS
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.differences import (
    Difference,
    find_differences,
    find_surplus,
    names_in_project,
    offers_more,
)

CLASSES = {"scratch": ("划伤", "scratches"), "龟裂": (), 'a<b & "c"': ("d'e",)}
CONFIG = LabelConfig(CLASSES)
FOUND = CONFIG.xml()


def where(reported: list[Difference]) -> list[tuple[str, str | None, str | None]]:
    return [one[:3] for one in reported]


def test_no_difference() -> None:
    whole = LabelConfig(CLASSES, tuple(CONTROLS), ("minor",))
    assert find_differences(whole, whole.xml()) == find_surplus(whole, whole.xml()) == []
    assert not offers_more(whole, whole.xml())
    assert names_in_project(whole, whole.xml()) == {}
    assert find_differences(CONFIG, whole.xml()) == []
    reported = LabelConfig(CLASSES, headers=("Keep one.",))
    assert find_differences(reported, FOUND) == find_surplus(reported, FOUND) == []


# A class that was renamed in the recipe


@pytest.mark.parametrize("before", ["划伤", "Scratches", "SCRATCH"])
def test_a_class_is_called_by_the_spelling_that_the_project_has(before: str) -> None:
    """As answers are read: whatever the case."""
    found = LabelConfig({before: (), "龟裂": (), 'a<b & "c"': ()}, ("box", "class")).xml()
    config = LabelConfig(CLASSES, ("box", "polygon", "class"))
    assert names_in_project(config, found) == {"box": {"scratch": before}, "choice": {"scratch": before}}
    assert where(find_differences(config, found)) == [("polygon", None, None)]
    assert find_surplus(config, found) == []
    assert not offers_more(config, found)


def test_a_label_s_text_does_not_matter_where_it_means_the_class() -> None:
    renamed = FOUND.replace('value="scratch" alias="scratch"', 'value="scratch" alias="划伤"')
    assert names_in_project(CONFIG, renamed) == {"box": {"scratch": "划伤"}}
    assert renamed == CONFIG.xml(names_in_project(CONFIG, renamed))
    for shown in ("scratches", "划伤"):
        again = renamed.replace('value="scratch"', f'value="{shown}"')
        assert find_differences(CONFIG, again) == find_surplus(CONFIG, again) == []
        assert not offers_more(CONFIG, again)


def test_classes_that_were_made_one() -> None:
    """The first name represents both; the other is left where it is, and reported."""
    found = LabelConfig({"划伤": (), "scratches": (), "龟裂": (), 'a<b & "c"': ()}).xml()
    assert names_in_project(CONFIG, found) == {"box": {"scratch": "划伤"}}
    assert find_differences(CONFIG, found) == []
    (reported,) = find_surplus(CONFIG, found)
    assert (reported.control, reported.label) == ("box", "scratches")
    assert reported.what == "offers the label 'scratches' in 'box', another name of 'scratch'"
    assert reported.fix == "its answers count as 'scratch'"
    assert offers_more(CONFIG, found)


def test_an_alias_beside_the_class_s_own_name() -> None:
    found = LabelConfig(CLASSES | {"划伤": ()}).xml()
    assert names_in_project(CONFIG, found) == {}
    assert find_differences(CONFIG, found) == []
    assert where(find_surplus(CONFIG, found)) == [("box", "划伤", None)]
    assert offers_more(CONFIG, found)


def test_a_severity_has_no_aliases() -> None:
    config = LabelConfig(CLASSES, severities=("minor", "scratch"))
    found = LabelConfig(CLASSES, severities=("minor", "划伤")).xml()
    assert names_in_project(config, found) == {}
    (reported,) = find_differences(config, found)
    assert reported[:3] == ("severity", "scratch", "划伤")
    assert reported.fix == "name it a severity in the recipe, or rename it back in the project's settings"


# What was changed in the server


def test_a_label_shown_by_another_name_still_yields_its_class() -> None:
    found = FOUND.replace('value="scratch" alias="scratch"', 'value="Kratzer" alias="scratch"')
    (reported,) = find_differences(CONFIG, found)
    assert reported == Difference(
        "box",
        "scratch",
        "Kratzer",
        "shows 'scratch' in 'box' as 'Kratzer'",
        "its answers count all the same, and a push changes it back",
    )


def test_a_label_renamed_altogether_is_reported_with_its_replacement() -> None:
    found = FOUND.replace('value="龟裂" alias="龟裂"', 'value="裂纹"')
    (reported,) = find_differences(CONFIG, found)
    assert reported == Difference(
        "box",
        "龟裂",
        "裂纹",
        "does not offer the label '龟裂' in 'box', but '裂纹' in its place",
        "make it an alias of '龟裂' in the recipe, or rename it back in the project's settings",
    )
    assert find_surplus(CONFIG, found) == []
    assert offers_more(CONFIG, found)
    corrected = LabelConfig(CLASSES | {"龟裂": ("裂纹",)})
    assert not offers_more(corrected, found)
    assert names_in_project(corrected, found) == {"box": {"龟裂": "裂纹"}}


def test_what_was_not_pushed_yet() -> None:
    config = LabelConfig(CLASSES, ["box", "mask"])
    reported = find_differences(config, LabelConfig({"scratch": ()}).xml())
    assert where(reported) == [("box", "龟裂", None), ("box", 'a<b & "c"', None), ("brush", None, None)]
    assert reported[0].what == "does not offer the label '龟裂' in 'box'"
    assert {one.fix for one in reported} == {"push to update it"}
    reported = find_differences(config, LabelConfig({"scratch": (), "dent": ()}, ("box", "polygon")).xml())
    assert where(reported) == [("box", "龟裂", "dent"), ("box", 'a<b & "c"', None), ("brush", None, None)]
    assert all(one.fix.startswith("add it in the project's settings") for one in reported[1:])


def test_a_control_of_another_kind() -> None:
    config = LabelConfig(CLASSES, ["box", "mask"])
    other = config.xml().replace("BrushLabels", "EllipseLabels")
    (reported,) = find_differences(config, other)
    assert reported[:4] == (
        "brush",
        None,
        "EllipseLabels",
        "has EllipseLabels as its control 'brush', not BrushLabels",
    )
    assert find_surplus(config, other) == []
    assert offers_more(config, other)


def test_what_the_recipe_does_not_have() -> None:
    config = LabelConfig({"scratch": ()})
    reported = find_surplus(config, LabelConfig({"scratch": (), "dent": ()}, ("box", "mask")).xml())
    assert [one.what for one in reported] == [
        "offers the label 'dent' in 'box', which the recipe does not have",
        "has a control 'brush', which the recipe does not ask for",
    ]


def test_what_is_not_a_configuration() -> None:
    for look in (find_differences, find_surplus, offers_more, names_in_project):
        with pytest.raises(OutsideError, match="cannot be read"):
            look(CONFIG, "<View>")
