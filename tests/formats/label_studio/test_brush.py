from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_studio_sdk.converter import brush

from tundish.formats.label_studio.brush import counts_of_rle, mask_of_rle, rle_of_counts, rle_of_mask
from tundish.formats.reading.fault import Fault
from tundish.imaging.geometry import counts_of_mask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SDK: Any = brush
"""Label Studio's own codec in Python."""

VECTOR = [0, 0, 0, 32, 57, 27, 252, 96, 19, 255, 225, 48, 0]


def masks(most: int = 40) -> st.SearchStrategy[NDArray[np.uint8]]:
    sides = st.integers(1, most)
    return st.tuples(sides, sides).flatmap(
        lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 0, 1]), fill=st.just(0))
    )


def holed(height: int = 256, width: int = 1600) -> NDArray[np.uint8]:
    """Two parts, one with a hole."""
    mask = np.zeros((height, width), np.uint8)
    mask[20:180, 100:900] = 1
    mask[60:100, 300:420] = 0
    y, x = np.mgrid[:height, :width]
    mask[(x - 1300) ** 2 + (y - 120) ** 2 < 90**2] = 1
    return mask


def bits(*fields: tuple[int, int]) -> list[int]:
    text = "".join(f"{value:0{width}b}" for value, width in fields)
    text += "0" * (-len(text) % 8)
    return [int(text[at : at + 8], 2) for at in range(0, len(text), 8)]


def head(count: int, word: int = 8) -> list[tuple[int, int]]:
    return [(count, 32), (word - 1, 5), (2, 4), (3, 4), (7, 4), (15, 4)]


def test_published_vectors() -> None:
    expected = np.zeros((2, 4), np.uint8)
    expected[0, 1:3] = 1
    np.testing.assert_array_equal(mask_of_rle(VECTOR, 4, 2), expected)
    assert rle_of_mask(expected) == VECTOR
    empty = [0, 0, 0, 32, 57, 27, 254, 31, 0, 0]
    assert not mask_of_rle(empty, 4, 2).any()
    assert (
        rle_of_mask(np.zeros((2, 4), np.uint8)) == empty[:-1]
    )  # the SDK adds a byte where none is left over


@given(masks())
def test_masks_come_back(mask: NDArray[np.uint8]) -> None:
    height, width = mask.shape
    rle = rle_of_mask(mask)
    np.testing.assert_array_equal(mask_of_rle(rle, width, height), mask)
    counts = counts_of_mask(mask)
    assert counts_of_rle(rle, width, height) == counts
    assert rle_of_counts(counts, width, height) == rle


@given(masks(12))
def test_the_sdk_reads_ours_and_we_read_the_sdks(mask: NDArray[np.uint8]) -> None:
    height, width = mask.shape
    theirs = SDK.decode_rle(rle_of_mask(mask)).reshape(height, width, 4)
    np.testing.assert_array_equal(theirs, np.repeat(mask[..., None] * 255, 4, axis=2))
    np.testing.assert_array_equal(mask_of_rle(SDK.mask2rle(mask * 255), width, height), mask)


