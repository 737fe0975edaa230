from __future__ import annotations

import numpy as np
import pytest
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.tools.written import BOX, cvat, cvat_box, frame_box, video

from tundish.imaging.geometry import mask_of_counts

A = refs("images/a.jpg")
PATH = "annotations.xml"
FRAMES = refs(*(f"images/frame_{number:06d}.png" for number in range(10, 17)))


def test_boxes_have_edges_and_keep_what_else_is_said() -> None:
    inner = '<attribute name="depth">2.4</attribute>'
    shape = cvat_box(more='occluded="1" z_order="2" source="manual"').replace("/>", f">{inner}</box>")
    (label,) = read("cvat", {PATH: cvat(shape)}, A).labels
    assert box(label) == pytest.approx((10.5, 20.25, 50.25, 30.25), abs=1e-6)
    assert (label.shape, label.raw_label, label.label_row) == ("box", "crack", 0)
    assert label.attributes == {"occluded": "1", "z_order": "2", "source": "manual", "depth": "2.4"}


def test_a_turned_box_is_the_polygon_of_its_corners() -> None:
    (label,) = read(
        "cvat", {PATH: cvat(cvat_box(corners=(40, 30, 80, 50), more='rotation="90.0"'))}, A
    ).labels
    assert label.shape == "polygon"
    assert label.segmentation is not None
    assert label.segmentation[0] == pytest.approx([70, 20, 70, 60, 50, 60, 50, 20], abs=1e-6)
    assert box(label) == pytest.approx((50, 20, 20, 40), abs=1e-6)
    (clockwise,) = read(
        "cvat", {PATH: cvat(cvat_box(corners=(0, 50, 100, 50), more='rotation="30"'))}, A
    ).labels
    assert clockwise.segmentation is not None
    assert clockwise.segmentation[0][2:4] == pytest.approx(
        [93.301270, 75], abs=1e-6
    )  # the right end goes down


def test_polygons_ellipses_masks_and_tags() -> None:
    shapes = (
        '<polygon label="a" points="20.0,20.0;60.0,25.5;50.0,60.0"/>',
        '<ellipse label="b" cx="50" cy="40" rx="20" ry="10"/>',
        '<ellipse label="b" cx="50" cy="40" rx="20" ry="10" rotation="90"/>',
        '<mask label="c" rle="1, 2, 2, 1" left="5" top="7" width="3" height="2"/>',
        '<tag label="d" source="manual"/>',
    )
    polygon, ellipse, turned, mask, tag = read("cvat", {PATH: cvat(*shapes)}, A).labels
    assert polygon.segmentation == [[20, 20, 60, 25.5, 50, 60]]
    assert box(ellipse) == pytest.approx((30, 30, 40, 20), abs=1e-6)
    assert box(turned) == pytest.approx((40, 20, 20, 40), abs=1e-6)
    assert mask.rle is not None
    found = mask_of_counts(mask.rle, 200, 100)
    assert np.argwhere(found).tolist() == [[7, 6], [7, 7], [8, 7]]
    assert (tag.shape, box(tag)) == ("class", (0, 0, 200, 100))


@pytest.mark.parametrize("kind", ["polyline", "points", "cuboid", "skeleton"])
def test_other_shapes_are_reported_one_by_one(kind: str) -> None:
    shape = f'<{kind} label="a" points="1,2;3,4"/>'
    reading = read("cvat", {PATH: cvat(shape, cvat_box(), shape)}, A)
    assert [(problem.check, problem.value, problem.row) for problem in reading.problems] == [
        ("unsupported_shape", kind, 0),
        ("unsupported_shape", kind, 2),
    ]
    assert (len(reading.labels), reading.covered, reading.refused) == (1, {A[0].path}, {A[0].path})


def test_an_image_without_shapes_is_a_negative_and_one_that_is_missing_is_reported() -> None:
    assert negatives(read("cvat", {PATH: cvat()}, A)) == {A[0].path}
    problem = only(read("cvat", {PATH: cvat(cvat_box(), cvat_box(), name="z.jpg")}, A))
    assert (problem.check, problem.value, problem.labels) == ("image_not_found", "z.jpg", 2)


