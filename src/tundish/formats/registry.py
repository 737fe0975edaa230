"""The formats by name, and what a listing looks like to each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.formats.coco.format import Coco
from tundish.formats.folders import Folders
from tundish.formats.images import Images
from tundish.formats.masks import Masks
from tundish.formats.voc import Voc
from tundish.formats.yolo.read import Yolo

if TYPE_CHECKING:
    from tundish.formats.base import Evidence, Format, Listing

__all__ = ["FORMATS", "sniff_all"]

_ALL: tuple[Format, ...] = (Voc(), Yolo(), Coco(), Masks(), Folders(), Images())

FORMATS: dict[str, Format] = {each.name: each for each in _ALL}
"""Formats by the name that recipes use; what says more of an image comes first."""


def sniff_all(listing: Listing) -> list[Evidence]:
    """What speaks for each format that finds anything of its own in a listing, best first."""
    found = [evidence for each in _ALL if (evidence := each.sniff(listing)) is not None]
    return sorted(found, key=lambda evidence: -evidence.weight)
