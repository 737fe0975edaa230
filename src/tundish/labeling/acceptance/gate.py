"""The images that batches hold back: those whose labels are not accepted, or changed since they were.

An image is compared by a fingerprint of its labels: other labels are to be accepted again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import orjson
import polars as pl

from tundish.recipe.classes import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.labeling.acceptance.batch import Batch

__all__ = ["fingerprint_labels", "hold_back", "latest_batches", "unchanged_images"]

_CONTENT = ("label", "shape", "x", "y", "width", "height", "segmentation", "rle", "is_crowd", "attributes")


def fingerprint_labels(image_ids: pl.Series, labels: pl.DataFrame) -> pl.DataFrame:
    """Fingerprint the labels of each image by their content, whoever drew them and whatever their ids.

    Args:
        image_ids: The images, each once; one without labels has a fingerprint too.
        labels: Rows of CONSENSUS; equal files may repeat them.

    Returns:
        image_id and fingerprint (64 hex digits).
    """
    once = labels.unique(["image_id", "annotation_id"]).select("image_id", *_CONTENT)
    drawn: dict[str, list[bytes]] = {}
    for image_id, *content in once.iter_rows():
        drawn.setdefault(image_id, []).append(orjson.dumps(content))
    prints = [sha256(b"\n".join(sorted(drawn.get(image_id, [])))).hexdigest() for image_id in image_ids]
    return pl.DataFrame(
        {"image_id": image_ids, "fingerprint": prints},
        schema={"image_id": pl.String, "fingerprint": pl.String},
    )


def unchanged_images(
    labels: pl.DataFrame, severities: pl.DataFrame, batches: Sequence[Batch], class_of: Mapping[str, str]
) -> pl.DataFrame:
    """Find the images that are still labelled as they were in a batch.

    A class that was renamed since counts as unchanged; of classes that were merged since, one does.

    Args:
        labels: Rows of CONSENSUS.
        severities: image_id and severity, as `agreed_severities` returns them.
        batches: The batches to compare with.
        class_of: The recipe's classes by normalised spelling.

    Returns:
        image_id and batch, the number.
    """
    found = [pl.DataFrame(schema={"image_id": pl.String, "batch": pl.Int64})]
    for one in batches:
        then = {class_of.get(normalise(name), name): name for name in reversed(one.classes)}
        named = labels.join(one.images, on="image_id", how="semi").with_columns(pl.col("label").replace(then))
        now = fingerprint_labels(one.images["image_id"], named)
        now = now.join(severities.select("image_id", "severity"), on="image_id", how="left")
        same = now.join(one.images, on=["image_id", "fingerprint", "severity"], how="semi", nulls_equal=True)
        found.append(same.select("image_id", batch=pl.lit(one.number, pl.Int64)))
    return pl.concat(found)


def latest_batches(batches: Sequence[Batch]) -> pl.DataFrame:
    """Find each image's latest batch.

    Images that were left out when their batch was resubmitted, because they were in dispute, have no verdict.

    Args:
        batches: All batches of a dataset, in their order.

    Returns:
        image_id, batch (the number) and accepted.
    """
    again = {one.resubmits for one in batches}
    schema = {"image_id": pl.String, "batch": pl.Int64, "accepted": pl.Boolean}
    rows = [
        one.images.select(
            "image_id",
            batch=pl.lit(one.number, pl.Int64),
            accepted=pl.lit(None if one.number in again else one.accepted, pl.Boolean),
        )
        for one in batches
    ]
    return pl.concat([pl.DataFrame(schema=schema), *rows]).unique(
        "image_id", keep="last", maintain_order=True
    )


def hold_back(
    label_state: pl.DataFrame,
    labels: pl.DataFrame,
    severities: pl.DataFrame,
    batches: Sequence[Batch],
    class_of: Mapping[str, str],
    *,
    required: bool,
) -> pl.DataFrame:
    """Set the state 'refused' or 'unreviewed' where a batch holds back what annotators decided.

    Args:
        label_state: Rows of STANDING.
        labels: The labels of these images, rows of CONSENSUS.
        severities: As for `unchanged_images`.
        batches: All batches of the dataset, in their order.
        class_of: The recipe's classes by normalised spelling.
        required: Whether to hold back also images that are not in a batch, or were labelled again since their
            batch was accepted.

    Returns:
        Rows of STANDING.
    """
    decided = (pl.col("decided_by") != "import") & pl.col("state").is_in(["labelled", "negative"])
    same = unchanged_images(labels, severities, batches, class_of).with_columns(same=pl.lit(value=True))
    known = (
        label_state.filter(decided)
        .select(pl.col("image_id").unique())
        .join(latest_batches(batches), on="image_id", how="left")
        .join(same, on=["image_id", "batch"], how="left")
        .select(
            "image_id",
            "accepted",
            pl.col("same").fill_null(value=False),
            inside=pl.col("batch").is_not_null(),
        )
    )
    open_ = pl.col("inside") & pl.col("accepted").is_null()
    unproven = pl.lit(required) & ~(pl.col("inside") & pl.col("same"))
    state = (
        pl.when(decided & (pl.col("accepted") == False))  # noqa: E712  (null is neither)
        .then(pl.lit("refused"))
        .when(decided & (open_ | unproven))
        .then(pl.lit("unreviewed"))
        .otherwise("state")
    )
    joined = label_state.join(known, on="image_id", how="left", maintain_order="left")
    return joined.with_columns(state=state).select(label_state.columns)
