from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.test_voc import SIZE, item, voc

A = refs("images/a.jpg")
PATH = "annotations/a.xml"
RING = "<x1>20</x1><y1>20</y1><x2>60</x2><y2>30.5</y2><x3>40</x3><y3>60</y3>"
POINTS = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((20, 20), (60, 30.5), (40, 60)))


def drawn(inner: str, name: str = "crack") -> str:
    return f"<object><name>{name}</name><difficult>1</difficult>{inner}</object>"


def turned(cx: object, cy: object, width: object, height: object, angle: object) -> str:
    parts = zip(("cx", "cy", "w", "h", "angle"), (cx, cy, width, height, angle), strict=True)
    inner = "".join(f"<{tag}>{value}</{tag}>" for tag, value in parts)
    return drawn(f"<type>robndbox</type><robndbox>{inner}</robndbox>")


@pytest.mark.parametrize(
    "inner", [f"<polygon>{RING}</polygon>", f"<polygon><username>li</username>{POINTS}</polygon>"]
)
def test_a_polygon_beside_the_box_is_what_is_read(inner: str) -> None:
    boxed = item(box=(20, 20, 60, 60)).partition("</name>")[2].removesuffix("</object>")
    for text in (drawn(inner), drawn(boxed + inner)):
        (label,) = read("voc", {PATH: voc(text)}, A).labels
        assert (label.shape, label.segmentation) == ("polygon", [[20, 20, 60, 30.5, 40, 60]])
        assert box(label) == (20, 20, 40, 40)
        assert label.attributes == {"difficult": 1}


def test_an_empty_polygon_leaves_the_box() -> None:
    boxed = item(box=(20, 20, 60, 60), more="<polygon/>")
    (label,) = read("voc", {PATH: voc(boxed)}, A).labels
    assert (label.shape, box(label)) == ("box", (19, 19, 41, 41))


@given(
    width=st.floats(1, 50),
    height=st.floats(1, 50),
    angle=st.floats(-7, 7),
    cx=st.floats(0, 200),
    cy=st.floats(0, 100),
)
def test_a_turned_box_keeps_its_centre_its_sides_and_its_angle(
    width: float, height: float, angle: float, cx: float, cy: float
) -> None:
    (label,) = read("voc", {PATH: voc(turned(cx, cy, width, height, angle))}, A).labels
    assert label.segmentation is not None
    (ring,) = label.segmentation
    points = list(zip(ring[::2], ring[1::2], strict=True))
    assert sum(ring[::2]) / 4 == pytest.approx(cx, abs=1e-6)
    assert sum(ring[1::2]) / 4 == pytest.approx(cy, abs=1e-6)
    assert math.dist(points[0], points[1]) == pytest.approx(width)
    assert math.dist(points[1], points[2]) == pytest.approx(height)
    along = (points[1][0] - points[0][0], points[1][1] - points[0][1])
    assert along == pytest.approx((width * math.cos(angle), width * math.sin(angle)), abs=1e-6)


def test_an_outline_drawn_on_the_stored_picture_is_turned() -> None:
    image = refs("images/a.jpg", width=100, height=200, orientation=6)
    (label,) = read("voc", {PATH: voc(drawn(f"<polygon>{RING}</polygon>"))}, image).labels
    assert label.segmentation == [[80, 20, 69.5, 60, 40, 40]]


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (drawn("<polygon><x1>1</x1><y1>1</y1><x2>5</x2><y2>5</y2></polygon>"), "broken_polygon"),
        (drawn(f"<polygon>{RING}<x4>3</x4></polygon>"), "broken_polygon"),
        (drawn(f"<polygon>{RING.replace('60', 'sixty')}</polygon>"), "not_a_number"),
        (drawn(f"<polygon>{RING.replace('60', '60,5')}</polygon>"), "decimal_comma"),
        (turned(1, 1, -5, 5, 0), "negative_size"),
        (turned(1, 1, 5, 5, ""), "broken_polygon"),
        (turned(1, "nan", 5, 5, 0), "not_finite"),
        (turned(1.7e308, 1, 1.7e308, 5, 0), "not_finite"),
    ],
)
def test_a_broken_outline_costs_its_object(text: str, check: str) -> None:
    reading = read("voc", {PATH: voc(text, item())}, A)
    assert checks(reading) == [check]
    assert [label.label_row for label in reading.labels] == [1]
    alone = read("voc", {PATH: voc(text)}, A)
    assert only(alone).labels == 1
    assert not alone.covered


def test_objects_that_labelme_keeps_as_deleted_are_none() -> None:
    gone = drawn(f"<deleted>1</deleted><polygon>{POINTS}</polygon>")
    assert negatives(read("voc", {PATH: voc(gone)}, A)) == {"images/a.jpg"}


def test_add_says_that_there_are_outlines() -> None:
    files: dict[str, bytes | str] = {
        PATH: voc(drawn(f"<polygon>{RING}</polygon>"), size=SIZE),
        "images/a.jpg": b"",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.classes, best.extra) == ("voc", ["crack"], {})
    assert "0 boxes and 1 outline, read as polygons, of 1 class" in best.facts


def labelme_xml(*objects: str) -> str:
    size = "<imagesize><nrows>100</nrows><ncols>200</ncols></imagesize>"
    return f"<annotation><filename>a.jpg</filename><folder>set</folder>{size}{''.join(objects)}</annotation>"


SEGM = "<object><name>孔</name><deleted>0</deleted><segm><mask>a_mask_0.png</mask></segm></object>"


def test_the_old_labelme_writes_polygons_the_size_by_rows_and_masks_that_are_not_read() -> None:
    ring = drawn(f"<deleted>0</deleted><occluded>no</occluded><polygon>{POINTS}</polygon>")
    gone = drawn(f"<deleted>1</deleted><polygon>{POINTS}</polygon>")
    reading = read("voc", {PATH: labelme_xml(ring, gone, SEGM)}, A)
    assert [(label.raw_label, label.shape) for label in reading.labels] == [("crack", "polygon")]
    assert (only(reading).check, only(reading).labels) == ("mask_not_read", 1)
    assert reading.refused == {"images/a.jpg"}
    best = sniff_all(listing({"images/a.jpg": b"", PATH: labelme_xml(ring, gone, SEGM)}))[0]
    assert (best.format, best.classes) == ("voc", ["crack"])
    assert "1 mask in PNG files: not read, `run` reports each" in best.facts


def test_a_size_that_is_not_the_images_is_reported_for_the_old_labelme_too() -> None:
    text = labelme_xml(drawn(f"<polygon>{POINTS}</polygon>")).replace("100", "90")
    assert checks(read("voc", {PATH: text}, A), "warning") == ["size_mismatch"]
