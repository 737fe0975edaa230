"""Find the pieces, moments and positions at which the records of each image may be."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from tundish.domain.steel.ancestry import EDGES, ancestors
from tundish.errors import UsageError
from tundish.stages.link.plan import EVERYTHING, scan_table, text_key
from tundish.tabular.values.times import parse_time

if TYPE_CHECKING:
    from tundish.stages.base import Context
    from tundish.stages.link.plan import Near, Plan

__all__ = ["candidates", "moment"]

_SIDES = {
    **dict.fromkeys(("top", "上表", "上表面", "正面"), "top"),
    **dict.fromkeys(("bottom", "下表", "下表面", "反面"), "bottom"),
}


def candidates(context: Context, plan: Plan, images: pl.DataFrame) -> pl.DataFrame:
    """Find where the record of each image may be: one row per image, or one per possible ancestor.

    Args:
        context: The context of the stage, for the time zone of the plant.
        plan: The plan of the link.
        images: `image`, a number, and the columns of `plan.image_columns`.

    Returns:
        `image`, `piece` (the record's key; null: none), `value` (us or m, null where unknown), `position_m`
        and `side` on that piece, `via` (with a genealogy), and `reason` where there is no such piece.
    """
    rows = images.select(
        "image",
        piece=pl.lit(EVERYTHING) if plan.image_key is None else text_key(plan.image_key),
        position_m=pl.lit(None, pl.Float64) if plan.position is None else _metres(plan, images),
        side=pl.lit(None, pl.String) if plan.side is None else _side(plan.side),
        moment=_moments(context, plan, images),
        via=pl.lit(None, pl.String),
        reason=pl.lit(None, pl.String),
    ).with_columns(reason=pl.when(pl.col("piece").is_null()).then(pl.lit("no_key")))
    if plan.edges is not None:
        rows = _through(plan, rows)
    value = pl.col("position_m") if plan.near and not plan.near.in_time else pl.col("moment")
    return rows.select("image", "piece", value.alias("value"), "position_m", "side", "via", "reason")


def moment(near: Near | None) -> pl.Expr:
    """The time of a record in us, or its position in m."""
    if near is None:
        return pl.lit(None, pl.Int64)
    if near.in_time:
        return pl.col(near.record).dt.epoch("us")
    metres = pl.col(near.record).cast(pl.Float64)
    return pl.when(metres.is_finite()).then(metres)


def _moments(context: Context, plan: Plan, images: pl.DataFrame) -> pl.Expr | pl.Series:
    if plan.near is None or not plan.near.in_time:
        return pl.lit(None, pl.Int64)
    column = images[plan.near.image]
    if column.dtype != pl.String:
        return column.dt.epoch("us")
    zone = context.recipe.timezone
    # A value that is not a time is a gap of that image, like a name without key; no time at all is a mistake.
    texts = column.drop_nulls().unique().to_list()
    parsed = (parse_time(text, zone) for text in texts)
    times = [time if isinstance(time, datetime) else None for time in parsed]
    if texts and not any(times):
        raise UsageError(
            f"the column '{plan.near.image}' of 'images' has the value {texts[0]!r}, not a time",
            where=f"link.{plan.name}.nearest.image",
            fix="name a column of times, or write the tolerance in metres",
        )
    known = pl.DataFrame(
        {"text": texts, "time": times}, schema={"text": pl.String, "time": pl.Datetime("us", "UTC")}
    )
    return (
        column.to_frame("text")
        .join(known, on="text", how="left", maintain_order="left")
        .get_column("time")
        .dt.epoch("us")
    )


def _metres(plan: Plan, images: pl.DataFrame) -> pl.Series:
    column = images[str(plan.position)]
    if column.dtype != pl.String:
        metres = column.cast(pl.Float64)
    else:
        metres = column.str.normalize("NFKC").str.strip_chars().cast(pl.Float64, strict=False)
        if column.len() > column.null_count() and metres.null_count() == metres.len():
            raise UsageError(
                f"the column '{plan.position}' of 'images' has the value {column.drop_nulls()[0]!r},"
                " not a number",
                where=f"link.{plan.name}",
                fix="name a column of metres, or write the tolerance with a unit of time",
            )
    return metres.to_frame("m").select(pl.when(pl.col("m").is_finite()).then("m")).to_series()


def _side(name: str) -> pl.Expr:
    words = text_key(name).str.to_lowercase()
    return words.replace_strict(_SIDES, default=None, return_dtype=pl.String)


def _through(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """The ancestors of the piece of each image that have records, the nearest on each path."""
    assert plan.edges is not None
    assert plan.record_key is not None
    edges = scan_table(plan.edges, plan.edges.stem, "records", plan.dataset).filter(
        pl.col("outcome") == "accepted"
    )
    present = [name for name in EDGES if name in edges.collect_schema()]
    texts = [text_key(name).alias(name) for name in present if EDGES[name] == pl.String]
    known = scan_table(plan.records, plan.name, "records", plan.dataset).select(
        piece=text_key(plan.record_key)
    )
    wanted = known.drop_nulls().unique().collect(engine="streaming").to_series()
    place = ["piece", "position_m", "side"]
    pieces = (
        rows.filter(pl.col("piece").is_not_null())
        .select(place)
        .unique(maintain_order=True)
        .with_row_index("query")
    )
    found = ancestors(edges.select(present).with_columns(texts).collect(), pieces, wanted.sort())
    lost = (
        pl.when(pl.col("end") == "wanted")
        .then(pl.lit(None, pl.String))
        .when((pl.col("end") == "top") & (pl.col("depth") > 0))
        .then(pl.lit("no_record"))
        .otherwise(pl.lit("no_ancestor"))
    )
    found = found.select("query", "piece", "position_m", "side", "via", reason=lost)
    found = found.unique(["query", "piece", "position_m", "reason"], keep="first", maintain_order=True)
    ways = pieces.select("query", *(pl.col(name).alias(f"own_{name}") for name in place)).join(
        found, on="query", maintain_order="left"
    )
    own = [f"own_{name}" for name in place]
    linked = rows.select("image", "moment", *(pl.col(name).alias(f"own_{name}") for name in place)).join(
        ways, on=own, nulls_equal=True, maintain_order="left"
    )
    without = rows.filter(pl.col("piece").is_null())
    return pl.concat([linked.select(rows.columns), without.filter(pl.col("reason").is_not_null())])
