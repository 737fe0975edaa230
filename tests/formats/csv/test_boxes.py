from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import (
    box,
    checks,
    folder_listing,
    negatives,
    only,
    read,
    read_folder,
    refs,
    sniff_all,
)

from tundish.errors import SourceError
from tundish.formats.csv.evidence import READINGS, settle

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES = refs("images/a.jpg", "images/b.jpg", "images/c.jpg")
CORNERS = ("corners",)


def spread(count: int, seed: int, width: int = 200, height: int = 100) -> NDArray[np.float64]:
    """Boxes as corners, anywhere in a picture."""
    rng = np.random.default_rng(seed)
    xs = np.sort(rng.uniform(0, width, (count, 2)), axis=1)
    ys = np.sort(rng.uniform(0, height, (count, 2)), axis=1)
    return np.stack([xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]], axis=1)


def written(corners: NDArray[np.float64], reading: str) -> NDArray[np.float64]:
    low, high = corners[:, :2], corners[:, 2:]
    if reading == "corners":
        return corners
    return np.hstack([low if reading == "xywh" else (low + high) / 2, high - low])


@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 40),
    reading=st.sampled_from(sorted(READINGS)),
    shares=st.booleans(),
)
def test_the_evidence_is_right_or_says_that_it_is_not_clear(
    seed: int, count: int, reading: str, shares: bool
) -> None:
    boxes = written(spread(count, seed), reading)
    if shares:
        boxes = boxes / (200, 100, 200, 100)
    settled = settle(tuple(READINGS), boxes, np.tile([200.0, 100.0], (count, 1)), "", "")
    assert settled.doubt or (settled.box, settled.unit) == (reading, "share" if shares else "px")
    assert count < 30 or not settled.doubt


@pytest.mark.parametrize("unit", ["px", "share"])
@pytest.mark.parametrize("reading", sorted(READINGS))
def test_add_settles_what_headerless_numbers_are_and_run_is_held_to_it(
    tmp_path: Path, reading: str, unit: str
) -> None:
    corners = spread(40, 7)
    lines = []
    for number, row in enumerate(
        written(corners, reading) / ((200, 100) * 2 if unit == "share" else (1,) * 4)
    ):
        lines.append(f"img/p{number % 5}.png,{','.join(f'{value:.6f}' for value in row)},rust")
    (tmp_path / "img").mkdir()
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"img/p{number}.png"), np.full((100, 200), 90, np.uint8))
    (tmp_path / "boxes.csv").write_text("\n".join([*lines, "img/p5.png,,,,,"]) + "\n")
    best = sniff_all(folder_listing(tmp_path))[0]
    assert (best.format, best.extra, best.classes) == ("boxes-csv", {"box": reading, "unit": unit}, ["rust"])
    assert any(f"read as {READINGS[reading]}" in fact for fact in best.facts)
    found, _ = read_folder(tmp_path, "boxes-csv", best.extra)
    got = np.array([box(label) for label in found.labels])
    assert np.allclose(got, written(corners, "xywh"), atol=1e-3)
    assert negatives(found) == {"img/p5.png"}


def test_boxes_on_pictures_of_unknown_size_do_not_dilute_the_evidence() -> None:
    boxes = spread(3000, 5)
    sizes = np.tile([200.0, 100.0], (3000, 1))
    sizes[60:] = np.nan
    settled = settle(tuple(READINGS), boxes, sizes, "", "")
    assert (settled.box, settled.unit, settled.doubt) == ("corners", "px", "")
    assert settled.facts[-1].startswith("of 60 sampled boxes leave")


