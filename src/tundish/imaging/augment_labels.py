"""Make labels follow an augmented picture: moved like its pixels, clipped to it, or dropped with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tundish.imaging import geometry
from tundish.imaging.augment import Plan, warp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Followed", "Region", "apply_labels"]

MIN_SIDE = 1.0
"""px: a box narrower than a pixel marks nothing."""


@dataclass(frozen=True)
class Region:
    """The place of one label: a box, perhaps with the polygon or COCO mask counts it bounds; or the image.

    Frame and units are those of ``geometry``; counts are of the plan's width and height.
    """

    box: tuple[float, float, float, float] | None = None
    polygon: Sequence[Sequence[float]] = ()
    counts: str | None = None


@dataclass(frozen=True)
class Followed:
    """The fate of one label.

    Attributes:
        region: Its place in the derived image; None where it was dropped.
        visible: The share of its moved area inside the picture.
        check: Why it was dropped, in a word: outside, hardly_visible, too_narrow or covered.
        reason: Why it was dropped, in a clause.
    """

    region: Region | None
    visible: float
    check: str = ""
    reason: str = ""


def apply_labels(
    plan: Plan, regions: Sequence[Region], *, min_visible: float = 0.1, max_covered: float = 0.7
) -> list[Followed]:
    """Move regions as ``apply`` moves pixels; one result per region, in their order.

    Args:
        plan: The plan that ``apply`` follows.
        regions: Labels of the parent; one without box, polygon and counts applies to the whole image.
        min_visible: A label less visible than this share of its moved area is dropped.
        max_covered: A label is dropped where cutouts cover this share of its remaining area.
    """
    move = _Move(plan)
    within = move.boxes_within(regions)
    return [
        _judge(move, *(within.get(place) or move.region(region)), min_visible, max_covered)
        for place, region in enumerate(regions)
    ]


def _judge(
    move: _Move, moved: Region | None, visible: float, min_visible: float, max_covered: float
) -> Followed:
    if moved is None:
        return Followed(None, 0.0, "outside", "it is outside the derived image")
    if visible < min_visible:
        return Followed(
            None, visible, "hardly_visible", f"{visible:.3f} of it is visible, less than {min_visible:g}"
        )
    if moved.box is None:
        return Followed(moved, visible)
    if min(moved.box[2:]) < MIN_SIDE:
        return Followed(
            None, visible, "too_narrow", f"what is visible of it is narrower than {MIN_SIDE:g} px"
        )
    covered = move.covered(moved)
    if covered >= max_covered:
        return Followed(
            None, visible, "covered", f"cutouts cover {covered:.3f} of it, at least {max_covered:g}"
        )
    return Followed(moved, visible)


class _Move:
    """The geometry of a plan for labels; whole rasters are made once, and only when needed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._matrix = plan.matrix()
        self._size = plan.width, plan.height

    def boxes_within(self, regions: Sequence[Region]) -> dict[int, tuple[Region, float]]:
        """Plain boxes that stay entirely inside the picture, by place: most labels, moved in one step."""
        plain = [
            (place, region.box)
            for place, region in enumerate(regions)
            if region.box is not None and not region.polygon and region.counts is None
        ]
        moved = geometry.transform_boxes(self._matrix, [box for _, box in plain])
        inside = (moved[:, :2] >= 0) & (moved[:, :2] + moved[:, 2:] <= self._size)
        boxes = moved.tolist()
        return {
            plain[row][0]: (Region((boxes[row][0], boxes[row][1], boxes[row][2], boxes[row][3])), 1.0)
            for row in np.flatnonzero(inside.all(axis=1)).tolist()
        }

    def region(self, region: Region) -> tuple[Region | None, float]:
        """The region after moving and clipping, and the visible share of its moved area."""
        if region.counts is not None:
            return self._mask(region.counts)
        if region.polygon:
            return self._polygon(region.polygon)
        if region.box is None:
            return region, 1.0
        moved, visible = self._polygon([_outline(region.box)])
        return (None if moved is None else replace(moved, polygon=())), visible

    def covered(self, region: Region) -> float:
        """The share of a moved region under the cutouts of the plan."""
        if not self._plan.chosen("cutout") or region.box is None:
            return 0.0
        if region.counts is not None:
            mask = geometry.mask_of_counts(region.counts, *self._size)
        else:
            mask = geometry.mask_of_polygon(region.polygon or [_outline(region.box)], *self._size)
        return float(np.count_nonzero(mask & self._hidden) / max(np.count_nonzero(mask), 1))

    def _polygon(self, polygon: Sequence[Sequence[float]]) -> tuple[Region | None, float]:
        moved = geometry.transform_polygon(self._matrix, polygon)
        kept = geometry.clip_polygon(moved, *self._size)
        before, after = geometry.area_of_polygon(moved), geometry.area_of_polygon(kept)
        if not kept:
            return None, 0.0
        return Region(geometry.box_of_polygon(kept), kept), min(after / before, 1.0)

    def _mask(self, counts: str) -> tuple[Region | None, float]:
        mask = geometry.mask_of_counts(counts, *self._size)
        moved = geometry.counts_of_mask(warp(self._plan, mask, mask=True))
        box = geometry.box_of_counts(moved, *self._size)
        if box is None:
            return None, 0.0
        seen = np.count_nonzero(mask & self._seen) / np.count_nonzero(mask)
        return Region(box, (), moved), float(seen)

    @cached_property
    def _seen(self) -> NDArray[np.uint8]:
        """Pixels of the parent whose centre is inside the derived image."""
        width, height = self._size
        ys, xs = np.mgrid[0:height, 0:width]
        points = geometry.transform_points(self._matrix, np.stack([xs.ravel(), ys.ravel()], axis=1) + 0.5)
        inside = ((points >= 0) & (points < (width, height))).all(axis=1)
        return inside.reshape(height, width).astype(np.uint8)

    @cached_property
    def _hidden(self) -> NDArray[np.uint8]:
        """Pixels of the derived image under a cutout."""
        hidden = np.zeros((self._plan.height, self._plan.width), dtype=np.uint8)
        for step in self._plan.chosen("cutout"):
            for x, y, width, height in step["boxes"]:
                hidden[y : y + height, x : x + width] = 1
        return hidden


def _outline(box: tuple[float, float, float, float]) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]
