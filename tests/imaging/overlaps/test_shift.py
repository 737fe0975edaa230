from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.imaging.overlaps.surfaces import frames
from tests.imaging.pictures import texture

from tundish.imaging.overlaps.shift import find_shift, prepare


@given(st.integers(0, 10_000), st.integers(-60, 60), st.integers(-60, 60))
@settings(max_examples=40)
def test_the_shift_of_two_frames_is_found(seed: int, across: int, down: int) -> None:
    first = (max(0, -across), max(0, -down))
    one, other = frames(seed, [first, (first[0] + across, first[1] + down)], side=96)
    score, x, y = find_shift(prepare(one), prepare(other))
    # The first lies to the left of the second where the second was cut further to the right.
    assert (x, y) == (-across, -down)
    assert score == pytest.approx(1, abs=0.15)


def test_an_upright_picture_and_a_lying_one() -> None:
    surface = texture(5, 300, 300)
    for height, width in ((60, 150), (150, 61)):
        one, other = surface[:height, :width], surface[20 : 20 + height, 30 : 30 + width]
        assert find_shift(prepare(one), prepare(other))[1:] == (-30, -20)


def test_strangers_correlate_little() -> None:
    assert find_shift(prepare(texture(1, 96, 96)), prepare(texture(2, 96, 96)))[0] < 0.6


def test_flat_pictures_do_not_correlate() -> None:
    flat = prepare(texture(1, 96, 96) * 0)
    assert find_shift(flat, flat)[0] == -1
