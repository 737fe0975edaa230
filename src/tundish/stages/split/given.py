"""Keep the split that images came with, so that nothing that is held out has a copy or a relative in train.

With ``keep`` a group whose images came in several splits, or in none and in one that is held out, keeps only
those of the most held-out split (test, then val, then train): test stays as it came, and the others are left
out. Where the most held-out split is train, images of the group that came in none join it. Of images that
overlap only those are left out that overlap one that is held out: what overlaps them in turn does not. With
``train`` a group with an image that came in train is in train; all others are assigned by the ratios.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.audit.leaks import find_leaks
from tundish.formats.given.splits import HELD_OUT
from tundish.stages.split.groups import group_images
from tundish.stages.split.overlaps import find_torn, overlap_notes, read_overlaps
from tundish.storage.tables import COVERAGE, DUPLICATES, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.stages.base import Context
    from tundish.stages.split.groups import Groups

__all__ = ["CameWith", "moved_notes", "settle_given"]

_NONE = len(HELD_OUT)
_RANKS = {split: rank for rank, split in enumerate(HELD_OUT)}
_TRAIN = _RANKS["train"]

_BECAME = {
    "keep": "kept, as split.given is keep",
    "train": "train is kept and the rest assigned by the ratios, as split.given is train",
    "ignore": "not kept, as split.given is ignore",
}


@dataclass(frozen=True)
class CameWith:
    """What the splits that images came with mean for the assignment.

    Attributes:
        images: All images, as they were given, with a reason where one is left out for its group's sake.
        mode: The recipe's ``split.given``.
        ranks: By image_id the place in `HELD_OUT` of the split that an image came with.
        overlaps: Pairs of images that overlap and tie their groups: image_id, other_id.
        notes: Sentences on these splits: what they share, and what became of that.
    """

    images: pl.DataFrame
    mode: str
    ranks: dict[str, int]
    overlaps: pl.DataFrame
    notes: list[str]

    def of_groups(self, groups: Groups, inside: pl.DataFrame) -> dict[int, str]:
        """The split that each group keeps, by its number; none where the recipe does not keep it."""
        if self.mode == "ignore":
            return {}
        pairs = _numbered(groups, inside, self.ranks)
        if self.mode == "train":
            return {group: "train" for _, group, rank in pairs if rank == _TRAIN}
        return {group: HELD_OUT[rank] for group, rank in _most_held_out(pairs).items() if rank != _NONE}


def settle_given(context: Context, images: pl.DataFrame, files: pl.DataFrame) -> CameWith:
    """Look at the splits that images came with, and leave out what would contaminate one that is kept.

    Args:
        context: The recipe, and where the dataset is.
        images: All images, with the reason where one is excluded: image_id, cluster_id, reason.
        files: Every valid image file with the image that represents it: source, path, representative. Copies
            that are excluded count: their picture was seen in their split, too.
    """
    coverage = context.dataset.read(COVERAGE)
    given = coverage.select("source", "path", "given_split").drop_nulls("given_split")
    mode = context.recipe.split.given
    overlaps = read_overlaps(context, files)
    if not given.height:
        return CameWith(images, "ignore", {}, overlaps, [])
    ranks = dict(
        files.join(given, on=["source", "path"], how="inner")
        .with_columns(rank=pl.col("given_split").replace_strict(_RANKS, return_dtype=pl.Int64))
        .group_by("representative")
        .agg(pl.col("rank").min())
        .iter_rows()
    )
    leaks = find_leaks(context.dataset.read(DUPLICATES), coverage)
    counts = dict(given["given_split"].value_counts().iter_rows())
    shown = ", ".join(f"{name} {counts[name]:,}" for name in reversed(HELD_OUT) if name in counts)
    notes = [f"image files came with a split ({shown}): {_BECAME[mode]}", *map(str, leaks)]
    notes += overlap_notes(overlaps, ranks, dict(images.select("image_id", "path").iter_rows()))
    if mode == "ignore":
        notes += _kept_from_before(context)
    if mode == "keep":
        inside = images.filter(pl.col("reason").is_null())
        keyed = group_images(inside, files, context.recipe, overlaps.clear())
        strange = _strangers(_numbered(keyed, inside, ranks))
        torn, overlaps = find_torn(overlaps, ranks, set(inside["image_id"]) - strange.keys())
        strange |= torn
        images = images.with_columns(
            reason=pl.coalesce(
                "reason", pl.col("image_id").replace_strict(strange, default=None, return_dtype=pl.String)
            )
        )
        notes += _sentence(list(strange.values()))
        notes += _emptied(images, ranks)
    return CameWith(images, mode, ranks, overlaps, notes)


def moved_notes(moved: Mapping[str, str], how: Sequence[str], inside: pl.DataFrame) -> list[str]:
    """A sentence where images change from the split of an earlier run to the one that they came with.

    Args:
        moved: Images that change their split, with the one before.
        how: How each image came to its split.
        inside: The images that are assigned, by image_id.
    """
    pairs = zip(inside["image_id"], how, strict=True)
    count = sum(image_id in moved and one == "given" for image_id, one in pairs)
    return [f"{count:,} images change to the split that they came with"] if count else []


def _numbered(groups: Groups, inside: pl.DataFrame, ranks: dict[str, int]) -> list[tuple[str, int, int]]:
    """Each image with its group and the rank of the split that it came with."""
    pairs = zip(inside["image_id"], groups.of_image.tolist(), strict=True)
    return [(image_id, group, ranks.get(image_id, _NONE)) for image_id, group in pairs]


def _most_held_out(images: Sequence[tuple[str, int, int]]) -> dict[int, int]:
    least: dict[int, int] = {}
    for _, group, rank in images:
        least[group] = min(rank, least.get(group, _NONE))
    return least


def _strangers(images: Sequence[tuple[str, int, int]]) -> dict[str, str]:
    """Images that would take what is held out into another split, or change one that is kept: the reason."""
    best = _most_held_out(images)
    return {
        image_id: f"leak: its group came in {HELD_OUT[best[group]]}"
        for image_id, group, rank in images
        if rank != best[group] and not (rank == _NONE and best[group] == _TRAIN)
    }


def _kept_from_before(context: Context) -> list[str]:
    """A sentence where an earlier run kept the splits that images came with."""
    if not context.dataset.has(SPLITS):
        return []
    count = context.dataset.read(SPLITS).filter(reason="given").height
    note = f"{count:,} images keep the split that an earlier run kept: another 'salt' assigns them again"
    return [note] if count else []


def _emptied(images: pl.DataFrame, ranks: Mapping[str, int]) -> list[str]:
    """A sentence where no image is left in train."""
    inside = images.filter(pl.col("reason").is_null())["image_id"]
    if any(ranks.get(image_id, _NONE) in (_TRAIN, _NONE) for image_id in inside):
        return []
    return ["no image is left in train: 'split.given: ignore' with another 'salt' assigns all by the ratios"]


def _sentence(reasons: Sequence[str]) -> list[str]:
    if not reasons:
        return []
    kinds = ((name, sum(reason.endswith(f" {name}") for reason in reasons)) for name in HELD_OUT)
    held = ", ".join(f"{count:,} for {name}" for name, count in kinds if count)
    what = "images are left out, as an image of their group or one they overlap came in a held-out split"
    return [f"{len(reasons):,} {what} ({held})"]
