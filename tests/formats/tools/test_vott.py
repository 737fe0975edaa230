from __future__ import annotations

import json

from tests.formats.sources import box, checks, listing, read, refs, sniff_all
from tests.formats.tools.written import vott, vott_box

A = refs("images/a.jpg")
RING = [{"x": 10, "y": 20}, {"x": 60, "y": 20.5}, {"x": 40, "y": 60}]


def test_each_tag_of_a_region_is_a_label() -> None:
    first, second, third = read(
        "vott",
        {"set.json": vott(vott_box("锈", "dent"), vott_box("dent", kind="POLYGON", points=RING))},
        A,
    ).labels
    assert (first.raw_label, box(first), second.raw_label) == ("锈", (10.5, 20, 40, 30.25), "dent")
    assert [one.label_row for one in (first, second, third)] == [0, 1, 2]
    assert (third.shape, third.segmentation) == ("polygon", [[10, 20, 60, 20.5, 40, 60]])


def test_a_file_for_each_image_is_read_too_and_a_name_of_a_web_address() -> None:
    one = json.loads(vott(vott_box("a"), name="%E5%88%92%201.jpg"))["assets"]["1"]
    (label,) = read("vott", {"x-asset.json": json.dumps(one)}, refs("划 1.jpg")).labels
    assert label.image.path == "划 1.jpg"


def test_a_bad_region_costs_itself_and_an_image_without_regions_is_a_negative() -> None:
    bad = [vott_box(), vott_box("a", kind="POINT"), vott_box("a", boundingBox=None), 7]
    reading = read(
        "vott", {"set.json": vott(*bad, vott_box("a")), "b.json": vott(name="b.jpg")}, [*A, *refs("b.jpg")]
    )
    assert checks(reading) == ["missing_name", "unsupported_shape", "missing_box", "wrong_type"]
    assert [label.label_row for label in reading.labels] == [4]
    assert reading.covered == {"images/a.jpg", "b.jpg"}
    assert checks(read("vott", {"set.json": '{"assets": {}}'}, A)) == ["not_vott"]


def test_add_counts_what_it_reads_and_what_it_does_not() -> None:
    files: dict[str, bytes | str] = {
        "images/a.jpg": b"",
        "set.json": vott(vott_box("a"), vott_box("b", kind="POINT")),
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.classes) == ("vott", ["a"])
    assert "not read, and reported by `tundish run`: 1 point" in best.facts
