"""How far annotators agree on how bad an image is: the severities of a recipe are in order."""

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
    """image_id and severity: what an adjudicator called the image, else what all who answered did, or null.

    Who answered an image more than once called it what they called it last.

    Args:
        answers: Rows of ANSWERS.
    """
    answered = answers.filter(pl.col("answer") != "cancelled")
    settles = pl.col("role").eq_missing(ADJUDICATOR)
    ruled = last_answers(answered.filter(settles)).select(answers.columns)
    others = last_answers_by_author(answered.filter(~settles)).join(ruled, on="image_id", how="anti")
    said = pl.col("severity").drop_nulls().unique()
    both = pl.concat([ruled, others]).group_by("image_id")
    return both.agg(severity=pl.when(said.len() == 1).then(said.first()))


def measure_severities(said: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """measure, value, items, note: Krippendorff's ordinal alpha, and the agreement it corrects for chance.

    Args:
        said: image_id, author, severity; one in no recipe counts for nothing.
        order: The severities, from the least to the worst.
    """
    known = _known(said, order)
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


def measure_severities_by_pair(said: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """author, other (author before other in the alphabet), severity_kappa: Cohen's, by linear weights.

    Args:
        said: As for `measure_severities`.
        order: As for `measure_severities`.
    """
    by_author = {
        author: part.select("image_id", "severity")
        for (author,), part in _known(said, order).partition_by("author", as_dict=True).items()
    }
    rows = []
    for author, other in combinations(sorted(by_author), 2):
        both = by_author[author].join(by_author[other], on="image_id")
        table = np.zeros((len(order), len(order)))
        np.add.at(table, (both["severity"].to_numpy(), both["severity_right"].to_numpy()), 1)
        rows.append((author, other, cohen_kappa(table, "linear").value))
    schema = {"author": pl.String, "other": pl.String, "severity_kappa": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.selectors.float().fill_nan(None))


def _known(said: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    known = said.filter(pl.col("severity").is_in(list(order))).sort("image_id", "author")
    return known.with_columns(severity=code_of("severity", list(order)))
