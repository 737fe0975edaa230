"""The dataset card: README.md of the Parquet export, for people and for ``datasets.load_dataset(folder)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from tundish.formats.markdown import table
from tundish.formats.parquet.features import Feature, yaml_features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.formats.base import Selection

__all__ = ["dataset_card"]

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_INTRODUCTION = (
    "Made by Tundish. Load it with `datasets.load_dataset(folder)`, or read the Parquet files with DuckDB, "
    "polars or pandas."
)
_ABOUT = {
    "image": "the file's bytes and its name",
    "image_id": "first 32 hex digits of the SHA-256 of the file that was taken in",
    "width": "px, upright",
    "height": "px, upright",
    "source": "where the file came from",
    "path": "its path there; of a derived image, that of the image it was made from",
    "group_id": "images of one group are in one split",
    "parent_id": "image_id of the image it was made from; null for an original",
    "captured_at": "EXIF time of exposure, UTC",
    "label": "class of the image; null where it is not labelled",
    "labels": "classes of the image; null where it is not labelled",
    "objects": "labels as lists of equal length; empty lists: nothing is there; null: not labelled. "
    "`bbox` is x, y, width, height in px; `segmentation` COCO rings, `rle` COCO compressed counts",
}


def dataset_card(
    selection: Selection, features: Mapping[str, Feature], files: Mapping[str, Mapping[str, int]]
) -> str:
    """The card's text.

    Args:
        selection: What is exported.
        features: The columns.
        files: Sizes in bytes, by name, of the files of each split that has any.
    """
    head = yaml.safe_dump(
        _front_matter(selection, features, files), sort_keys=False, allow_unicode=True, width=1000
    )
    sections = [
        f"# {selection.dataset}",
        _INTRODUCTION,
        "## Splits",
        *_splits(selection),
        selection.history(),
        "## Columns",
        table(["column", "what"], [(f"`{name}`", _about(selection, name)) for name in features]),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(sections) + "\n"


def _about(selection: Selection, name: str) -> str:
    if name in selection.carried:
        unit = selection.carried[name]
        return "from the linked record" + (f", {unit}" if unit else "")
    return _ABOUT.get(name, "key of the recipe")


def _front_matter(
    selection: Selection, features: Mapping[str, Feature], files: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    count = selection.images.height
    rows = dict(selection.images.group_by("split").len().iter_rows())
    sizes = {split: sum(parts.values()) for split, parts in files.items()}
    return {
        "pretty_name": selection.dataset,
        "task_categories": _tasks(selection),
        "size_categories": [next((name for limit, name in _SIZES if count < limit), "n>1M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}-*.parquet"} for split in files],
            }
        ],
        "dataset_info": {
            "features": yaml_features(features),
            "splits": [
                {"name": split, "num_bytes": sizes[split], "num_examples": rows[split]} for split in files
            ],
            "download_size": sum(sizes.values()),
            "dataset_size": sum(sizes.values()),
        },
    }


def _tasks(selection: Selection) -> list[str]:
    shapes = set(selection.annotations["shape"])
    tasks = {
        "image-classification": "class" in shapes,
        "object-detection": bool(shapes & {"box", "polygon", "mask"}),
        "image-segmentation": bool(shapes & {"polygon", "mask"}),
    }
    return [task for task, fits in tasks.items() if fits]


def _splits(selection: Selection) -> list[str]:
    count = pl.len().cast(pl.Int64)
    images = selection.images.group_by("split").agg(
        count.alias("images"),
        pl.col("parent_id").is_not_null().sum().alias("derived"),
        (pl.col("state") == "negative").sum().alias("negative"),
        (pl.col("state") == "unlabelled").sum().alias("unlabelled"),
    )
    by_split = {row["split"]: row for row in images.iter_rows(named=True)}
    columns = ["images", "derived", "negative", "unlabelled"]
    rows = [
        (split, *(by_split.get(split, {}).get(name, 0) for name in columns)) for split in selection.splits
    ]
    labels = selection.annotations.join(selection.images.select("image_id", "split"), on="image_id")
    counts = {
        (label, split): number for label, split, number in labels.group_by("label", "split").len().iter_rows()
    }
    classes = [
        (number, name, *(counts.get((name, split), 0) for split in selection.splits))
        for number, name in enumerate(selection.classes)
    ]
    return [
        table(["split", *columns], rows),
        "## Classes",
        "Labels of each class in each split:",
        table(["number", "class", *selection.splits], classes),
    ]
