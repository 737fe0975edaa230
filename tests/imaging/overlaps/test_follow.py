"""Chains: the place that follows from two overlaps is that of the product of their maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.imaging.framehash import apply_code
from tundish.imaging.overlaps.follow import follow_chains
from tundish.imaging.overlaps.overlap import Overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = np.array([[200, 120], [160, 160], [300, 90]])


def overlap(first: int, second: int, code: int, angle: float, scale: float, dx: float, dy: float) -> Overlap:
    return Overlap(
        first, second, "overlapping", code, angle, scale, dx, dy, 0.5, 0.95, 9, 9, 9, 0.9
    )  # fmt: skip


def linear(one: Overlap) -> NDArray[np.float64]:
    """The map of places from the centre of the first picture to those from the centre of the second."""
    radians = np.radians(one.angle)
    turn = one.scale * np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return turn @ of_code(one.code)


def of_code(code: int) -> NDArray[np.float64]:
    """Read off a picture of 3 x 3 px in which one place right of the centre, and one below, is marked."""
    columns = []
    for marked in ((1, 2), (2, 1)):
        picture = np.zeros((3, 3), np.uint8)
        picture[marked] = 1
        y, x = np.argwhere(apply_code(picture, code))[0] - 1
        columns.append([x, y])
    return np.array(columns, np.float64).T


places = st.tuples(
    st.integers(0, 7),
    st.floats(-8, 8),
    st.floats(0.6, 1.6),
    st.floats(-80, 80),
    st.floats(-80, 80),
)


@given(places, places, st.booleans())
def test_a_chain_is_the_product_of_its_maps(
    one: tuple[int, float, float, float, float], two: tuple[int, float, float, float, float], back: bool
) -> None:
    """0 on 1, and 1 on 2 or 2 on 1: how 0 lies on 2."""
    lower = overlap(0, 1, *one)
    upper = overlap(2, 1, *two) if back else overlap(1, 2, *two)
    matrix, shift = linear(upper), np.array([upper.dx, upper.dy])
    if back:
        matrix = np.asarray(np.linalg.inv(matrix), np.float64)
        shift = -matrix @ shift
    wanted = matrix @ linear(lower)
    moved = matrix @ np.array([lower.dx, lower.dy]) + shift
    found = follow_chains([lower, upper], {(0, 1), (1, 2)}, SIZES, SIZES)
    assert (found.first.tolist(), found.second.tolist()) == ([0], [2])
    code, factor = int(found.codes[0]), complex(found.factors[0])
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    assert turn @ of_code(code) == pytest.approx(wanted, abs=1e-9)
    assert abs(np.angle(factor)) <= np.pi / 4 + 1e-9
    size = SIZES[0][::-1] if code & 4 else SIZES[0]
    centre = factor * complex(*(size / 2)) + complex(found.offsets[0])
    assert (centre.real, centre.imag) == pytest.approx(tuple(SIZES[2] / 2 + moved), abs=1e-6)


def test_what_is_known_is_not_proposed() -> None:
    chain = [overlap(0, 1, 0, 0, 1, 10, 0), overlap(1, 2, 0, 0, 1, 10, 0)]
    assert len(follow_chains(chain, {(0, 1), (1, 2), (0, 2)}, SIZES, SIZES).first) == 0
    assert len(follow_chains([], set(), SIZES, SIZES).first) == 0
