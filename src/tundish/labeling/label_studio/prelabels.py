"""A dataset's images as tasks, and the labels that annotators find drawn in them already."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.labeling.label_studio.regions import regions_of
from tundish.labeling.label_studio.tasks import Item, Prelabels
from tundish.labeling.pool import files_of
from tundish.labeling.tables import JUDGEMENTS
from tundish.recipe.classes import normalise, spellings
from tundish.storage.table import read_named
from tundish.storage.tables import ANNOTATIONS, CONSENSUS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Problem
    from tundish.formats.label_studio.controls import Shape
    from tundish.storage.dataset import DatasetFolder

__all__ = ["imported_prelabels", "items_of", "predicted_prelabels"]

_ALWAYS = ("image_id", "label", "shape", "score")


def items_of(
    images: pl.DataFrame,
    keys: Sequence[str],
    levels: Mapping[str, tuple[int, int]] | None = None,
    purpose: str | None = None,
) -> list[Item]:
    """Make items of rows of the images table, in their order.

    Args:
        images: Rows of the images table; columns `why` and `fingerprint`, where present, as in `Item`.
        keys: Names of the columns that annotators are shown (coil, side, ...).
        levels: Gray values that pictures show as black and white, by image_id; default the image's own.
        purpose: The purpose of the answers, as in `Item`.
    """
    levels = levels or {}
    reasons, fingerprints = (
        images[name] if name in images.columns else repeat(None) for name in ("why", "fingerprint")
    )
    names = ("image_id", "path", "source", "width", "height")
    own = images.select(keys).iter_rows(named=True) if keys else repeat({})
    return [
        Item(image_id, path, source, width, height, values, levels.get(image_id), why, purpose, fingerprint)
        for (image_id, path, source, width, height), values, why, fingerprint in zip(
            images.select(names).iter_rows(), own, reasons, fingerprints, strict=False
        )
    ]


def imported_prelabels(
    dataset: DatasetFolder, images: pl.DataFrame, shapes: Collection[Shape]
) -> tuple[Prelabels, list[Problem]]:
    """Make pre-annotations of the valid labels that came with the image files.

    Labels that annotators drew are omitted: nobody sees the work of others. Of files that several people
    answered in the label files, the labels on which they agree are shown.

    Args:
        dataset: The dataset's folder.
        images: Rows of the images table.
        shapes: The shapes that the project can draw.

    Returns:
        The pre-annotations, and the labels that cannot be shown as problems.

    Raises:
        MissingStepError: The dataset was not validated yet.
    """
    labels = _agreed(
        dataset, dataset.read(ANNOTATIONS).filter(pl.col("valid") & pl.col("origin").ne_missing("annotator"))
    )
    ours = labels.join(files_of(dataset, images), on=["source", "path"], how="semi")
    drawn = regions_of(ours, _sizes(images), shapes)
    return Prelabels(drawn.results), drawn.problems


def _agreed(dataset: DatasetFolder, labels: pl.DataFrame) -> pl.DataFrame:
    """The labels; of files that several people answered, those on which they agree."""
    heard = dataset.read_if_there(JUDGEMENTS).filter(pl.col("answer") != "cancelled")
    several = heard.filter(pl.len().over("source", "path") > 1).select("source", "path").unique()
    if several.is_empty():
        return labels
    rest = labels.join(several, on=["source", "path"], how="anti", maintain_order="left")
    agreed = dataset.read_if_there(CONSENSUS).filter(pl.col("origin") == "import")
    agreed = agreed.join(several, on=["source", "path"], how="semi", maintain_order="left")
    return pl.concat([rest, agreed.select(rest.columns)])


def predicted_prelabels(
    file: Path,
    images: pl.DataFrame,
    shapes: Collection[Shape],
    classes: Mapping[str, Sequence[str]],
    version: str,
) -> tuple[Prelabels, list[Problem]]:
    """Make pre-annotations of a model's table, which has the columns of the annotations table.

    The score of an image's prediction is the best score of its labels.

    Args:
        file: A Parquet file with image_id, label, shape, score and the columns that the shapes need.
        images: The images that are pushed; labels of other images are omitted.
        shapes: The shapes that the project can draw.
        classes: The recipe's classes with their aliases; a label of another class is a problem.
        version: Name of the model for annotators and in answers.

    Returns:
        The pre-annotations, and the labels that cannot be shown as problems.

    Raises:
        SourceError: The file is not such a table.
    """
    table = read_named(file)
    missing = [name for name in _ALWAYS if name not in table.columns]
    if missing:
        raise SourceError(
            f"the model's table has no column {' and no column '.join(missing)}",
            where=str(file),
            fix="write it with the columns of the annotations table",
        )
    known = [name for name in table.columns if name in ANNOTATIONS.schema.names]
    try:
        labels = pl.concat([ANNOTATIONS.empty(), table.select(known).cast(_types(known))], how="diagonal")
    except pl.exceptions.PolarsError as error:
        raise SourceError(
            f"the model's table has a column of the wrong type ({str(error).splitlines()[0]})",
            where=str(file),
        ) from error
    named = pl.concat_str(pl.lit("model-"), pl.int_range(pl.len()).cast(pl.String))
    class_of = spellings(classes)
    known_as = {name: class_of.get(normalise(name)) for name in labels["label"].unique().drop_nulls()}
    labels = labels.with_columns(
        pl.col("annotation_id").fill_null(named),
        pl.col("label_path").fill_null(file.name),
        pl.col("label").replace_strict(known_as, return_dtype=pl.String),
        raw_label="label",
    ).join(images.select("image_id"), on="image_id", how="semi")
    drawn = regions_of(labels, _sizes(images), shapes)
    best = labels.group_by("image_id", maintain_order=True).agg(pl.col("score").max()).drop_nulls()
    return Prelabels(drawn.results, version, dict(best.iter_rows())), drawn.problems


def _sizes(images: pl.DataFrame) -> dict[str, tuple[int, int]]:
    rows = images.select("image_id", "width", "height").iter_rows()
    return {image_id: (width, height) for image_id, width, height in rows}


def _types(names: Sequence[str]) -> pl.Schema:
    schema = ANNOTATIONS.empty().schema
    return pl.Schema({name: schema[name] for name in names})
