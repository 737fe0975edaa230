"""How far shapes cover each other."""

from __future__ import annotations

import numpy as np

from tundish.imaging.geometry import counts_of_mask
from tundish.imaging.overlap import iou_of_counts


def test_overlaps_of_more_masks_than_fit_into_a_byte() -> None:
    """pycocotools numbers the masks of one call in eight bits."""
    mask = np.zeros((9, 30), np.uint8)
    mask[2:6, 3:17] = 1
    many = [counts_of_mask(mask)] * 300
    found = iou_of_counts(many, many[:2], 30, 9)
    assert found.shape == (300, 2)
    assert (found == 1).all()
