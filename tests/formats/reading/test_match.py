from __future__ import annotations

import pytest
from tests.formats.sources import refs

from tundish.formats.base import Catalog, ImageRef, parts_of, plain_folder, suffix_of
from tundish.formats.reading.match import Miss, find_beside, find_named, split_of


@pytest.mark.parametrize(
    ("label", "image"),
    [
        ("labels/train/a.txt", "images/train/a.jpg"),
        ("train/labels/a.txt", "train/images/a.jpg"),
        ("Annotations/a.xml", "JPEGImages/a.jpg"),
        ("ANNOTATIONS/a.xml", "IMAGES/a.jpg"),
        ("Validation_Annotations/a.xml", "Validation_Images/a.jpg"),
        ("data/a.txt", "data/a.png"),
        ("labels/a.jpg.txt", "images/a.jpg"),
        ("labels/深 孔 😀.txt", "images/深 孔 😀.jpg"),
        ("a.txt", "images/a.jpg"),
    ],
)
def test_finds_the_counterpart_before_others_of_that_name(label: str, image: str) -> None:
    catalog = Catalog(refs(image, "elsewhere/deep/a.jpg", "elsewhere/深 孔 😀.jpg"))
    found = find_beside(catalog, label)
    assert isinstance(found, ImageRef)
    assert found.path == image


def test_a_name_elsewhere_counts_unless_it_is_in_another_split() -> None:
    catalog = Catalog(refs("pics/train/a.jpg"))
    assert isinstance(find_beside(catalog, "lists/a.txt"), ImageRef)
    assert find_beside(catalog, "lists/val/a.txt") == Miss(
        "image_not_found", "no readable image is called 'a'"
    )


def test_several_images_that_fit_are_told() -> None:
    catalog = Catalog(refs("one/a.jpg", "two/a.jpg", "img/b.jpg", "img/b.png"))
    assert find_beside(catalog, "ann/a.xml") == Miss(
        "ambiguous_image", "2 images could be 'a': one/a.jpg, two/a.jpg"
    )
    ambiguous = find_beside(catalog, "img/b.txt")
    assert isinstance(ambiguous, Miss)
    assert ambiguous.check == "ambiguous_image"
    named = find_beside(catalog, "ann/b.xml", "b.png")
    assert isinstance(named, ImageRef)
    assert named.path == "img/b.png"


@pytest.mark.parametrize(
    ("label", "stated", "image"),
    [
        ("one/annotations/instances.json", "a.jpg", "one/images/a.jpg"),
        ("annotations/all.json", "two/images/a.jpg", "two/images/a.jpg"),
        ("annotations/all.json", "C:\\data\\two\\images\\a.jpg", "two/images/a.jpg"),
        ("annotations/instances_val2017.json", "b.jpg", "images/val2017/b.jpg"),
        ("train/_annotations.coco.json", "b.jpg", "train/b.jpg"),
    ],
)
def test_a_stated_name_is_narrowed_by_path_nearness_and_split(label: str, stated: str, image: str) -> None:
    catalog = Catalog(
        refs(
            "one/images/a.jpg",
            "two/images/a.jpg",
            "images/val2017/b.jpg",
            "images/train2017/b.jpg",
            "train/b.jpg",
        )
    )
    found = find_named(catalog, label, stated)
    assert isinstance(found, ImageRef)
    assert found.path == image


def test_paths_come_apart_as_pathlib_has_it() -> None:
    assert parts_of("a/b/c.d.jpg") == ("a/b", "c.d.jpg", "c.d")
    assert parts_of(".hidden") == ("", ".hidden", ".hidden")
    assert (suffix_of("x/Y.JPG"), suffix_of("x.d/y"), suffix_of(".jpg")) == (".jpg", "", "")
    assert plain_folder("images/train") == plain_folder("labels/train") == "train"
    assert plain_folder("obj_train_data") == "obj_train_data"
    assert [split_of(path) for path in ("valid/x", "a/instances_train2017.json", "latest/x")] == [
        "val",
        "train",
        "",
    ]


@pytest.mark.parametrize(
    ("image", "label", "stated"),
    [
        ("images/Oberfla\u0308che 1.jpg", "labels/Oberfl\u00e4che 1.txt", "Oberfl\u00e4che 1.jpg"),
        ("images/\u1112\u1161\u11ab.jpg", "labels/\ud55c.txt", "\ud55c.jpg"),
        ("images/IMG_0007.JPG", "labels/img_0007.txt", "img_0007.jpg"),
        ("images/coil 12.png", "labels/coil%2012.txt", "coil%2012.png"),
        ("images/coil%2012.png", "labels/coil 12.txt", "coil 12.png"),
        ("images/a%0b1.png", "labels/a%250b1.txt", "a%250b1.png"),
        ("images/coil%2012.png", "labels/coil%252012.txt", "coil%252012.png"),
    ],
)
def test_a_name_that_is_spelt_otherwise_is_found_at_a_second_look_and_noted(
    image: str, label: str, stated: str
) -> None:
    catalog = Catalog(refs(image, "images/b.jpg"))
    for found in (find_beside(catalog, label), find_named(catalog, "x.json", f"data\\{stated}")):
        assert isinstance(found, ImageRef)
        assert (found.path, found.image_id) == (image, f"id-{image}")
    assert catalog.spelt == {label: image, f"data\\{stated}": image}


def test_the_exact_spelling_comes_first_and_two_loose_ones_are_ambiguous() -> None:
    catalog = Catalog(refs("a/IMG.jpg", "a/img.jpg"))
    found = find_beside(catalog, "a/img.txt")
    assert isinstance(found, ImageRef)
    assert (found.path, catalog.spelt) == ("a/img.jpg", {})
    assert isinstance(missed := find_beside(catalog, "a/Img.txt"), Miss)
    assert missed.check == "ambiguous_image"
