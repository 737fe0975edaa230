from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.imaging.pictures import texture

from tundish.imaging.framehash import apply_code, frame_hashes, halve, reduce_area, relative_code

if TYPE_CHECKING:
    from numpy.typing import NDArray


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def square(seed: int) -> NDArray[np.uint8]:
    return reduce_area(texture(seed, 300, 520), 96)


@pytest.mark.parametrize("code", range(8))
def test_a_turned_picture_has_the_same_hashes(code: int) -> None:
    for seed in range(6):
        picture = square(seed)
        turned = np.ascontiguousarray(apply_code(picture, code))
        assert {found for found, _ in frame_hashes(picture)} == {found for found, _ in frame_hashes(turned)}


@given(st.integers(0, 500), st.integers(0, 7), st.integers(0, 7))
def test_the_relative_code_turns_one_into_the_other(seed: int, of: int, to: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (5, 7), dtype=np.uint8)
    # Any picture, and two pictures that the codes `of` and `to` bring to it.
    one = next(p for p in all_turns(picture) if np.array_equal(apply_code(p, of), picture))
    other = next(p for p in all_turns(picture) if np.array_equal(apply_code(p, to), picture))
    np.testing.assert_array_equal(apply_code(one, relative_code(of, to)), other)


def all_turns(picture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [apply_code(picture, code) for code in range(8)]


def test_the_code_brings_a_picture_to_the_orientation_of_its_hash() -> None:
    picture = square(3)
    found, code = frame_hashes(picture)[0]
    again, none = frame_hashes(np.ascontiguousarray(apply_code(picture, code)))[0]
    assert (again, none) == (found, 0)


def test_copies_are_near_and_others_far() -> None:
    picture = texture(1, 300, 520)
    hashes = {found for found, _ in frame_hashes(reduce_area(picture, 96))}
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.2)
    brighter = cv2.convertScaleAbs(picture, alpha=1.05, beta=5)
    variants: list[Any] = [half, blurred, brighter]
    for copy in variants:
        assert min(distance(frame_hashes(reduce_area(copy, 96))[0][0], one) for one in hashes) <= 20
    assert all(distance(frame_hashes(square(2))[0][0], one) > 40 for one in hashes)


def test_a_flat_picture_has_a_hash() -> None:
    found = frame_hashes(np.full((96, 96), 77, np.uint8))
    assert len(found) == 8
    assert found[0] == (bytes(32), 0)


@pytest.mark.parametrize(
    "size", [(96, 96), (96, 5000), (5000, 96), (1, 1), (10, 10), (250, 1000), (2000, 1999), (97, 385)]
)
def test_reduction_keeps_the_mean_and_mirrors(size: tuple[int, int]) -> None:
    gray = texture(5, *size)
    small = reduce_area(gray, 96)
    assert small.shape == (96, 96)
    assert abs(float(small.mean()) - float(gray.mean())) < 1.5
    mirrored = reduce_area(np.ascontiguousarray(gray[:, ::-1]), 96)[:, ::-1]
    if min(size) >= 96:
        assert np.abs(mirrored.astype(int) - small).mean() < 2.5


def test_reduction_is_close_to_one_step_by_areas() -> None:
    gray = texture(5, 256, 1600)
    once = cv2.resize(gray, (96, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(reduce_area(gray, 96).astype(int) - once).mean() < 1


def test_halving_is_the_mean_of_blocks() -> None:
    gray = texture(6, 41, 31)
    blocks = gray[:40, :30].reshape(20, 2, 15, 2).mean((1, 3))
    assert np.abs(halve(gray) - blocks).max() <= 0.5
