"""Sets that come split, or with versions of their pictures: it is seen, and nothing leaks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest
import yaml
from tests.plants import photo, put

import tundish

if TYPE_CHECKING:
    from collections.abc import Callable


BOX = "0 0.5 0.5 0.2 0.3\n"


def labelled(image: Path, label: Path, seed: int) -> None:
    put(image, photo(seed))
    label.parent.mkdir(parents=True, exist_ok=True)
    label.write_text(BOX)


def beside(image: Path, seed: int) -> None:
    labelled(image, image.with_suffix(".txt"), seed)


def change(plant: Path, **split: Any) -> None:
    recipe = plant / "pipelines/line1.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["split"] |= split
    recipe.write_text(yaml.safe_dump(content, sort_keys=False))


def ran(
    plant: Path, source: Path, **split: Any
) -> tuple[tundish.AddedImages, dict[str, str | None], list[str]]:
    """What `add` found, the split of each image by its path, and the notes of the stage split."""
    added = tundish.add("line1", source, project=plant, force=True)
    assert isinstance(added, tundish.AddedImages)
    if split:
        change(plant, **split)
    outcome = tundish.run("line1", last="split", project=plant)["split"]
    table = tundish.read_table("splits", "line1", project=plant)
    return added, dict(table.select("path", "split").iter_rows()), outcome.notes


SPELLINGS = {
    "roboflow": ("train/images", "valid/images", "test/images"),
    "ultralytics": ("images/train2017", "images/val2017", "images/test2017"),
    "capitals": ("Training/images", "Validation/images", "Testing/images"),
    "joined": ("train_images", "dev-images", "test_images"),
    "numbered": ("01_train/img", "02_dev/img", "03_test/img"),
    "chinese": ("训练集/images", "验证集/images", "测试集/images"),
}


@pytest.mark.parametrize("folders", SPELLINGS.values(), ids=SPELLINGS)
def test_folders_of_any_usual_spelling_state_the_split(
    plant: Path, tmp_path: Path, folders: tuple[str, str, str]
) -> None:
    for folder, count, name in zip(folders, (6, 2, 3), "abc", strict=True):
        for number in range(count):
            image = tmp_path / f"set/{folder}/{name}{number}.jpg"
            beside(image, 100 * ord(name) + number)
    added, splits, _ = ran(plant, tmp_path / "set")
    assert "given: keep" in added.text
    assert any("its folders state a split (train 6, val 2, test 3): kept" in fact for fact in added.facts)
    names = {"a": "train", "b": "val", "c": "test"}
    assert splits == {path: names[Path(path).stem[0]] for path in splits}
    images = tundish.read_table("images", "line1", project=plant)
    assert images["given_split"].to_list() == [names[Path(path).stem[0]] for path in images["path"]]
    reasons = tundish.read_table("splits", "line1", project=plant)["reason"]
    assert set(reasons) == {"given"}


def test_of_folders_inside_each_other_the_outermost_states_the_split(plant: Path, tmp_path: Path) -> None:
    """An export has images/test/ around the paths that its images came with."""
    for number, (split, came) in enumerate([("train", "val"), ("test", "train"), ("train", "train")] * 3):
        beside(tmp_path / f"set/{split}/belt/{came}/a{number}.jpg", number)
    _, splits, _ = ran(plant, tmp_path / "set")
    assert splits == {path: path.partition("/")[0] for path in splits}


def test_a_folder_whose_name_only_contains_such_a_word_states_nothing(plant: Path, tmp_path: Path) -> None:
    for number in range(6):
        folder = "hardness_test" if number % 2 else "train_of_rolls"
        beside(tmp_path / f"set/{folder}/a{number}.jpg", number)
    added, splits, notes = ran(plant, tmp_path / "set")
    assert "given:" not in added.text
    assert not any("state a split" in fact for fact in added.facts)
    assert not any("came with" in note for note in notes)
    assert len(splits) == 6


def voc_lists(folder: Path) -> None:
    for number in range(9):
        put(folder / f"JPEGImages/{number:06}.jpg", photo(number))
    lists = {"train": range(5), "val": range(5, 7), "test": range(7, 9), "trainval": range(7)}
    for name, numbers in lists.items():
        path = folder / f"ImageSets/Main/{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{number:06}\n" for number in numbers))


def yolo_lists(folder: Path) -> None:
    for number in range(9):
        labelled(folder / f"data/s {number}.jpg", folder / f"data/s {number}.txt", number)
    for name, numbers in (("train", range(5)), ("valid", range(5, 7)), ("test", range(7, 9))):
        lines = [f"C:\\old\\data\\s {number}.jpg" for number in numbers]
        (folder / f"{name}.txt").write_text("\n".join(lines))


def coco_files(folder: Path) -> None:
    for name, numbers in (("train", range(5)), ("val", range(5, 7)), ("test", range(7, 9))):
        for number in numbers:
            put(folder / f"images/s{number}.jpg", photo(number))
        content = {
            "images": [
                {"id": number, "file_name": f"s{number}.jpg", "width": 120, "height": 90}
                for number in numbers
            ],
            "categories": [{"id": 1, "name": "pit"}],
            "annotations": [
                {"id": number, "image_id": number, "category_id": 1, "bbox": [5, 5, 20, 20]}
                for number in numbers
            ],
        }
        path = folder / f"annotations/instances_{name}2017.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))


def csv_column(folder: Path) -> None:
    rows = ["file,label,Split"]
    for number in range(9):
        put(folder / f"images/s{number}.jpg", photo(number))
        split = "TRAIN" if number < 5 else "Validation" if number < 7 else "test"
        rows.append(f"s{number}.jpg,{'pit' if number % 2 else 'scale'},{split}")
    (folder / "labels.csv").write_text("\n".join(rows))


def json_lines(folder: Path) -> None:
    lines = []
    for number in range(9):
        put(folder / f"images/s{number}.jpg", photo(number))
        split = "train" if number < 5 else "dev" if number < 7 else "test"
        lines.append(json.dumps({"file_name": f"images/s{number}.jpg", "split": split}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))


@pytest.mark.parametrize("make", [voc_lists, yolo_lists, coco_files, csv_column, json_lines])
def test_lists_and_columns_state_the_split(plant: Path, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "set")
    added, splits, _ = ran(plant, tmp_path / "set", unlabelled="include")
    assert any("(train 5, val 2, test 2): kept" in fact for fact in added.facts), added.facts
    found = {int(Path(path).stem[-1]): split for path, split in splits.items()}
    assert found == dict.fromkeys(range(5), "train") | {5: "val", 6: "val", 7: "test", 8: "test"}
    status = tundish.status("line1", project=plant)
    assert status.closes
    assert not (status.labels and status.labels.quarantined)


def test_a_list_that_is_named_later_is_taken_in_then(plant: Path, tmp_path: Path) -> None:
    voc_lists(tmp_path / "set")
    added, splits, _ = ran(plant, tmp_path / "set", unlabelled="include")
    recipe = plant / "pipelines/line1.yaml"
    with_lists = recipe.read_text()
    shutil.rmtree(plant / "datasets/line1")
    content = yaml.safe_load(with_lists)
    del content["sources"][0]["given"]
    recipe.write_text(yaml.safe_dump(content))
    tundish.run("line1", last="split", project=plant)
    assert tundish.read_table("coverage", "line1", project=plant)["given_split"].null_count() == 9
    recipe.write_text(with_lists)
    tundish.run("line1", last="split", project=plant)
    table = tundish.read_table("splits", "line1", project=plant)
    assert dict(table.select("path", "split").iter_rows()) == splits
    assert "ImageSets/Main/trainval.txt" not in added.text


def leaking(folder: Path) -> None:
    """Ten pictures in train, three in test; in train also: equal bytes, equal pixels, a near copy."""
    for number in range(10):
        labelled(folder / f"train/images/a{number}.png", folder / f"train/labels/a{number}.txt", number)
    for number in range(50, 53):
        labelled(folder / f"test/images/t{number}.png", folder / f"test/labels/t{number}.txt", number)
    for name in ("b-bytes", "b-pixels", "b-near"):
        (folder / f"train/labels/{name}.txt").write_text(BOX)
    shutil.copy(folder / "test/images/t50.png", folder / "train/images/b-bytes.png")
    put(folder / "train/images/b-pixels.bmp", photo(51))
    near = np.clip(photo(52).astype(np.float32) * 0.9 + 12, 0, 255).astype(np.uint8)
    (folder / "train/images/b-near.jpg").write_bytes(
        cv2.imencode(".jpg", near, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    )


def test_what_leaks_between_given_splits_is_reported_and_kept_out_of_train(
    plant: Path, tmp_path: Path
) -> None:
    leaking(tmp_path / "set")
    added, splits, notes = ran(plant, tmp_path / "set")
    told = next(fact for fact in added.facts if "came both in train and in test" in fact)
    assert told.startswith("2 pictures")
    assert "1 identical bytes, 1 identical pixels" in told
    told = next(note for note in notes if "came both in train and in test" in note)
    assert told.startswith("3 pictures")
    inside = {path: split for path, split in splits.items() if split}
    tests = {path for path, split in inside.items() if split == "test"}
    assert tests == {f"test/images/t{number}.png" for number in range(50, 53)}
    assert {path for path, split in inside.items() if split == "train"} == {
        f"train/images/a{number}.png" for number in range(10)
    }


def test_near_relatives_of_test_images_are_left_out_of_train(plant: Path, tmp_path: Path) -> None:
    """The two groups share no picture, but a coil; and one image came with no split at all."""
    for number in range(6):
        labelled(tmp_path / f"set/train/C{number}_1.png", tmp_path / f"set/train/C{number}_1.txt", number)
        if number > 3:
            labelled(
                tmp_path / f"set/test/C{number}_2.png", tmp_path / f"set/test/C{number}_2.txt", 90 + number
            )
    for coil in (0, 5):
        beside(tmp_path / f"set/more/C{coil}_3.png", 80 + coil)
    tundish.add("line1", tmp_path / "set", project=plant)
    recipe = plant / "pipelines/line1.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["sources"][0]["keys"] = {"coil": r"^(?P<coil>C\d)_"}
    content["split"] |= {"group_by": ["coil"]}
    recipe.write_text(yaml.safe_dump(content))
    notes = tundish.run("line1", last="split", project=plant)["split"].notes
    table = tundish.read_table("splits", "line1", project=plant)
    assert dict(table.filter(pl.col("split").is_null()).select("path", "reason").iter_rows()) == {
        "train/C4_1.png": "leak: its group came in test",
        "train/C5_1.png": "leak: its group came in test",
        "more/C5_3.png": "leak: its group came in test",
    }
    splits = dict(table.drop_nulls("split").select("path", "split").iter_rows())
    assert splits["more/C0_3.png"] == "train"
    assert {path for path, split in splits.items() if split == "test"} == {"test/C4_2.png", "test/C5_2.png"}
    assert any("3 images are left out" in note for note in notes)
    assert tundish.status("line1", project=plant).left_out == {"leak": 3}


def test_train_alone_is_kept_where_the_recipe_says_so(plant: Path, tmp_path: Path) -> None:
    for name, count in (("train", 20), ("other", 20)):
        for number in range(count):
            beside(tmp_path / f"set/{name}/{name}{number}.png", number + 500 * (name == "other"))
    beside(tmp_path / "set/test/last.png", 7000)
    ratios = {"train": 0.5, "val": 0.25, "test": 0.25}
    _, splits, _ = ran(plant, tmp_path / "set", given="train", ratios=ratios)
    assert {split for path, split in splits.items() if path.startswith("train/")} == {"train"}
    counts = {name: list(splits.values()).count(name) for name in ratios}
    assert counts["train"] in range(20, 22)
    assert counts["val"] in range(10, 12)


def test_a_split_is_ignored_where_the_recipe_says_so_and_reported_all_the_same(
    plant: Path, tmp_path: Path
) -> None:
    leaking(tmp_path / "set")
    _, splits, notes = ran(plant, tmp_path / "set", given="ignore", salt="7")
    assert any("came with a split (train 13, test 3): not kept" in note for note in notes)
    assert any("came both in train and in test" in note for note in notes)
    assert {split for path, split in splits.items() if path.startswith("train/")} - {None, "train"}


def test_a_split_of_which_train_is_copied_from_test_is_not_proposed(plant: Path, tmp_path: Path) -> None:
    for number in range(6):
        beside(tmp_path / f"set/val/v{number}.png", number)
    for number in range(4):
        beside(tmp_path / f"set/train/v{number}.png", number)
    added = tundish.add("line1", tmp_path / "set", project=plant)
    assert isinstance(added, tundish.AddedImages)
    assert "given: keep" not in added.text
    assert any("not kept, as 4 of the 4 images of train came in val or test" in fact for fact in added.facts)


def test_a_given_split_beyond_the_ratios_is_kept(plant: Path, tmp_path: Path) -> None:
    for number in range(8):
        name = "test" if number > 5 else "train"
        beside(tmp_path / f"set/{name}/a{number}.png", number)
    beside(tmp_path / "set/more/m.png", 99)
    _, splits, _ = ran(plant, tmp_path / "set", ratios={"train": 0.9, "val": 0.1})
    assert list(splits.values()).count("test") == 2
    assert splits["more/m.png"] in {"train", "val"}
    tundish.run("line1", first="augment", project=plant)
    coco = plant / "datasets/line1/exports/coco/annotations/instances_test.json"
    assert len(json.loads(coco.read_bytes())["images"]) == 2


def test_an_image_in_two_lists_counts_for_the_one_that_is_held_out(plant: Path, tmp_path: Path) -> None:
    yolo_lists(tmp_path / "set")
    with (tmp_path / "set/train.txt").open("a") as file:
        file.write("\ndata/s 8.jpg\ndata/nowhere.jpg\n")
    _, splits, _ = ran(plant, tmp_path / "set")
    assert splits["data/s 8.jpg"] == "test"
    quarantine = tundish.read_table("quarantine", "line1", project=plant)
    told = dict(quarantine.filter(column="given_split").select("check", "path").iter_rows())
    assert told == {"several_splits": "data/s 8.jpg", "image_not_found": "train.txt"}


def versions(folder: Path, pictures: range) -> None:
    for number in pictures:
        for turn in range(3):
            digest = f"{number * 10 + turn:032x}"
            pixels = np.clip(cv2.GaussianBlur(photo(number), (0, 0), 0.4 + turn) * (1 - 0.1 * turn), 0, 255)
            image = folder / f"IMG_{number:04}_jpg.rf.{digest}.jpg"
            put(image, np.ascontiguousarray(np.rot90(pixels.astype(np.uint8), turn)))
            image.with_suffix(".txt").write_text(BOX)


def test_versions_of_one_picture_stay_in_one_split(plant: Path, tmp_path: Path) -> None:
    versions(tmp_path / "set", range(12))
    added, splits, _ = ran(plant, tmp_path / "set", ratios={"train": 0.6, "val": 0.4})
    assert any("36 images are versions of 12 originals" in fact for fact in added.facts)
    by_original: dict[str, set[str | None]] = {}
    for path, split in splits.items():
        by_original.setdefault(path.partition("_jpg")[0], set()).add(split)
    assert all(len(found - {None}) == 1 for found in by_original.values())
    assert {"train", "val"} <= set(splits.values())


def test_a_recipe_that_exists_gets_the_key_of_one_more_source(plant: Path, tmp_path: Path) -> None:
    beside(tmp_path / "one/a.jpg", 500)
    versions(tmp_path / "two", range(3))
    tundish.add("line1", tmp_path / "one", project=plant)
    added = tundish.add("line1", tmp_path / "two", project=plant)
    content = yaml.safe_load((plant / "pipelines/line1.yaml").read_text())
    assert content["split"]["group_by"] == ["original"]
    assert list(content["sources"][1]["keys"]) == ["original"]
    assert "split.group_by names original too" in added.notes
    tundish.run("line1", last="split", project=plant)
