from __future__ import annotations

import hashlib
import importlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import duckdb
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from pycocotools.coco import COCO
from tests.stages.curated import CLASSES, LONG, Picture, box, build, detection, mask, whole

from tundish.errors import MissingStepError, OutsideError
from tundish.imaging.geometry import mask_of_counts, mask_of_polygon
from tundish.stages import load_stage
from tundish.stages.export.stage import STAGE, export_one
from tundish.storage.receipts import export_states
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, COVERAGE, LINEAGE, SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tundish.stages.base import Context

# Imported by name: to mypy the repository's own folder of this name would hide the package.
hf: Any = importlib.import_module("datasets")

SPLIT_NAMES = ("train", "val", "test")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return build(tmp_path, detection())


@pytest.fixture
def exported(context: Context) -> Context:
    STAGE.run(context)
    return context


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(hf.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hf.config, "HF_DATASETS_OFFLINE", True)
    return str(tmp_path / "cache")


def snapshot(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def decoded(path: Path) -> Any:
    """Stored pixels, whatever EXIF says."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def wanted(context: Context) -> dict[str, int]:
    """Images of each split by the splits table, and the children."""
    counts = dict(context.dataset.read(SPLITS).drop_nulls("split").group_by("split").len().iter_rows())
    counts["train"] += context.dataset.read(LINEAGE).height
    return counts


def coco(context: Context, split: str) -> COCO:
    return COCO(str(context.dataset.exports / f"coco/annotations/instances_{split}.json"))


def parquet(context: Context, split: str) -> pl.DataFrame:
    return pl.read_parquet(context.dataset.exports / f"parquet/{split}-*.parquet")


# --- COCO, read by pycocotools


def test_coco_counts_are_those_of_the_splits(exported: Context) -> None:
    unlabelled = exported.dataset.read(COVERAGE).filter(pl.col("state") == "unlabelled")
    counts = wanted(exported)
    assert unlabelled.height == 1
    counts["val"] -= 1
    assert {split: len(coco(exported, split).imgs) for split in SPLIT_NAMES} == counts
    labels = sum(len(coco(exported, split).anns) for split in SPLIT_NAMES)
    assert labels == 9


def test_an_unlabelled_image_is_not_told_as_a_negative(exported: Context) -> None:
    folder = exported.dataset.exports / "coco/annotations"
    info = json.loads((folder / "image_info_val.json").read_text())
    assert [image["file_name"] for image in info["images"]] == ["line-1/C3/nobody.bmp"]
    assert info["annotations"] == []
    assert not (folder / "image_info_train.json").exists()
    negative = [image for image in coco(exported, "train").imgs.values() if "turned" in image["file_name"]]
    assert len(negative) == 2


def test_classes_keep_their_order_in_every_split(exported: Context) -> None:
    for split in SPLIT_NAMES:
        categories = coco(exported, split).dataset["categories"]
        assert [category["name"] for category in categories] == list(CLASSES)
        assert [category["id"] for category in categories] == [1, 2, 3]


def test_pycocotools_draws_the_masks_of_the_tables(exported: Context) -> None:
    images = {picture.path: picture for picture in detection()}
    drawn = 0
    for picture in images.values():
        for split in SPLIT_NAMES if picture.split else ():
            reader = coco(exported, split)
            file = next(
                (i for i in reader.imgs.values() if i["file_name"].endswith(f"/{picture.path}")), None
            )
            annotations = reader.imgToAnns[file["id"]] if file else []
            for label, annotation in zip(picture.labels, annotations, strict=False):
                assert annotation["bbox"] == [label[name] for name in ("x", "y", "width", "height")]
                assert annotation["iscrowd"] == label.get("is_crowd", False)
                if label["shape"] == "mask":
                    expected = mask_of_counts(label["rle"], *picture.size)
                    assert annotation["area"] == expected.sum()
                elif label["shape"] == "polygon":
                    expected = mask_of_polygon(label["segmentation"], *picture.size)
                    assert annotation["area"] == pytest.approx(expected.sum(), rel=0.1)
                else:
                    assert annotation["area"] == label["width"] * label["height"]
                    continue
                assert np.array_equal(reader.annToMask(annotation), expected)
                drawn += 1
    assert drawn >= 2


def test_image_files_hold_the_original_bytes(exported: Context) -> None:
    for picture in detection():
        if (
            picture.split
            and picture.orientation == 1
            and "A1/" not in picture.path
            and "turned" not in picture.path
        ):
            names = [picture.path] if LONG not in picture.path else []
            for name in names:
                file = exported.dataset.exports / f"coco/images/{picture.split}/{picture.source}/{name}"
                assert file.read_bytes() == picture.data


def test_every_image_of_the_json_lies_beside_it_in_its_size(exported: Context) -> None:
    for split in SPLIT_NAMES:
        for image in coco(exported, split).imgs.values():
            path = exported.dataset.exports / "coco/images" / split / image["file_name"]
            pixels = decoded(path)
            assert pixels.shape[:2] == (image["height"], image["width"])


def test_nasty_names(exported: Context) -> None:
    root = exported.dataset.exports / "coco/images"
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    by_path = {picture.path: picture.image_id[:8] for picture in detection()}
    assert "train/line-1/A1/龟裂 1.jpg" in names
    assert "test/line-1/B2/emoji 😀.png" in names
    assert "train/line-1/A1/a.jpg" in names  # A.JPG is in val, so they do not meet
    assert "val/line-1/A1/A.JPG" in names
    assert f"train/line-1/B2/turned.{by_path['B2/turned.jpg']}.png" in names
    assert f"train/line-1/B2/turned.{by_path['B2/turned.png']}.png" in names
    assert any(name.endswith(f"长.{by_path[f'C3/{LONG}.jpg']}.jpg") for name in names)
    assert any(name.startswith("train/augmented/A1/龟裂 1.") and name.endswith(".jpg") for name in names)
    assert len(names) == 10


def test_a_turned_image_is_written_upright(exported: Context) -> None:
    picture = next(picture for picture in detection() if picture.orientation == 6)
    (path,) = (exported.dataset.exports / "coco/images/train").rglob(f"turned.{picture.image_id[:8]}.png")
    pixels = decoded(path)
    assert pixels.shape == picture.pixels.shape
    assert np.abs(pixels.astype(int) - picture.pixels).mean() < 5  # once through JPEG
    row = parquet(exported, "train").row(by_predicate=pl.col("path") == picture.path, named=True)
    assert row["image"]["bytes"] == path.read_bytes()


# --- Parquet, read by datasets, DuckDB and polars


def test_datasets_loads_the_folder(exported: Context, cache: str) -> None:
    loaded = hf.load_dataset(str(exported.dataset.exports / "parquet"), cache_dir=cache)
    assert {split: rows.num_rows for split, rows in loaded.items()} == wanted(exported)
    category = loaded["train"].features["objects"]["category"].feature
    assert category.names == list(CLASSES)
    for rows in loaded.values():
        for row in rows:
            assert row["image"].size == (row["width"], row["height"])
    objects = {
        row["path"]: row["objects"] for rows in loaded.values() for row in rows if not row["parent_id"]
    }
    assert objects["B2/turned.png"]["id"] == []
    assert objects["C3/nobody.bmp"] is None
    first = objects["A1/龟裂 1.jpg"]
    assert [category.int2str(number) for number in first["category"]] == ["龟裂", "scratch"]
    assert first["bbox"][0] == [1.5, 2, 10.25, 12]
    assert first["segmentation"] == [None, [[4.0, 4.0, 30.5, 6.0, 28.0, 30.0, 5.0, 25.0]]]


def test_datasets_loads_single_files(exported: Context, cache: str) -> None:
    files = {split: str(exported.dataset.exports / f"parquet/{split}-*.parquet") for split in SPLIT_NAMES}
    loaded = hf.load_dataset("parquet", data_files=files, cache_dir=cache)
    assert {split: rows.num_rows for split, rows in loaded.items()} == wanted(exported)
    assert isinstance(loaded["train"].features["image"], hf.Image)


def test_duckdb_and_polars_count_what_the_splits_say(exported: Context) -> None:
    folder = exported.dataset.exports / "parquet"
    for split, count in wanted(exported).items():
        query = f"select count(*), sum(len(objects.id)) from '{folder}/{split}-*.parquet'"
        rows, labels = duckdb.execute(query).fetchall()[0]
        frame = parquet(exported, split)
        assert rows == frame.height == count
        assert labels == len(coco(exported, split).anns)
        assert labels == frame["objects"].struct.field("id").list.len().sum()


def test_both_formats_say_the_same(exported: Context) -> None:
    for split in SPLIT_NAMES:
        reader = coco(exported, split)
        rows = parquet(exported, split).rows(named=True)
        by_name = {image["file_name"]: reader.imgToAnns[image["id"]] for image in reader.imgs.values()}
        for row in rows:
            if row["objects"] is not None:
                theirs = by_name[row["image"]["path"]]
                assert row["objects"]["bbox"] == [annotation["bbox"] for annotation in theirs]
                assert row["objects"]["area"] == [annotation["area"] for annotation in theirs]
                assert row["objects"]["category"] == [annotation["category_id"] - 1 for annotation in theirs]


def test_rows_are_sorted_and_children_follow(exported: Context) -> None:
    train = parquet(exported, "train")
    originals = train.filter(pl.col("parent_id").is_null())
    assert originals.select("source", "path").rows() == sorted(originals.select("source", "path").rows())
    assert train["parent_id"].is_not_null().to_list() == [False] * 5 + [True]
    assert train["coil_id"].to_list() == ["A1", "A1", "B2", "B2", "C3", "A1"]
    child = train.row(-1, named=True)
    assert child["path"] == "A1/龟裂 1.jpg"
    assert child["objects"]["bbox"] == [[64 - 1.5 - 10.25, 2, 10.25, 12]]


def test_image_labels_become_a_class(tmp_path: Path, cache: str) -> None:
    pictures = [
        Picture("a.jpg", seed=1, labels=[whole("no")]),
        Picture("b.jpg", seed=2, labels=[whole("scratch")]),
        Picture("c.jpg", seed=3, state="unlabelled"),
    ]
    context = build(tmp_path, pictures, children=False)
    export_one(context, "parquet")
    loaded = hf.load_dataset(str(context.dataset.exports / "parquet"), cache_dir=cache)["train"]
    assert loaded.features["label"].names == list(CLASSES)
    assert loaded["label"][:] == [2, 0, None]
    assert "objects" not in loaded.features


def test_several_classes_of_an_image_become_a_list(tmp_path: Path, cache: str) -> None:
    pictures = [
        Picture("a.jpg", seed=1, labels=[whole("no"), whole("scratch"), box("no", 1, 1, 5, 5)]),
        Picture("b.jpg", seed=2, state="negative"),
    ]
    context = build(tmp_path, pictures, children=False)
    export_one(context, "parquet")
    loaded = hf.load_dataset(str(context.dataset.exports / "parquet"), cache_dir=cache)["train"]
    assert loaded["labels"][:] == [[0, 2], []]
    assert "label" not in loaded.features
    assert [len(objects["id"]) for objects in loaded["objects"]] == [1, 0]


def test_the_card_tells_what_was_done(exported: Context) -> None:
    _, head, body = (
        (exported.dataset.exports / "parquet/README.md").read_text(encoding="utf-8").split("---\n", 2)
    )
    front = yaml.safe_load(head)
    assert front["task_categories"] == ["object-detection", "image-segmentation"]
    counts = {split["name"]: split["num_examples"] for split in front["dataset_info"]["splits"]}
    assert counts == wanted(exported)
    for text in (
        "| train | 6 | 1 | 1 | 0 |",
        "| 1 | 龟裂 | 3 | 0 | 0 |",
        "left out of the splits | kept out | 1 |",
    ):
        assert text in body


# --- what goes in


def test_only_the_labels_of_the_file_that_has_the_split(tmp_path: Path) -> None:
    twins = [
        Picture("a.jpg", seed=1, labels=[box("no", 1, 1, 5, 5)]),
        Picture("b.jpg", seed=1, labels=[box("scratch", 9, 9, 5, 5), box("no", 2, 2, 3, 3)]),
    ]
    context = build(tmp_path, twins, children=False)
    STAGE.run(context)
    assert [annotation["bbox"] for annotation in coco(context, "train").anns.values()] == [[1, 1, 5, 5]]
    assert parquet(context, "train")["objects"].struct.field("bbox").to_list() == [[[1, 1, 5, 5]]]


def test_invalid_labels_stay_out(context: Context) -> None:
    labels = context.dataset.read(ANNOTATIONS)
    ANNOTATIONS.write(
        labels.with_columns(valid=pl.col("label") != "no"), context.dataset.table("annotations")
    )
    load_stage("consensus").run(context)
    STAGE.run(context)
    assert len(coco(context, "val").anns) == 0
    assert len(coco(context, "val").imgs) == 1


def test_a_split_without_images(tmp_path: Path, cache: str) -> None:
    context = build(tmp_path, [Picture("a.jpg", labels=[box("no", 1, 1, 5, 5)])])
    STAGE.run(context)
    assert not coco(context, "val").imgs
    loaded = hf.load_dataset(str(context.dataset.exports / "parquet"), cache_dir=cache)
    assert list(loaded) == ["train"]


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (Picture("a.jpg", state="unlabelled"), "no image is labelled, and without labels all would pass for"),
        (Picture("a.jpg", state="negative"), "no image has a label, so that all would be negatives"),
        (Picture("a.jpg", labels=[whole("no")]), "its 1 labels are classes of whole images, and none is a"),
        (Picture("a.jpg", split=None, labels=[box("no", 1, 1, 9, 9)]), "no image is in a split"),
    ],
)
@pytest.mark.parametrize("form", ["coco", "yolo"])
def test_a_dataset_without_boxes_has_nothing_to_write_for_formats_of_boxes(
    tmp_path: Path, form: str, picture: Picture, why: str
) -> None:
    context = build(tmp_path, [picture], children=False, export={"formats": ["parquet", form]})
    outcome = STAGE.run(context)
    [note] = outcome.notes
    assert note.startswith(f"there is nothing to write for exports/{form}: {why}")
    assert not (context.dataset.exports / form).exists()
    assert export_states(context.dataset)["parquet"] == "current"
    if picture.split:
        assert parquet(context, "train").height == 1
    assert export_one(context, form).notes == outcome.notes


def test_a_split_without_boxes_in_a_set_that_has_boxes_is_written(tmp_path: Path) -> None:
    pictures = [
        Picture("a.jpg", seed=1, labels=[box("no", 1, 1, 9, 9)]),
        Picture("b.jpg", "val", seed=2, state="negative"),
        Picture("c.jpg", "test", seed=3, labels=[whole("no")]),
    ]
    context = build(tmp_path, pictures, children=False)
    assert STAGE.run(context).notes == []
    assert [len(coco(context, split).imgs) for split in ("val", "test")] == [1, 1]
    assert [len(coco(context, split).anns) for split in ("train", "val", "test")] == [1, 0, 0]


def test_an_export_that_has_nothing_to_write_any_more_stays_and_is_called_older(exported: Context) -> None:
    before = snapshot(exported.dataset.exports / "coco")
    labels = exported.dataset.read(CONSENSUS).with_columns(shape=pl.lit("class"))
    exported.dataset.write(CONSENSUS, labels)
    exported.dataset.table("lineage").unlink()
    [note] = STAGE.run(exported).notes
    assert note.endswith("; what exports/coco holds is of an earlier run")
    assert snapshot(exported.dataset.exports / "coco") == before
    states = export_states(exported.dataset)
    assert (states["coco"], states["parquet"]) == ("older than the tables", "current")


# --- again and again


def test_two_folders_hold_the_same_bytes(tmp_path: Path) -> None:
    both = []
    for name in ("here", "there"):
        context = build(tmp_path / name, detection())
        STAGE.run(context)
        export_one(context, "yolo")
        both.append(snapshot(context.dataset.exports))
    assert both[0] == both[1]
    assert len(both[0]) > 15


def test_the_order_in_which_images_came_does_not_matter(tmp_path: Path) -> None:
    """Rows drawn from shards to and fro, so that images have to be laid aside."""
    pictures = [
        Picture(f"{number:02d}.png", seed=number, labels=[box("no", 1, 1, 5, 5)]) for number in range(24)
    ]
    one = build(tmp_path / "one", pictures, children=False)
    for number, picture in enumerate(pictures):
        picture.batch = 1 + number % 4
    four = build(tmp_path / "four", pictures, children=False)
    assert len(list(four.dataset.image_shards.iterdir())) > 4
    for context in (one, four):
        export_one(context, "parquet")
    tables = [parquet(context, "train") for context in (one, four)]
    assert tables[0].equals(tables[1])
    assert [row["bytes"] for row in tables[1]["image"]] == [picture.data for picture in pictures]
    assert not [
        path for path in (four.dataset.exports / "parquet").iterdir() if path.name.startswith((".", "tmp"))
    ]


def test_what_has_not_changed_is_not_written_again(exported: Context) -> None:
    images = exported.dataset.exports / "coco/images"
    before = stamps(images)
    outcome = STAGE.run(exported)
    assert stamps(images) == before
    assert outcome.counts["COCO images written"] == 0
    assert outcome.counts["COCO images left as they were"] == 10


def test_an_export_follows_the_data(exported: Context) -> None:
    splits = exported.dataset.read(SPLITS)
    moved = pl.when(pl.col("path") == "A1/A.JPG").then(pl.lit("train")).otherwise("split")
    splits = splits.with_columns(split=moved).filter(pl.col("path") != "x.jpg")
    exported.dataset.write(SPLITS, splits)
    outcome = STAGE.run(exported)
    assert (
        outcome.counts["COCO images written"] == 2
    )  # A.JPG in train, and a.jpg, which now needs another name
    assert outcome.counts["COCO images removed"] == 3
    fresh = build(exported.project.parent / "fresh", detection())
    fresh.dataset.write(SPLITS, splits)
    STAGE.run(fresh)
    assert snapshot(exported.dataset.exports) == snapshot(fresh.dataset.exports)
    assert not list((exported.dataset.exports / "coco/images").rglob("line-2"))


@pytest.mark.parametrize("damage", ["cut", "gone", "no list", "broken list", "stray", "folder"])
def test_the_next_export_mends_what_a_killed_one_left(exported: Context, damage: str) -> None:
    root = exported.dataset.exports / "coco"
    whole_one = snapshot(exported.dataset.exports)
    victim = root / "images/test/line-2/x.jpg"
    match damage:
        case "cut":
            victim.write_bytes(victim.read_bytes()[:100])
        case "gone":
            victim.unlink()
        case "no list":
            (root / "images.parquet").unlink()
        case "broken list":
            (root / "images.parquet").write_bytes(b"PAR1")
        case "stray":
            (victim.parent / ".0123.tmp").write_bytes(b"half")
            (exported.dataset.exports / ".parquet.tmp").mkdir()
        case "folder":
            victim.unlink()
            victim.mkdir()
            (victim / "inside").write_bytes(b"x")
    STAGE.run(exported)
    assert snapshot(exported.dataset.exports) == whole_one


def test_the_list_never_names_a_file_that_is_about_to_change(exported: Context) -> None:
    """Killed between the writing of a file and that of the list, the next export still finds the file out."""
    listing = exported.dataset.exports / "coco/images.parquet"
    picture = next(picture for picture in detection() if picture.path == "x.jpg")
    shard = next(
        path
        for path in exported.dataset.image_shards.iterdir()
        if picture.image_id in str(pq.read_table(path))
    )
    splits = exported.dataset.read(SPLITS)
    SPLITS.write(
        splits.with_columns(split=pl.when(pl.col("path") == "x.jpg").then(pl.lit("val")).otherwise("split")),
        exported.dataset.table("splits"),
    )
    damage(shard)
    with pytest.raises(OutsideError, match="the shard is damaged or missing"):
        export_one(exported, "coco")
    assert "test/line-2/x.jpg" not in pl.read_parquet(listing)["file"]
    assert "val/line-2/x.jpg" not in pl.read_parquet(listing)["file"]


def test_formats_that_the_recipe_does_not_name_do_not_grow_old(context: Context) -> None:
    export_one(context, "yolo")
    assert (context.dataset.exports / "yolo/data.yaml").exists()
    outcome = STAGE.run(context)
    assert not (context.dataset.exports / "yolo").exists()
    assert outcome.notes == ["exports/yolo was removed: the recipe's export.formats does not name it"]


def test_an_export_counts_as_complete_when_it_is(exported: Context) -> None:
    states = export_states(exported.dataset)
    assert states == {"coco": "current", "parquet": "current"}
    shard = next(exported.dataset.image_shards.iterdir())
    data = damage(shard)
    with pytest.raises(OutsideError, match="the shard is damaged or missing"):
        export_one(exported, "parquet")
    assert export_states(exported.dataset) == states | {"parquet": "incomplete"}
    shard.write_bytes(data)
    export_one(exported, "yolo")
    STAGE.run(exported)
    assert export_states(exported.dataset) == states


def test_an_export_that_fails_leaves_the_files_of_the_one_before(exported: Context) -> None:
    before = snapshot(exported.dataset.exports / "parquet")
    damage(next(exported.dataset.image_shards.iterdir()))
    with pytest.raises(OutsideError, match="the shard is damaged or missing"):
        export_one(exported, "parquet")
    assert snapshot(exported.dataset.exports / "parquet") == before
    assert not (exported.dataset.exports / ".parquet.tmp").exists()


def lose_a_shard(context: Context) -> str:
    path = min(context.dataset.image_shards.iterdir())
    path.unlink()
    return path.name


def lose_the_store(context: Context) -> str:
    shutil.rmtree(context.dataset.store)
    return "7 of 8 shards"


def lose_the_children(context: Context) -> str:
    shutil.rmtree(context.dataset.augmented)
    return "augmented"


def empty_a_shard(context: Context) -> str:
    path = max(context.dataset.image_shards.iterdir())
    path.write_bytes(b"")
    return path.name


def lose_a_table(name: str) -> Callable[[Context], str]:
    def lose(context: Context) -> str:
        context.dataset.table(name).unlink()
        return name

    return lose


TABLE_NAMES = ("images", "consensus", "standing", "splits", "lineage")
LOSE = [
    lose_a_shard,
    lose_the_store,
    lose_the_children,
    empty_a_shard,
    *(lose_a_table(name) for name in TABLE_NAMES),
]


@pytest.mark.parametrize("lose", LOSE, ids=["shard", "store", "children", "emptied shard", *TABLE_NAMES])
def test_what_is_missing_is_named_and_every_export_stays(
    tmp_path: Path, lose: Callable[[Context], str]
) -> None:
    exported = build(tmp_path, detection(), augment={"copies": 1})
    STAGE.run(exported)
    export_one(exported, "yolo")
    before, states = snapshot(exported.dataset.exports), export_states(exported.dataset)
    named = lose(exported)
    for again in (STAGE.run, lambda here: export_one(here, "coco")):
        with pytest.raises((OutsideError, MissingStepError)) as error:
            again(exported)
        assert named in str(error.value)
        assert "dvc checkout" in str(error.value) or "first" in str(error.value)
        assert snapshot(exported.dataset.exports) == before
    assert "incomplete" not in export_states(exported.dataset).values()
    assert set(export_states(exported.dataset)) == set(states)


def damage(shard: Path) -> bytes:
    """Break the first page of a shard, which its footer does not show; its bytes before."""
    data = shard.read_bytes()
    shard.write_bytes(data[:4] + bytes(60) + data[64:])
    return data


def test_yolo_has_the_layout_of_ultralytics(context: Context) -> None:
    export_one(context, "yolo")
    folder = context.dataset.exports / "yolo"
    data: dict[str, Any] = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    assert [data["names"][number] for number in range(3)] == list(CLASSES)
    assert {split: data[split] for split in SPLIT_NAMES} == {
        split: f"images/{split}" for split in SPLIT_NAMES
    }
    images = {
        path.relative_to(folder / "images").with_suffix("") for path in (folder / "images").rglob("*.*")
    }
    labels = {
        path.relative_to(folder / "labels").with_suffix("") for path in (folder / "labels").rglob("*.txt")
    }
    assert len(images) == 9  # an image that is not labelled would be taken for a negative
    assert images == labels
    text = (folder / "labels/test/line-1_B2_emoji 😀.txt").read_text()
    assert [float(number) for number in text.split()] == pytest.approx(
        [0, 5.5 / 64, 5.5 / 48, 5 / 64, 5 / 48]
    )


def test_masks_of_crowds_are_kept(tmp_path: Path) -> None:
    picture = Picture("a.jpg", labels=[mask("no", (64, 48), (0, 0, 64, 40), is_crowd=True)])
    context = build(tmp_path, [picture], children=False)
    STAGE.run(context)
    (annotation,) = coco(context, "train").anns.values()
    assert annotation["iscrowd"] == 1
    assert annotation["segmentation"]["size"] == [48, 64]
