from __future__ import annotations

import tempfile

import numpy as np
from tests.imaging.overlaps.surfaces import frames, overlaps_of, reduced

from tundish.imaging.overlaps.features import describe_corners, pack_features
from tundish.imaging.overlaps.stored import StoredPictures, order_by_name, sequences_by_name


def test_stored_pictures_overlap_as_those_in_memory() -> None:
    pictures = frames(3, [(0, 0), (70, 0), (140, 10)])
    with tempfile.TemporaryFile() as file:
        stored = StoredPictures(file, len(pictures))
        for number in (2, 0, 1):
            picture = pictures[number]
            size = (picture.shape[1], picture.shape[0])
            stored.put(number, pack_features(describe_corners(picture)), reduced(picture).tobytes(), size)
        every = stored.find(np.arange(3), [np.arange(3)], lambda _done, _total: None)
        some = stored.find(np.array([0, 2]), [], lambda _done, _total: None)
    assert [(one.first, one.second) for one in every] == [
        (one.first, one.second) for one in overlaps_of(pictures, sequences=[np.arange(3)])
    ]
    assert {(one.first, one.second) for one in some} <= {(0, 2)}


def test_a_sequence_is_put_together_again_from_its_splits() -> None:
    found = sequences_by_name(
        [("1", "train/f10.png"), ("1", "val/f9.png"), ("1", "test/f2.png"), ("2", "z.png")]
    )
    assert [order.tolist() for order in found] == [[2, 1, 0], [3]]


def test_names_are_ordered_by_their_numbers() -> None:
    paths = ["b/f9.png", "a/f10.png", "c/f2.png", "f1.png", "f²1.png"]
    assert [paths[place] for place in order_by_name(paths)][:4] == [
        "f1.png",
        "c/f2.png",
        "b/f9.png",
        "a/f10.png",
    ]
