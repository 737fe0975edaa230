"""link: find which record belongs to which image, and why an image has none.

Records are found by key, through the genealogy, or as the nearest in time or along the strip. Every valid
image has a row for every table of the recipe's `link`: linked, ambiguous, or with the reason why not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.link.clocks import clock_offset
from tundish.stages.link.images import candidates
from tundish.stages.link.match import match, read_records, with_ids
from tundish.stages.link.plan import plan_link, scan_table
from tundish.storage.tables import LINKS

if TYPE_CHECKING:
    from tundish.stages.link.plan import Plan

__all__ = ["STAGE"]


def _run(context: Context) -> Outcome:
    plans = [plan_link(context, name, link) for name, link in context.recipe.link.items()]
    frames = [LINKS.empty()]
    counts: dict[str, int] = {}
    notes: list[str] = []
    for number, plan in enumerate(plans, 1):
        images = (
            scan_table(context.dataset.table("images"), "images", "validate", context.recipe.dataset)
            .filter("valid")
            .select("image_id", *plan.image_columns)
            .collect()
            .with_row_index("image")
        )
        links, text = _link(context, plan, images)
        frames.append(links)
        counts |= _counts(plan.name, links)
        notes += text
        context.progress(number * images.height, len(plans) * images.height)
    context.dataset.write(LINKS, pl.concat(frames))
    return Outcome(counts, notes)


def _link(context: Context, plan: Plan, images: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The rows of one table in the columns of LINKS, and sentences about them."""
    where = candidates(context, plan, images)
    records = read_records(plan, where)
    offset_s, notes = clock_offset(plan, records, where)
    rows = with_ids(plan, match(plan, records, where, offset_s))
    in_time = plan.near is not None and plan.near.in_time
    gap = pl.col("gap").cast(pl.Float64)
    nothing = pl.lit(None, pl.Float64)
    links = rows.select(
        images["image_id"].gather(rows["image"]).alias("image_id"),
        pl.lit(plan.name).alias("table"),
        "record_id",
        pl.lit(plan.how).alias("how"),
        "reason",
        "via",
        (gap / 1e6 if in_time else nothing).alias("offset_s"),
        (nothing if in_time else gap).alias("offset_m"),
        "position_m",
        "side",
        "ambiguous",
    )
    return links, notes + _reasons(plan.name, links)


def _counts(name: str, links: pl.DataFrame) -> dict[str, int]:
    """Count images by outcome; the counts add up to the valid images."""
    stale = links.filter(pl.col("reason") == "out_of_tolerance").height
    ambiguous = links.filter("ambiguous")["image_id"].n_unique()
    linked = links.filter(~pl.col("ambiguous") & pl.col("record_id").is_not_null()).height
    without = links.filter(pl.col("record_id").is_null()).height
    return {
        f"{name} linked": linked,
        f"{name} ambiguous": ambiguous,
        f"{name} stale": stale,
        f"{name} unmatched": without - stale,
    }


def _reasons(name: str, links: pl.DataFrame) -> list[str]:
    counts = links["reason"].drop_nulls().value_counts().sort("count", "reason", descending=[True, False])
    text = ", ".join(f"{count} {reason}" for reason, count in counts.iter_rows())
    return [f"{name}: images without a record: {text}"] if text else []


STAGE = Stage(
    name="link",
    reads=("curated/images.parquet", "curated/records"),
    writes=("curated/links.parquet",),
    depends=("sources", "timezone", "link"),
    run=_run,
)
