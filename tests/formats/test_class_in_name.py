from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, checks, listing, read, refs, sniff_all

from tundish.errors import SourceError
from tundish.formats.name_patterns import class_of_name

if TYPE_CHECKING:
    from tundish.formats.base import Evidence


def best(*paths: str) -> Evidence:
    return sniff_all(listing(dict.fromkeys(paths, b"")))[0]


def numbered(template: str, *classes: str, count: int = 3) -> list[str]:
    return [template.format(name=name, n=number) for name in classes for number in range(1, count + 1)]


FOUND = [
    ("{name}_{n}.bmp", ("Cr", "In", "Pa", "PS", "RS", "Sc")),
    ("{name}_{n}.jpg", ("crazing", "rolled-in_scale", "pitted_surface")),
    ("NEU-CLS/{name}-{n:03}.png", ("good", "bad")),
    ("{name}{n:02}.png", ("OK", "NG")),
    ("{name} ({n}).jpg", ("scratch", "dent")),
    ("train/{name}_{n}_jpg.rf.0123456789abcdef0123456789abcdef.jpg", ("pit", "rust")),
    ("img_{n:04}_{name}.png", ("scratch", "dent", "oil_spot")),
    ("20230101_12000{n}-{name}.png", ("scratch", "dent")),
    ("img_{name}_{n:04}.png", ("scratch", "dent")),
    ("0{n}_{name}_17.png", ("scratch", "dent")),
    ("{name}_{n}.jpg", ("划伤", "夹杂")),
    ("图像/{name}（{n}）.jpg", ("好", "坏")),  # noqa: RUF001
    ("{name}_{n}.JPG", ("Öl", "Rost")),
]


@pytest.mark.parametrize(("template", "classes"), FOUND)
def test_a_class_in_the_name_is_proposed_with_its_pattern_and_read(
    template: str, classes: tuple[str, ...]
) -> None:
    paths = numbered(template, *classes)
    found = best(*paths)
    assert (found.format, found.classes) == ("class-in-name", sorted(classes))
    reading = read("class-in-name", {}, refs(*paths), (), **found.extra)
    assert [label.raw_label for label in reading.labels] == [name for name in classes for _ in range(3)]
    assert reading.covered == set(paths)
    assert not reading.problems


def test_the_evidence_names_classes_counts_and_numbers() -> None:
    found = best(*numbered("{name}_{n}.bmp", "Cr", "In", count=5), "notes.bmp")
    assert found.facts[:2] == [
        "the names of 10 of 11 images hold one of 2 classes",
        "Cr 5 (numbers 1 to 5), In 5 (numbers 1 to 5)",
    ]
    assert found.facts[-1] == "1 image without a class in the name: unlabelled"


NOT_FOUND = [
    numbered("train_{n:04}.png", "", count=12),
    numbered("{name}_{n:04}.png", "train", "val", "test", count=6),
    numbered("DSC_{n:04}.JPG", "", count=12) + numbered("IMG_{n:04}.JPG", "", count=12),
    numbered("frame_20230101_12{n:04}.png", "", count=12),
    numbered("2023-01-{n:02}.png", "", count=12),
    numbered("2023-{name}-{n:02}.png", "Jan", "Feb"),
    numbered("{name}_{n}.png", "left", "right", count=6),
    numbered("{name}_{n}.png", "camA", "camB", count=6),
    numbered("{name}_{n}.png", "A", "B", count=6),
    numbered("coil{n}_{name}.png", "top", "bottom", count=6),
    numbered("{n:03}_{name}.png", "flip", "rot", "aug", count=6),
    [f"{code}.png" for code in ("a3f9", "b77c", "c0de", "dead1", "beef2", "f00d3", "e12a", "ab12")],
    ["scratch_1.png", "dent_1.png", "pit_1.png", "oil_1.png", "rust_1.png", "hole_1.png"],
    [f"CR{n}A_01.png" for n in range(9)],
    ["good_1.png", "bad_1.png"],
]


@pytest.mark.parametrize("paths", NOT_FOUND, ids=lambda paths: paths[0])
def test_names_that_are_sequences_splits_cameras_or_codes_are_no_classes(paths: list[str]) -> None:
    assert best(*paths).format == "images"


def test_other_labels_and_files_that_may_be_labels_come_first() -> None:
    paths = numbered("{name}_{n}.jpg", "pit", "rust")
    yolo = {path.replace(".jpg", ".txt"): "0 0.5 0.5 0.2 0.2" for path in paths}
    found = sniff_all(listing(dict.fromkeys(paths, "") | yolo))
    assert [one.format for one in found] == ["yolo", "images"]
    unknown = {path.replace(".jpg", ".mat"): "?" for path in paths}
    assert "class-in-name" not in [
        one.format for one in sniff_all(listing(dict.fromkeys(paths, "") | unknown))
    ]
    folders = [f"{path.partition('_')[0]}/{path}" for path in paths]
    assert best(*folders).format == "folders"


def test_a_name_without_a_class_is_unlabelled_and_reported() -> None:
    reading = read("class-in-name", {}, refs("Cr_1.bmp", "notes.bmp"), pattern=r"^(?P<class>[A-Za-z]+)_\d")
    (label,) = reading.labels
    assert (label.raw_label, label.shape, box(label), label.label_row) == ("Cr", "class", (0, 0, 200, 100), 0)
    assert reading.covered == {"Cr_1.bmp"}
    assert checks(reading, "warning") == ["no_class_in_name"]


def test_the_path_counts_where_the_pattern_has_a_slash() -> None:
    images = refs("dent-set/a/1.png", "pit-set/a/2.png")
    reading = read("class-in-name", {}, images, pattern="^(?P<class>[a-z]+)-set/")
    assert [label.raw_label for label in reading.labels] == ["dent", "pit"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "("}, "is not a regular expression"),
        ({"pattern": "^([a-z]+)_"}, "has no group"),
    ],
)
def test_a_pattern_that_cannot_name_a_class_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read("class-in-name", {}, refs("a_1.png"), (), **options)


def test_a_mac_and_a_web_address_spell_the_same_class() -> None:
    pattern = re.compile(r"^(?P<class>[^\W\d_]+(?: [^\W\d_]+)*)_\d")
    assert class_of_name(pattern, unicodedata.normalize("NFD", "Öl_1.png")) == "Öl"
    assert class_of_name(pattern, "rolled%20scale_1.png") == "rolled scale"


@given(
    st.lists(st.sampled_from(["Cr", "划伤", "rolled-in", "Öl Fleck", "OK"]), min_size=2, unique=True),
    st.integers(3, 9),
    st.sampled_from(["{name}_{n}.png", "{name}-{n:04}.PNG", "x/img_{n}_{name}.jpg", "{name} ({n}).bmp"]),
    st.sampled_from(["NFC", "NFD"]),
)
def test_whatever_is_proposed_reads_the_classes_it_was_made_from(
    classes: list[str], count: int, template: str, form: str
) -> None:
    paths = [unicodedata.normalize(form, path) for path in numbered(template, *classes, count=count)]  # type: ignore[arg-type]
    found = best(*paths)
    assert found.format == "class-in-name"
    reading = read("class-in-name", {}, refs(*paths), (), **found.extra)
    assert [label.raw_label for label in reading.labels] == [name for name in classes for _ in range(count)]
