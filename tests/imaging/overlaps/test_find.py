from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.imaging.overlaps.surfaces import frames, jpeg, overlaps_of, scratched, turned
from tests.imaging.pictures import texture

from tundish.imaging.framehash import apply_code


def test_a_crop_lies_where_it_was_cut() -> None:
    whole = texture(1, 300, 400)
    (found,) = overlaps_of([whole, jpeg(whole[30:270, 40:360])])
    assert (found.relation, found.code) == ("overlapping", 0)
    assert found.scale == pytest.approx(1, abs=0.01)
    assert (found.dx, found.dy) == pytest.approx((0, 0), abs=1.5)
    assert found.share == pytest.approx(1, abs=0.05)


@given(st.integers(0, 10_000), st.integers(-110, 110), st.integers(-110, 110))
@settings(max_examples=25)
def test_frames_of_one_surface_are_found_with_their_offset(seed: int, across: int, down: int) -> None:
    """Whatever is found lies right; how much is found says the test below."""
    first = (max(0, -across), max(0, -down))
    one, other = frames(seed, [first, (first[0] + across, first[1] + down)])
    share = (200 - abs(across)) * (200 - abs(down)) / 200**2
    found = overlaps_of([one, jpeg(other)])
    for overlap in found:
        assert (overlap.dx, overlap.dy) == pytest.approx((-across, -down), abs=2.5)
        assert overlap.share == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(("across", "least"), [(60, 20), (100, 18)])
def test_frames_that_share_much_are_found_by_their_corners(across: int, least: int) -> None:
    """Of twenty; what corners miss, chains and sequences find."""
    pairs = (frames(seed, [(0, 0), (across, 10)]) for seed in range(20))
    assert sum(len(overlaps_of([one, jpeg(other)])) for one, other in pairs) >= least


@pytest.mark.parametrize("code", range(8))
def test_a_part_that_is_mirrored_or_turned_is_named_so(code: int) -> None:
    whole = texture(3, 240, 320)
    part = np.ascontiguousarray(apply_code(whole[:, 40:], code))
    (found,) = overlaps_of([whole, part])
    assert found.code == code
    assert abs(found.angle) < 1
    assert found.share == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("angle", [-4.0, -2.0, 2.0, 4.0])
def test_a_small_turn_is_measured(angle: float) -> None:
    picture = texture(4, 240, 320)
    (found,) = overlaps_of([picture, turned(picture, angle)])
    assert found.angle == pytest.approx(angle, abs=0.6)


def test_a_reduced_part_has_its_scale() -> None:
    whole = texture(5, 300, 300)
    part = cv2.resize(whole[60:, 60:], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    (found,) = overlaps_of([whole, part.astype(np.uint8)])
    assert found.scale == pytest.approx(0.6, abs=0.01)
    assert (found.dx, found.dy) == pytest.approx((-18, -18), abs=1.5)


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_surfaces_of_one_kind_do_not_overlap(seed: int) -> None:
    assert overlaps_of([texture(seed * 8 + step, 200, 200) for step in range(8)]) == []


def test_a_scratch_on_other_steel_does_not_overlap() -> None:
    """It fits along its length, block by block: only its grain tells."""
    pictures = [scratched(seed, 200, 200) for seed in range(6)]
    assert overlaps_of(pictures, sequences=[np.arange(6)]) == []


def test_two_frames_of_a_fixed_camera_are_one_scene() -> None:
    scene = texture(7, 240, 320)
    other = scene.copy()
    other[80:150, 120:210] = texture(8, 240, 320)[80:150, 120:210]
    assert [one.relation for one in overlaps_of([scene, other])] == ["same scene"]


def test_frames_of_a_fixed_camera_that_was_moved_are_one_scene() -> None:
    """Each time moved by some px, with something else in front of it."""
    scene = texture(7, 280, 360)
    pictures = []
    for number in range(5):
        frame = scene[6 * number :, 5 * number :][:240, :320].copy()
        frame[90:170, 130:210] = texture(30 + number, 80, 80)
        pictures.append(frame)
    found = overlaps_of(pictures)
    assert found
    assert {one.relation for one in found} == {"same scene"}


def test_a_chain_says_how_its_ends_lie_on_each_other() -> None:
    """Neighbours share 60 %; the ends a margin whose corners do not suffice."""
    places = [(0, 0), (80, 4), (160, 0)]
    found = {(one.first, one.second): one for one in overlaps_of(frames(11, places))}
    assert set(found) == {(0, 1), (1, 2), (0, 2)}
    assert (found[0, 2].dx, found[0, 2].dy) == pytest.approx((-160, 0), abs=2.5)


def test_neighbours_in_a_sequence_are_found_that_corners_miss() -> None:
    """A scratch and its grain: too few corners, but the pixels correlate in one place only."""
    steel = scratched(2, 1320, 200)
    narrow = [np.ascontiguousarray(steel[y : y + 200]) for y in range(0, 1121, 160)]
    wide = frames(12, [(60 * step, 0) for step in range(8)])
    order = np.arange(16)
    alone = {(one.first, one.second) for one in overlaps_of([*narrow, *wide])}
    found = {(one.first, one.second): one for one in overlaps_of([*narrow, *wide], sequences=[order])}
    assert {(step, step + 1) for step in range(7)} <= found.keys() > alone
    assert all(pair[1] < 8 or pair[0] >= 8 for pair in found)
    assert found[0, 1].dy == pytest.approx(-160, abs=2.5)


def test_the_number_of_threads_changes_nothing() -> None:
    pictures = frames(13, [(50 * step, 20 * (step % 3)) for step in range(6)])
    orders = [np.arange(6)]
    assert overlaps_of(pictures, threads=1, sequences=orders) == overlaps_of(
        pictures, threads=3, sequences=orders
    )


def test_pictures_without_corners_overlap_nothing() -> None:
    flat = np.full((200, 200), 128, np.uint8)
    assert overlaps_of([flat, flat.copy(), texture(1, 12, 9), texture(2, 3, 2)]) == []
    assert overlaps_of([texture(1)]) == []
