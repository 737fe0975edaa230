from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from tests.imaging.pictures import colours, jpeg, png, texture

from tundish.imaging.framehash import apply_code
from tundish.imaging.measure import Measurement, measure
from tundish.imaging.similarity import TRANSFORMS, Copy, find_copies, worst_local

if TYPE_CHECKING:
    from pathlib import Path


def copies_of(pictures: list[Any], *, threads: int = 1) -> list[Copy]:
    return copies([measure(png(picture)) for picture in pictures], threads=threads)


def copies(found: list[Measurement], *, threads: int = 1) -> list[Copy]:
    hashes = [
        [(one.frame_hash, one.frame_code), *zip(one.other_hashes, one.other_codes, strict=True)]
        for one in found
    ]
    stack = np.stack([np.frombuffer(one.thumbnail, np.uint8).reshape(96, 96) for one in found])
    return find_copies(hashes, lambda index: stack[index], threads=threads)


def test_adjusted_copies_are_the_same_picture() -> None:
    picture = texture(1, 300, 400)
    rng = np.random.default_rng(0)
    variants = [
        picture,
        cv2.imdecode(np.frombuffer(jpeg(picture, 30), np.uint8), -1),
        cv2.convertScaleAbs(picture, alpha=1.15, beta=-10),
        (255 * (picture / 255) ** 1.4).astype(np.uint8),
        cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        cv2.GaussianBlur(picture, (0, 0), 1.2),
        np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8),
        picture.astype(np.uint16) * 257,
    ]
    found = copies_of([*variants, texture(2, 300, 400), texture(3, 300, 400)])
    wanted = {(i, j) for i in range(len(variants)) for j in range(i + 1, len(variants))}
    assert {(one.first, one.second) for one in found} == wanted
    assert {(one.relation, one.code) for one in found} == {("same picture", 0)}


@pytest.mark.parametrize("code", range(1, 8))
def test_turned_copies_are_named(code: int) -> None:
    picture = colours(4, 260, 340)
    turned = np.ascontiguousarray(apply_code(picture, code))
    (found,) = copies_of([picture, turned])
    assert (found.relation, found.code) == ("mirrored or turned", code)
    assert found.score > 0.95


def test_transforms_are_called_what_numpy_calls_them() -> None:
    picture = texture(1, 5, 7)
    named = {
        "none": picture,
        "mirrored left-right": np.fliplr(picture),
        "mirrored top-bottom": np.flipud(picture),
        "turned 180": np.rot90(picture, 2),
        "transposed": picture.T,
        "turned 90 counterclockwise": np.rot90(picture),
        "turned 90 clockwise": np.rot90(picture, -1),
        "transposed and turned 180": np.rot90(picture.T, 2),
    }
    for code, name in enumerate(TRANSFORMS):
        np.testing.assert_array_equal(apply_code(picture, code), named[name])


def frames(count: int) -> list[Any]:
    """A fixed camera: one background, a dark object somewhere else in each frame."""
    background = texture(9, 400, 400)
    shots = []
    for k in range(count):
        shot = background.copy()
        cv2.circle(shot, (60 + 70 * k, 200 + 30 * (k % 3)), 28, 60, -1)
        shots.append(shot)
    return shots


def test_frames_of_a_fixed_camera_are_not_copies() -> None:
    assert copies_of(frames(5)) == []


def test_a_strongly_compressed_frame_of_a_fixed_camera_is_a_copy() -> None:
    shots = frames(5)
    again = cv2.imdecode(np.frombuffer(jpeg(shots[2], 30), np.uint8), -1)
    assert [(one.first, one.second) for one in copies_of([*shots, again])] == [(2, 5)]


def test_no_texture_is_not_a_verdict() -> None:
    flat = np.full((2, 96, 96), 90, np.uint8)
    index = np.array([0])
    score, _ = worst_local(flat, index, index + 1, index * 0)
    assert np.isnan(score[0])
    assert copies_of([flat[0], flat[1]]) == []


def test_a_clipped_copy_is_still_a_copy() -> None:
    picture = texture(1, 300, 400)
    assert len(copies_of([picture, cv2.convertScaleAbs(picture, alpha=1.35, beta=10)])) == 1


def test_threads_and_no_pictures_change_nothing() -> None:
    pictures = [texture(seed % 7, 120, 130) for seed in range(21)]
    assert copies_of(pictures, threads=2) == copies_of(pictures)
    assert find_copies([], lambda index: np.empty((len(index), 96, 96), np.uint8)) == []


@pytest.mark.shared
def test_the_pixel_duplicates_of_the_belt_set(shared_data: Path) -> None:
    groups: dict[bytes, int] = {}
    for path in sorted((shared_data / "coal_belt_foreign").rglob("*.jpg")):
        digest = measure(path.read_bytes()).gray_hash
        groups[digest] = groups.get(digest, 0) + 1
    repeated = [count for count in groups.values() if count > 1]
    assert (len(repeated), sum(repeated)) == (124, 274)
