"""Masks are told from photographs by content, whatever they are called."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.formats.sources import checks, listing, negatives, read, refs, sniff_all

from tundish.formats.base import Options
from tundish.formats.registry import load_reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.formats.base import Evidence

W, H = 120, 90


def photo(seed: int, kind: str = "png", size: tuple[int, int] = (W, H)) -> bytes:
    noise = np.random.default_rng(seed)
    coarse = noise.uniform(30, 220, (5, 6)).astype(np.float32)
    pixels = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) + noise.normal(0, 6, size[::-1])
    return saved(np.clip(pixels, 0, 255).astype(np.uint8), kind)


def saved(pixels: NDArray[np.uint8], kind: str = "png", quality: int = 90) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, kind, **({"quality": quality} if kind == "jpeg" else {}))
    return held.getvalue()


def mark(x: int, *, soft: bool = False, size: tuple[int, int] = (W, H)) -> NDArray[np.uint8]:
    pixels = np.zeros(size[::-1], np.uint8)
    cv2.ellipse(pixels, (x, 40), (14, 8), 20, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(pixels, (5, 5), 1.1)) if soft else pixels


def best(files: dict[str, bytes | str]) -> Evidence:
    return sniff_all(listing(files))[0]


def roles(files: dict[str, bytes | str], evidence: Evidence) -> dict[str, str]:
    options = Options(evidence.names, evidence.extra)
    return {path: load_reader(evidence.format).role(path, options) for path in files}


PAIRS = {
    "Images/p{}.jpg": "Ground truth/p{}.png",
    "p{}.jpg": "p{}.png",
    "cam/p{}.bmp": "cam/p{}.png",
    "train/p{}.png": "train/p{}-damage map.png",
    "p{}.png": "truth_p{}.png",
    "train_img/p{}.jpg": "train_lab/p{}.png",
    "a/in/p{}.png": "a/out/p{}.png",
    "Image/p{}.PNG": "Label/p{}_label.PNG",
    "photos/p{}.png": "annotations/p{}.jpg",
    "photos/a.v{}.png": "drawn/a.v{}.png",
    "photos/Naht_\u00fc{}.png": "drawn/Naht_u\u0308{}.png",
    "photos/coil 1{}.PNG": "drawn/coil%201{}.png",
    "photos/IMG_{}.png": "drawn/img_{}_mask.png",
}


@pytest.mark.parametrize(("image", "mask"), PAIRS.items())
def test_masks_are_found_by_stem_and_content(image: str, mask: str) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        kind = {"jpg": "jpeg", "bmp": "bmp"}.get(image[-3:].lower(), "png")
        files[image.format(number)] = photo(number, kind)
        files[mask.format(number)] = saved(mark(30 + 8 * number), "jpeg" if mask.endswith("jpg") else "png")
    evidence = best(files)
    assert (evidence.format, evidence.weight, evidence.classes) == ("masks", 6, ["255"])
    found = roles(files, evidence)
    assert {path for path, role in found.items() if role == "annotation"} == {
        mask.format(n) for n in range(6)
    }
    images = refs(*(image.format(number) for number in range(6)), width=W, height=H)
    reading = read("masks", files, images, (), **evidence.extra)
    assert len(reading.labels) == 6
    assert not checks(reading)


def test_photographs_of_equal_stems_are_no_masks() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(5):
        files[f"visible/{number:03}.png"] = photo(number)
        files[f"thermal/{number:03}.png"] = photo(100 + number)
        files[f"gt/{number:03}.png"] = photo(200 + number)
    assert "masks" not in {evidence.format for evidence in sniff_all(listing(files))}


def anomalies() -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {}
    seed = 0
    for product, defects in (("gear", ("dent", "burr")), ("plate", ("dent", "scale"))):
        for folder in ("train/good", "test/good", *(f"test/{defect}" for defect in defects)):
            for number in range(3):
                seed += 1
                files[f"{product}/{folder}/{number:03}.png"] = photo(seed)
        for defect in defects:
            for number in range(3):
                files[f"{product}/ground_truth/{defect}/{number:03}_mask.png"] = saved(mark(30 + 9 * number))
    return files


def test_numbers_that_begin_again_in_each_folder_belong_to_their_defect() -> None:
    files = anomalies()
    evidence = best(files)
    assert evidence.format == "masks"
    assert evidence.classes == ["burr", "dent", "scale"]
    images = refs(*(path for path in files if "ground_truth" not in path), width=W, height=H)
    reading = read("masks", files, images, (), **evidence.extra)
    assert {(one.label_path.split("/")[2], one.raw_label) for one in reading.labels} == {
        ("dent", "dent"),
        ("burr", "burr"),
        ("scale", "scale"),
    }
    assert all(one.image.path.split("/")[2] == one.raw_label for one in reading.labels)
    assert negatives(reading) == {path for path in files if "/good/" in path}


def test_a_mask_without_its_photograph_is_not_given_to_another_of_its_number() -> None:
    files = anomalies()
    del files["gear/test/dent/002.png"], files["gear/test/burr/002.png"]
    images = refs(*(path for path in files if "ground_truth" not in path), width=W, height=H)
    reading = read("masks", files, images, (), masks="ground_truth/*_mask")
    assert checks(reading) == ["image_not_found"] * 2


def test_soft_masks_get_a_threshold_that_is_reported() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"images/{number}.png"] = photo(number)
        files[f"masks/{number}.png"] = saved(mark(30 + 8 * number, soft=True) if number else mark(900))
    evidence = best(files)
    assert evidence.classes == ["255"]
    assert evidence.extra == {"threshold": "128"}
    assert any("from gray 128" in fact for fact in evidence.facts)
    images = refs(*(f"images/{number}.png" for number in range(6)), width=W, height=H)
    for reading in (
        read("masks", files, images, (), **evidence.extra),
        read("masks", files, images, ("background", "dent")),
    ):
        assert len(reading.labels) == 5
        assert all(300 < one.width * one.height < 700 for one in reading.labels)
        assert negatives(reading) == {"images/0.png"}
        assert set(checks(reading, "warning")) == {"gray_mask"}


def test_grays_are_not_classes_where_nothing_says_what_is_foreground() -> None:
    reading = read("masks", {"masks/a.png": saved(mark(40, soft=True))}, refs("a.jpg", width=W, height=H))
    assert checks(reading) == ["gray_mask"]
    assert not reading.covered


def test_jpeg_masks_are_read_by_their_threshold() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"a/{number}.jpg"] = photo(number, "jpeg")
        files[f"b/{number}.jpg"] = saved(mark(30 + 8 * number), "jpeg")
    evidence = best(files)
    assert (evidence.format, evidence.classes) == ("masks", ["255"])
    assert evidence.extra == {"masks": "b/*", "threshold": "128"}


def test_masks_of_another_size_are_refused_and_never_photographs() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(5):
        files[f"{number}.jpg"] = photo(number, "jpeg")
        files[f"{number}.png"] = saved(mark(20, size=(60, 45)))
    evidence = best(files)
    assert evidence.format == "masks"
    assert any("5 masks of another size" in fact for fact in evidence.facts)
    assert set(roles(files, evidence).values()) == {"image", "annotation"}
    reading = read(
        "masks", files, refs(*(f"{n}.jpg" for n in range(5)), width=W, height=H), (), **evidence.extra
    )
    assert set(checks(reading)) == {"size_mismatch"}


def test_class_values_and_palettes_stay_classes() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(5):
        files[f"x/{number}.jpg"] = photo(number, "jpeg")
        pixels = np.zeros((H, W), np.uint8)
        pixels[10:40, 10 + number : 50], pixels[50:80, 60:100], pixels[50:60, 5:20] = 1, 2, 7
        files[f"y/{number}.png"] = saved(pixels)
    evidence = best(files)
    assert (evidence.classes, evidence.extra) == (["1", "2", "7"], {"masks": "y/*"})


def test_a_mask_may_have_as_many_pixels_as_its_image() -> None:
    """Pillow itself refuses from 179 million pixels on, and warns from half of that."""
    size = (20_000, 9_500)
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[100:200, 50:90] = 255
    reading = read(
        "masks", {"masks/a.png": saved(pixels)}, refs("images/a.jpg", width=size[0], height=size[1])
    )
    assert [(one.x, one.y, one.width, one.height) for one in reading.labels] == [(50, 100, 40, 100)]


def city(kinds: tuple[str, ...], image: str = "_leftImg8bit", gt: str = "_gtFine_") -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {}
    for number in range(4):
        base = f"aachen/aachen_00000{number}_000019"
        files[f"photos/train/{base}{image}.png"] = photo(number)
        for kind in kinds:
            files[f"gtFine/train/{base}{gt}{kind}.png"] = saved(mark(30 + number) // 255 * (7 + len(kind)))
    return files


def test_masks_and_images_may_only_share_the_beginning_of_their_names() -> None:
    files = city(("labelIds", "color", "instanceIds"))
    found = best(files)
    assert (found.format, found.classes) == ("masks", ["15"])
    assert found.extra == {
        "masks": "gtFine/*_gtFine_labelIds > *_leftImg8bit",
        "omit": "gtFine/*_gtFine_color > *_leftImg8bit | gtFine/*_gtFine_instanceIds > *_leftImg8bit",
    }
    assert any("draw the same labels again and are not read (options.omit)" in fact for fact in found.facts)
    assert sorted(roles(files, found).values()) == ["annotation"] * 4 + ["image"] * 4 + ["other"] * 8
    images = refs(*(path for path in files if path.startswith("photos")), width=W, height=H)
    reading = read("masks", files, images, (), **found.extra)
    assert [label.image.path for label in reading.labels] == [image.path for image in images]
    assert not reading.problems


def test_photographs_of_several_cameras_are_not_masks_of_each_other() -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        for camera in ("left", "right"):
            files[f"{camera}/train/s{number}_{camera}.png"] = photo(number + 10 * (camera == "left"))
    assert best(files).format != "masks"
