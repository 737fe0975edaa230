"""What the recipe says of the splits now and said when they were assigned: what a change moves, and what not.

The table of splits carries in its metadata what it was made by.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pyarrow.parquet as pq

from tundish.storage.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tundish.recipe.sections import Split

__all__ = ["Before", "Merged", "change_notes", "metadata_of", "read_before"]

_SALT, _RATIOS, _KEYS = "tundish.salt", "tundish.ratios", "tundish.group_by"

_NEAR = 0.01
"""Shares this close to the ratios follow them."""

_MOST_MERGED = 3
"""Groups that are named one by one."""


@dataclass(frozen=True)
class Before:
    """The assignment of the run before.

    Attributes:
        splits: The split that images have, or had before they were excluded; empty where the salt differs.
        ratios: The ratios that it follows; None where it does not say.
        keys: The keys that grouped; None where it does not say.
    """

    splits: dict[str, str]
    ratios: dict[str, float] | None = None
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Merged:
    """A group whose images were in several splits: its name, where it is now, and how many were where."""

    group: str
    winner: str
    votes: Mapping[str, int]

    @property
    def moved(self) -> dict[str, int]:
        """How many of its images changed sides, by the split they were in."""
        return {name: count for name, count in self.votes.items() if name != self.winner and count}

    def __str__(self) -> str:
        others = ", ".join(f"{count} from {name}" for name, count in self.moved.items())
        return f"{self.group}: {others} moved to {self.winner}"


def read_before(path: Path, salt: str) -> Before:
    """Read the assignment of the run before.

    Args:
        path: The table of splits; it need not exist.
        salt: The salt of this run: another one assigns everything again.
    """
    if not path.exists():
        return Before({})
    metadata = pq.read_schema(path).metadata or {}
    if metadata.get(_SALT.encode(), b"").decode() != salt:
        return Before({})
    splits = dict(SPLITS.read(path).select("image_id", "last_split").drop_nulls("last_split").iter_rows())
    ratios, keys = (
        orjson.loads(metadata[name.encode()]) if name.encode() in metadata else None
        for name in (_RATIOS, _KEYS)
    )
    return Before(splits, ratios, None if keys is None else tuple(keys))


def metadata_of(section: Split, before: Before, placed: pl.DataFrame) -> dict[str, str]:
    """What the table of splits says of itself.

    While the images do not follow changed ratios, it names those that they do follow.

    Args:
        section: The section of the recipe.
        before: The assignment of the run before.
        placed: The new table of splits.
    """
    followed = section.ratios if before.ratios is None or _follow(section, placed) else before.ratios
    return {
        _SALT: section.salt,
        _RATIOS: orjson.dumps(followed).decode(),
        _KEYS: orjson.dumps(list(section.group_by)).decode(),
    }


def _follow(section: Split, placed: pl.DataFrame) -> bool:
    sizes = Counter(placed["split"].drop_nulls())
    total = max(sizes.total(), 1)
    return all(abs(sizes[name] / total - share) <= _NEAR for name, share in section.ratios.items())


def change_notes(section: Split, before: Before, placed: pl.DataFrame, merged: list[Merged]) -> Iterator[str]:
    """Sentences on what a change of the recipe moved, what it left where it was, and what the salt would do.

    Args:
        section: The section of the recipe.
        before: The assignment of the run before.
        placed: The new table of splits.
        merged: Groups whose images were in several splits.
    """
    if before.ratios not in (None, section.ratios) and not _follow(section, placed):
        kept = placed.filter(pl.col("image_id").is_in(list(before.splits)), pl.col("split").is_not_null())
        yield (
            f"the splits were assigned by the ratios {_shares(before.ratios or {})}; split.ratios is"
            f" {_shares(section.ratios)} now: the {kept.height:,} images of groups that were assigned keep"
            f" their side, and only new groups follow the new ratios. {_advice(section)}"
        )
    gone = Counter(name for name in before.splits.values() if name not in section.ratios)
    for name, count in gone.items():
        yield (
            f"split.ratios has no '{name}' any more: its {count:,} images were assigned to the other splits;"
            " a model that was tested on them needs another test"
        )
    if before.keys not in (None, section.group_by) and merged:
        yield (
            f"split.group_by was {_keys(before.keys or ())} and is {_keys(section.group_by)}: {len(merged):,}"
            " groups tie images of different splits together and cannot be divided, so that"
            f" {_moves(merged)}. {_advice(section)}"
        )
    elif len(merged) > _MOST_MERGED:
        yield (
            f"new data merges groups of different splits in {len(merged):,} groups, such as {merged[0]}; in"
            f" all {_moves(merged)}. {_advice(section)}"
        )
    else:
        yield from (f"new data merges groups of different splits in {one}" for one in merged)


def _moves(merged: list[Merged]) -> str:
    moves: Counter[tuple[str, str]] = Counter()
    for one in merged:
        for name, count in one.moved.items():
            moves[name, one.winner] += count
    told = ", ".join(f"{count:,} from {old} to {new}" for (old, new), count in sorted(moves.items()))
    return f"{moves.total():,} images moved ({told})"


def _advice(section: Split) -> str:
    return (
        f"Another split.salt than '{section.salt}' assigns all groups as if for the first time; test images"
        " then become training images, so models that were trained before need a new test"
    )


def _shares(ratios: Mapping[Any, float]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in ratios.items())


def _keys(keys: tuple[str, ...]) -> str:
    return ", ".join(keys) if keys else "empty"