def test_a_subset_tells_images_of_one_name_apart() -> None:
    images = refs("images/Train/a.jpg", "images/Test/a.jpg")
    data = cvat(cvat_box(), size='subset="Test" width="200" height="100"')
    assert read("cvat", {PATH: data}, images).labels[0].image.path == "images/Test/a.jpg"


def test_reversed_corners_are_swapped_with_a_warning() -> None:
    reading = read("cvat", {PATH: cvat(cvat_box(corners=(60, 50, 10, 20)))}, A)
    assert checks(reading, "warning") == ["reversed_corners"]
    assert box(reading.labels[0]) == (10, 20, 50, 30)


def test_one_bad_shape_costs_itself() -> None:
    bad = {
        cvat_box(corners=("nan", 1, 2, 3)): "not_finite",
        cvat_box(corners=("1,5", 1, 2, 3)): "decimal_comma",
        cvat_box(corners=("", 1, 2, 3)): "missing_box",
        cvat_box("  "): "missing_name",
        cvat_box(more='rotation="north"'): "not_a_number",
        '<polygon label="a" points="1,2;3,4"/>': "broken_polygon",
        '<polygon label="a" points="1,2;3;4,5"/>': "broken_polygon",
        '<polygon label="a"/>': "broken_polygon",
        '<ellipse label="a" cx="1" cy="2" rx="-3" ry="4"/>': "negative_size",
        '<mask label="a" rle="1,2" left="0" top="0" width="2" height="2"/>': "broken_mask",
        '<mask label="a" rle="4" left="0" top="0" width="2" height="2"/>': "empty_mask",
        '<mask label="a" rle="0,-4" left="0" top="0" width="2" height="2"/>': "broken_mask",
        '<mask label="a" rle="0,4" left="199" top="0" width="2" height="2"/>': "size_mismatch",
        '<mask label="a" rle="0,4" left="0.5" top="0" width="2" height="2"/>': "broken_mask",
        '<mask label="a" rle="0,9" left="0" top="0" width="1000000000" height="9"/>': "size_mismatch",
        f'<mask label="a" rle="0,{"9" * 5000}" left="0" top="0" width="2" height="2"/>': "broken_mask",
    }
    reading = read("cvat", {PATH: cvat(*bad, cvat_box())}, A)
    assert [problem.check for problem in reading.problems] == list(bad.values())
    assert [problem.row for problem in reading.problems] == list(range(len(bad)))
    assert [label.label_row for label in reading.labels] == [len(bad)]


def test_other_xml_is_refused_with_the_reason() -> None:
    files = {
        "a.xml": "<annotation/>",
        "b.xml": "<annotations><meta/></annotations>",
        "c.xml": "<annotations>",
    }
    assert checks(read("cvat", files, A)) == ["not_cvat", "no_annotations", "broken_file"]


def test_a_track_labels_the_frames_it_is_seen_on() -> None:
    track = frame_box(10, BOX) + frame_box(11, (0, 0, 5, 5), 'outside="1"') + frame_box(12, (1, 2, 3, 4))
    reading = read("cvat", {PATH: video(track)}, FRAMES)
    assert [(label.image.path[-6:], box(label), label.raw_label) for label in reading.labels] == [
        ("10.png", (10.5, 20.25, 50.25, 30.25), "coil"),
        ("12.png", (1, 2, 2, 2), "coil"),
    ]
    assert not reading.problems
    assert reading.covered == {FRAMES[0].path, FRAMES[2].path}  # nothing says that somebody looked at 11


def test_boxes_between_two_frames_are_interpolated_as_cvat_does() -> None:
    track = frame_box(10, (0, 0, 10, 10), 'rotation="350.0"') + frame_box(
        14, (40, 20, 60, 50), 'rotation="10"'
    )
    ended = frame_box(14, (0, 0, 10, 10)) + frame_box(16, (8, 8, 18, 18), 'outside="1"')
    labels = {
        (label.image.path[-6:], label.attributes["track"]): label
        for label in read("cvat", {PATH: video(track, ended)}, FRAMES).labels
    }
    assert sorted(labels) == [
        *((f"{number}.png", "0") for number in (10, 11, 12, 13)),
        ("14.png", "0"),
        ("14.png", "1"),
        ("15.png", "1"),
    ]
    middle = labels["12.png", "0"]  # 350 to 10 degrees by the shorter way: upright
    assert middle.shape == "box"
    assert box(middle) == pytest.approx((20, 10, 15, 20), abs=1e-6)
    assert box(labels["15.png", "1"]) == pytest.approx((4, 4, 10, 10), abs=1e-6)
    rows = [label.label_row for label in labels.values()]
    assert len(set(rows)) == len(rows)


