"""Balance the values of targets: each range between two quantiles is a column beside the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tundish.stages.targets import accepted_values

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from tundish.stages.base import Context
    from tundish.stages.split.groups import Groups

__all__ = ["with_values"]

_RANGES = 5
"""Between quantiles; each holds as many images."""


def with_values(
    context: Context,
    inside: pl.DataFrame,
    groups: Groups,
    weights: NDArray[np.float64],
    columns: list[str],
) -> tuple[NDArray[np.float64], list[str]]:
    """The columns that are balanced, and those of the targets.

    Args:
        context: The recipe, and where the dataset is.
        inside: The images to assign, with the file that represents each: source, path.
        groups: Their groups.
        weights: (groups, columns), how much of each column a group contributes.
        columns: The names of the columns.

    Returns:
        Both with one column more for each range of each target, all of the target's name.
    """
    files = inside.select("source", "path").with_row_index("image")
    joined = files.join(accepted_values(context), on=["source", "path"], how="inner", maintain_order="left")
    for name in context.recipe.targets:
        mine = joined.filter(target=name)
        if not mine.height:
            continue
        values = mine["value"].to_numpy()
        edges = np.unique(np.quantile(values, np.linspace(0, 1, _RANGES + 1)[1:-1]))
        more = np.zeros((len(weights), len(edges) + 1))
        where = groups.of_image[mine["image"].to_numpy()], np.searchsorted(edges, values, side="right")
        np.add.at(more, where, 1)
        weights, columns = np.hstack([weights, more]), [*columns, *[name] * more.shape[1]]
    return weights, columns
