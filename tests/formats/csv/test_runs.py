from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import checks, listing, negatives, read, refs, sniff_all

from tundish.errors import SourceError
from tundish.formats.csv.runs import counts_of_runs
from tundish.imaging.geometry import mask_of_counts

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

IMAGES = refs("train/a.jpg", "train/b.jpg", "train/c.jpg", width=6, height=4)
HEADER = "ImageId,ClassId,EncodedPixels\n"


def runs_of(mask: NDArray[np.uint8], first: int, *, columns: bool) -> str:
    """A mask as starts and lengths, written down one pixel after the other."""
    flat = np.concatenate([[0], (mask.T if columns else mask).ravel(), [0]])
    edges = np.flatnonzero(np.diff(flat)).reshape(-1, 2)
    return " ".join(f"{start + first} {stop - start}" for start, stop in edges.tolist())


MASKS = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 2**81 - 1)).map(
    lambda one: np.array([(one[2] >> bit) & 1 for bit in range(one[0] * one[1])], np.uint8).reshape(
        one[0], one[1]
    )
)


@given(mask=MASKS, first=st.sampled_from([0, 1]), rows=st.booleans(), turn=st.randoms())
def test_runs_give_the_mask_that_they_were_made_of(
    mask: NDArray[np.uint8], first: int, rows: bool, turn: Random
) -> None:
    if not mask.any():
        return
    height, width = mask.shape
    text = runs_of(mask, first, columns=not rows)
    pairs = [" ".join(pair) for pair in np.array(text.split()).reshape(-1, 2).tolist()]
    turn.shuffle(pairs)
    order = "rows" if rows else "columns"
    counts = counts_of_runs(" ".join(pairs), width, height, first=first, order=order)
    assert counts == pycocotools.mask.encode(np.asfortranarray(mask))["counts"].decode()


def test_runs_that_touch_or_overlap_are_one() -> None:
    mask = mask_of_counts(counts_of_runs("5 3 1 2 6 4", 6, 4), 6, 4)
    assert np.flatnonzero(mask.ravel("F")).tolist() == [0, 1, 4, 5, 6, 7, 8]


def test_severstal_a_row_a_class_and_images_without_runs_are_negatives() -> None:
    reading = read("runs-csv", {"train.csv": HEADER + "a.jpg,3,1 2 5 1\na.jpg,1,9 4\nb.jpg,2,\n"}, IMAGES)
    first, second = reading.labels
    assert (first.raw_label, first.shape, first.label_row) == ("3", "mask", 1)
    assert (second.raw_label, second.x, second.y, second.width, second.height) == ("1", 2, 0, 1, 4)
    assert first.rle is not None
    assert mask_of_counts(first.rle, 6, 4).T.ravel().tolist()[:6] == [1, 1, 0, 0, 1, 0]
    assert negatives(reading) == {"train/b.jpg"}
    assert not reading.problems


def test_the_older_form_has_image_and_class_in_one_column() -> None:
    text = "ImageId_ClassId,EncodedPixels\na.jpg_1,\na.jpg_2,3 2\nb.jpg_1,\nb.jpg_2,\n"
    reading = read("runs-csv", {"train.csv": text}, IMAGES)
    assert [(label.image.path, label.raw_label) for label in reading.labels] == [("train/a.jpg", "2")]
    assert negatives(reading) == {"train/b.jpg"}


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ("1 2 3", "not pairs"),
        ("0 3", "begins at 0"),
        ("1 0", "no pixel"),
        ("20 6", "ends at pixel 25"),
        ("999999999999 999999999999", "ends at"),
        ("1,5", "not pairs"),
    ],
)
def test_a_row_that_is_no_mask_costs_itself(runs: str, words: str) -> None:
    text = HEADER + f'a.jpg,1,"{runs}"\na.jpg,2,1 4\nb.jpg,1,2 3\n,,\nb.jpg,2,"7 2\n'
    reading = read("runs-csv", {"train.csv": text}, IMAGES)
    assert [label.label_row for label in reading.labels] == [2, 3]
    assert checks(reading) == ["broken_mask", "broken_quotes"]
    assert words in reading.problems[0].message
    assert [(problem.row, problem.labels) for problem in reading.problems] == [(1, 1), (5, 1)]
    assert reading.refused == {"train/a.jpg", "train/b.jpg"}


def test_an_image_all_of_whose_runs_were_refused_is_no_negative() -> None:
    reading = read("runs-csv", {"t.csv": HEADER + "a.jpg,1,0 1\nb.jpg,1,1 1\nc.jpg,1,3 1\n"}, IMAGES)
    assert "train/a.jpg" not in reading.covered
    reading = read("runs-csv", {"t.csv": HEADER + "a.jpg,,5 1\nb.jpg,1,4 1\nx.jpg,1,3 1\n"}, IMAGES)
    assert checks(reading) == ["missing_name", "image_not_found"]


def test_a_sample_of_a_submission_is_not_labels() -> None:
    labels = HEADER + "a.jpg,3,1 2 5 1\nb.jpg,3,1 2 5 1\n"
    files: dict[str, bytes | str] = {
        "train.csv": labels,
        "sample_submission.csv": "ImageId_ClassId,EncodedPixels\nc.jpg_1,1 1\nc.jpg_2,1 1\n",
        "train/a.jpg": b"",
        "train/b.jpg": b"",
        "train/c.jpg": b"",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.classes, best.extra) == ("runs-csv", ["3"], {"files": "train.csv"})
    assert any("sample_submission.csv is not read: every run is '1 1'" in fact for fact in best.facts)
    texts = {path: data for path, data in files.items() if isinstance(data, str)}
    reading = read("runs-csv", texts, IMAGES)
    assert len(reading.labels) == 2
    assert [(problem.path, problem.check) for problem in reading.problems] == [
        ("sample_submission.csv", "not_labels")
    ]
    assert len(read("runs-csv", {"train.csv": labels}, IMAGES).problems) == 0


def test_runs_that_begin_at_0_are_seen_and_held_to() -> None:
    files: dict[str, bytes | str] = {
        "t.csv": "image;defect;rle\na.jpg;rust;0 2\nb.jpg;scale;3 4\n",
        "a.jpg": b"",
        "b.jpg": b"",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.extra, best.classes) == ("runs-csv", {"first": "0"}, ["rust", "scale"])
    reading = read("runs-csv", {"t.csv": str(files["t.csv"])}, IMAGES, first="0")
    assert len(reading.labels) == 2
    with pytest.raises(SourceError, match=r"first is '2'.*say one of 0, 1"):
        read("runs-csv", {"t.csv": str(files["t.csv"])}, IMAGES, first="2")


@given(data=st.binary(max_size=200) | st.text(alphabet='a.jpg,1 5\n";', max_size=80).map(str.encode))
def test_no_bytes_stop_it(data: bytes) -> None:
    read("runs-csv", {"t.csv": HEADER.encode() + data}, IMAGES)
