"""Tables of repeated determinations: the outcome of each sample, and which pairs look invented.

A table has the columns sample_id, item (named as in `repeatability`), number (1, 2, ...) and value.
Every function returns one value per row.
"""

from __future__ import annotations

import polars as pl

from tundish.domain.laboratory.repeatability import judge_pairs, limit, verdicts

__all__ = ["equal_pairs", "repeatable", "standing", "tight_pairs"]

_GROUP = ["sample_id", "item"]


def repeatable(item: pl.Expr) -> pl.Expr:
    """True where the item has a repeatability limit; null where the item is missing."""
    # A mean of 1 is in a band of every item.
    return pl.when(item.is_not_null()).then(limit(item, pl.lit(1.0)).is_not_null())


def standing(frame: pl.DataFrame) -> pl.Series:
    """The outcome of each row's sample and item, as in `verdicts`; T is that of the mean of the first two."""
    groups = (
        frame.drop_nulls()
        .sort("number", maintain_order=True)
        .group_by(_GROUP, maintain_order=True)
        .agg("value", mean=pl.col("value").head(2).mean())
        .with_columns(limit=limit(pl.col("item"), pl.col("mean")))
    )
    return _of_rows(frame, groups.with_columns(answer=verdicts(groups["value"], groups["limit"])))


def equal_pairs(frame: pl.DataFrame, least: int) -> pl.Series:
    """True for rows of exactly equal pairs, where an item has too many of them (see `judge_pairs`)."""
    pairs = _pairs(frame, least)
    answer = pl.col("too_equal") & ((pl.col("x1") - pl.col("x2")).abs() < 1e-9)
    return _of_rows(frame, pairs.with_columns(answer=answer)).fill_null(value=False)


def tight_pairs(frame: pl.DataFrame, least: int) -> pl.Series:
    """True for all pairs of an item that are closer than its method allows (see `judge_pairs`)."""
    pairs = _pairs(frame, least)
    return _of_rows(frame, pairs.with_columns(answer=pl.col("too_close"))).fill_null(value=False)


def _pairs(frame: pl.DataFrame, least: int) -> pl.DataFrame:
    """First and second determinations with the findings on their item."""
    value, number = pl.col("value"), pl.col("number")
    made = (
        frame.drop_nulls()
        .group_by(_GROUP, maintain_order=True)
        .agg(x1=value.filter(number == 1).first(), x2=value.filter(number == 2).first())
        .with_columns(limit=limit(pl.col("item"), (pl.col("x1") + pl.col("x2")) / 2))
        .drop_nulls()
    )
    told = []
    for (item,), some in made.group_by("item", maintain_order=True):
        found = judge_pairs(*(some[name].to_numpy() for name in ("x1", "x2", "limit")), least=least)
        told.append((item, found.too_equal, found.too_close))
    schema = {"item": pl.String, "too_equal": pl.Boolean, "too_close": pl.Boolean}
    return made.join(pl.DataFrame(told, schema=schema, orient="row"), on="item", how="left")


def _of_rows(frame: pl.DataFrame, groups: pl.DataFrame) -> pl.Series:
    answers = groups.select(*_GROUP, "answer")
    return frame.select(_GROUP).join(answers, on=_GROUP, how="left", maintain_order="left")["answer"]
