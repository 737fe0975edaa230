"""Plans come again, pixels are exact where they can be, and labels are where the pixels went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tundish.errors import RecipeError
from tundish.imaging import geometry
from tundish.imaging.augment import Plan, apply, generator, plan, warp
from tundish.imaging.augment_labels import Region, apply_labels
from tundish.imaging.operations import OPERATIONS, parse_operations

if TYPE_CHECKING:
    from numpy.typing import NDArray

Depth = type[np.uint8] | type[np.uint16]
EVERYTHING = parse_operations([{name: {"p": 1}} for name in OPERATIONS])
SHAPES = [(40, 60), (40, 60, 3), (40, 60, 4)]
GEOMETRY = parse_operations(
    [
        {"flip": {"axis": "any"}},
        {"rotate": {"degrees": 30}},
        {"scale": {"share": 0.3}},
        {"shift": {"share": 0.2}},
        {"perspective": {"share": 0.1}},
    ]
)


def noise_image(shape: tuple[int, ...], dtype: Depth = np.uint8, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def fixed(*steps: dict[str, Any], width: int = 60, height: int = 40) -> Plan:
    return Plan(width, height, steps)


@given(st.integers(0, 2**40), st.sampled_from(SHAPES), st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=30)
def test_a_child_comes_again_from_its_lineage_row_byte_for_byte(
    seed: int, shape: tuple[int, ...], dtype: Depth
) -> None:
    image = noise_image(shape, dtype)
    first = plan(EVERYTHING, 60, 40, generator(seed, "parent", 1))
    child = apply(first, image)
    assert child.shape == image.shape
    assert child.dtype == image.dtype
    again = apply(plan(EVERYTHING, 60, 40, generator(seed, "parent", 1)), image)
    from_row = apply(Plan.from_json(first.to_json()), image)
    encoded = [cv2.imencode(".png", picture)[1].tobytes() for picture in (child, again, from_row)]
    assert encoded[0] == encoded[1] == encoded[2]
    other = plan(EVERYTHING, 60, 40, generator(seed, "parent", 2))
    assert other != first


def test_the_input_is_left_alone() -> None:
    image = noise_image((40, 60, 3))
    before = image.copy()
    for name in OPERATIONS:
        operations = parse_operations([{name: {"p": 1}}])
        child = apply(plan(operations, 60, 40, generator(3, name, 0)), image)
        assert np.array_equal(image, before), name
        assert not np.array_equal(child, image), name


def test_a_plan_is_never_empty() -> None:
    operations = parse_operations([{"flip": {"p": 0.001}}, {"rotate": {"p": 0.001}}])
    plans = [plan(operations, 60, 40, generator(0, "a", copy)) for copy in range(40)]
    assert {made.operation for made in plans} == {"flip", "rotate"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_flips_are_pixel_exact_alone_and_inside_a_warp(shape: tuple[int, ...], dtype: Depth) -> None:
    image = noise_image(shape, dtype)
    mirrored = {"horizontal": image[:, ::-1], "vertical": image[::-1], "both": image[::-1, ::-1]}
    for axis, wanted in mirrored.items():
        flip = {"op": "flip", "axis": axis}
        still = {"op": "shift", "x": 0.0, "y": 0.0}
        tilt = {"op": "perspective", "corners": [0.0] * 8}
        assert np.array_equal(apply(fixed(flip), image), wanted)
        assert np.array_equal(apply(fixed(flip, still), image), wanted)
        assert np.array_equal(apply(fixed(flip, tilt), image), wanted)
        assert np.array_equal(apply(fixed(flip, flip), image), image)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_and_whole_shifts_are_pixel_exact(quarters: int) -> None:
    image = noise_image((48, 48, 3))
    turn = fixed({"op": "rotate", "degrees": 90.0 * quarters}, width=48, height=48)
    assert np.array_equal(apply(turn, image), np.rot90(image, -quarters))
    [followed] = apply_labels(turn, [Region((3, 5, 10, 20))])
    marked = np.zeros((48, 48), dtype=np.uint8)
    marked[5:25, 3:13] = 1
    ys, xs = np.nonzero(np.rot90(marked, -quarters))
    assert followed.region is not None
    assert followed.region.box == pytest.approx((xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1))
    moved = apply(fixed({"op": "shift", "x": 6 / 48, "y": -3 / 48}, width=48, height=48), image)
    assert np.array_equal(moved[:-3, 6:], image[3:, :-6])


@given(st.integers(0, 2**40))
def test_labels_lie_where_their_pixels_went(seed: int) -> None:
    width, height = 240, 160
    drawn = plan(GEOMETRY, width, height, generator(seed, "x", 0))
    ring = [60.0, 40.0, 170.0, 50.0, 150.0, 120.0, 110.0, 80.0, 70.0, 115.0]
    mask = geometry.mask_of_polygon([ring], width, height)
    image = mask * np.uint8(255)
    child = apply(drawn, image)
    box = geometry.box_of_polygon([ring])
    polygon, counted, boxed = apply_labels(
        drawn,
        [Region(box, [ring]), Region(box, (), geometry.counts_of_mask(mask)), Region(box)],
        min_visible=0,
    )
    if polygon.visible < 0.5:
        return
    assert polygon.region is not None
    assert counted.region is not None
    assert boxed.region is not None
    assert counted.visible == pytest.approx(polygon.visible, abs=0.15)
    from_polygon = geometry.mask_of_polygon(polygon.region.polygon, width, height)
    from_counts = geometry.mask_of_counts(counted.region.counts or "", width, height)
    assert (from_polygon & from_counts).sum() >= 0.94 * (from_polygon | from_counts).sum() - 40
    # Beyond the border pixels are mirrored and labels are not, so look where the parent's own pixels are.
    own = warp(drawn, np.ones((height, width), dtype=np.uint8), mask=True).astype(bool)
    bright = (child > 127) & own
    assert (bright & from_counts.astype(bool)).sum() >= 0.94 * (bright | from_counts.astype(bool)).sum() - 40
    x, y, box_width, box_height = boxed.region.box or (0, 0, 0, 0)
    ys, xs = np.nonzero(from_counts)
    assert x - 1 <= xs.min()
    assert xs.max() + 1 <= x + box_width + 1
    assert y - 1 <= ys.min()
    assert ys.max() + 1 <= y + box_height + 1


def test_what_leaves_the_picture_is_dropped_and_reported() -> None:
    away = fixed({"op": "shift", "x": 0.5, "y": 0.0})
    regions = [
        Region((50, 5, 10, 10)),
        Region((28, 5, 10, 10)),
        Region((29.5, 5, 10, 10)),
        Region((5, 5, 10, 10)),
        Region(),
    ]
    got = apply_labels(away, regions)
    assert [round(each.visible, 3) for each in got] == [0, 0.2, 0.05, 1, 1]
    assert [each.region is not None for each in got] == [False, True, False, True, True]
    assert got[0].reason == "it is outside the derived image"
    assert got[1].region == Region((58, 5, 2, 10))
    assert got[2].reason == "0.050 of it is visible, less than 0.1"
    assert apply_labels(away, regions, min_visible=0)[2].reason.startswith(
        "what is visible of it is narrower"
    )


def test_a_box_turned_out_of_the_picture_bounds_only_what_is_left_of_it() -> None:
    turn = fixed({"op": "rotate", "degrees": 45.0}, width=100, height=100)
    [got] = apply_labels(turn, [Region((0, 40, 50, 20))])
    assert got.region is not None
    x, y, width, height = got.region.box or (0, 0, 0, 0)
    corners = geometry.transform_boxes(turn.matrix(), [[0, 40, 50, 20]])[0]
    assert x == pytest.approx(max(corners[0], 0))
    assert x >= 0
    assert y >= 0
    assert width * height <= corners[2] * corners[3] + 1e-9


def test_labels_mostly_under_a_cutout_are_dropped_and_reported() -> None:
    cut = fixed({"op": "cutout", "boxes": [[0, 0, 20, 40]]})
    image = np.full((40, 60, 4), 200, dtype=np.uint8)
    child = apply(cut, image)
    assert (child[:, :20, :3] == 0).all()
    assert (child[:, 20:] == 200).all()
    assert (child[..., 3] == 200).all()
    covered = [2.0, 2.0, 12.0, 2.0, 12.0, 12.0, 2.0, 12.0]
    mask = geometry.mask_of_polygon([covered], 60, 40)
    got = apply_labels(
        cut,
        [
            Region((2, 2, 10, 10)),
            Region((14, 2, 12, 10)),
            Region((2, 2, 10, 10), [covered]),
            Region((2, 2, 10, 10), (), geometry.counts_of_mask(mask)),
        ],
    )
    assert [each.region is not None for each in got] == [False, True, False, False]
    assert got[0].reason == "cutouts cover 1.000 of it, at least 0.7"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exposure_and_gamma_are_one_rounding(dtype: Depth) -> None:
    top = int(np.iinfo(dtype).max)
    image = noise_image((40, 60, 4), dtype)
    toned = apply(fixed({"op": "exposure", "factor": 1.1}, {"op": "gamma", "exponent": 0.8}), image)
    wanted = np.rint(np.clip(image / top * 1.1, 0, 1) ** 0.8 * top).astype(dtype)
    assert np.array_equal(toned[..., :3], wanted[..., :3])
    assert np.array_equal(toned[..., 3], image[..., 3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_noise_is_gaussian_unbiased_and_leaves_alpha(dtype: Depth) -> None:
    top = int(np.iinfo(dtype).max)
    image = np.full((400, 600, 4), top // 2, dtype=dtype)
    noisy = apply(fixed({"op": "noise", "sigma": 0.05, "seed": 7}, width=600, height=400), image)
    assert (noisy[..., 3] == top // 2).all()
    added = noisy[..., :3].astype(np.float64) - top // 2
    assert abs(added.mean()) < top * 0.0005
    assert added.std() == pytest.approx(0.05 * top, rel=0.01)
    standard = (added - added.mean()) / added.std()
    assert abs((standard**3).mean()) < 0.03
    assert abs((standard**4).mean() - 3) < 0.25
    assert abs(np.corrcoef(standard[:, 1:, 0].ravel(), standard[:, :-1, 0].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(standard[..., 0].ravel(), standard[..., 1].ravel())[0, 1]) < 0.01


def test_motion_blur_smears_along_its_line_only() -> None:
    image = np.zeros((41, 41), dtype=np.uint8)
    image[20, 20] = 255
    blurred = apply(fixed({"op": "motion_blur", "length": 9.0, "degrees": 0.0}, width=41, height=41), image)
    ys, xs = np.nonzero(blurred)
    assert set(ys.tolist()) == {20}
    assert (xs.min(), xs.max()) == (16, 24)
    still = apply(fixed({"op": "motion_blur", "length": 1.0, "degrees": 30.0}, width=41, height=41), image)
    assert np.array_equal(still, image)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"rotat": {}}, "unknown operation 'rotat'; use one of flip, rotate, scale"),
        ({"rotate": {"degree": 5}}, "rotate has no option 'degree'; use p, degrees"),
        ({"rotate": {"degrees": 500}}, "degrees is 500; give a number from 0.01 to 180"),
        ({"rotate": {"degrees": True}}, "degrees is True; give a number"),
        ({"rotate": {"degrees": float("nan")}}, "degrees is nan; give a number"),
        ({"cutout": {"count": 1.5}}, "count is 1.5; give a whole number from 1 to 64"),
        ({"flip": {"p": 0}}, "p is 0; give a number from 0.001 to 1"),
        ({"flip": {"axis": "up"}}, "axis is 'up'; give one of horizontal, vertical, both, any"),
        ({"flip": 3}, "3 is not a set of options; write"),
        ({"flip": {}, "rotate": {}}, "is not an operation; write"),
        (7, "7 is not an operation; write"),
    ],
)
def test_a_wrong_operation_is_refused_with_what_is_allowed(item: object, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_operations([{"flip": {}}, item])
    assert message in str(caught.value)
    assert "augment.operations[1]" in str(caught.value)


def test_defaults_are_filled_in() -> None:
    flip, rotate = parse_operations(["flip", {"rotate": None}])
    assert (flip.name, flip.p, dict(flip.options)) == ("flip", 0.5, {"axis": "horizontal"})
    assert (rotate.name, rotate.p, dict(rotate.options)) == ("rotate", 1.0, {"degrees": 10})


def test_a_plan_is_plain_json() -> None:
    drawn = plan(EVERYTHING, 1600, 256, generator(2026, "abc", 0))
    assert json.loads(drawn.to_json())["width"] == 1600
    assert Plan.from_json(drawn.to_json()) == drawn


def test_an_image_of_another_size_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match="a plan for 60x40 px"):
        apply(fixed(), np.zeros((60, 40), dtype=np.uint8))
    with pytest.raises(ValueError, match="of float32"):
        apply(fixed(), np.zeros((40, 60), dtype=np.float32))


@pytest.mark.parametrize("shape", [(400, 600), (400, 600, 3), (400, 600, 4)])
def test_twelve_bits_in_sixteen_get_the_light_and_noise_of_twelve_bits(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 2000, dtype=np.uint16)
    if len(shape) == 3 and shape[2] == 4:
        image[..., 3] = 65535
    noisy = apply(fixed({"op": "noise", "sigma": 0.02, "seed": 3}, width=600, height=400), image)
    seen = noisy if noisy.ndim == 2 else noisy[..., :3]
    assert seen.astype(np.float64).std() == pytest.approx(0.02 * 4095, rel=0.02)
    image[:, 100:] = 4000
    bright = apply(
        fixed(
            {"op": "exposure", "factor": 1.5},
            {"op": "noise", "sigma": 0.05, "seed": 3},
            width=600,
            height=400,
        ),
        image,
    )
    seen = bright if bright.ndim == 2 else bright[..., :3]
    assert int(seen.max()) == 4095
    wanted = np.rint((2000 / 4095) ** 0.7 * 4095)
    toned = apply(fixed({"op": "gamma", "exponent": 0.7}, width=600, height=400), image)
    assert np.unique(toned[:, :100, ...][..., :1] if toned.ndim == 3 else toned[:, :100]) == wanted