def test_hole_and_two_parts_and_runs_longer_than_a_block() -> None:
    mask = holed()
    rle = rle_of_mask(mask)
    np.testing.assert_array_equal(mask_of_rle(rle, 1600, 256), mask)
    np.testing.assert_array_equal(SDK.decode_rle(rle).reshape(256, 1600, 4)[..., 3] // 255, mask)
    for whole in (
        np.zeros((300, 700), np.uint8),
        np.ones((300, 700), np.uint8),
        np.ones((128, 128), np.uint8),
    ):
        np.testing.assert_array_equal(mask_of_rle(rle_of_mask(whole), whole.shape[1], whole.shape[0]), whole)


@given(arrays(np.uint8, (5, 7, 4)), st.integers(1, 4))
def test_literals_and_colours(picture: NDArray[np.uint8], chunk: int) -> None:
    """As the editor packs a picture whose channels differ: words one by one, in blocks of any length."""
    words = picture.ravel().tolist()
    fields = head(len(words))
    for at in range(0, len(words), chunk * 2):
        block = words[at : at + chunk * 2]
        fields += [(0, 1), (0, 2), (len(block) - 1, 3), *((word, 8) for word in block)]
    alpha = picture[..., 3]
    np.testing.assert_array_equal(mask_of_rle(bits(*fields), 7, 5), alpha > alpha.max() // 2)
    np.testing.assert_array_equal(
        mask_of_rle(SDK.encode_rle(picture.ravel()), 7, 5), alpha > alpha.max() // 2
    )


def test_soft_edges_count_from_half_on() -> None:
    alpha = np.array([[0, 60, 127, 128, 255, 1]], np.uint8)
    np.testing.assert_array_equal(mask_of_rle(SDK.mask2rle(alpha), 6, 1), [[0, 0, 0, 1, 1, 0]])


def test_masks_of_zero_and_one_as_some_tools_push_them() -> None:
    np.testing.assert_array_equal(mask_of_rle(SDK.mask2rle(holed(20, 30)), 30, 20), holed(20, 30))


def test_narrow_words() -> None:
    fields = [*head(8, word=1), (1, 1), (0, 2), (3, 3), (1, 1), (0, 1), (0, 2), (3, 3), *[(0, 1)] * 4]
    np.testing.assert_array_equal(mask_of_rle(bits(*fields), 2, 1), [[1, 0]])


@pytest.mark.parametrize(
    ("rle", "message"),
    [
        (None, "not a list of bytes"),
        ("AAAA", "not a list of bytes"),
        ([], "not a list of bytes"),
        ([0, 0, 0, 32], "no head"),
        ([*VECTOR[:-1], 256], "not a list of bytes"),
        ([*VECTOR[:-1], 1.5], "not a list of bytes"),
        ([0, 0, 0, 36, *VECTOR[4:]], "9 pixels"),
        ([255, 255, 255, 255, *VECTOR[4:]], "pixels"),
        (VECTOR[:8], "too short"),
        (VECTOR[:-2], "too short"),
        ([*VECTOR, 7], "too long"),
        (bits(*head(32), (1, 1), (2, 2), (255, 8), (0, 8)), "too short or too long"),
        (bits(*head(32, word=16), (1, 1), (2, 2), (31, 8), (0, 16)), "16 bits"),
    ],
)
def test_corrupt_masks_are_faults(rle: object, message: str) -> None:
    with pytest.raises(Fault, match=message) as caught:
        mask_of_rle(rle, 4, 2)
    assert caught.value.check == "broken_mask"


@given(st.lists(st.integers(0, 255), max_size=60), st.binary(max_size=40))
def test_any_bytes_are_a_mask_or_a_fault(rle: list[int], tail: bytes) -> None:
    for data in (rle, VECTOR[:7] + list(tail)):
        try:
            mask = mask_of_rle(data, 4, 2)
        except Fault:
            continue
        assert mask.shape == (2, 4)
        assert mask.max() <= 1


def test_broken_counts_are_faults() -> None:
    with pytest.raises(Fault):
        rle_of_counts("42102", 5, 5)
    with pytest.raises(Fault):
        rle_of_counts("", 4, 3)


def test_a_mask_is_read_in_about_a_millisecond() -> None:
    rle = rle_of_mask(holed())
    spent = []
    for _ in range(20):
        start = time.perf_counter()
        mask_of_rle(rle, 1600, 256)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.01  # ten times what it takes on an idle machine


@pytest.mark.shared
def test_masks_of_a_real_project(shared_data: Path) -> None:
    folder = shared_data / "annotation_samples" / "label_studio"
    truth = json.loads((folder / "brush_generated_truth.json").read_text())
    by_name = {key.rpartition("/")[2]: value for key, value in truth.items()}
    tasks = json.loads((folder / "brush_generated.json").read_text())
    assert len(tasks) == len(truth)
    for task in tasks:
        expected = by_name[task["data"]["image"].rpartition("/")[2]]
        (region,) = task["annotations"][0]["result"]
        mask = mask_of_rle(region["value"]["rle"], expected["width"], expected["height"])
        assert int(mask.sum()) == expected["area_px"]
        assert hashlib.sha256(mask.tobytes()).hexdigest() == expected["mask_sha256_rowmajor_u8_01"]
