from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from tests.formats.sources import box, checks, listing, negatives, only, read, read_folder, refs, sniff_all

from tundish.formats.base import Options
from tundish.formats.registry import load_reader
from tundish.imaging.geometry import mask_of_counts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (10, 20)
A = refs("images/a.jpg", width=20, height=10)


def drawn(**values: tuple[slice, slice]) -> NDArray[np.uint8]:
    mask = np.zeros(SHAPE, np.uint8)
    for value, area in values.items():
        mask[area] = int(value[1:])
    return mask


def png(mask: NDArray[np.uint8] | NDArray[np.uint16], *, mode: str | None = None, kind: str = "png") -> bytes:
    image = Image.fromarray(mask)
    if mode == "P":
        image = Image.fromarray(mask)
        image.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
    elif mode:
        image = image.convert(mode)
    held = io.BytesIO()
    image.save(held, kind)
    return held.getvalue()


TWO = drawn(v1=(slice(0, 2), slice(0, 3)), v2=(slice(5, 9), slice(4, 10)))
TWO[9, 19] = 1


@pytest.mark.parametrize("mode", [None, "P", "RGB", "RGBA"])
def test_each_value_is_one_mask_of_all_its_pixels(mode: str | None) -> None:
    reading = read("masks", {"masks/a.png": png(TWO, mode=mode)}, A, names=("", "crack", "pit"))
    assert [(label.raw_label, label.shape, label.label_row) for label in reading.labels] == [
        ("crack", "mask", 1),
        ("pit", "mask", 2),
    ]
    for label in reading.labels:
        assert label.rle is not None
        assert (mask_of_counts(label.rle, 20, 10) == (label.label_row == TWO)).all()
    assert box(reading.labels[1]) == (4, 5, 6, 4)
    assert not reading.problems


def test_values_without_names_are_their_own_names() -> None:
    reading = read("masks", {"masks/a.png": png(TWO)}, A, names=("back", "crack"))
    assert [label.raw_label for label in reading.labels] == ["crack", "2"]
    white = drawn(v255=(slice(0, 2), slice(0, 3)))
    assert [label.raw_label for label in read("masks", {"masks/a.png": png(white)}, A).labels] == ["255"]
    two = read("masks", {"masks/a.png": png(white)}, A, names=("good", "crack"))
    assert [label.raw_label for label in two.labels] == ["crack"]
    one_bit = read("masks", {"masks/a.png": png(white, mode="1")}, A)
    assert [label.raw_label for label in one_bit.labels] == ["255"]


def test_vocs_border_is_no_class() -> None:
    mask = drawn(v1=(slice(0, 4), slice(0, 4)), v255=(slice(4, 5), slice(0, 4)))
    reading = read("masks", {"SegmentationClass/a.png": png(mask, mode="P")}, A)
    assert [label.raw_label for label in reading.labels] == ["1"]
    assert (only(reading).check, only(reading).value, only(reading).severity) == (
        "border_pixels",
        "4",
        "warning",
    )


def test_sixteen_bit_values_are_themselves() -> None:
    mask = np.zeros(SHAPE, np.uint16)
    mask[0] = 1000
    assert [label.raw_label for label in read("masks", {"masks/a.png": png(mask)}, A).labels] == ["1000"]


def test_colours_are_named_by_the_label_map() -> None:
    mask = np.zeros((*SHAPE, 3), np.uint8)
    mask[:3], mask[5:] = (128, 0, 0), (1, 2, 3)
    files = {
        "masks/a.png": png(mask),
        "labelmap.txt": b"# label:rgb\nbackground:0,0,0::\ncrack:128,0,0::\n",
    }
    assert [label.raw_label for label in read("masks", files, A).labels] == ["#010203", "crack"]


def test_a_mask_of_zeros_is_a_negative_and_no_mask_is_unlabelled() -> None:
    reading = read("masks", {"masks/a.png": png(drawn())}, A + refs("images/b.jpg"))
    assert negatives(reading) == reading.covered == {"images/a.jpg"}


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (b"", "broken_file"),
        (b"not an image", "broken_file"),
        (png(TWO)[:60], "broken_file"),
        (png(np.zeros((5, 5), np.uint8)), "size_mismatch"),
        (png(np.zeros((20, 10), np.uint8)), "size_mismatch"),
    ],
)
def test_a_mask_that_cannot_be_read_is_told(data: bytes, check: str) -> None:
    reading = read("masks", {"masks/a.png": data}, A)
    assert checks(reading) == [check]
    assert not reading.covered


def test_a_bomb_is_not_decoded() -> None:
    held = bytearray(png(np.zeros((5, 5), np.uint8)))
    held[16:24] = (60_000).to_bytes(4, "big") * 2
    assert checks(read("masks", {"masks/a.png": bytes(held)}, A))[0] in ("too_large", "broken_file")


def test_masks_of_the_stored_image_are_turned_upright() -> None:
    turned = refs("images/a.jpg", width=10, height=20, orientation=6)
    reading = read("masks", {"masks/a.png": png(TWO)}, turned)
    assert reading.labels[1].rle is not None
    assert (mask_of_counts(reading.labels[1].rle, 10, 20) == np.rot90(TWO == 2, -1)).all()


@pytest.mark.parametrize(
    ("path", "extra", "role", "image"),
    [
        ("masks/train/a.png", {}, "annotation", "images/train/a.jpg"),
        ("a_mask.png", {}, "annotation", "a.jpg"),
        ("a_GT.bmp", {}, "annotation", "a.jpg"),
        ("ground_truth/a_mask.png", {}, "annotation", "images/a.jpg"),
        ("SegmentationClass/a.png", {}, "annotation", "JPEGImages/a.jpg"),
        ("SegmentationObject/a.png", {}, "other", ""),
        ("images/a.jpg", {}, "image", ""),
        ("masks/a.jpg", {}, "image", ""),
        ("regions/a.png", {"folder": "regions"}, "annotation", "images/a.jpg"),
        ("masks/a.png", {"folder": "regions"}, "image", ""),
        ("a-area.png", {"suffix": "-area"}, "annotation", "a.jpg"),
    ],
)
def test_which_files_are_masks_and_of_which_image(
    path: str, extra: dict[str, str], role: str, image: str
) -> None:
    assert load_reader("masks").role(path, Options(extra=extra)) == role
    if role == "annotation":
        images = refs(image, width=20, height=10)
        assert read("masks", {path: png(TWO)}, images, (), **extra).covered == {image}


def test_sniffing() -> None:
    files: dict[str, bytes | str] = {"images/a.jpg": b"", "masks/a.png": png(TWO), "masks/z.png": png(TWO)}
    best = sniff_all(listing(files))[0]
    assert (best.format, best.weight, best.classes) == ("masks", 1, ["1", "2"])
    assert best.facts == ["1 of 2 masks belong to an image that is here", "values in them: 1 in 1, 2 in 1"]


@pytest.mark.shared
def test_voc_sample(shared_data: Path) -> None:
    reading, _ = read_folder(shared_data / "annotation_samples/voc/voc_dataset1", "masks")
    assert [label.shape for label in reading.labels] == ["mask"]
    assert not reading.problems


def test_a_mask_that_holds_postscript_starts_no_ghostscript(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow hands EPS to whatever is called gs on the PATH, whatever the file itself is called."""
    started = tmp_path / "started"
    script = tmp_path / "gs"
    script.write_text(f"#!/bin/sh\ntouch '{started}'\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\nshowpage\n%%EOF\n"
    reading = read("masks", {"masks/a.png": eps}, A)
    assert checks(reading) == ["broken_file"]
    assert not started.exists()
