"""The values of records that exported images carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from tundish.stages.link.plan import plan_link
from tundish.storage.tables import LINKS

if TYPE_CHECKING:
    from tundish.stages.base import Context

__all__ = ["carried_columns"]


def carried_columns(context: Context) -> tuple[pl.DataFrame, dict[str, str]]:
    """The columns that the recipe's links carry, as '<table>.<column>', and the unit of each.

    Returns:
        One row per image of the links: `image_id` and the columns, null where an image has no record in
        that table, or several; and the unit by column, '' where there is none.

    Raises:
        MissingStepError: The stage `link` has not run.
    """
    links = context.dataset.read(LINKS) if context.recipe.link else LINKS.empty()
    rows = links.select("image_id").unique().sort("image_id")
    units: dict[str, str] = {}
    for name, link in context.recipe.link.items():
        if not link.carry:
            continue
        path = plan_link(context, name, link).records
        schema = pq.read_schema(path)
        named = {column: f"{name}.{column}" for column in link.carry}
        for column, title in named.items():
            units[title] = (schema.field(column).metadata or {}).get(b"unit", b"").decode()
        sure = links.filter(
            (pl.col("table") == name) & ~pl.col("ambiguous") & pl.col("record_id").is_not_null()
        ).select("image_id", "record_id")
        values = (
            pl.scan_parquet(path, glob=False)
            .select("record_id", *(pl.col(column).alias(title) for column, title in named.items()))
            .join(sure.lazy().select("record_id").unique(), on="record_id", how="semi")
            .collect(engine="streaming")
        )
        mine = sure.join(values, on="record_id", how="left").drop("record_id")
        rows = rows.join(mine, on="image_id", how="left", maintain_order="left")
    return rows, units