def test_what_is_not_clear_is_refused_with_the_option_that_settles_it() -> None:
    files = {"t.csv": "images/a.jpg,10,10,12,12,rust\nimages/b.jpg,20,20,22,22,rust\n"}
    reading = read("boxes-csv", files, IMAGES)
    assert (only(reading).check, only(reading).labels) == ("ambiguous_boxes", 2)
    assert "{box: corners} or {box: xywh}" in only(reading).message
    assert reading.refused == {"images/a.jpg", "images/b.jpg"}
    assert not reading.covered
    clear = read("boxes-csv", files, IMAGES, box="corners", unit="px")
    assert [box(label) for label in clear.labels] == [(10, 10, 2, 2), (20, 20, 2, 2)]
    with pytest.raises(SourceError, match="box is 'middle'"):
        read("boxes-csv", files, IMAGES, box="middle")


def test_names_that_the_boxes_contradict_are_not_believed() -> None:
    rows = "".join(
        f"a.jpg,rust,{x:.0f},{y:.0f},{w:.0f},{h:.0f}\n" for x, y, w, h in written(spread(30, 3), "xywh")
    )
    files = {"t.csv": "filename,class,xmin,ymin,xmax,ymax\n" + rows}
    assert checks(read("boxes-csv", files, IMAGES)) == ["ambiguous_boxes"]
    assert len(read("boxes-csv", files, IMAGES, box="xywh", unit="px").labels) == 30


VOTT = '"image","xmin","ymin","xmax","ymax","label"\n"a.jpg",10.5,20,40,60,"rust, red"\n'
TENSORFLOW = "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,200,100,rust,10,20,40,60\n"
KAGGLE = 'image_id,width,height,bbox,source\na,200,100,"[10.0, 20, 30, 40]",mill\n'
OPEN_IMAGES = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\na,x,/m/01g317,1,0.05,0.2,0.2,0.6\n"


@pytest.mark.parametrize(
    ("text", "label", "place"),
    [
        (VOTT, "rust, red", (10.5, 20, 29.5, 40)),
        (TENSORFLOW, "rust", (10, 20, 30, 40)),
        (KAGGLE, "object", (10, 20, 30, 40)),
        (OPEN_IMAGES, "/m/01g317", (10, 20, 30, 40)),
        (TENSORFLOW.replace(",", ";").replace("10", "10,25"), "rust", (10.25, 20, 29.75, 40)),
        ("\ufeff" + TENSORFLOW.replace("\n", "\r\n"), "rust", (10, 20, 30, 40)),
    ],
)
def test_known_headers(text: str, label: str, place: tuple[float, ...]) -> None:
    reading = read("boxes-csv", {"t.csv": text.replace("200;10,250", "200;100")}, IMAGES)
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    (found,) = reading.labels
    assert found.raw_label == label
    assert box(found) == pytest.approx(place)


def test_a_header_and_classes_in_gb18030() -> None:
    text = "文件名,类别,xmin,ymin,xmax,ymax\na.jpg,划伤,10,20,40,60\n"
    (label,) = read("boxes-csv", {"t.csv": text.encode("gb18030")}, IMAGES).labels
    assert label.raw_label == "划伤"


def test_one_bad_row_costs_itself() -> None:
    rows = [
        "a.jpg,1,2,3,4,rust",
        "a.jpg,1,2,x,4,rust",
        "a.jpg,1,2,,4,rust",
        "a.jpg,nan,2,3,4,rust",
        "a.jpg,1,2,3,4,",
        "a.jpg,,,,,rust",
        "a.jpg,1,2",
        'a.jpg,1,2,3,4,"rust',
        "z.jpg,1,2,3,4,rust",
        "z.jpg,1,2,3,4,rust",
        "b.jpg,5,6,3,4,scale",
        "c.jpg,,,,,",
        "c.jpg,-1.7e308,2,1.7e308,4,rust",
    ]
    reading = read("boxes-csv", {"t.csv": "path,x1,y1,x2,y2,class\n" + "\n".join(rows)}, IMAGES)
    assert [(label.label_row, label.raw_label) for label in reading.labels] == [(1, "rust"), (11, "scale")]
    assert sorted((problem.row, problem.check) for problem in reading.problems) == [
        (2, "not_a_number"),
        (3, "missing_box"),
        (4, "not_finite"),
        (5, "missing_name"),
        (6, "missing_box"),
        (7, "field_count"),
        (8, "broken_quotes"),
        (9, "image_not_found"),
        (11, "reversed_corners"),
        (13, "not_finite"),
    ]
    assert len(reading.labels) + sum(problem.labels for problem in reading.problems) == 12
    assert reading.refused == {"images/a.jpg", "images/c.jpg"}
    assert not negatives(reading)


