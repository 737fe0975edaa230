from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from tundish.formats.names import file_names, with_suffix


def ids(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count, 2 * count)]


# What zip, tar and Linux allow in a name; a slash separates.
parts = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=300
)
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)


def test_ordinary_and_nasty_names_stay() -> None:
    names = ["line-1/a b.jpg", "line-1/龟裂/1 2.png", "line-1/😀.bmp", "x" * 240 + "/y.jpg"]
    assert file_names(names, ids(4)) == names


def test_a_long_name_is_cut_and_marked_with_its_image() -> None:
    name, folder = file_names(["长" * 90 + ".jpg", "d" * 300 + "/a.jpg"], ["a1" * 16, "b2" * 16])
    assert name.endswith("长.a1a1a1a1.jpg")
    assert len(name.encode()) <= 240
    assert folder.startswith("dddd")
    assert folder.endswith("/a.jpg")


def test_images_of_one_long_folder_stay_together() -> None:
    first, second = file_names(["d" * 300 + "/a.jpg", "d" * 300 + "/b.jpg"], ids(2))
    assert PurePosixPath(first).parent == PurePosixPath(second).parent


def test_names_that_meet_all_get_digits() -> None:
    a, b = "aa" * 16, "bb" * 16
    assert file_names(["x/a.jpg", "x/A.JPG"], [a, b]) == ["x/a.aaaaaaaa.jpg", "x/A.bbbbbbbb.JPG"]
    composed = [unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD")]
    assert file_names(composed, [a, b]) == [
        composed[0].replace(".", ".aaaaaaaa."),
        composed[1].replace(".", ".bbbbbbbb."),
    ]
    assert file_names(["x", "x/y.jpg"], [a, b]) == ["x.aaaaaaaa", "x/y.jpg"]


def test_a_name_cannot_lead_out() -> None:
    assert file_names(["../../etc/passwd", "/a//b.jpg"], ids(2)) == ["_/_/etc/passwd", "_/a/_/b.jpg"]


def test_suffixes() -> None:
    assert with_suffix("a.b/c.jpg", ".png") == "a.b/c.png"
    assert with_suffix("a/c", ".png") == "a/c.png"


@given(st.lists(paths, max_size=12))
def test_every_image_has_one_name_that_any_file_system_can_hold(wanted: list[str]) -> None:
    names = file_names(wanted, ids(len(wanted)))
    keys = [unicodedata.normalize("NFC", name).casefold() for name in names]
    assert len(set(keys)) == len(wanted)
    folders = {str(parent) for key in keys for parent in PurePosixPath(key).parents}
    assert not folders & set(keys)
    for name in names:
        assert all(0 < len(part.encode()) <= 240 and part not in {".", ".."} for part in name.split("/"))


@given(st.permutations(["a/b.jpg", "A/B.jpg", "a/c.jpg", "长" * 100 + ".png", "q"]))
def test_a_name_does_not_depend_on_the_order(wanted: list[str]) -> None:
    number = {name: f"{index:032x}" for index, name in enumerate(sorted(wanted))}
    names = dict(zip(wanted, file_names(wanted, [number[name] for name in wanted]), strict=True))
    again = sorted(wanted)
    assert names == dict(zip(again, file_names(again, [number[name] for name in again]), strict=True))