def test_rows_of_interpolated_labels_do_not_hang_on_which_images_are_here() -> None:
    data = video(frame_box(10, (0, 0, 10, 10)) + frame_box(16, (6, 6, 16, 16)))
    whole = {label.image.path: label.label_row for label in read("cvat", {PATH: data}, FRAMES).labels}
    some = {label.image.path: label.label_row for label in read("cvat", {PATH: data}, FRAMES[::3]).labels}
    assert some.items() <= whole.items()
    assert len(some) == 3


def test_shapes_that_are_not_interpolated_are_reported_and_their_frames_are_no_negatives() -> None:
    points = 'points="1,2;30,4;5,60"'
    track = f'<polygon frame="10" {points}/><polygon frame="13" {points}/>'
    reading = read("cvat", {PATH: video(track)}, FRAMES)
    assert [(problem.check, problem.value) for problem in reading.problems] == [
        ("not_interpolated", "11"),
        ("not_interpolated", "12"),
    ]
    assert reading.covered == {FRAMES[0].path, FRAMES[3].path}
    assert reading.refused == {FRAMES[1].path, FRAMES[2].path}


def test_a_track_without_an_end_is_reported_where_frames_follow() -> None:
    data = video(frame_box(14, BOX)).replace("<original_size>", "<stop_frame>15</stop_frame><original_size>")
    problem = only(read("cvat", {PATH: data}, FRAMES))
    assert (problem.check, problem.severity) == ("not_interpolated", "warning")
    assert "stops at frame 14 without an end; 1 later image" in problem.message
    ended = data.replace("</track>", frame_box(15, BOX, 'outside="1"') + "</track>")
    assert not read("cvat", {PATH: ended}, FRAMES).problems


def test_frames_are_found_by_the_number_that_ends_a_name_and_never_guessed() -> None:
    data = video(frame_box(7, BOX))
    assert (
        read("cvat", {PATH: data}, refs("x/cam 7.jpg", "x/cam 17.jpg")).labels[0].image.path == "x/cam 7.jpg"
    )
    assert checks(read("cvat", {PATH: data}, refs("x/left7.jpg", "x/right7.jpg"))) == ["ambiguous_image"]
    assert checks(read("cvat", {PATH: data}, refs("x/a.jpg"))) == ["image_not_found"]
    own = refs("one/frame_000007.png", "two/frame_000007.png")
    assert read("cvat", {"two/annotations.xml": data}, own).labels[0].image.path == "two/frame_000007.png"


@pytest.mark.parametrize("frame", ["", "-1", "1.5", "9" * 400, "٣"])
def test_a_frame_that_is_no_number_costs_itself(frame: str) -> None:
    reading = read("cvat", {PATH: video(frame_box(frame, BOX) + frame_box(10, BOX))}, FRAMES)
    assert (checks(reading), len(reading.labels)) == (["wrong_type"], 1)


def test_a_long_gap_costs_no_time() -> None:
    track = frame_box(0, (0, 0, 10, 10)) + frame_box(9_999_999, (10, 10, 20, 20))
    reading = read("cvat", {PATH: video(*[track] * 300)}, FRAMES)
    rows = [label.label_row for label in reading.labels]
    assert len(set(rows)) == len(rows)
    assert max(rows) < 2**31


def test_add_sees_cvat_by_what_the_file_holds() -> None:
    files = {
        "images/a.jpg": "",
        "images/b.jpg": "",
        "export.xml": cvat(cvat_box(), '<points label="tip" points="1,2"/>'),
    }
    found = sniff_all(listing(files))
    assert [evidence.format for evidence in found] == ["cvat", "images"]
    assert found[0].classes == ["crack"]
    assert found[0].facts == [
        "1 of 1 image named in export.xml of CVAT are here",
        "1 label of 1 class: 1 box",
        "not read, and reported by `tundish run`: 1 points",
        "1 image without labels: unlabelled",
    ]
