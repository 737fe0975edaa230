"""Which annotator is asked about which image."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["deal"]


def deal(
    image_ids: Iterable[str],
    annotators: Sequence[str],
    overlap: float,
    there: Mapping[str, Collection[str]],
    answered: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Who gets which images, in the order given: one annotator each, and a second for a share of them.

    It goes by hashes of image and annotator, so that it stays as it is when images come; what an annotator
    has already stays with them when annotators come.

    Args:
        image_ids: All images to be labelled.
        annotators: Who labels.
        overlap: Share of the images that two get.
        there: The images that each of them has already.
        answered: The images that each of those who label no more has answered: so many fewer are wanted.
    """
    dealt: dict[str, list[str]] = {name: [] for name in annotators}
    for image_id in image_ids:
        wanted = 1 + (_share(image_id, "") < overlap)
        have = sum(image_id in there.get(name, ()) for name in annotators)
        others = sum(image_id in ids for ids in answered.values())
        order = sorted(
            annotators, key=lambda name: (image_id not in there.get(name, ()), _share(image_id, name))
        )
        for name in order[: max(wanted - others, min(have, wanted))]:
            dealt[name].append(image_id)
    return dealt


def _share(image_id: str, name: str) -> float:
    """A number from 0 to 1 that looks random and never changes."""
    digest = hashlib.sha256(f"{image_id}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
