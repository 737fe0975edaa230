"""How far annotators agree on the severity of images; the severities of a recipe are in order."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tundish.labeling.agreement.coefficients import cohen_kappa, krippendorff_alpha, percent_agreement
from tundish.labeling.agreement.tallies import code_of
from tundish.labeling.tables import ADJUDICATOR, last_answers, last_answers_by_author

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["agreed_severities", "measure_severities", "measure_severities_by_pair"]


def agreed_severities(answers: pl.DataFrame) -> pl.DataFrame:
    """Determine the agreed severity of each image: an adjudicator's, else that of all annotators, else null.

    Of several answers of one author the last changed one counts.

    Args:
        answers: Rows of `ANSWERS`.

    Returns:
        image_id and severity.
    """
    answered = answers.filter(pl.col("answer") != "cancelled")
    decides = pl.col("role").eq_missing(ADJUDICATOR)
    decided = last_answers(answered.filter(decides)).select(answers.columns)
    others = last_answers_by_author(answered.filter(~decides)).join(decided, on="image_id", how="anti")
    severities = pl.col("severity").drop_nulls().unique()
    both = pl.concat([decided, others]).group_by("image_id")
    return both.agg(severity=pl.when(severities.len() == 1).then(severities.first()))


def measure_severities(rated: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """Measure agreement on severity: Krippendorff's ordinal alpha, and the agreement it corrects for chance.

    Args:
        rated: image_id, author, severity; severities that are not in `order` are ignored.
        order: The severities of the recipe, from the least to the worst.

    Returns:
        measure (severity_alpha, severity_percent), value, items and note.
    """
    known = _known(rated, order)
    table = known.pivot("image_id", index="author", values="severity", maintain_order=True)
    ratings = table.drop("author").cast(pl.Float64).fill_null(float("nan")).to_numpy()
    counts = np.zeros((known["image_id"].n_unique(), len(order)))
    np.add.at(counts, (known["image_id"].rank("dense").to_numpy() - 1, known["severity"].to_numpy()), 1)
    found = {
        "severity_alpha": krippendorff_alpha(ratings, "ordinal"),
        "severity_percent": percent_agreement(counts),
    }
    rows = [(name, one.value, one.items, one.why) for name, one in found.items()]
    schema = {"measure": pl.String, "value": pl.Float64, "items": pl.Int64, "note": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("value").fill_nan(None))


def measure_severities_by_pair(rated: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """Measure agreement on severity by pair of annotators: Cohen's kappa with linear weights.

    Args:
        rated: As for `measure_severities`.
        order: As for `measure_severities`.

    Returns:
        author, other (author before other in the alphabet) and severity_kappa.
    """
    by_author = {
        author: part.select("image_id", "severity")
        for (author,), part in _known(rated, order).partition_by("author", as_dict=True).items()
    }
    rows = []
    for author, other in combinations(sorted(by_author), 2):
        both = by_author[author].join(by_author[other], on="image_id")
        table = np.zeros((len(order), len(order)))
        np.add.at(table, (both["severity"].to_numpy(), both["severity_right"].to_numpy()), 1)
        rows.append((author, other, cohen_kappa(table, "linear").value))
    schema = {"author": pl.String, "other": pl.String, "severity_kappa": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.selectors.float().fill_nan(None))


def _known(rated: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    known = rated.filter(pl.col("severity").is_in(list(order))).sort("image_id", "author")
    return known.with_columns(severity=code_of("severity", list(order)))
