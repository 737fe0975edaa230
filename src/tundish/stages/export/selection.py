"""What is exported: the images that have a split with their own labels, and the children made from them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.base import Selection
from tundish.formats.names import file_names, with_suffix
from tundish.recipe.sections import SPLIT_NAMES
from tundish.stages.export.history import history_of
from tundish.stages.link.carry import carried_columns
from tundish.stages.targets import accepted_values
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, IMAGES, LINEAGE, SPLITS, STANDING

if TYPE_CHECKING:
    from tundish.stages.base import Context

__all__ = ["select"]

_DIGITS = 8


def select(context: Context) -> Selection:
    """Read the tables and choose.

    Raises:
        MissingStepError: A stage before has not run.
    """
    facts = context.dataset.read(IMAGES)
    keys = tuple(name for name in facts.columns if name not in IMAGES.schema.names)
    records, carried = carried_columns(context)
    facts = facts.join(records, on="image_id", how="left", maintain_order="left")
    images = _originals(context, facts, (*keys, *carried))
    carried |= context.recipe.targets
    labels = _labels(context, images)
    children, their_labels = _children(context, images)
    images = pl.concat([images, children]) if children.height else images
    # Within its split's folder a name must be unique.
    wanted = images.select(pl.format("{}/{}", "split", "file_name")).to_series().to_list()
    names = [name.partition("/")[2] for name in file_names(wanted, images["image_id"].to_list())]
    classes = tuple(context.recipe.annotations.classes)
    splits = {*context.recipe.split.ratios, *images["split"].unique()}
    return Selection(
        dataset=context.recipe.dataset,
        images=images.with_columns(pl.Series("file_name", names, pl.String)),
        annotations=pl.concat([labels, their_labels]),
        classes=classes,
        splits=tuple(name for name in SPLIT_NAMES if name in splits),
        keys=keys,
        carried=carried,
        history=partial(history_of, context),
    )


def _originals(context: Context, facts: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    facts = facts.select(
        "image_id", "width", "height", "format", "orientation", "captured_at", *keys, "shard"
    )
    coverage = context.dataset.read(STANDING).select("source", "path", "state")
    splits = context.dataset.read(SPLITS).filter(pl.col("split").is_not_null())
    shards = context.dataset.image_shards.relative_to(context.dataset.root).as_posix()
    return (
        splits.join(facts, on="image_id", how="left", maintain_order="left", validate="1:1")
        .join(coverage, on=["source", "path"], how="left", maintain_order="left", validate="1:1")
        .join(_values(context), on=["source", "path"], how="left", maintain_order="left", validate="1:1")
        .sort("source", "path")
        .select(
            *(
                "image_id",
                "split",
                "source",
                "path",
                "width",
                "height",
                "format",
                "orientation",
                "captured_at",
            ),
            *keys,
            *context.recipe.targets,
            "group_id",
            pl.lit(None, pl.String).alias("parent_id"),
            "state",
            pl.format("{}/{}.parquet", pl.lit(shards), "shard").alias("shard"),
            _file_name().alias("file_name"),
        )
    )


def _values(context: Context) -> pl.DataFrame:
    """The values of image files: source, path, and a column for each target of the recipe."""
    accepted = accepted_values(context)
    rows = accepted.select("source", "path").unique(maintain_order=True)
    for name in context.recipe.targets:
        mine = accepted.filter(target=name).select("source", "path", pl.col("value").alias(name))
        rows = rows.join(mine, on=["source", "path"], how="left", maintain_order="left")
    return rows


def _file_name() -> pl.Expr:
    """Source and path; an image that is turned upright is written as PNG."""
    turned = pl.col("path").map_elements(lambda path: with_suffix(path, ".png"), pl.String)
    upright = pl.when(pl.col("orientation") == 1).then("path").otherwise(turned)
    return pl.format("{}/{}", "source", upright)


def _labels(context: Context, images: pl.DataFrame) -> pl.DataFrame:
    """Labels of exactly the file that has the split: files of the same bytes may have other ones."""
    labels = context.dataset.read(CONSENSUS).select(ANNOTATIONS.schema.names)
    return labels.filter("valid", pl.col("label").is_in(list(context.recipe.annotations.classes))).join(
        images.select("source", "path"), on=["source", "path"], how="semi", maintain_order="left"
    )


def _children(context: Context, originals: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The images made from training images, of the size of their parent, and their labels."""
    lineage = context.dataset.read_if_there(LINEAGE)
    if not lineage.height:
        return originals.clear(), ANNOTATIONS.empty()
    lineage = lineage.unique("image_id", keep="first", maintain_order=True)
    folder = context.dataset.augmented.relative_to(context.dataset.root).as_posix()
    parents = originals.filter(pl.col("split") == "train").drop("parent_id", "file_name", "shard")
    labels = (
        context.dataset.read(ANNOTATIONS, context.dataset.augmented)
        .select(ANNOTATIONS.schema.names)
        .filter("valid")
        .unique("annotation_id", keep="first", maintain_order=True)
    )
    children = (
        lineage.select("image_id", "parent_id", "shard")
        .join(parents.rename({"image_id": "parent_id"}), on="parent_id", how="inner", maintain_order="left")
        .sort("source", "path", "image_id")
        .with_columns(
            shard=pl.format("{}/{}.parquet", pl.lit(folder), "shard"),
            orientation=pl.lit(1, pl.Int32),
            file_name=_child_name(),
            state=_child_state(labels),
        )
    )
    children = children.select(originals.columns)
    return children, labels.join(children, on="image_id", how="semi", maintain_order="left")


def _child_state(labels: pl.DataFrame) -> pl.Expr:
    labelled = pl.col("image_id").is_in(labels["image_id"].unique().implode())
    unlabelled = pl.col("state") == "unlabelled"
    return pl.when(labelled | unlabelled).then("state").otherwise(pl.lit("negative"))


def _child_name() -> pl.Expr:
    """Of its parent's name; augment writes JPEG for JPEG, and PNG for all else."""
    stem = pl.col("path").map_elements(lambda path: with_suffix(path, ""), pl.String)
    suffix = pl.when(pl.col("format") == "jpeg").then(pl.lit(".jpg")).otherwise(pl.lit(".png"))
    return pl.format("augmented/{}.{}{}", stem, pl.col("image_id").str.head(_DIGITS), suffix)
