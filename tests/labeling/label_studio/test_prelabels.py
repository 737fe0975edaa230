"""What comes in front of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tundish.errors import MissingStepError, SourceError
from tundish.labeling.label_studio.prelabels import imported_prelabels, items_of, predicted_prelabels
from tundish.labeling.pool import images_of, listed_images
from tundish.storage.dataset import DatasetFolder
from tundish.storage.tables import ANNOTATIONS, DUPLICATES, IMAGES

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.formats.label_studio.controls import Shape

BOX: tuple[Shape, ...] = ("box",)
CLASSES = {"scratch": ["划伤"]}
IDS = [f"{i:032x}" for i in range(300)]


def images(count: int) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "image_id": IDS[i],
            "path": f"{i}.jpg",
            "source": "line",
            "width": 40,
            "height": 20,
            "bit_depth": 8,
            "valid": i != 3,
        }
        for i in range(count)
    ]
    return IMAGES.frame(rows)


def label(number: int, **fields: object) -> dict[str, object]:
    box = {"shape": "box", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "label": "scratch"}
    place = {"image_id": IDS[number], "source": "line", "path": f"{number}.jpg", "valid": True}
    return {"annotation_id": f"a{number}", "label_path": "a.xml", "label_row": 0, **box, **place, **fields}


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFolder:
    folder = DatasetFolder("strip", tmp_path)
    folder.write(IMAGES, images(5))
    labels = [label(0), label(1, valid=False), label(2, path="copy of 2.jpg"), label(4, shape="class")]
    folder.write(ANNOTATIONS, ANNOTATIONS.frame(labels))
    return folder


def test_valid_images_that_stay_are_labelled(dataset: DatasetFolder) -> None:
    assert images_of(dataset)["path"].to_list() == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]
    cluster = [
        # Of two files with the same bytes one stays: the image stays.
        {"cluster_id": IDS[0], "image_id": IDS[0], "path": "0.jpg", "source": "line", "kept": True},
        {"cluster_id": IDS[0], "image_id": IDS[0], "path": "copy.jpg", "source": "line", "kept": False},
        {"cluster_id": IDS[0], "image_id": IDS[1], "path": "1.jpg", "source": "line", "kept": False},
    ]
    dataset.write(DUPLICATES, DUPLICATES.frame(list(cluster)))
    assert images_of(dataset)["path"].to_list() == ["0.jpg", "2.jpg", "4.jpg"]


def test_there_are_no_images_before_validate(tmp_path: Path) -> None:
    with pytest.raises(MissingStepError, match="run 'tundish validate strip' first"):
        images_of(DatasetFolder("strip", tmp_path))


def test_a_list_sets_the_order_of_work(tmp_path: Path) -> None:
    file = tmp_path / "next.txt"
    file.write_text(f"{IDS[4]}\n\n{IDS[0]}\n{IDS[4]}\n")
    assert listed_images(images(5), file)["path"].to_list() == ["4.jpg", "0.jpg"]


def test_a_list_names_images_of_the_dataset(tmp_path: Path) -> None:
    file = tmp_path / "next.txt"
    file.write_text(f"{IDS[0]}\nimages/1.jpg\n")
    with pytest.raises(SourceError, match=r"1 of its lines name unknown or invalid images.*'images/1.jpg'"):
        listed_images(images(5), file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="it is not text"):
        listed_images(images(5), file)


def test_items_carry_keys_and_levels() -> None:
    table = images(2).with_columns(coil_id=pl.Series(["C1", None]))
    first, second = items_of(table, ["coil_id"], {IDS[1]: (0, 4095)})
    assert (first.image_id, first.width, first.height) == (IDS[0], 40, 20)
    assert (first.keys, first.levels) == ({"coil_id": "C1"}, None)
    assert (second.keys, second.levels) == ({"coil_id": None}, (0, 4095))
    assert items_of(table, [])[0].keys == {}


def test_valid_labels_of_the_file_that_represents_an_image_are_drawn(dataset: DatasetFolder) -> None:
    prelabels, problems = imported_prelabels(dataset, images_of(dataset), BOX)
    assert list(prelabels.regions) == [IDS[0]]
    assert prelabels.version == "import"
    # A class of the whole image has no control in a project of boxes.
    assert [problem.check for problem in problems] == ["no_control"]


def test_of_equal_files_the_labels_of_the_one_that_dedup_keeps_are_drawn(dataset: DatasetFolder) -> None:
    files = [("2.jpg", False), ("copy of 2.jpg", True)]
    rows = [
        {"cluster_id": IDS[2], "image_id": IDS[2], "source": "line", "path": path, "kept": kept}
        for path, kept in files
    ]
    dataset.write(DUPLICATES, DUPLICATES.frame(rows))
    assert list(imported_prelabels(dataset, images_of(dataset), BOX)[0].regions) == [IDS[0], IDS[2]]


def test_what_an_annotator_drew_is_not_drawn_for_another(dataset: DatasetFolder) -> None:
    rows = [label(0, origin="import"), label(1, origin="annotator", author="li")]
    dataset.write(ANNOTATIONS, ANNOTATIONS.frame(rows))
    assert list(imported_prelabels(dataset, images_of(dataset), BOX)[0].regions) == [IDS[0]]


def test_a_model_s_table_is_drawn_with_its_best_score(tmp_path: Path) -> None:
    file = tmp_path / "model.parquet"
    columns = ["image_id", "label", "shape", "score", "x", "y", "width", "height"]
    rows = [
        (IDS[0], "scratch", "box", 0.25, 1, 2, 3, 4),
        (IDS[0], "scratch", "box", 0.75, 5, 2, 3, 4),
        (IDS[299], "scratch", "box", 1.0, 5, 2, 3, 4),
    ]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(file)
    prelabels, problems = predicted_prelabels(file, images(3), BOX, CLASSES, "model-7")
    assert (prelabels.version, problems) == ("model-7", [])
    assert prelabels.scores == {IDS[0]: 0.75}
    ids = [region["id"] for region in prelabels.regions[IDS[0]]]
    assert len(set(ids)) == 2
    assert list(prelabels.regions) == [IDS[0]]


def test_a_model_s_class__by_its_aliases_and_reported_where_the_recipe_has_none(tmp_path: Path) -> None:
    file = tmp_path / "model.parquet"
    columns = ["image_id", "label", "shape", "score", "x", "y", "width", "height"]
    rows: list[tuple[object, ...]]
    rows = [(IDS[0], " SCRATCH ", "box", 0.25, 1, 2, 3, 4), (IDS[0], "划伤", "box", 0.5, 1, 2, 3, 4)]
    rows += [(IDS[1], "dog", "box", 0.9, 1, 2, 3, 4), (IDS[1], None, "box", 0.9, 1, 2, 3, 4)]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(file)
    prelabels, problems = predicted_prelabels(file, images(3), BOX, CLASSES, "model-7")
    assert [one["value"]["rectanglelabels"] for one in prelabels.regions[IDS[0]]] == [["scratch"]] * 2
    assert list(prelabels.regions) == [IDS[0]]
    assert [(one.check, one.value) for one in problems] == [("unknown_class", "dog"), ("unknown_class", "")]


def test_a_model_s_table_must_be_one(tmp_path: Path) -> None:
    file = tmp_path / "model.parquet"
    with pytest.raises(SourceError, match="there is no such file"):
        predicted_prelabels(file, images(3), BOX, CLASSES, "m")
    file.write_text("image_id,label")
    with pytest.raises(SourceError, match="not a Parquet table"):
        predicted_prelabels(file, images(3), BOX, CLASSES, "m")
    pl.DataFrame({"image_id": [IDS[0]], "label": ["a"]}).write_parquet(file)
    with pytest.raises(SourceError, match="no column shape and no column score"):
        predicted_prelabels(file, images(3), BOX, CLASSES, "m")
    pl.DataFrame({"image_id": [IDS[0]], "label": ["a"], "shape": ["box"], "score": ["high"]}).write_parquet(
        file
    )
    with pytest.raises(SourceError, match="of the wrong type"):
        predicted_prelabels(file, images(3), BOX, CLASSES, "m")
