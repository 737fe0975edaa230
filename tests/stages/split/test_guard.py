"""The guard: a run that would lose much stops before the splits and says which check took what."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from tests.recipes import least

import tundish
from tundish.cli import main
from tundish.errors import GateError, OutsideError, RecipeError
from tundish.labeling.tables import ANSWERS
from tundish.recipe.find import load_recipe
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.api.pipeline import Run

ROOT = Path(__file__).resolve().parents[3]
SPLIT_TABLES = ("splits", "accepted")


def picture(seed: int) -> bytes:
    small = np.random.default_rng(seed).integers(40, 210, (6, 8), dtype=np.uint8)
    return cv2.imencode(".png", cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def voc(name: str, *classes: str) -> str:
    boxes = "".join(
        f"<object><name>{one}</name><bndbox><xmin>{4 + n}</xmin><ymin>5</ymin><xmax>{30 + n}</xmax>"
        "<ymax>30</ymax></bndbox></object>"
        for n, one in enumerate(classes)
    )
    size = "<size><width>64</width><height>48</height><depth>1</depth></size>"
    return f"<annotation><filename>{name}.png</filename>{size}{boxes}</annotation>"


@dataclass
class Plant:
    """A project with one dataset, line, whose pictures have two labels each, in VOC."""

    project: Path
    recipe: dict[str, Any] = field(
        default_factory=lambda: (
            yaml.safe_load(least("annotations"))
            | {
                "dataset": "line",
                "sources": [{"path": "raw", "format": "voc"}],
                "annotations": {"classes": ["scratch", "pit"]},
            }
        )
    )

    @property
    def dataset(self) -> Path:
        return self.project / "datasets/line"

    @property
    def raw(self) -> Path:
        return self.dataset / "raw"

    def fill(self, numbers: Iterable[int]) -> Plant:
        self.raw.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            (self.raw / f"{number:03}.png").write_bytes(picture(number))
            self.label(number, "scratch", "pit")
        return self

    def label(self, number: int, *classes: str) -> None:
        (self.raw / f"{number:03}.xml").write_text(voc(f"{number:03}", *classes))

    def write_recipe(self, **sections: Any) -> None:
        self.recipe |= sections
        (self.project / "pipelines").mkdir(exist_ok=True)
        if not (self.project / "schemas").exists():
            (self.project / "schemas").symlink_to(ROOT / "schemas")
        (self.project / "pipelines/line.yaml").write_text(yaml.safe_dump(self.recipe))

    def run(self, **options: Any) -> Run:
        self.write_recipe()
        return tundish.run("line", project=self.project, **{"last": "split"} | options)

    def refused(self, **options: Any) -> str:
        """What the guard says, where it stops the run."""
        before = self.digest()
        with pytest.raises(GateError) as error:
            self.run(**options)
        assert error.value.exit_code == 1
        assert self.digest() == before, "a run that was stopped leaves splits and receipt as they were"
        return str(error.value)

    def digest(self) -> list[bytes | None]:
        paths = [self.dataset / f"curated/{name}.parquet" for name in SPLIT_TABLES]
        return [path.read_bytes() if path.exists() else None for path in paths]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_a_first_run_whose_label_files_are_mostly_broken_stops(plant: Plant) -> None:
    plant.fill(range(20))
    for number in range(12):
        path = plant.raw / f"{number:03}.xml"
        path.write_text(path.read_text()[:-40])
    told = plant.refused()
    assert told.startswith("line: the run would lose too much, and stopped before the splits: ")
    # Nobody can count what a broken file held; by its size it was about as much as the others.
    assert "of 40 labels that came in (60%, where the guard allows 5%), by broken_file 24" in told
    assert "(raw/000.xml, raw/001.xml, raw/002.xml)" in told
    assert "'tundish run line --accept-losses'" in told
    assert "image files" not in told


def test_a_first_run_whose_images_are_mostly_broken_stops(plant: Plant) -> None:
    plant.fill(range(20))
    for number in range(5):
        (plant.raw / f"{number:03}.png").write_bytes(b"this is not a picture")
    (plant.raw / "005.png").write_bytes(b"")
    told = plant.refused()
    assert "6 of 20 image files that came in (30%, where the guard allows 5%), by not_an_image 5 " in told
    assert "(raw/000.png, raw/001.png, raw/002.png), empty_file 1 (raw/005.png)" in told
    assert "12 of 40 labels that came in (30%, where the guard allows 5%), by image_quarantined 12" in told


def coco(numbers: Iterable[int], labels: int = 2) -> dict[str, Any]:
    listed = list(numbers)
    boxes = [
        {"id": n * 10 + k, "image_id": n, "category_id": 1 + k % 2, "bbox": [4 + k, 5, 20, 20]}
        for n in listed
        for k in range(labels)
    ]
    return {
        "images": [{"id": n, "file_name": f"{n:03}.png", "width": 64, "height": 48} for n in listed],
        "categories": [{"id": 1, "name": "scratch"}, {"id": 2, "name": "pit"}],
        "annotations": boxes,
    }


def in_coco(plant: Plant, **files: dict[str, Any]) -> None:
    for path in plant.raw.glob("*.xml"):
        path.unlink()
    for name, content in files.items():
        (plant.raw / f"{name}.json").write_text(json.dumps(content))
    plant.recipe["sources"] = [{"path": "raw", "format": "coco"}]


def test_one_label_file_of_two_that_ends_half_way_weighs_what_it_held(plant: Plant) -> None:
    plant.fill(range(30))
    in_coco(plant, a=coco(range(15)), b=coco(range(15, 30)))
    path = plant.raw / "b.json"
    path.write_text(path.read_text()[:-50])
    told = plant.refused()
    assert (
        "30 of 60 labels that came in (50%, where the guard allows 5%), by broken_file 30 (raw/b.json)"
        in told
    )


def test_accepted_losses_go_on_and_are_the_measure_of_the_next_run(plant: Plant) -> None:
    plant.fill(range(20))
    for number in range(12):
        plant.label(number, "unheard_of", "scratch")
    told = plant.refused()
    assert "12 of 40 labels that came in (30%, where the guard allows 5%), by unknown_class 12" in told
    outcome = plant.run(accept_losses=True)["split"]
    assert outcome.notes[0].startswith("accepted by --accept-losses: 12 of 40 labels")
    assert plant.run()["split"].notes[0].startswith("largest distance")
    # The twelve images that lost a label are half labelled, and in no split.
    assert plant.run(first="split")["split"].counts["train"] == 6


def labelme(*kinds: str) -> str:
    shapes = [{"label": kind, "points": [[9, 5], [30, 30]], "shape_type": kind} for kind in kinds]
    return json.dumps({"imagePath": "", "imageWidth": 64, "imageHeight": 48, "shapes": shapes})


def test_points_lines_and_cuboids_are_reported_and_no_loss_and_an_unknown_kind_is_one(plant: Plant) -> None:
    plant.fill(range(20))
    for path in plant.raw.glob("*.xml"):
        path.unlink()
    for number in range(20):
        kinds = ("rectangle", "point", "linestrip", "cuboid")
        (plant.raw / f"{number:03}.json").write_text(labelme(*kinds))
    plant.recipe["sources"] = [{"path": "raw", "format": "labelme"}]
    plant.recipe["annotations"] = {"classes": ["rectangle"]}
    plant.run()
    labels = tundish.status("line", project=plant.project).labels
    assert labels is not None
    assert labels.quarantined == {"unsupported_shape": 60}
    shutil.rmtree(plant.dataset / "curated")
    for number in range(4):
        (plant.raw / f"{number:03}.json").write_text(labelme("rectangle", "box_of_next_year"))
    assert "4 of 24 labels that came in (16.7%, where the guard allows 5%), by unknown_shape 4" in (
        plant.refused()
    )


def test_a_share_of_a_tiny_set_is_no_reason_to_stop(plant: Plant) -> None:
    plant.fill(range(2))
    plant.label(0, "scratch", "Pitt")
    plant.run()


@pytest.mark.parametrize(
    ("guard", "lost", "stops"),
    [
        ({}, 2, False),
        ({}, 3, True),
        ({"least": 4}, 3, False),
        ({"least": 1}, 2, True),
        ({"lost_labels": "0%"}, 1, True),
        ({"lost_labels": "20%", "least": 1}, 3, False),
    ],
)
def test_a_share_stops_a_run_from_a_least_number_on_and_none_means_none(
    plant: Plant, guard: dict[str, Any], lost: int, stops: bool
) -> None:
    plant.fill(range(10))
    plant.write_recipe(guard=guard)
    for number in range(lost):
        plant.label(number, "scratch", "Pitt")
    if stops:
        assert f"{lost} of 20 labels that came in" in plant.refused()
    else:
        plant.run()


def test_the_loss_of_all_stops_however_few_they_were(plant: Plant) -> None:
    plant.fill(range(2))
    for number in range(2):
        plant.label(number, "Pitt")
    assert "2 of 2 labels that came in (100%" in plant.refused()


def test_a_class_that_is_emptied_stops_however_few_labels_it_had(plant: Plant) -> None:
    plant.fill(range(10))
    for number in range(10):
        plant.label(number, "scratch")
    plant.label(9, "scratch", "pit")
    plant.run()
    plant.label(9, "scratch", "Pitt")
    told = plant.refused()
    assert "all labels of the class 'pit', by unknown_class 1" in told
    assert "of the run before (" not in told


def test_a_later_run_that_refuses_what_was_accepted_stops_and_names_the_check(plant: Plant) -> None:
    plant.fill(range(20)).run()
    for number in range(4):
        plant.label(number, "scratch", "Pitt")
    told = plant.refused()
    assert "4 of 40 labels of the run before (10%, where the guard allows 5%), by unknown_class 4" in told
    assert "(raw/000.png, raw/001.png, raw/002.png)" in told
    # The class is listed after all: nothing is lost any more.
    plant.recipe["annotations"] = {"classes": {"scratch": [], "pit": ["Pitt"]}}
    plant.run()


def test_labels_that_a_later_file_no_longer_has_are_lost_though_no_check_failed(plant: Plant) -> None:
    plant.fill(range(20))
    in_coco(plant, all=coco(range(20)))
    plant.run()
    in_coco(plant, all=coco(range(20), labels=1))
    told = plant.refused()
    assert "20 of 40 labels of the run before (50%, where the guard allows 5%), by labels_gone 20" in told
    assert "all labels of the class 'pit', by labels_gone 20 (raw/000.png, raw/001.png, raw/002.png)" in told


def test_a_later_label_file_that_is_broken_took_the_labels_it_had(plant: Plant) -> None:
    plant.fill(range(20))
    in_coco(plant, all=coco(range(20)))
    plant.run()
    (plant.raw / "all.json").write_text("{")
    told = plant.refused()
    assert "40 of 40 labels of the run before (100%, where the guard allows 5%), by broken_file 40" in told


def test_images_that_a_limit_takes_later_take_their_labels_along(plant: Plant) -> None:
    plant.fill(range(20)).run()
    for number in range(3):
        (plant.raw / f"{number:03}.png").write_bytes(picture(number)[:-200])
    told = plant.refused()
    assert "3 of 20 image files of the run before (15%, where the guard allows 5%)" in told
    assert "truncated 3 (raw/000.png, raw/001.png, raw/002.png)" in told
    assert "6 of 40 labels of the run before (15%, where the guard allows 5%), by image_quarantined 6" in told


def test_a_class_without_labels_stops_the_run_though_its_share_is_small(plant: Plant) -> None:
    plant.fill(range(30))
    plant.recipe["annotations"] = {"classes": ["scratch", "pit", "rust"]}
    plant.label(0, "scratch", "pit", "rust")
    plant.run()
    plant.label(0, "scratch", "pit", "rusty")
    told = plant.refused()
    assert ": all labels of the class 'rust', by unknown_class 1 (raw/000.png);" in told
    plant.recipe["guard"] = {"emptied_classes": 1}
    plant.run()


def test_a_class_whose_name_became_an_alias_of_another_is_empty(plant: Plant) -> None:
    plant.fill(range(20)).run()
    plant.recipe["annotations"] = {"classes": {"scratch": [], "dent": ["pit"]}}
    plant.run()  # pit is not a class any more, and dent has its labels
    plant.recipe["annotations"] = {"classes": {"scratch": ["pit"], "dent": []}}
    assert "all labels of the class 'dent', by other_class 20" in plant.refused()


def test_copies_are_no_loss(plant: Plant) -> None:
    plant.fill(range(20)).run()
    for number in range(10):
        for suffix in ("png", "xml"):
            shutil.copy(plant.raw / f"{number:03}.{suffix}", plant.raw / f"{number:03}b.{suffix}")
    done = plant.run()
    assert done["dedup"].counts["excluded"] == 10


def test_a_repeated_label_is_no_loss(plant: Plant) -> None:
    plant.fill(range(10))
    for number in range(10):
        path = plant.raw / f"{number:03}.xml"
        text = path.read_text()
        box = text[text.index("<object>") : text.index("</object>") + len("</object>")]
        path.write_text(text.replace("</annotation>", box + "</annotation>"))
    assert plant.run()["validate"].counts["errors"] == 10


def test_files_deleted_at_the_source_stay_in_the_store(plant: Plant) -> None:
    plant.fill(range(20)).run()
    for number in range(10):
        (plant.raw / f"{number:03}.png").unlink()
        (plant.raw / f"{number:03}.xml").unlink()
    assert plant.run()["validate"].counts["valid"] == 20


def test_a_store_that_is_built_again_from_a_source_that_shrank_lost_images(plant: Plant) -> None:
    plant.fill(range(20)).run()
    for path in list(plant.raw.glob("00[0-4].*")):
        path.unlink()
    shutil.rmtree(plant.dataset / "store")
    (plant.dataset / ".seen.json").unlink()
    told = plant.refused()
    assert "5 of 20 image files of the run before (25%, where the guard allows 5%), by source_gone 5" in told


def test_a_source_that_the_recipe_no_longer_names_is_a_decision(plant: Plant) -> None:
    plant.fill(range(10))
    other = Plant(plant.project)
    for number in range(10, 14):
        (plant.dataset / "raw2").mkdir(exist_ok=True)
        (plant.dataset / f"raw2/{number}.png").write_bytes(picture(number))
        (plant.dataset / f"raw2/{number}.xml").write_text(voc(str(number), "scratch"))
    plant.recipe["sources"] = [{"path": "raw", "format": "voc"}, {"path": "raw2", "format": "voc"}]
    plant.run()
    assert other.run()["validate"].counts["valid"] == 10


def test_a_source_with_another_name_has_lost_nothing(plant: Plant) -> None:
    plant.fill(range(10)).run()
    plant.recipe["sources"] = [{"path": "raw", "format": "voc", "name": "line-1"}]
    plant.run()


def answer(plant: Plant, count: int, *, empty: bool) -> None:
    """What a pull brings: so many images were answered, by one box each or by nothing to be seen."""
    files = tundish.read_table("standing", "line", project=plant.project).sort("path").head(count)
    rows, drawn = [], []
    for number, (path, source, image_id) in enumerate(files.select("path", "source", "image_id").iter_rows()):
        place = {"path": path, "source": source, "image_id": image_id, "author": "li"}
        kind = {"answer": "empty" if empty else "labelled", "labels": int(not empty), "refused": 0}
        rows.append(place | kind | {"task_id": number, "answer_id": number, "role": "annotator"})
        box = {"raw_label": "scratch", "shape": "box", "x": 3.0, "y": 3.0, "width": 20.0, "height": 20.0}
        more = {"origin": "annotator", "is_crowd": False, "label_row": 0, "annotation_id": f"li-{number}"}
        drawn += [] if empty else [place | box | more | {"label_path": f"task-{number}/annotation-{number}"}]
    labels = plant.dataset / "labels"
    ANSWERS.write(ANSWERS.frame(rows), labels / "answers.parquet")
    ANNOTATIONS.write(ANNOTATIONS.frame(drawn), labels / "annotations.parquet")


def test_labels_that_annotators_deleted_are_their_decision(plant: Plant) -> None:
    plant.fill(range(20)).run()
    answer(plant, 10, empty=False)
    assert plant.run()["consensus"].counts["labels that count"] == 30
    answer(plant, 10, empty=True)
    assert plant.run()["consensus"].counts["labels that count"] == 20


def test_labels_of_annotators_that_a_check_refuses_are_lost(plant: Plant) -> None:
    plant.fill(range(20)).run()
    answer(plant, 20, empty=False)
    plant.run(accept_losses=True)  # nobody drew a pit
    plant.recipe["annotations"] = {"classes": ["pit"]}
    assert "20 of 20 labels of the run before (100%, where the guard allows 5%), by unknown_class 20" in (
        plant.refused()
    )


def test_answers_that_are_gone_are_named(plant: Plant) -> None:
    plant.fill(range(20))
    for path in plant.raw.glob("*.xml"):
        path.unlink()
    plant.recipe["split"] = {"unlabelled": "include"}
    plant.run()
    answer(plant, 20, empty=False)
    plant.run()
    shutil.rmtree(plant.dataset / "labels")
    assert "20 of 20 labels of the run before (100%, where the guard allows 5%), by answers_gone 20" in (
        plant.refused()
    )


def test_the_command_says_the_same_with_exit_code_1_and_a_stage_alone_too(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.fill(range(10))
    for number in range(5):
        plant.label(number, "unheard_of")
    told = plant.refused()
    monkeypatch.chdir(plant.project)
    for command in (["run", "line", "--to", "split"], ["split", "line"]):  # DVC calls the second
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 1
        assert told in done.output
    done = CliRunner().invoke(main, ["run", "line", "--to", "split", "--accept-losses"])
    assert done.exit_code == 0
    assert CliRunner().invoke(main, ["split", "line"]).exit_code == 0


@pytest.mark.parametrize(("written", "share"), [("7%", 0.07), ("0.5 %", 0.005), (0.2, 0.2), (1, 1.0)])
def test_shares_are_percent_or_numbers(plant: Plant, written: str | float, share: float) -> None:
    plant.write_recipe(guard={"lost_labels": written})
    guard = load_recipe(plant.project, "line").guard
    assert guard.lost_labels == pytest.approx(share)
    assert (guard.lost_images, guard.emptied_classes) == (0.05, 0)


@pytest.mark.parametrize("written", ["5", 5, "much", -0.1, "101%", True, None, [0.1]])
def test_a_share_that_is_none_is_refused(plant: Plant, written: object) -> None:
    plant.write_recipe(guard={"lost_images": written})
    with pytest.raises(RecipeError, match=r"is not a share; write it as 5% or 0.05"):
        load_recipe(plant.project, "line")


def test_a_recipe_may_omit_the_guard(plant: Plant) -> None:
    plant.write_recipe()
    assert load_recipe(plant.project, "line").guard.lost_labels == 0.05
    plant.write_recipe(guard=None)  # the section without content
    assert load_recipe(plant.project, "line").guard.lost_labels == 0.05


def test_what_the_guard_stopped_does_not_come_into_exports_by_another_command(plant: Plant) -> None:
    plant.fill(range(20)).run(last="report")
    exports = plant.dataset / "exports"
    before = {path: path.read_bytes() for path in exports.rglob("*") if path.is_file()}
    for number in range(10):
        plant.label(number, "unheard_of")
    told = plant.refused()
    for again in (
        lambda: tundish.export("line", project=plant.project),
        lambda: tundish.export("line", format="coco", project=plant.project),
        lambda: plant.run(first="augment", last="report"),
    ):
        with pytest.raises(GateError) as error:
            again()
        assert str(error.value) == told
    assert {path: path.read_bytes() for path in exports.rglob("*") if path.is_file()} == before
    states = tundish.status("line", project=plant.project).exports
    assert set(states.values()) == {"older than the tables"}
    plant.run(first="split", last="report", accept_losses=True)
    assert set(tundish.status("line", project=plant.project).exports.values()) == {"current"}


def test_a_table_of_splits_that_was_lost_is_restored_and_never_made_anew(plant: Plant) -> None:
    plant.fill(range(20)).run()
    path = plant.dataset / "curated/splits.parquet"
    before = path.read_bytes()
    path.unlink()
    note = plant.run()["split"].notes[0]
    assert note == "splits.parquet was missing; it was restored from the copy on this machine"
    assert path.read_bytes() == before
    path.unlink()
    (plant.dataset / ".local/splits.parquet").unlink()
    with pytest.raises(OutsideError, match="the splits table is missing; restore it with 'dvc pull'"):
        plant.run()


def test_status_says_that_the_splits_of_a_run_that_was_stopped_are_older(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.fill(range(20)).run(last="report")
    for number in range(3):
        (plant.raw / f"{number:03}.png").write_bytes(b"this is not a picture")
    plant.refused()
    monkeypatch.chdir(plant.project)
    shown = CliRunner().invoke(main, ["status", "line"])
    assert shown.exit_code == 0  # splits and images do not contradict each other: nothing is lost
    assert "the splits are older than the images: a run stopped before them" in shown.output
    assert "exports/coco, exports/parquet: older than the tables" in shown.output
    plant.run(last="report", accept_losses=True)
    shown = CliRunner().invoke(main, ["status", "line"])
    assert "older" not in shown.output


def test_the_same_input_leaves_the_same_receipt(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "twin").mkdir()
    twin = Plant(tmp_path / "twin")
    for one in (plant, twin):
        one.fill(range(5)).run()
    assert plant.digest() == twin.digest()
    rows = pl.read_parquet(plant.dataset / "curated/accepted.parquet")
    assert rows.columns == ["source", "path", "image_id", "label_path", "label", "labels"]
    assert rows.height == 10
