"""Match candidates with records: equal keys, and the nearest in time or along the strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import UsageError
from tundish.stages.link.images import moment
from tundish.stages.link.plan import EVERYTHING, scan_table, text_key

if TYPE_CHECKING:
    from tundish.stages.link.plan import Near, Plan

__all__ = ["Records", "match", "read_records", "with_ids"]

_REASONS = (
    "out_of_tolerance",
    "no_time",
    "no_position",
    "not_accepted",
    "no_record",
    "no_ancestor",
    "no_key",
)
"""Of several reasons the first is reported: it came nearest to a record."""

_MOST = 1_000_000
_CROWD = 100


@dataclass(frozen=True)
class Records:
    """The records that candidates may match.

    Attributes:
        rows: `code` (of the key), `value` (us or m) and `row` (in the file) of accepted records, sorted by
            these; for the nearest record, only records with a value.
        keys: Every key of the table: `piece`, `code`, whether any record of it is `accepted`, and
            `placed`: accepted with a value.
    """

    rows: pl.DataFrame
    keys: pl.DataFrame


def read_records(plan: Plan, candidates: pl.DataFrame) -> Records:
    """Read the records that candidates may match: their keys, and times or positions."""
    codes = candidates.select("piece").drop_nulls().unique(maintain_order=True).with_row_index("code")
    piece = pl.lit(EVERYTHING) if plan.record_key is None else text_key(plan.record_key)
    columns = {plan.record_key, plan.near.record if plan.near else None, "outcome"} - {None}
    rows = (
        scan_table(plan.records, plan.name, "records", plan.dataset)
        .select(sorted(str(name) for name in columns))
        .with_row_index("row")
        .select("row", piece=piece, value=moment(plan.near), accepted=pl.col("outcome") == "accepted")
        .join(codes.lazy(), on="piece")
        .select("code", "value", "row", "accepted")
        .collect(engine="streaming")
    )
    placed = pl.col("accepted") & (pl.lit(plan.near is None) | pl.col("value").is_not_null())
    keys = rows.group_by("code").agg(pl.col("accepted").any(), placed=placed.any())
    kept = rows.filter(placed).select("code", "value", "row").sort("code", "value", "row")
    return Records(kept, codes.join(keys, on="code", maintain_order="left"))


def match(plan: Plan, records: Records, candidates: pl.DataFrame, offset_s: float) -> pl.DataFrame:
    """Find the records of each image, or why it has none.

    Args:
        plan: The plan of the link.
        records: The result of `read_records`.
        candidates: The result of `candidates`.
        offset_s: How far the clock of the images is ahead, seconds.

    Returns:
        `image`, `row` (of the record in its file; null: none), `reason`, `via`, `position_m`, `side`, `gap`
        (image minus record, us or m), `ambiguous`. Every image has a row.
    """
    judged = candidates.join(records.keys, on="piece", how="left", maintain_order="left").with_columns(
        reason=pl.coalesce("reason", _reason(plan.near)), **_align(plan.near, offset_s)
    )
    sound = judged.filter(pl.col("reason").is_null()).with_row_index("at")
    hits = _by_key(plan, records, sound) if plan.near is None else _nearest(plan.near, records.rows, sound)
    found = sound.drop("reason").join(hits, on="at", maintain_order="left")
    columns = ["image", "piece", "row", "reason", "via", "position_m", "side", "gap"]
    lost = judged.filter(pl.col("reason").is_not_null()).with_columns(
        row=pl.lit(None, pl.UInt32), gap=pl.lit(None, hits.schema["gap"])
    )
    return _settle(pl.concat([found.select(columns), lost.select(columns)]))


def _reason(near: Near | None) -> pl.Expr:
    missing = pl.lit("no_time" if near is None or near.in_time else "no_position")
    failing = pl.col("value").is_null() | ~pl.col("placed")
    return (
        pl.when(pl.col("code").is_null())
        .then(pl.lit("no_record"))
        .when(~pl.col("accepted"))
        .then(pl.lit("not_accepted"))
        .when(pl.lit(near is not None) & failing)
        .then(missing)
    )


def _align(near: Near | None, offset_s: float) -> dict[str, pl.Expr]:
    if near is None or not near.in_time:
        return {}
    return {"value": pl.col("value") - round(offset_s * 1_000_000)}


def _by_key(plan: Plan, records: Records, sound: pl.DataFrame) -> pl.DataFrame:
    """All records of the key."""
    counts = records.rows.group_by("code").len("records")
    many = sound.select("code").join(counts, on="code").get_column("records").sum()
    if many > max(_MOST, _CROWD * sound.height):
        raise UsageError(
            f"{sound.height} images have {many} records of '{plan.name}' by '{plan.record_key}' alone",
            where=f"link.{plan.name}",
            fix="add 'nearest', to choose one of them by time or position",
        )
    hits = sound.select("at", "code").join(records.rows, on="code", maintain_order="left_right")
    return hits.select("at", "row", reason=pl.lit(None, pl.String), gap=pl.lit(None, pl.Int64))


def _nearest(near: Near, rows: pl.DataFrame, sound: pl.DataFrame) -> pl.DataFrame:
    """The nearest record of each candidate, all of them where several are equally near."""
    numbered = rows.with_row_index("place")
    new = (pl.col("code") != pl.col("code").shift()) | (pl.col("value") != pl.col("value").shift())
    # Records of one key and one value are one target: a run of places.
    runs = numbered.filter(new.fill_null(value=True)).with_columns(
        run=pl.col("place").shift(-1, fill_value=rows.height) - pl.col("place"), found=pl.col("value")
    )
    left = sound.select("at", "code", "value").sort("code", "value")
    ways: tuple[str, ...] = ("backward", "forward") if near.direction == "nearest" else (near.direction,)
    hits = pl.concat([_one_way(left, runs, way) for way in ways])
    away = pl.col("gap").abs()
    least = away.min().over("at")
    hits = hits.filter((away == least) | least.is_null()).unique(
        ["at", "place"], keep="first", maintain_order=True
    )
    tolerance = round(near.tolerance * 1_000_000) if near.in_time else near.tolerance
    within = away <= tolerance
    close, far = hits.filter(within), hits.filter(~within.fill_null(value=False))
    chosen = close.with_columns(
        place=pl.int_ranges("place", pl.col("place") + pl.col("run"), dtype=pl.UInt32)
    ).explode("place", empty_as_null=False)
    linked = chosen.select(
        "at", row=rows["row"].gather(chosen["place"]), reason=pl.lit(None, pl.String), gap="gap"
    )
    stale = far.unique("at", keep="first", maintain_order=True).select(
        "at", row=pl.lit(None, pl.UInt32), reason=pl.lit("out_of_tolerance"), gap="gap"
    )
    return pl.concat([linked, stale])


def _one_way(left: pl.DataFrame, runs: pl.DataFrame, way: str) -> pl.DataFrame:
    # Both sides are sorted by key and value; Polars cannot see that where there is a key.
    joined = left.join_asof(
        runs.select("code", "value", "place", "run", "found"),
        on="value",
        by="code",
        strategy=way,  # type: ignore[arg-type]
        check_sortedness=False,
    )
    return joined.select("at", "place", "run", gap=pl.col("value") - pl.col("found"))


def _settle(rows: pl.DataFrame) -> pl.DataFrame:
    """For each image what was found, else the reason that came nearest to a record."""
    order = {reason: number for number, reason in enumerate(_REASONS, 1)}
    rank = pl.col("reason").replace_strict(order, default=0, return_dtype=pl.Int8)
    rows = rows.with_columns(rank=rank).sort("image", "rank", "piece", "row", maintain_order=True)
    best = rows.filter(pl.col("rank") == pl.col("rank").first().over("image"))
    several = rows.group_by("image", maintain_order=True).len("ways").filter(pl.col("ways") > 1)
    is_several = pl.col("image").is_in(several["image"].implode())
    linked = pl.col("row").is_not_null()
    best = best.with_columns(
        ambiguous=linked & is_several,
        **{name: pl.when(linked).then(name) for name in ("via", "position_m", "side")},
    )
    return best.filter(linked | pl.col("image").is_first_distinct())


def with_ids(plan: Plan, links: pl.DataFrame) -> pl.DataFrame:
    """The links with `record_id` in place of `row`."""
    wanted = links.select("row").drop_nulls().unique()
    ids = (
        scan_table(plan.records, plan.name, "records", plan.dataset)
        .select("record_id")
        .with_row_index("row")
        .join(wanted.lazy(), on="row", how="semi")
        .collect(engine="streaming")
    )
    return links.join(ids, on="row", how="left", maintain_order="left").drop("row")
