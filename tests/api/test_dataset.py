"""A dataset as a notebook sees it: tables, images with labels and records, status."""

from __future__ import annotations

import pickle
import re
import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import orjson
import pytest
from tests.recipes import least

import tundish

if TYPE_CHECKING:
    from tundish.imaging.files.decode import Image

ROOT = Path(__file__).resolve().parents[2]
NAME = "steel-surface"


@pytest.fixture(scope="module")
def data(sample_plant: Path) -> tundish.Dataset:
    return tundish.open(NAME, project=sample_plant)


def test_the_page_runs_as_it_stands(
    sample_plant: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All code of docs/python.md, in a copy: it runs stages."""
    plant = tmp_path / "plant"
    shutil.copytree(sample_plant, plant, symlinks=True)
    monkeypatch.chdir(plant)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks[0].strip().splitlines()) <= 12, "what a notebook wants first, in ten lines"
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert set(names["areas"]) == {"scratch", "rolled-in_scale", "inclusion", "patch"}  # type: ignore[call-overload]
    assert all(names["areas"].values())  # type: ignore[attr-defined]


def test_the_page_says_what_its_code_prints(data: tundish.Dataset) -> None:
    text = (ROOT / "docs/python.md").read_text("utf-8")
    assert f"print(data.status.files)  # {data.status.files}" in text


def test_tables__are_those_that_exist_and_each_can_be_read(data: tundish.Dataset) -> None:
    assert {"images", "splits", "consensus", "coils", "heats"} <= set(data.tables)
    assert not {"lineage", "files", "features"} & set(data.tables)
    for table in data.tables:
        assert data.read(table).height or table in {"disputes", "judgements", "targets"}


def test_read__a_table_that_is_not_there(data: tundish.Dataset, sample_plant: Path) -> None:
    with pytest.raises(tundish.UsageError, match="run 'tundish augment steel-surface' first"):
        data.read("lineage")
    with pytest.raises(tundish.UsageError, match=r"unknown table 'coil'; choose one of annotations, .*coils"):
        data.read("coil")
    assert tundish.read_table("coils", NAME, project=sample_plant).equals(data.read("coils"))


def test_images__of_a_split_are_those_of_the_splits_table(data: tundish.Dataset) -> None:
    splits = data.read("splits")
    for split in ("train", "val", "test"):
        ids = {sample.image_id for sample in data.images(split)}
        assert ids == set(splits.filter(split=split)["image_id"])
        assert {sample.split for sample in data.images(split)} == {split}
    assert len(data.images(["val", "test"])) == len(data.images("val")) + len(data.images("test"))
    everything = data.images()
    assert len(everything) == data.read("images").filter("valid").height
    assert {sample.split for sample in everything} == {"train", "val", "test", None}


def test_images__array_is_the_picture_upright_in_rgb_order(data: tundish.Dataset) -> None:
    for sample in data.images("val"):
        assert sample.array.shape[:2] == (sample.height, sample.width)
        assert sample.array.dtype == np.uint8
        assert sample.data[:2] == b"\xff\xd8"


def test_images__come_in_the_order_of_the_store(data: tundish.Dataset) -> None:
    """So that pixels are read a shard at a time."""
    shards = data.images().table["shard"].to_list()
    assert shards == sorted(shards)


def test_images__are_a_sequence(data: tundish.Dataset) -> None:
    images = data.images("train")
    assert images[0] == next(iter(images))
    assert images[-1] == list(images)[-1]
    assert [sample.path for sample in images[2:5]] == [sample.path for sample in images][2:5]
    assert len(images[2:5]) == 3


def test_images__by_class_and_by_state(data: tundish.Dataset) -> None:
    scratched = data.images(label="scratch")
    assert 0 < len(scratched) < len(data.images())
    assert all("scratch" in {label.name for label in sample.labels} for sample in scratched)
    negatives = data.images(state="negative")
    assert len(negatives) == data.read("standing").unique("image_id").filter(state="negative").height
    assert all(sample.labels == () for sample in negatives)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"split": "trian"}, "unknown split 'trian'; choose one of train, val, test"),
        ({"split": ["val", "x"]}, "unknown split 'x'"),
        ({"label": "scrach"}, "unknown class 'scrach'; choose one of scratch, "),
    ],
)
def test_images__a_misspelt_name_is_not_an_empty_answer(
    data: tundish.Dataset, asked: dict[str, str], told: str
) -> None:
    with pytest.raises(tundish.UsageError, match=told):
        data.images(**asked)


def test_labels__are_those_of_the_consensus_table_in_pixels(data: tundish.Dataset) -> None:
    table = data.read("consensus").filter("valid")
    for sample in data.images("test"):
        mine = table.filter(source=sample.source, path=sample.path)
        boxes = [tuple(row) for row in mine.select("x", "y", "width", "height").iter_rows()]
        assert [label.box for label in sample.labels] == boxes
        assert [label.name for label in sample.labels] == mine["label"].to_list()
        assert (
            data.labels(sample) == data.labels(sample.image_id) == data.labels(sample.path) == sample.labels
        )


def test_labels__mask_of_a_box_is_its_pixels(data: tundish.Dataset) -> None:
    for sample in data.images("test", label="patch"):
        for label in sample.labels:
            x, y, width, height = map(int, label.box)
            assert label.mask.shape == (sample.height, sample.width)
            assert label.mask.dtype == bool
            assert label.mask[y : y + height, x : x + width].all()
            assert label.mask.sum() == width * height


def test_records__are_those_that_link_found(data: tundish.Dataset) -> None:
    sample = next(sample for sample in data.images() if {"coils", "heats"} <= set(sample.records))
    coil = sample.records["coils"]
    assert coil["coil_no"].item() == sample.keys["coil_id"]
    assert coil["how"].item() == "key"
    assert sample.records["heats"]["how"].item() == "genealogy"
    links = data.read("links").filter(table="coils").drop_nulls("record_id")
    assert sum("coils" in sample.records for sample in data.images()) == links["image_id"].n_unique()


def test_image__by_what_nothing_is_called(data: tundish.Dataset) -> None:
    with pytest.raises(tundish.UsageError, match=r"steel-surface: 'images/none\.jpg' is not a valid image"):
        data.image("images/none.jpg")


def test_open__an_unknown_name_says_which_one_was_meant(sample_plant: Path) -> None:
    with pytest.raises(tundish.UsageError, match=r"did you mean 'steel-surface'\? there are: steel-surface"):
        tundish.open("steel-surfaces", project=sample_plant)
    with pytest.raises(tundish.UsageError, match="did you mean 'steel-surface'"):
        tundish.open("steel", project=sample_plant)


def test_results_are_frozen_and_shown_as_html(data: tundish.Dataset) -> None:
    sample = data.images("train", label="scratch")[0]
    for result in (data, data.status, sample, sample.labels[0]):
        with pytest.raises(FrozenInstanceError):
            result.name = "x"  # type: ignore[misc, union-attr]
        assert result._repr_html_().endswith("</table>")
    assert "<svg" in sample._repr_html_()
    assert "scratch</title>" in sample._repr_html_()
    assert "498 = 494 accepted + 4 quarantined + 0 skipped" in data.status._repr_html_()
    assert f"{len(data.images()):,} images" in data.images()._repr_html_()


def test_status__labels_by_class_add_up(data: tundish.Dataset) -> None:
    classes = data.status.classes
    assert classes is not None
    assert list(classes) == list(data.classes)
    total = sum(sum(counts.values()) for counts in classes.values())
    assert total == data.read("consensus").filter("valid").height
    for split in ("train", "val", "test"):
        labels = [label.name for sample in data.images(split) for label in sample.labels]
        assert {name: labels.count(name) for name in classes} == {
            name: counts.get(split, 0) for name, counts in classes.items()
        }


def test_a_sample_travels_to_another_process_without_its_shard(data: tundish.Dataset) -> None:
    sample = data.images("train")[0]
    array = sample.array
    packed = pickle.dumps(sample)
    assert len(packed) < 2_000_000
    assert np.array_equal(pickle.loads(packed).array, array)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tundish.Dataset:
    """Pictures of every kind of pixels, a polygon, and a name that two sources have."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "pipelines").mkdir()
    (folder / "schemas").symlink_to(ROOT / "schemas")
    raw = folder / "datasets/odd/raw"
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    noise[:, :20] = (10, 20, 200)  # red, in OpenCV's order of blue, green, red
    deep = np.random.default_rng(1).integers(0, 65535, (40, 60), dtype=np.uint16)
    clear = np.dstack([noise[::-1], np.full((40, 60), 128, np.uint8)])
    pictures: dict[str, Image] = {"a/red": noise, "a/deep": deep, "a/clear": clear, "b/red": noise[:, ::-1]}
    for name, picture in pictures.items():
        path = raw / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    coco = {
        "images": [{"id": 1, "file_name": "red.png", "width": 60, "height": 40}],
        "categories": [{"id": 1, "name": "hole"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "bbox": [10, 10, 20, 20],
                "area": 200,
                "iscrowd": 0,
                "segmentation": [[10, 10, 30, 10, 10, 30]],
            }
        ],
    }
    (raw / "a/labels.json").write_bytes(orjson.dumps(coco))
    (folder / "pipelines/odd.yaml").write_text(
        "dataset: odd\nsources:\n  - {path: raw/a, format: coco, name: a}\n"
        "  - {path: raw/b, format: images, name: b}\n"
        "images: {schema: 'schemas/images.py:Images'}\n"
        "annotations: {schema: 'schemas/annotations.py:Annotations', classes: {hole: []}}\n"
        + least("images", "annotations")
    )
    tundish.run("odd", last="consensus", project=folder)
    return tundish.open("odd", project=folder)


def test_array__red_is_first_and_depth_is_kept(odd: tundish.Dataset) -> None:
    red = odd.image("a/red.png").array
    assert red.shape == (40, 60, 3)
    assert red[0, 0].tolist() == [200, 20, 10]
    deep = odd.image("deep.png").array
    assert deep.shape == (40, 60)
    assert deep.dtype == np.uint16
    assert deep.max() > 60_000
    assert odd.image("clear.png").array.shape == (40, 60, 3)
    assert "<svg" in odd.image("deep.png")._repr_html_()


def test_image__a_name_that_two_sources_have_is_refused(odd: tundish.Dataset) -> None:
    with pytest.raises(
        tundish.UsageError, match=r"2 images are called 'red\.png'; name the source, too: 'a/red"
    ):
        odd.image("red.png")


def test_labels__polygon_and_its_mask(odd: tundish.Dataset) -> None:
    sample = odd.image("a/red.png")
    (label,) = sample.labels
    assert label.shape == "polygon"
    assert label.box == (10, 10, 20, 20)
    assert label.polygons[0].tolist() == [[10, 10], [30, 10], [10, 30]]
    assert 180 <= label.mask.sum() <= 220
    assert label.mask[12, 12]
    assert not label.mask[28, 28]
    assert "<path" in sample._repr_html_()


def test_before_split__images_have_none_and_a_split_is_refused(odd: tundish.Dataset) -> None:
    assert {sample.split for sample in odd.images()} == {None}
    assert odd.image("a/red.png").state == "labelled"
    with pytest.raises(tundish.UsageError, match="run 'tundish split odd' first"):
        odd.images("train")
    assert odd.images()[0].records == {}
