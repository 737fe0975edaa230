from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest
from tests.imaging.pictures import colours, jpeg, png, texture

from tundish.engine import LocalEngine
from tundish.imaging.files.decode import decode
from tundish.imaging.framehash import apply_code
from tundish.imaging.measure import measure
from tundish.imaging.similarity import Copy
from tundish.recipe.load import Recipe
from tundish.stages import load_stage
from tundish.stages.base import Context, Outcome
from tundish.stages.dedup.conflicts import Labels, conflict_between
from tundish.stages.dedup.stage import _stars
from tundish.storage.tables import DUPLICATES

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"

Box = tuple[int, float, float, float, float]
"""Class, left, top, right, bottom in shares of the picture."""

LEFT: Box = (0, 0.1, 0.2, 0.4, 0.5)


class Project:
    """A dataset of YOLO files on which the stages up to dedup are run."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.folder = folder
        shutil.copytree(SCHEMAS, folder / "schemas")
        recipe = {
            "dataset": "d",
            "sources": [{"path": "raw", "format": "yolo", "names": ["scratch", "patch"]}],
            "annotations": {"classes": ["scratch", "patch"]},
        }
        self.context = Context(Recipe.model_validate(recipe | sections), folder, LocalEngine())

    def put(self, name: str, data: bytes, boxes: list[Box] | None = None) -> None:
        raw = self.folder / "datasets" / "d" / "raw"
        for room in ("images", "labels"):
            (raw / room).mkdir(parents=True, exist_ok=True)
        (raw / "images" / name).write_bytes(data)
        if boxes is not None:
            lines = [
                f"{kind} {(left + right) / 2} {(top + bottom) / 2} {right - left} {bottom - top}\n"
                for kind, left, top, right, bottom in boxes
            ]
            (raw / "labels" / name).with_suffix(".txt").write_text("".join(lines))

    def run(self) -> Outcome:
        for stage in ("ingest", "measure", "records", "validate"):
            load_stage(stage).run(self.context)
        return load_stage("dedup").run(self.context)

    def rows(self) -> dict[str, Mapping[str, Any]]:
        frame = DUPLICATES.read(self.context.dataset.table("duplicates"))
        return {row["path"].removeprefix("images/"): row for row in frame.iter_rows(named=True)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_every_relation_is_named(project: Project) -> None:
    picture, other = texture(1, 300, 400), texture(2, 300, 400)
    project.put("a.png", png(picture), [LEFT])
    project.put("b.png", png(picture), [LEFT])
    project.put("c.bmp", cv2.imencode(".bmp", picture)[1].tobytes(), [LEFT])
    project.put("d.jpg", jpeg(picture, 60), [LEFT])
    project.put("e.png", png(np.ascontiguousarray(picture[:, ::-1])), [(0, 0.6, 0.2, 0.9, 0.5)])
    project.put("f.png", png(np.ascontiguousarray(np.rot90(picture))), [(0, 0.2, 0.6, 0.5, 0.9)])
    project.put("g.png", png(other), [LEFT])
    outcome = project.run()
    rows = project.rows()
    assert {name: row["relation"] for name, row in rows.items()} == {
        "a.png": "representative",
        "b.png": "identical bytes",
        "c.bmp": "identical pixels",
        "d.jpg": "same picture",
        "e.png": "mirrored or turned",
        "f.png": "mirrored or turned",
    }
    assert [name for name, row in rows.items() if row["kept"]] == ["a.png"]
    assert rows["e.png"]["transform"] == "mirrored left-right"
    assert rows["f.png"]["transform"] == "turned 90 counterclockwise"
    assert {row["label_conflict"] for row in rows.values()} == {None}
    assert len({row["cluster_id"] for row in rows.values()}) == 1
    assert {row["representative_id"] for row in rows.values()} == {rows["a.png"]["image_id"]}
    assert outcome.counts["clusters"] == 1
    assert outcome.counts["excluded"] == 5


def test_equal_pixels_are_proved_in_colour(project: Project) -> None:
    picture = colours(3, 200, 300)
    data = jpeg(picture)
    decoded = decode(data)
    swapped = decoded.copy()
    swapped[50, 60, 0] ^= 16
    project.put("a.jpg", data, [LEFT])
    project.put("b.png", png(decoded), [LEFT])
    project.put("c.bmp", cv2.imencode(".bmp", decoded)[1].tobytes(), [LEFT])
    project.put("d.png", png(swapped), [LEFT])
    project.run()
    assert {name: row["relation"] for name, row in project.rows().items()} == {
        "a.jpg": "representative",
        "b.png": "identical pixels",
        "c.bmp": "identical pixels",
        "d.png": "same picture",
    }


def test_equal_gray_is_not_equal_pixels(project: Project) -> None:
    blue, red = np.zeros((2, 120, 160, 3), np.uint8)
    blue[..., 0], red[..., 2] = 200, 76
    assert measure(png(blue)).gray_hash == measure(png(red)).gray_hash
    project.put("a.png", png(blue), [LEFT])
    project.put("b.png", png(red), [LEFT])
    assert project.run().counts["clusters"] == 0


def test_an_original_stays_before_its_copy(project: Project) -> None:
    for name in ("a - copy.jpg", "a.jpg", "a (2).jpg"):
        project.put(name, jpeg(texture()), [LEFT])
    project.run()
    assert [name for name, row in project.rows().items() if row["kept"]] == ["a.jpg"]


@pytest.mark.parametrize(
    ("kept", "copy", "conflict"),
    [
        ([LEFT], [LEFT], None),
        ([LEFT], [(1, *LEFT[1:])], "class"),
        ([LEFT], [], "class"),
        ([LEFT], [LEFT, (0, 0.5, 0.5, 0.9, 0.9)], "count"),
        ([LEFT], [(0, 0.1, 0.2, 0.45, 0.5)], "geometry"),
        ([LEFT], None, None),
        ([], None, "state"),
        (None, None, None),
        ([], [], None),
    ],
)
def test_label_conflicts(
    project: Project, kept: list[Box] | None, copy: list[Box] | None, conflict: str | None
) -> None:
    picture = texture(1, 300, 400)
    project.put("a.png", png(picture), kept)
    project.put("b.jpg", jpeg(picture), copy)
    project.put("c.png", png(texture(2, 300, 400)), [LEFT])
    project.run()
    rows = project.rows()
    assert rows["a.png"]["label_conflict"] is None
    assert rows["b.jpg"]["label_conflict"] == conflict


def test_labelled_copies_stay_before_unlabelled_ones(project: Project) -> None:
    project.put("a.png", png(texture()))
    project.put("b.png", png(texture()), [LEFT])
    project.put("c.png", png(texture(5)), [LEFT])
    project.run()
    assert [name for name, row in project.rows().items() if row["kept"]] == ["b.png"]


@pytest.mark.parametrize(("keep", "name"), [("first", "a.png"), ("largest", "b.png")])
def test_the_recipe_says_which_stays(tmp_path: Path, keep: str, name: str) -> None:
    project = Project(tmp_path, dedup={"keep": keep})
    large = texture(1, 400, 600)
    project.put("a.png", png(cv2.resize(large, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)), [LEFT])
    project.put("b.png", png(large), [LEFT])
    project.run()
    rows = project.rows()
    assert rows[name]["relation"] == "representative"
    assert {row["label_conflict"] for row in rows.values()} == {None}


def test_images_that_are_not_valid_are_left_alone(project: Project) -> None:
    data = jpeg(texture())
    project.put("a.jpg", data, [LEFT])
    project.put("b.jpg", data[: len(data) // 2], [LEFT])
    project.put("c.jpg", b"no image", [LEFT])
    assert project.run().counts["clusters"] == 0


def test_two_runs_write_the_same_bytes(project: Project) -> None:
    for seed in range(4):
        project.put(f"{seed}.png", png(texture(seed)), [LEFT])
        project.put(f"{seed}.jpg", jpeg(texture(seed)), [LEFT])
    project.run()
    once = project.context.dataset.table("duplicates").read_bytes()
    load_stage("dedup").run(project.context)
    assert project.context.dataset.table("duplicates").read_bytes() == once
    assert len(project.rows()) == 8


def test_a_chain_is_not_a_star() -> None:
    chain = [Copy(0, 1, "same picture", 0, 0.9), Copy(1, 2, "same picture", 0, 0.9)]
    assert [(copy.first, copy.second) for copy in _stars(chain)] == [(0, 1)]
    chain.append(Copy(2, 3, "same picture", 0, 0.9))
    assert [(copy.first, copy.second) for copy in _stars(chain)] == [(0, 1), (2, 3)]


@pytest.mark.parametrize("code", range(8))
def test_labels_follow_a_turned_copy(code: int) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[8:20, 6:24] = 1
    turned = apply_code(mask, code)

    def labels(picture: Any) -> Labels:
        rows, columns = np.nonzero(picture)
        height, width = picture.shape
        box = [
            columns.min() / width,
            rows.min() / height,
            (columns.max() + 1) / width,
            (rows.max() + 1) / height,
        ]
        return Labels(("scratch",), np.array([box]), np.ones(1), (width, height))

    assert conflict_between(labels(mask), labels(turned), code) is None
    wrong = [other for other in range(8) if other != code]
    assert all(conflict_between(labels(mask), labels(turned), other) == "geometry" for other in wrong)


@pytest.mark.shared
def test_the_belt_set(shared_data: Path, tmp_path: Path) -> None:
    source = {"path": str(shared_data / "coal_belt_foreign"), "format": "yolo", "names": ["maogan", "bang"]}
    project = Project(tmp_path, sources=[source], annotations={"classes": ["maogan", "bang"]})
    project.run()
    frame = DUPLICATES.read(project.context.dataset.table("duplicates"))
    identical = frame.filter(pl.col("relation").str.starts_with("identical"))
    assert identical["cluster_id"].n_unique() == 124
    assert identical.height == 274 - 124
    conflicts = identical.filter(pl.col("label_conflict").is_not_null())
    assert conflicts["cluster_id"].n_unique() == 123
    assert conflicts.filter(pl.col("label_conflict") == "class")["cluster_id"].n_unique() == 9
