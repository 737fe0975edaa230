"""Pictures that came in several of the splits that a set was published with: copies across given splits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import polars as pl

__all__ = ["Leak", "find_leaks"]

_ORDER = {"train": 0, "val": 1, "test": 2}
_CLOSENESS = {
    relation: place
    for place, relation in enumerate(
        ("identical bytes", "identical pixels", "same picture", "probably same picture")
    )
}
_EXAMPLES = 3


@dataclass(frozen=True)
class Leak:
    """Pictures of which copies came in two given splits.

    Attributes:
        splits: The two splits.
        pictures: How many pictures.
        relations: How many of them are copies of which kind.
        examples: Two files of the same picture each, as source/path.
    """

    splits: tuple[str, str]
    pictures: int
    relations: dict[str, int]
    examples: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        how = ", ".join(f"{count} {relation}" for relation, count in self.relations.items())
        shown = "; ".join(f"{one} and {other}" for one, other in self.examples)
        pictures = f"{self.pictures:,} picture{'s' * (self.pictures != 1)}"
        return f"{pictures} came both in {self.splits[0]} and in {self.splits[1]} ({how}), such as {shown}"


def find_leaks(duplicates: pl.DataFrame, coverage: pl.DataFrame) -> list[Leak]:
    """Find pictures that came in several given splits.

    Args:
        duplicates: The duplicates table: files of pictures that have copies.
        coverage: The coverage table, which has the given split of each file.

    Returns:
        One entry for each two splits that share pictures, train and val first.
    """
    given = coverage.select("source", "path", "given_split").drop_nulls("given_split")
    rows = (
        duplicates.select("cluster_id", "source", "path", "relation")
        .join(given, on=["source", "path"], how="inner", maintain_order="left")
        .filter(pl.col("given_split").n_unique().over("cluster_id") > 1)
        .with_columns(file=pl.format("{}/{}", "source", "path"))
    )
    found = []
    for pair in combinations(_ORDER, 2):
        both = rows.filter(
            pl.lit(value=True).and_(
                *((pl.col("given_split") == split).any().over("cluster_id") for split in pair)
            ),
            pl.col("given_split").is_in(pair),
        )
        if both.height:
            found.append(_leak((pair[0], pair[1]), both))
    return found


def _leak(pair: tuple[str, str], rows: pl.DataFrame) -> Leak:
    relations = _closest(rows)["relation"].value_counts()
    relations = relations.sort(["count", "relation"], descending=[True, False])
    first = [
        rows.filter(given_split=split).unique("cluster_id", keep="first", maintain_order=True)
        for split in pair
    ]
    examples = first[0].join(first[1], on="cluster_id", suffix="_other", maintain_order="left")
    shown = examples.select("file", "file_other").head(_EXAMPLES).rows()
    return Leak(pair, rows["cluster_id"].n_unique(), dict(relations.iter_rows()), tuple(shown))


def _closest(rows: pl.DataFrame) -> pl.DataFrame:
    """For each picture the closest of its copies that is in the other split than its representative."""
    representative = rows.filter(relation="representative").select("cluster_id", home="given_split")
    copies = rows.filter(pl.col("relation") != "representative")
    across = copies.join(representative, on="cluster_id", how="left", maintain_order="left")
    place = pl.col("relation").replace_strict(_CLOSENESS, default=len(_CLOSENESS), return_dtype=pl.Int64)
    ordered = across.sort(pl.col("given_split").eq_missing(pl.col("home")), place, maintain_order=True)
    return ordered.unique("cluster_id", keep="first", maintain_order=True)
