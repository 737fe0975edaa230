"""COCO from the canonical tables: what pycocotools, and all that is built on it, reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from tundish.formats.frames import areas_of_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.formats.base import Selection, Target

__all__ = ["CocoWriter", "write_coco"]

_KEY_POINTS = ("keypoints", "num_keypoints")


class CocoWriter:
    """``annotations/instances_<split>.json``, and the image files beside it.

    COCO does not distinguish an image that is not labelled from one that shows nothing. Images that are not
    labelled are in ``image_info_<split>.json``, which has no annotations, as COCO has it for its test sets.
    """

    def write(self, selection: Selection, target: Target) -> Mapping[str, int]:
        """Bring the export up to date."""
        placed = target.place(selection.images)
        for split in selection.splits:
            images, labels = selection.of(split)
            unlabelled = pl.col("state") == "unlabelled"
            known, unknown = images.filter(~unlabelled), images.filter(unlabelled)
            target.write(f"annotations/instances_{split}.json", _json(selection, known, labels))
            if unknown.height:
                data = _json(selection, unknown, labels.clear())
                target.write(f"annotations/image_info_{split}.json", data)
        return placed.counts("COCO")


def _json(selection: Selection, images: pl.DataFrame, labels: pl.DataFrame) -> bytes:
    names = dict(images.select("image_id", "file_name").iter_rows())
    attributes = (*selection.keys, *selection.carried)
    return write_coco(images, labels, selection.classes, file_names=names, attributes=attributes)


def write_coco(
    images: pl.DataFrame,
    annotations: pl.DataFrame,
    classes: Sequence[str],
    *,
    file_names: Mapping[str, str],
    attributes: Sequence[str] = (),
    description: str = "",
) -> bytes:
    """One COCO instances file; the same tables give the same bytes.

    Images are numbered from 1 by file name, annotations from 1 by image and then in the order given, and
    categories from 1 in the order of `classes`. Boxes have an empty ``segmentation``, polygons their rings,
    masks (crowds too) compressed counts, which pycocotools takes as it does lists. ``area`` is that of the
    box, the polygon or the mask. Labels of the whole image are ``category_ids`` of their image: an
    annotation needs a box. For tracing, images carry tundish_id, path and source, annotations
    annotation_id, score, author and attributes; key points among the attributes are where COCO has them.

    Args:
        images: Rows of the images table.
        annotations: Rows of the annotations table, or others with its geometry, of these images.
        classes: The recipe's classes in their order.
        file_names: File name in the export by image_id.
        attributes: Columns of `images` that each image gets under ``attributes``, where not null.
        description: Goes into ``info``.

    Raises:
        ValueError: An annotation has an image that is not in `images` or a label that is not in `classes`.
    """
    images = images.with_columns(
        file_name=pl.col("image_id").replace_strict(file_names, return_dtype=pl.String)
    ).sort("file_name")
    images = images.with_columns(number=pl.int_range(1, pl.len() + 1))
    numbers = pl.DataFrame(
        {"label": classes, "category": range(1, len(classes) + 1)}, schema_overrides=_NUMBERS
    )
    rows = (
        annotations.join(
            images.select("image_id", number="number", image_width="width", image_height="height"),
            on="image_id",
            how="left",
            maintain_order="left",
        )
        .join(numbers, on="label", how="left", maintain_order="left")
        .sort("number", maintain_order=True)
    )
    if rows["number"].null_count() or rows["category"].null_count():
        raise ValueError("annotations are of images or classes that are not written")
    drawn = rows.filter(pl.col("shape") != "class")
    head = {
        "info": {"description": description},
        "licenses": [],
        "categories": [
            {"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)
        ],
        "images": _images(images, rows.filter(pl.col("shape") == "class"), attributes),
    }
    entries = ",\n".join(_annotations(drawn.with_columns(area=areas_of_labels(drawn))))
    return b'%b,"annotations":[\n%b\n]}\n' % (orjson.dumps(head)[:-1], entries.encode())


_NUMBERS = {"label": pl.String, "category": pl.Int64}


def _images(images: pl.DataFrame, tags: pl.DataFrame, attributes: Sequence[str]) -> list[dict[str, Any]]:
    entries = images.select(
        "file_name", "width", "height", id="number", tundish_id="image_id", path="path", source="source"
    ).to_dicts()
    if attributes:
        for entry, own in zip(entries, images.select(attributes).iter_rows(named=True), strict=True):
            entry["attributes"] = {name: value for name, value in own.items() if value is not None}
    for number, category in tags.select("number", "category").iter_rows():
        entries[number - 1].setdefault("category_ids", []).append(category)
    return entries


def _annotations(rows: pl.DataFrame) -> list[str]:
    """The entries as JSON; made by column, which is several times as fast as from dictionaries."""
    fixed = _members(
        id=pl.int_range(1, pl.len() + 1),
        image_id="number",
        category_id="category",
        bbox=pl.concat_list("x", "y", "width", "height"),
        area="area",
        iscrowd=pl.col("is_crowd").fill_null(value=False).cast(pl.Int8),
    )
    polygon = (pl.col("shape") == "polygon") & pl.col("segmentation").is_not_null()
    mask = (pl.col("shape") == "mask") & pl.col("rle").is_not_null()
    size = pl.concat_list("image_height", "image_width")
    drawn = (
        pl.when(polygon)
        .then(_members(segmentation="segmentation"))
        .when(mask)
        .then(pl.concat_str(pl.lit('"segmentation":'), _object(size=size, counts="rle")))
        .otherwise(pl.lit('"segmentation":[]'))
    )
    optional = [
        pl.when(pl.col(name).is_not_null()).then(pl.format(",{}", text))
        for name, text in (
            ("score", _members(score="score")),
            ("author", _members(author="author")),
            ("attributes", pl.col("attributes").map_elements(_attributes, pl.String)),
        )
        if name in rows.columns
    ]
    parts = [pl.lit("{"), fixed, pl.lit(","), drawn, pl.lit(","), _members(annotation_id="annotation_id")]
    entry = pl.concat_str(*parts, *optional, pl.lit("}"), ignore_nulls=True)
    return rows.select(entry.alias("entry"))["entry"].to_list()


def _object(**values: pl.Expr | str) -> pl.Expr:
    """A JSON object."""
    return pl.struct([pl.col(value).alias(name) if isinstance(value, str) else value.alias(name)
                      for name, value in values.items()]).struct.json_encode()  # fmt: skip


def _members(**values: pl.Expr | str) -> pl.Expr:
    """The members of a JSON object, without its braces."""
    return _object(**values).str.strip_prefix("{").str.strip_suffix("}")


def _attributes(text: str) -> str:
    """Attributes as they are, unparsed, but for key points, which COCO has beside them."""
    if '"keypoints"' not in text:
        return f'"attributes":{text}'
    attributes = orjson.loads(text)
    beside = {key: attributes.pop(key) for key in _KEY_POINTS if key in attributes}
    members = beside | ({"attributes": attributes} if attributes else {})
    return orjson.dumps(members)[1:-1].decode()
