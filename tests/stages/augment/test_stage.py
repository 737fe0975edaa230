"""Children of training images: made again from their row, kept while nothing changes, gone when it does."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from tests.stages.curated import Picture, box, build, detection, mask, polygon, whole

from tundish.imaging.augment import Plan, apply
from tundish.imaging.files.decode import decode, encode
from tundish.recipe.load import Recipe
from tundish.stages import load_stage
from tundish.stages.augment.stage import STAGE
from tundish.storage.shards import read_blobs, shard_ids, shard_paths
from tundish.storage.tables import ANNOTATIONS, LINEAGE, QUARANTINE, SPLITS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

OPERATIONS = [
    {"flip": {"axis": "any"}},
    {"rotate": {"degrees": 20}},
    {"shift": {"share": 0.3}},
    {"exposure": {"gain": 0.2}},
    {"noise": {}},
]


def dataset(project: Path, pictures: list[Picture] | None = None, **augment: Any) -> Context:
    settings = {"copies": 2, "operations": OPERATIONS, "seed": 7} | augment
    return build(project, pictures or detection(), children=False, augment=settings)


def again(context: Context, **augment: Any) -> Context:
    settings = context.recipe.augment.model_dump() | augment
    recipe = Recipe.model_validate(context.recipe.model_dump(by_alias=True) | {"augment": settings})
    return replace(context, recipe=recipe)


def files(context: Context) -> dict[str, str]:
    paths = [*context.dataset.augmented.rglob("*.parquet"), context.dataset.table("lineage")]
    return {
        path.relative_to(context.dataset.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def blobs(context: Context) -> dict[str, bytes]:
    shards = [path for path in shard_paths(context.dataset.augmented) if "-" in path.stem]
    return {blob.id: bytes(blob.data) for path in shards for blob in read_blobs(path)}


def test_every_child_comes_again_from_its_lineage_row(tmp_path: Path) -> None:
    context = dataset(tmp_path)
    outcome = STAGE.run(context)
    lineage = context.dataset.read(LINEAGE)
    train = context.dataset.read(SPLITS).filter(pl.col("split") == "train")
    assert outcome.counts["training images"] == train.height
    assert outcome.counts["derived images"] == lineage.height == 2 * train.height
    assert set(lineage["parent_id"]) == set(train["image_id"])
    made = blobs(context)
    parents = {picture.image_id: picture for picture in detection()}
    for row in lineage.iter_rows(named=True):
        parent = decode(parents[row["parent_id"]].data)
        kind: Any = "jpeg" if parents[row["parent_id"]].data[:2] == b"\xff\xd8" else "png"
        child = encode(apply(Plan.from_json(row["parameters"]), parent), kind, 95)
        assert child == made[row["image_id"]]
        assert hashlib.sha256(child).hexdigest()[:32] == row["image_id"]
        assert row["image_id"] in shard_ids(context.dataset.augmented / f"{row['shard']}.parquet")
        assert row["seed"] == f"7:{row['parent_id']}:{row['seed'][-1]}"


def test_labels_follow_or_are_reported(tmp_path: Path) -> None:
    context = dataset(tmp_path)
    outcome = STAGE.run(context)
    labels = ANNOTATIONS.read(context.dataset.augmented / "annotations.parquet")
    dropped = QUARANTINE.read(context.dataset.augmented / "dropped.parquet")
    lineage = context.dataset.read(LINEAGE)
    train = [picture for picture in detection() if picture.split == "train"]
    assert labels.height + dropped.height == 2 * sum(len(picture.labels) for picture in train)
    assert lineage["dropped"].sum() == dropped.height == outcome.counts["labels dropped"]
    assert labels["annotation_id"].is_unique().all()
    assert set(labels["image_id"]) <= set(lineage["image_id"])
    assert (labels["x"] >= 0).all()
    assert (labels["x"] + labels["width"] <= 64).all()
    shapes = labels.group_by("shape").agg(
        pl.col("segmentation").is_not_null().all(), pl.col("rle").is_not_null().all()
    )
    assert dict(shapes.select("shape", pl.concat_list("segmentation", "rle")).iter_rows()) == {
        "box": [False, False],
        "polygon": [True, False],
        "mask": [False, True],
    }


def test_two_folders_hold_the_same_bytes_and_a_second_run_makes_nothing(tmp_path: Path) -> None:
    first, second = dataset(tmp_path / "a"), dataset(tmp_path / "b")
    STAGE.run(first)
    STAGE.run(second)
    assert files(first) == files(second)
    before = {
        path: path.stat().st_mtime_ns for path in shard_paths(first.dataset.augmented) if "-" in path.stem
    }
    for path in shard_paths(first.dataset.image_shards):
        path.unlink()  # nothing is decoded: the parents are not even there
    STAGE.run(first)
    assert files(first) == files(second)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_only_the_shard_whose_labels_changed_is_done_again_and_stale_parts_go(tmp_path: Path) -> None:
    pictures = detection()
    context = dataset(tmp_path, pictures)
    STAGE.run(context)
    before = files(context)
    assert len(shard_paths(context.dataset.augmented)) > 3
    annotations = context.dataset.read(ANNOTATIONS)
    changed = annotations.with_columns(
        width=pl.when(pl.col("image_id") == pictures[0].image_id).then(pl.col("width") / 2).otherwise("width")
    )
    context.dataset.write(ANNOTATIONS, changed)
    load_stage("consensus").run(context)
    STAGE.run(context)
    after = files(context)
    gone, new = set(before) - set(after), set(after) - set(before)
    assert len(gone) == len(new) == 4
    STAGE.run(again(context, seed=8))
    assert not {name for name in files(context) if "-" in name or "parts" in name} & set(after)
    outcome = STAGE.run(again(context, copies=0))
    assert outcome.counts["derived images"] == 0
    names = {"augmented/annotations.parquet", "augmented/dropped.parquet", "curated/lineage.parquet"}
    assert set(files(context)) == names


def test_whole_image_labels_and_negatives_pass_and_equal_children_count_once(tmp_path: Path) -> None:
    pictures = [
        Picture("c.png", seed=1, labels=[whole("no")]),
        Picture("n.png", seed=2, state="negative"),
        Picture("v.png", "val", seed=3, labels=[whole("no")]),
    ]
    context = dataset(tmp_path, pictures, copies=3, operations=[{"flip": {"p": 1}}])
    outcome = STAGE.run(context)
    assert outcome.counts["derived images"] == 2
    labels = ANNOTATIONS.read(context.dataset.augmented / "annotations.parquet")
    assert labels.select("label", "shape", "x", "y", "width", "height").rows() == [
        ("no", "class", 0, 0, 64, 48)
    ]
    lineage = context.dataset.read(LINEAGE)
    children = {
        row["parent_id"]: decode(blobs(context)[row["image_id"]]) for row in lineage.iter_rows(named=True)
    }
    for picture in pictures[:2]:
        assert np.array_equal(children[picture.image_id], picture.pixels[:, ::-1])


def test_a_mirrored_child_has_mirrored_labels_of_every_shape(tmp_path: Path) -> None:
    ring = [4.0, 4.0, 30.5, 6.0, 28.0, 30.0]
    labels = [box("no", 3, 5, 10, 20), polygon("scratch", ring), mask("scratch", (64, 48), (5, 6, 20, 10))]
    context = dataset(tmp_path, [Picture("a.jpg", seed=1, labels=labels)], operations=[{"flip": {"p": 1}}])
    STAGE.run(context)
    got = ANNOTATIONS.read(context.dataset.augmented / "annotations.parquet").sort("shape").rows(named=True)
    assert [(row["x"], row["y"], row["width"], row["height"]) for row in got] == [
        (51, 5, 10, 20),
        (39, 6, 20, 10),
        (33.5, 4, 26.5, 26),
    ]
    assert got[2]["segmentation"] == [[60.0, 4.0, 33.5, 6.0, 36.0, 30.0]]


def test_a_child_that_lost_every_label_is_not_kept_for_a_negative(tmp_path: Path) -> None:
    corner = Picture("a.jpg", labels=[box("scratch", 0, 0, 8, 6)])
    clean = Picture("b.jpg", seed=1, state="negative")
    context = dataset(tmp_path, [corner, clean], copies=20, operations=[{"shift": {"share": 0.5}}])
    STAGE.run(context)
    labelled = set(ANNOTATIONS.read(context.dataset.augmented / "annotations.parquet")["image_id"])
    lineage = context.dataset.read(LINEAGE)
    of_corner = lineage.filter(pl.col("parent_id") == corner.image_id)
    left_out = QUARANTINE.read(context.dataset.augmented / "dropped.parquet").filter(
        pl.col("check") == "augment_no_label_left"
    )
    assert set(of_corner["image_id"]) == labelled
    assert left_out.height > 0
    assert of_corner.height + left_out.height == 20
    assert lineage.height - of_corner.height == 20
