"""Boxes, polygons and masks against rasters, against OpenCV and against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.imaging import geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.imaging.geometry import Mask

WIDTH, HEIGHT = 60, 40

coordinate = st.floats(-50, 110, allow_nan=False).map(lambda value: round(value, 3))
grid = st.integers(-20, 80)
rings = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12).map(
    lambda points: [value for point in points for value in point]
)
grid_rings = st.lists(st.tuples(grid, grid), min_size=3, max_size=12).map(
    lambda points: [float(value) for point in points for value in point]
)
orientations = st.integers(1, 8)


def even_odd(ring: list[float], points: NDArray[Any]) -> NDArray[Any]:
    """Which points (n, 2) a ring holds by the even-odd rule: an independent, slow reading."""
    vertices = np.asarray(ring).reshape(-1, 2)
    inside = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(vertices, np.roll(vertices, -1, axis=0), strict=True):
        spans = (y0 > points[:, 1]) != (y1 > points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            cross = x0 + (points[:, 1] - y0) * (x1 - x0) / (y1 - y0)
        inside ^= spans & (points[:, 0] < cross)
    return inside


def pixel_points() -> NDArray[Any]:
    """Points off every half-integer grid line, all over the image and beyond it."""
    ys, xs = np.mgrid[-30:90, -30:110]
    return np.stack([xs.ravel() + 0.4567891, ys.ravel() + 0.5432198], axis=1)


@given(st.one_of(rings, grid_rings))
def test_a_clipped_ring_holds_the_same_points_inside_the_image_and_none_outside(ring: list[float]) -> None:
    points = pixel_points()
    within = (points >= 0).all(axis=1) & (points < (WIDTH, HEIGHT)).all(axis=1)
    wanted = even_odd(ring, points) & within
    got = np.zeros(len(points), dtype=bool)
    for part in geometry.clip_polygon([ring], WIDTH, HEIGHT):
        got ^= even_odd(part, points)
        flat = np.asarray(part).reshape(-1, 2)
        assert flat.min() >= -1e-9
        assert (flat <= np.array([WIDTH, HEIGHT]) + 1e-9).all()
    # A slanted edge may pass within rounding of a sample point.
    assert (wanted != got).sum() <= 2


def test_a_comb_falls_into_its_teeth() -> None:
    comb = [-10, -5, 60, -5, 60, -1, 50, -1, 50, 20, 40, 20, 40, -1, 30, -1, 30, 20, 20, 20, 20, -1, -10, -1]
    parts = geometry.clip_polygon([comb], 100, 100)
    assert sorted(geometry.box_of_polygon([part]) or () for part in parts) == [
        (20, 0, 10, 20),
        (40, 0, 10, 20),
    ]
    assert [geometry.area_of_polygon([part]) for part in parts] == [200, 200]


@pytest.mark.parametrize(
    "ring",
    [
        [60, 0, 80, 0, 80, 20, 60, 20],
        [-10, -10, 0, 0, -10, 10],
        [5, 5, 20, 5],
        [5, 5, 20, 5, 30, 5],
        [],
    ],
    ids=["beside the edge", "touching a corner", "two points", "a line", "empty"],
)
def test_what_only_touches_the_image_is_dropped(ring: list[float]) -> None:
    assert geometry.clip_polygon([ring], WIDTH, HEIGHT) == []


def test_a_ring_inside_is_untouched() -> None:
    ring = [0.0, 0.0, 60.0, 0.0, 60.0, 40.0, 0.0, 40.0]
    assert geometry.clip_polygon([ring], WIDTH, HEIGHT) == [ring]


def test_a_box_outside_keeps_no_area() -> None:
    boxes = [[-5, -5, 10, 10], [70, 10, 5, 5], [55, 35, 10, 10], [-9, -9, 99, 99]]
    clipped = geometry.clip_boxes(boxes, 60, 40)
    assert clipped.tolist() == [[0, 0, 5, 5], [60, 10, 0, 5], [55, 35, 5, 5], [0, 0, 60, 40]]
    assert geometry.area_of_boxes(clipped).tolist() == [25, 0, 25, 2400]


def test_no_boxes_stay_no_boxes() -> None:
    assert geometry.transform_boxes(np.eye(3), []).shape == (0, 4)
    assert geometry.clip_boxes([], 5, 5).shape == (0, 4)
    assert geometry.box_of_polygon([]) is None


@given(orientations)
def test_exif_orientation_moves_pixels_exactly_where_opencv_puts_them(orientation: int) -> None:
    stored = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    arrays = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.T,
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].T,
        8: np.rot90(stored),
    }
    upright = arrays[orientation]
    assert geometry.oriented_size(orientation, 4, 3) == upright.shape[::-1]
    ys, xs = np.mgrid[0:3, 0:4]
    boxes = np.stack([xs.ravel(), ys.ravel(), np.ones(12), np.ones(12)], axis=1)
    for (x, y, width, height), value in zip(
        geometry.orient_boxes(boxes, orientation, 4, 3).tolist(), stored.ravel().tolist(), strict=True
    ):
        assert (width, height) == (1, 1)
        assert upright[int(y), int(x)] == value
    warped = cv2.warpPerspective(
        stored, geometry.pixel_matrix(geometry.orientation_matrix(orientation, 4, 3)), upright.shape[::-1]
    )
    assert np.array_equal(warped, upright)


def test_an_orientation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 8, not 9"):
        geometry.orientation_matrix(9, 4, 3)


@given(rings, orientations)
def test_orientation_keeps_area_and_comes_back(ring: list[float], orientation: int) -> None:
    turned = geometry.orient_polygon([ring], orientation, WIDTH, HEIGHT)
    assert geometry.area_of_polygon(turned) == pytest.approx(geometry.area_of_polygon([ring]), abs=1e-6)
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    back = geometry.orient_polygon(turned, undo, *geometry.oriented_size(orientation, WIDTH, HEIGHT))
    assert back[0] == pytest.approx(ring, abs=1e-9)


def star(seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    angles, radii = np.sort(random.uniform(0, 2 * np.pi, 9)), random.uniform(40, 90, 9)
    return [
        float(v) for v in np.stack([150 + radii * np.cos(angles), 90 + radii * np.sin(angles)], axis=1).flat
    ]


def warped_and_drawn(ring: list[float], matrix: NDArray[Any]) -> tuple[Mask, Mask]:
    """The mask of a polygon warped, and the mask of the polygon moved."""
    mask = geometry.mask_of_polygon([ring], 320, 200)
    warped = cv2.warpPerspective(mask, geometry.pixel_matrix(matrix), (320, 200), flags=cv2.INTER_NEAREST)
    moved = geometry.clip_polygon(geometry.transform_polygon(matrix, [ring]), 320, 200)
    return np.asarray(warped, dtype=np.uint8), geometry.mask_of_polygon(moved, 320, 200)


@given(st.integers(-30, 30), st.floats(0.6, 1.6), st.floats(-0.0006, 0.0006), st.integers(0, 2**31))
def test_a_warped_mask_is_the_mask_of_the_moved_polygon(
    degrees: int, scale: float, tilt: float, seed: int
) -> None:
    matrix = np.vstack([cv2.getRotationMatrix2D((160, 100), degrees, scale), [tilt, -tilt, 1]])
    """They differ along their border alone; the test below is the one that knows half a pixel."""
    warped, drawn = warped_and_drawn(star(seed), matrix)
    square: Mask = np.ones((5, 5), dtype=np.uint8)
    inner, outer = cv2.erode(drawn, square), cv2.dilate(drawn, square)
    assert np.count_nonzero(inner > warped) <= 100
    assert np.count_nonzero(warped > outer) <= 100


def test_warped_masks_and_moved_polygons_have_the_same_centre() -> None:
    """Half a pixel of error in the convention would show here as half a pixel."""
    offsets = []
    for seed in range(60):
        matrix = np.vstack([cv2.getRotationMatrix2D((160, 100), seed - 30, 1 + seed / 200), [0, 0, 1]])
        warped, drawn = warped_and_drawn(star(seed), matrix)
        offsets.append([np.nonzero(warped)[axis].mean() - np.nonzero(drawn)[axis].mean() for axis in (0, 1)])
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.04


def test_a_mask_and_its_counts_are_the_same_thing() -> None:
    mask = np.zeros((7, 9), dtype=np.uint8)
    mask[2:5, 3:8] = 1
    counts = geometry.counts_of_mask(mask)
    assert np.array_equal(geometry.mask_of_counts(counts, 9, 7), mask)
    assert geometry.area_of_counts(counts, 9, 7) == 15
    assert geometry.box_of_counts(counts, 9, 7) == (3, 2, 5, 3)
    empty = geometry.counts_of_mask(np.zeros((7, 9), dtype=bool))
    assert geometry.box_of_counts(empty, 9, 7) is None


def test_a_rectangle_drawn_as_a_polygon_covers_its_pixels_and_no_more() -> None:
    mask = geometry.mask_of_polygon([[3, 2, 8, 2, 8, 5, 3, 5], [0, 0, 1, 1]], 9, 7)
    wanted = np.zeros((7, 9), dtype=np.uint8)
    wanted[2:5, 3:8] = 1
    assert np.array_equal(mask, wanted)
    assert geometry.area_of_polygon([[3, 2, 8, 2, 8, 5, 3, 5]]) == 15
    assert not geometry.mask_of_polygon([], 9, 7).any()


@pytest.mark.parametrize("count", [0, 1, 255, 256, 700])
def test_areas_of_a_column_of_masks_of_any_length(count: int) -> None:
    masks = []
    for number in range(count):
        mask = np.zeros((9, 30), np.uint8)
        mask[: number % 9, : number % 31] = 1
        masks.append((geometry.counts_of_mask(mask), 30, 9))
    expected = [(number % 9) * (number % 31) for number in range(count)]
    assert geometry.areas_of_counts(masks).tolist() == expected
