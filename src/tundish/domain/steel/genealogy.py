"""Check a genealogy: a table of edges from heats and slabs to coils and their parts.

One row states that a piece (`child_id`) was made from another (`parent_id`), from which metres of it
(`parent_from_m`, `parent_to_m`), and when (`made_at`, the child's time). A parent may have several children
(cut to length, or slit side by side), a child several parents (welded). Lengths in m, masses in t. Every
function returns one flag per row, true where the row is faulty; a null is never a fault.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy

__all__ = ["before_parent", "beyond_length", "on_cycle", "over_mass", "overlapping"]


def on_cycle(frame: pl.DataFrame) -> pl.Series:
    """Edges by which a piece descends from itself. Reads parent_id, child_id."""
    parent, child, size = _number_pieces(frame)
    known = (parent >= 0) & (child >= 0)
    edges = scipy.sparse.coo_matrix(
        (np.ones(known.sum(), np.int8), (parent[known], child[known])), (size, size)
    )
    _, group = scipy.sparse.csgraph.connected_components(edges, directed=True, connection="strong")
    flags = np.zeros(frame.height, dtype=bool)
    inside = group[parent[known]] == group[child[known]]
    # A piece outside any cycle is a group of its own: an edge inside a group closes a cycle.
    flags[known] = inside
    return pl.Series("on_cycle", flags)


def _number_pieces(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, int]:  # type: ignore[type-arg]
    """Number the pieces from 0, -1 where there is none; and count them."""
    ids = pl.concat([frame["parent_id"], frame["child_id"]])
    numbers = (ids.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
    size = int(numbers.max(initial=-1)) + 1
    return numbers[: frame.height], numbers[frame.height :], size


def overlapping(frame: pl.DataFrame, tolerance: float = 0.0) -> pl.Series:
    """Edges that begin on their parent before a piece that was cut before them ends.

    Reads parent_id, parent_from_m, parent_to_m. Children with exactly the same interval lie side by
    side (slit strip) and do not overlap.

    Args:
        frame: The edges.
        tolerance: Metres by which two may overlap.
    """
    spans = frame.lazy().select("parent_id", start="parent_from_m", end="parent_to_m")
    ended = pl.col("end").cum_max().shift(1).over("parent_id")
    distinct = (
        spans.drop_nulls()
        .filter(pl.col("end") > pl.col("start"))
        .unique()
        .sort("parent_id", "start", "end")
        .with_columns(clash=ended > pl.col("start") + tolerance)
    )
    return (
        spans.join(distinct, on=["parent_id", "start", "end"], how="left", maintain_order="left")
        .select(overlapping=pl.col("clash").fill_null(value=False))
        .collect()
        .to_series()
    )


def beyond_length(frame: pl.DataFrame, tolerance: float = 0.0) -> pl.Series:
    """Edges that cover metres which their parent does not have.

    Reads parent_from_m, parent_to_m, parent_length_m. Intervals that stay within the parent and do not
    overlap cannot add up to more than its length.

    Args:
        frame: The edges.
        tolerance: Share of the parent's length.
    """
    allowed = pl.col("parent_length_m") * (1 + tolerance)
    beyond = (pl.col("parent_to_m") > allowed) | (pl.col("parent_from_m") < 0)
    return frame.select(beyond_length=beyond.fill_null(value=False)).to_series()


def over_mass(frame: pl.DataFrame, tolerance: float = 0.005) -> pl.Series:
    """Edges whose children weigh more than what they were made from.

    Reads parent_id, child_id, parent_mass_t, child_mass_t. The children of one parent are summed up; where a
    child is welded from several parents, all connected parents and children are. A parent of unknown mass
    gives no fault.

    Args:
        frame: The edges.
        tolerance: Share of the parents' mass, for the accuracy of scales.
    """
    edges = _in_generations(frame)
    pairs = edges.group_by("group", "parent", "child").agg(pl.col("parent_mass_t", "child_mass_t").max())
    pairs = pairs.with_columns(own=pl.len().over("child") == 1)
    parents = pairs.group_by("group", "parent").agg(
        pl.col("parent_mass_t").max(), own_mass=pl.col("child_mass_t").filter("own").sum()
    )
    children = pairs.group_by("group", "child").agg(pl.col("child_mass_t").max())
    parents = parents.with_columns(limit=pl.col("parent_mass_t") * (1 + tolerance))
    groups = (
        parents.group_by("group")
        .agg(limit=pl.when(pl.col("limit").is_not_null().all()).then(pl.col("limit").sum()))
        .join(children.group_by("group").agg(pl.col("child_mass_t").sum()), on="group")
    )
    heavy_parent = parents.filter(pl.col("own_mass") > pl.col("limit"))["parent"]
    heavy_group = groups.filter(pl.col("child_mass_t") > pl.col("limit"))["group"]
    known = (edges["parent"] >= 0) & (edges["child"] >= 0)
    flags = edges["parent"].is_in(heavy_parent.implode()) | edges["group"].is_in(heavy_group.implode())
    return (flags & known).alias("over_mass")


def _in_generations(frame: pl.DataFrame) -> pl.DataFrame:
    """Edges with their pieces as numbers, and the number of the group of connected parents and children."""
    parent, child, size = _number_pieces(frame)
    known = (parent >= 0) & (child >= 0)
    # A piece counts twice, as a parent and as a child, so that a group is one generation.
    ends = (parent[known], child[known] + size)
    edges = scipy.sparse.coo_matrix((np.ones(known.sum(), np.int8), ends), (2 * size, 2 * size))
    _, group = scipy.sparse.csgraph.connected_components(edges, directed=False)
    numbers = np.full(frame.height, -1, dtype=np.int64)
    numbers[known] = group[parent[known]]
    return frame.select(
        "parent_mass_t",
        "child_mass_t",
        parent=pl.Series(parent),
        child=pl.Series(child),
        group=pl.Series(numbers),
    )


def before_parent(frame: pl.DataFrame) -> pl.Series:
    """Edges whose child was made before its parent was. Reads parent_id, child_id, made_at."""
    made = frame.group_by("child_id").agg(parent_made=pl.col("made_at").max())
    joined = frame.select("parent_id", "made_at").join(
        made, left_on="parent_id", right_on="child_id", how="left", maintain_order="left"
    )
    return joined.select(
        before_parent=(pl.col("made_at") < pl.col("parent_made")).fill_null(value=False)
    ).to_series()
