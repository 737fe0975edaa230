"""Pairs of images that overlap: which tie groups, and which a given split tears apart."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.given.splits import HELD_OUT
from tundish.storage.tables import PAIRS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.stages.base import Context

__all__ = ["find_torn", "overlap_notes", "read_overlaps"]

_EXAMPLES = 3


def read_overlaps(context: Context, files: pl.DataFrame) -> pl.DataFrame:
    """The pairs that overlap, between the images that represent them.

    Args:
        context: Where the dataset is.
        files: Every valid image file with the image that represents it: image_id, representative.

    Returns:
        image_id, other_id and use (`group` or `review`), each pair once.
    """
    represented = files.select("image_id", "representative").unique()
    return (
        context.dataset.read(PAIRS)
        .filter(pl.col("use") != "delete")
        .join(represented, on="image_id")
        .join(represented, left_on="other_id", right_on="image_id", suffix="_other")
        .select(image_id="representative", other_id="representative_other", use="use")
        .filter(pl.col("image_id") != pl.col("other_id"))
        .unique(["image_id", "other_id"], keep="first", maintain_order=True)
    )


def find_torn(
    overlaps: pl.DataFrame, ranks: Mapping[str, int], inside: Collection[str]
) -> tuple[dict[str, str], pl.DataFrame]:
    """Look at a given split that is kept: what overlaps an image that is held out is left out.

    A pair that only probably overlaps costs no image: it does not tie its images either, so that both keep
    the split that they came with.

    Args:
        overlaps: As of `read_overlaps`.
        ranks: By image_id the place in `HELD_OUT` of the split that an image came with.
        inside: The images that are assigned, by image_id.

    Returns:
        The images that are left out with the reason, and the pairs that tie images to a group.
    """
    neighbours: dict[str, set[str]] = {}
    doubtful = []
    none = len(HELD_OUT)
    joins = {HELD_OUT.index("train"), none}
    for one, other, use in overlaps.select("image_id", "other_id", "use").iter_rows():
        came = {ranks.get(one, none), ranks.get(other, none)}
        if len(came) == 1 or came == joins:
            continue
        if use == "review":
            doubtful.append((one, other))
        else:
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    left_out: dict[str, str] = {}
    for image in sorted(neighbours.keys() & set(inside), key=lambda image: (ranks.get(image, none), image)):
        if image not in left_out and ranks.get(image, none) < none:
            worse = (one for one in neighbours[image] if ranks.get(one, none) > ranks[image])
            reason = f"leak: it overlaps an image that came in {HELD_OUT[ranks[image]]}"
            left_out |= {one: reason for one in sorted(worse) if one in inside and one not in left_out}
    torn = pl.DataFrame(doubtful, schema={"image_id": pl.String, "other_id": pl.String}, orient="row")
    return left_out, overlaps.join(torn, on=["image_id", "other_id"], how="anti", maintain_order="left")


def overlap_notes(overlaps: pl.DataFrame, ranks: Mapping[str, int], paths: Mapping[str, str]) -> list[str]:
    """A sentence for each two given splits whose images overlap.

    Args:
        overlaps: As of `read_overlaps`.
        ranks: As for `find_torn`.
        paths: By image_id the file that represents an image, for the examples.
    """
    came = Counter(ranks.values())
    notes = []
    for held, other in combinations(range(len(HELD_OUT)), 2):
        pairs = [
            (one, two) if ranks[one] == held else (two, one)
            for one, two in overlaps.filter(use="group").select("image_id", "other_id").iter_rows()
            if {ranks.get(one), ranks.get(two)} == {held, other}
        ]
        if pairs:
            touched = len({one for one, _ in pairs})
            shown = "; ".join(f"{paths[one]} and {paths[two]}" for one, two in sorted(pairs)[:_EXAMPLES])
            notes.append(
                f"{touched:,} of {came[held]:,} images that came in {HELD_OUT[held]} show a part of what an"
                f" image that came in {HELD_OUT[other]} shows ({len(pairs):,} pairs), such as {shown}"
            )
    return notes