def test_a_box_drawn_on_the_stored_picture_is_turned() -> None:
    turned = refs("a.jpg", width=100, height=200, orientation=6)
    (label,) = read("boxes-csv", {"t.csv": TENSORFLOW}, turned).labels
    assert box(label) == (40, 10, 40, 30)


def test_numbers_for_images_are_not_boxes(tmp_path: Path) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"coal{number}.png"), np.full((40, 40), 90, np.uint8))
    rows = "".join(f"coal{number}.png,{8.1 + number},{11.5 + number}\n" for number in range(4))
    (tmp_path / "values.csv").write_text("image,moisture,ash\n" + rows)
    assert [found.format for found in sniff_all(folder_listing(tmp_path))] == ["images"]
    told = read("boxes-csv", {"values.csv": "image,moisture,ash\ncoal0.png,1.5,2\n"}, refs("coal0.png"))
    assert only(told).check == "not_labels"


def test_a_class_under_another_name_is_found_by_what_comes_again() -> None:
    header = "filename,xmin,ymin,xmax,ymax,flaw,remark\n"
    rows = "a.jpg,10,20,40,60,rust,near the edge\nb.jpg,10,20,40,60,rust,small\nc.jpg,1,2,4,6,scale,\n"
    reading = read("boxes-csv", {"t.csv": header + rows + "c.jpg,5,6,9,9,scale,\n"}, IMAGES)
    assert [label.raw_label for label in reading.labels] == ["rust", "rust", "scale", "scale"]
    assert reading.labels[1].attributes == {"remark": "small"}
    two = header.replace("remark", "form") + rows.replace("near the edge", "line").replace("small", "line")
    refused = read("boxes-csv", {"t.csv": two + "c.jpg,5,6,9,9,scale,\n"}, IMAGES)
    assert "2 columns could be that of the class" in only(refused).message
    assert only(refused).labels == 4


def test_four_numbers_without_a_class_are_not_boxes() -> None:
    reading = read("boxes-csv", {"t.csv": "a.jpg,1,2,3,4\nb.jpg,5,6,7,8\n"}, IMAGES)
    assert only(reading).check == "not_labels"
    named = read("boxes-csv", {"t.csv": "a.jpg,1,2,3,4\n"}, IMAGES, columns="image,a,b,c,d")
    assert "names no four columns of a box" in only(named).message


def test_columns_can_be_named_where_there_is_no_header() -> None:
    files = {"t.csv": "a.jpg,1,10,20,40,60\nb.jpg,2,11,20,40,60\n"}
    reading = read("boxes-csv", files, IMAGES)
    assert "{columns: 'image,x1,y1,x2,y2,class'}" in only(reading).message
    named = read("boxes-csv", files, IMAGES, columns="image,class,x1,y1,x2,y2")
    assert [(label.raw_label, box(label)) for label in named.labels] == [
        ("1", (10, 20, 30, 40)),
        ("2", (11, 20, 29, 40)),
    ]
    short = read("boxes-csv", files, IMAGES, columns="image,class,x1,y1,x2,y2,more")
    assert "names 7 columns, the rows have 6" in only(short).message


@given(data=st.binary(max_size=200) | st.text(alphabet='a.jpgb,1259\n";[]', max_size=120).map(str.encode))
def test_no_bytes_stop_it(data: bytes) -> None:
    read("boxes-csv", {"t.csv": data}, IMAGES)
    read("boxes-csv", {"t.csv": TENSORFLOW.encode() + data}, IMAGES)
