"""Dealing groups into splits: shares follow the ratios, what is fixed stays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tundish.stages.split.balance import assign, deviations

RATIOS = np.array([0.8, 0.1, 0.1])


@given(
    st.integers(1, 60),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_deal__every_group_gets_a_split_and_fixed_ones_keep_theirs(
    groups: int, columns: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, (groups, columns)).astype(float)
    fixed = rng.integers(-1, 3, groups)
    order = rng.permutation(np.flatnonzero(fixed < 0))
    chosen = assign(weights, RATIOS, fixed, order)
    assert ((chosen >= 0) & (chosen < 3)).all()
    assert (chosen[fixed >= 0] == fixed[fixed >= 0]).all()
    assert (assign(weights, RATIOS, fixed, order) == chosen).all()


def test_deal__single_images_follow_the_ratios_to_one_image() -> None:
    weights = np.ones((1000, 1))
    chosen = assign(weights, RATIOS, np.full(1000, -1), np.arange(1000))
    assert np.bincount(chosen).tolist() == [800, 100, 100]


def test_deal__rare_class_is_shared_as_the_common_ones_are() -> None:
    rng = np.random.default_rng(1)
    weights = np.zeros((2000, 3))
    weights[:, 0] = 1
    weights[:, 1] = rng.integers(1, 4, 2000)
    weights[rng.choice(2000, 20, replace=False), 2] = 1
    chosen = assign(weights, RATIOS, np.full(2000, -1), rng.permutation(2000))
    assert np.abs(deviations(weights, RATIOS, chosen)).max() < 0.01


def test_deviations__empty_column_is_not_a_deviation() -> None:
    weights = np.array([[1.0, 0.0], [1.0, 0.0]])
    off = deviations(weights, np.array([0.5, 0.5]), np.array([0, 0]))
    assert off.tolist() == [[0.5, 0.0], [-0.5, 0.0]]
