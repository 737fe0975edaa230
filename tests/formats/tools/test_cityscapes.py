from __future__ import annotations

import pytest
from tests.formats.sources import checks, listing, read, refs, sniff_all
from tests.formats.tools.written import RING, cityscapes, outline

from tundish.formats.base import Options
from tundish.formats.registry import load_reader

FOLDER = "gtFine/train/aachen/aachen_000000_000019_gtFine"
IMAGE = "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"


def test_an_outline_is_a_polygon_of_the_image_in_the_other_folder() -> None:
    other = IMAGE.replace("train", "val")
    (label,) = read(
        "cityscapes", {f"{FOLDER}_polygons.json": cityscapes(outline("car"))}, refs(IMAGE, other)
    ).labels
    assert (label.image.path, label.raw_label, label.shape) == (IMAGE, "car", "polygon")
    assert label.segmentation == [[value for point in RING for value in point]]


@pytest.mark.parametrize(
    ("label", "image", "options"),
    [
        ("gt/train/GOPR1_gt_polygons.json", "rgb_anon/train/GOPR1_rgb_anon.png", {}),
        ("gtCoarse/x/a_gtCoarse_polygons.json", "images/x/a.jpg", {}),
        ("Gt/划 伤_gtFine_polygons.json", "照片/划%20伤_leftImg8bit.PNG", {}),
        ("gt/a_gtFine_polygons.json", "x/a_cam0.png", {"image": "_cam0"}),
    ],
)
def test_sets_laid_out_alike_are_read(label: str, image: str, options: dict[str, str]) -> None:
    reading = read("cityscapes", {label: cityscapes(outline("a"))}, refs(image), (), **options)
    assert [one.image.path for one in reading.labels] == [image]


def test_add_names_the_drawings_that_it_leaves_out() -> None:
    drawn = [f"{FOLDER}_{kind}.png" for kind in ("labelIds", "instanceIds", "color")]
    files: dict[str, bytes | str] = dict.fromkeys([IMAGE, *drawn], b"")
    files[f"{FOLDER}_polygons.json"] = cityscapes(outline("car"), outline("road"), outline("car"))
    best = sniff_all(listing(files))[0]
    assert (best.format, best.classes, best.extra) == ("cityscapes", ["car", "road"], {})
    assert best.facts[-1] == "3 PNG files that draw the same labels are not read"
    role = load_reader("cityscapes").role
    assert [role(path, Options()) for path in (IMAGE, *drawn)] == ["image", "other", "other", "other"]


def test_a_bad_object_costs_itself_and_other_json_is_refused() -> None:
    objects = [outline(None), outline("a", RING[:2]), outline("a", 3), 4, outline("a")]
    files = {"a_gtFine_polygons.json": cityscapes(*objects), "b.json": '{"objects": []}'}
    reading = read("cityscapes", files, refs("a_leftImg8bit.png"))
    assert checks(reading) == ["missing_name", "broken_polygon", "wrong_type", "wrong_type", "not_cityscapes"]
    assert [label.label_row for label in reading.labels] == [4]
    assert checks(read("cityscapes", {"z_gtFine_polygons.json": cityscapes()}, refs("a.png"))) == [
        "image_not_found"
    ]
