from __future__ import annotations

import numpy as np
import pytest
from tests.imaging.pictures import texture

from tundish.imaging.framehash import apply_code
from tundish.imaging.overlaps.features import (
    FEATURE_BYTES,
    describe_corners,
    frame_size,
    pack_features,
    unpack_features,
)


def test_what_is_packed_is_read_again() -> None:
    found = describe_corners(texture(1, 200, 300))
    data = pack_features(found)
    assert len(data) == FEATURE_BYTES * len(found.numbers)
    again = unpack_features(data)
    assert (again.numbers == found.numbers).all()
    assert (again.levels == found.levels).all()
    assert (again.codes == found.codes).all()
    assert again.places == pytest.approx(found.places, abs=1e-5)


@pytest.mark.parametrize("code", range(1, 8))
def test_corners_of_a_mirrored_or_turned_picture_have_the_same_numbers(code: int) -> None:
    """Its contrast is equalised in tiles, which mirror with it where the sides are whole tiles."""
    picture = texture(2, 160, 160)
    one, other = describe_corners(picture), describe_corners(np.ascontiguousarray(apply_code(picture, code)))
    nearest = (one.numbers.astype(np.int64) @ other.numbers.astype(np.int64).T).max(axis=1) / 127**2
    assert np.quantile(nearest, 0.2) > 0.95


def test_a_flat_picture_and_a_tiny_one_have_no_corners() -> None:
    assert len(describe_corners(np.full((200, 200), 90, np.uint8)).numbers) == 0
    assert len(describe_corners(texture(1, 3, 2)).numbers) in range(65)
    assert unpack_features(b"").numbers.shape == (0, 25)


@pytest.mark.parametrize(
    ("size", "frame"), [((200, 200), (160, 160)), ((640, 480), (160, 120)), ((4096, 256), (640, 40))]
)
def test_the_longer_side_is_reduced_to_160_px_and_that_of_a_strip_less(
    size: tuple[int, int], frame: tuple[int, int]
) -> None:
    assert frame_size(*size) == frame
