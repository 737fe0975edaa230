"""Trace a piece of steel to those it was made of: heat, slab, hot coil, cold coil, part of a coil.

Edges connect an interval of a child with one of its parent. Recoiling swaps head and tail, and may swap top
and bottom; rolling lengthens the piece, so that positions are mapped by their share of the interval. A coil
that was welded from several has several parents: the position decides which, and without one all of them are
possible. All pieces are traced together, level by level.
"""

from __future__ import annotations

import polars as pl

from tundish.errors import UsageError

__all__ = ["DEPTH", "EDGES", "PIECES", "SLIP", "ancestors"]

EDGES = pl.Schema(
    {
        "parent_id": pl.String,
        "child_id": pl.String,
        "parent_from_m": pl.Float64,
        "parent_to_m": pl.Float64,
        "child_from_m": pl.Float64,
        "child_to_m": pl.Float64,
        "reversed": pl.Boolean,
        "turned": pl.Boolean,
    }
)
"""Columns of an edge, in metres from the head of each piece. No interval means the whole piece; `reversed` is
assumed where missing (each recoiling reverses), `turned` is not. All but the ids may be missing."""

PIECES = pl.Schema({"query": pl.UInt32, "piece": pl.String, "position_m": pl.Float64, "side": pl.String})
"""A query: a number, a piece, and a place on it (metres from the head, top or bottom; null: unknown)."""

SLIP = 0.01
"""How far a position may exceed the end of its piece, in lengths: encoders slip."""

DEPTH = 32
"""No plant processes a piece this often: a trace that is longer goes in a circle."""

_FOUND = pl.Schema([*PIECES.items(), ("depth", pl.Int32), ("via", pl.String), ("end", pl.String)])
_SEAM = 1e-9


def ancestors(edges: pl.DataFrame, pieces: pl.DataFrame, wanted: pl.Series | None = None) -> pl.DataFrame:
    """Find all ancestors of `pieces`, including the pieces themselves.

    Args:
        edges: The edges, with the columns of `EDGES`.
        pieces: The queries, with the columns of `PIECES`.
        wanted: Ids at which a path ends; only the ends of paths are returned then.

    Returns:
        The columns of `pieces`, of the ancestor: `piece`, `position_m` and `side` on it (null where they
        are unknown). `depth` is 0 for the piece itself, `via` the path to it ("C1003 > S0042 > H77"), and
        `end` null where the path continues, else "wanted", "top" (no parents), "outside" (no parent at this
        position) or "circle". Sorted by query and depth.

    Raises:
        UsageError: The edges lack an id column.
    """
    prepared = _prepare(edges)
    level = pieces.select(*PIECES).cast(PIECES).with_columns(via="piece", depth=pl.lit(0, pl.Int32))
    found = [pl.DataFrame(schema=_FOUND)]
    for depth in range(DEPTH + 1):
        stops = pl.lit(None, pl.Boolean) if wanted is None else pl.col("piece").is_in(wanted.implode())
        level = level.with_columns(end=pl.when(stops).then(pl.lit("wanted")))
        if depth == DEPTH:
            level = level.with_columns(end=pl.coalesce("end", pl.lit("circle")))
        ended, parents = _up(prepared, level)
        found.append(ended.select(_FOUND.names()))
        level = parents
        if level.is_empty():
            break
    rows = pl.concat(found)
    if wanted is not None:
        rows = rows.filter(pl.col("end").is_not_null())
    return rows.sort("query", maintain_order=True)


def _prepare(edges: pl.DataFrame) -> pl.DataFrame:
    """Edges with every column; open ends are filled where another edge gives the length of the piece."""
    for name in ("parent_id", "child_id"):
        if name not in edges.columns:
            raise UsageError(f"a genealogy needs the column '{name}'", fix="name it in the table's 'columns'")
    given = [
        (pl.col(name) if name in edges.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in EDGES.items()
    ]
    rows = edges.select(given).filter(pl.col("child_id").is_not_null() & pl.col("parent_id").is_not_null())
    lengths = rows.group_by("child_id").agg(length=pl.col("child_to_m").max())
    return (
        rows.join(lengths, on="child_id", how="left")
        .join(lengths, left_on="parent_id", right_on="child_id", how="left", suffix="_of_parent")
        .with_columns(
            pl.col("parent_from_m", "child_from_m").fill_null(0.0),
            parent_to_m=pl.coalesce("parent_to_m", "length_of_parent"),
            reversed=pl.col("reversed").fill_null(value=True),
            turned=pl.col("turned").fill_null(value=False),
        )
        .sort("child_id", "child_from_m", "parent_id", "parent_from_m")
    )


def _up(edges: pl.DataFrame, level: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The level with all ends marked, and the parents of those whose path continues."""
    level = level.with_row_index("place")
    going = level.filter(pl.col("end").is_null())
    pairs = going.join(edges, left_on="piece", right_on="child_id", maintain_order="left_right")
    x, start, stop = pl.col("position_m"), pl.col("child_from_m"), pl.col("child_to_m")
    beyond = pl.max_horizontal(start - x, x - stop, pl.lit(0.0))
    # Where two parents meet, the seam belongs to the one that follows.
    pairs = pairs.with_columns(cost=beyond + pl.when(x >= stop).then(_SEAM).otherwise(0.0))
    held = pairs.filter(
        (pl.col("cost") == pl.col("cost").min().over("place"))
        & (x.is_null() | pl.col("length").is_null() | (pl.col("cost") <= SLIP * pl.col("length") + _SEAM))
    )
    has_parents = pl.col("place").is_in(pairs["place"].unique().implode())
    goes_on = pl.col("place").is_in(held["place"].unique().implode())
    end = pl.when(has_parents & ~goes_on).then(pl.lit("outside")).when(~has_parents).then(pl.lit("top"))
    ended = level.with_columns(end=pl.coalesce("end", end))
    parents = held.select(
        "query",
        pl.col("parent_id").alias("piece"),
        _map_position().alias("position_m"),
        _side().alias("side"),
        pl.concat_str("via", pl.lit(" > "), "parent_id").alias("via"),
        pl.col("depth") + 1,
    )
    if parents.height > parents["query"].n_unique():  # one ancestor by several paths is one ancestor
        parents = parents.unique(list(PIECES), keep="first", maintain_order=True)
    return ended, parents


def _map_position() -> pl.Expr:
    """Position on the parent: by share of the interval, from its other end where head and tail swapped."""
    x, start, stop = pl.col("position_m"), pl.col("child_from_m"), pl.col("child_to_m")
    first, last = pl.col("parent_from_m"), pl.col("parent_to_m")
    share = pl.when(stop > start).then((x.clip(start, stop) - start) / (stop - start))
    return pl.when("reversed").then(last - share * (last - first)).otherwise(first + share * (last - first))


def _side() -> pl.Expr:
    other = pl.col("side").replace_strict({"top": "bottom", "bottom": "top"}, default=None)
    return pl.when("turned").then(other).otherwise("side")
