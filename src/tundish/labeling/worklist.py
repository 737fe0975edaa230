"""What of a dataset comes in front of which annotator, and what is drawn there already."""

from __future__ import annotations

import hashlib
from itertools import repeat
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.labeling.push import Item, Prelabels
from tundish.labeling.regions import regions_of
from tundish.sections import normalise, spellings
from tundish.storage import read_named
from tundish.tables import ANNOTATIONS, DUPLICATES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Problem
    from tundish.labeling.config import Shape

__all__ = ["deal", "files_of", "images_of", "imported", "items_of", "listed_images", "predicted"]

_ALWAYS = ("image_id", "label", "shape", "score")


def images_of(curated: Path) -> pl.DataFrame:
    """The valid images that dedup has not taken out, in the order of their paths.

    Raises:
        MissingStepError: The dataset was not validated yet.
    """
    images = IMAGES.read(curated / "images.parquet").filter("valid").sort("source", "path")
    if not (curated / "duplicates.parquet").exists():
        return images
    duplicates = DUPLICATES.read(curated / "duplicates.parquet")
    kept = duplicates.filter("kept")["image_id"]
    out = duplicates.filter(~pl.col("image_id").is_in(kept.implode()))["image_id"]
    return images.filter(~pl.col("image_id").is_in(out.implode()))


def listed_images(images: pl.DataFrame, file: Path) -> pl.DataFrame:
    """The images that a text file names by image_id, one a line, in its order.

    Raises:
        SourceError: The file cannot be read, or names an image that is not among them.
    """
    try:
        names = [line.strip() for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SourceError(f"the list of images cannot be read ({reason})", where=str(file)) from error
    wanted = pl.DataFrame({"image_id": list(dict.fromkeys(names))}, schema={"image_id": pl.String})
    strange = wanted.join(images, on="image_id", how="anti")["image_id"]
    if len(strange):
        raise SourceError(
            f"{len(strange):,} of its lines name no valid image of the dataset, such as '{strange[0]}'",
            where=str(file),
            fix="name images by their image_id, one a line",
        )
    return wanted.join(images, on="image_id", how="left", maintain_order="left")


def items_of(
    images: pl.DataFrame,
    keys: Sequence[str],
    levels: Mapping[str, tuple[int, int]] | None = None,
    purpose: str | None = None,
) -> list[Item]:
    """Rows of the images table as items, in their order; columns `why` and `made_of` as of `Item`."""
    told = levels or {}
    reasons, made_of = (
        images[name] if name in images.columns else repeat(None) for name in ("why", "made_of")
    )
    names = ("image_id", "path", "source", "width", "height")
    own = images.select(keys).iter_rows(named=True) if keys else repeat({})
    return [
        Item(image_id, path, source, width, height, values, told.get(image_id), why, purpose, made)
        for (image_id, path, source, width, height), values, why, made in zip(
            images.select(names).iter_rows(), own, reasons, made_of, strict=False
        )
    ]


def imported(
    curated: Path, images: pl.DataFrame, shapes: Collection[Shape]
) -> tuple[Prelabels, list[Problem]]:
    """The valid labels that came with the images' files, as pre-annotations; and those that cannot be.

    What annotators drew is not among them: nobody sees the others' work.

    Raises:
        MissingStepError: The dataset was not validated yet.
    """
    labels = ANNOTATIONS.read(curated / "annotations.parquet").filter(
        pl.col("valid") & pl.col("origin").ne_missing("annotator")
    )
    ours = labels.join(files_of(curated, images), on=["source", "path"], how="semi")
    drawn = regions_of(ours, _sizes(images), shapes)
    return Prelabels(drawn.results), drawn.problems


def files_of(curated: Path, images: pl.DataFrame) -> pl.DataFrame:
    """image_id, source and path of the file that stands for each image: of equal ones that dedup's choice."""
    places = images.select("image_id", "source", "path")
    if (curated / "duplicates.parquet").exists():
        kept = DUPLICATES.read(curated / "duplicates.parquet").filter("kept").select(places.columns)
        places = pl.concat([kept, places]).unique("image_id", keep="first", maintain_order=True)
    return places


def predicted(
    file: Path,
    images: pl.DataFrame,
    shapes: Collection[Shape],
    classes: Mapping[str, Sequence[str]],
    version: str,
) -> tuple[Prelabels, list[Problem]]:
    """A model's table, with columns as in the annotations table, as pre-annotations.

    The best score among an image's labels is that of its prediction.

    Args:
        file: Parquet; image_id, label, shape and score must be there, and what the shapes need.
        images: The images that are pushed; labels of others are left out.
        shapes: What the project can draw.
        classes: The recipe's, with their aliases; a label that is none of them is a problem.
        version: What annotators and answers call the model.

    Raises:
        SourceError: The file is no such table.
    """
    table = read_named(file)
    missing = [name for name in _ALWAYS if name not in table.columns]
    if missing:
        raise SourceError(
            f"the model's table has no column {' and no column '.join(missing)}",
            where=str(file),
            fix="write it in the columns of the annotations table",
        )
    known = [name for name in table.columns if name in ANNOTATIONS.schema.names]
    try:
        labels = pl.concat([ANNOTATIONS.empty(), table.select(known).cast(_types(known))], how="diagonal")
    except pl.exceptions.PolarsError as error:
        raise SourceError(
            f"the model's table has a column of another type ({str(error).splitlines()[0]})", where=str(file)
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


def deal(
    image_ids: Iterable[str],
    annotators: Sequence[str],
    overlap: float,
    there: Mapping[str, Collection[str]],
    answered: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Who gets which images, in the order given: one annotator each, and a second for a share of them.

    It goes by hashes of image and annotator, so that it stays as it is when images come; what an annotator
    has already stays with them when annotators come.

    Args:
        image_ids: All images to be labelled.
        annotators: Who labels.
        overlap: Share of the images that two get.
        there: The images that each of them has already.
        answered: The images that each of those who label no more has answered: so many fewer are wanted.
    """
    dealt: dict[str, list[str]] = {name: [] for name in annotators}
    for image_id in image_ids:
        wanted = 1 + (_share(image_id, "") < overlap)
        have = sum(image_id in there.get(name, ()) for name in annotators)
        others = sum(image_id in ids for ids in answered.values())
        order = sorted(
            annotators, key=lambda name: (image_id not in there.get(name, ()), _share(image_id, name))
        )
        for name in order[: max(wanted - others, min(have, wanted))]:
            dealt[name].append(image_id)
    return dealt


def _share(image_id: str, name: str) -> float:
    """A number from 0 to 1 that looks random and never changes."""
    digest = hashlib.sha256(f"{image_id}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _sizes(images: pl.DataFrame) -> dict[str, tuple[int, int]]:
    rows = images.select("image_id", "width", "height").iter_rows()
    return {image_id: (width, height) for image_id, width, height in rows}


def _types(names: Sequence[str]) -> pl.Schema:
    schema = ANNOTATIONS.empty().schema
    return pl.Schema({name: schema[name] for name in names})
