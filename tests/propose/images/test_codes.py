"""Classes that are codes get the names of a table beside the labels; without it the codes stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import yaml
from tests.plants import make_plant

import tundish

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded\n"
CODES = ("/m/0abc", "/g/11b_d", "/m/0zz")


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return make_plant(tmp_path / "plant")


def source(folder: Path, **tables: str) -> Path:
    folder.mkdir()
    rows = []
    for number, code in enumerate(CODES):
        pixels = np.random.default_rng(number).integers(40, 200, (60, 80), dtype=np.uint8)
        (folder / f"{number}f.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        rows.append(f"{number}f,xclick,{code},1,0.1,0.4,0.2,0.7,0\n")
    (folder / "train-bbox.csv").write_text(HEAD + "".join(rows))
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def add(plant: Path, folder: Path, name: str = "line1") -> tundish.AddedImages:
    added = tundish.add(name, folder, project=plant)
    assert isinstance(added, tundish.AddedImages)
    return added


@pytest.mark.parametrize("head", ["", "LabelName,DisplayName\n"])
def test_a_table_of_codes_names_the_classes(plant: Path, tmp_path: Path, head: str) -> None:
    table = head + '/m/0abc,Tortoise\n/g/11b_d,"Coil, steel"\n/m/0other,Other\n'
    added = add(plant, source(tmp_path / "set", descriptions=table))
    assert set(added.classes) == {"Tortoise", "Coil, steel", "/m/0zz"}
    assert added.unread == ()
    assert any("descriptions.csv names 2 of 3 codes of classes" in fact for fact in added.facts)
    assert any("codes of classes without a name: 1 (/m/0zz)" in fact for fact in added.facts)
    tundish.run("line1", project=plant, last="validate")
    labels = tundish.read_table("annotations", "line1", project=plant)
    assert dict(labels.select("raw_label", "label").iter_rows()) == {
        "/m/0abc": "Tortoise",
        "/g/11b_d": "Coil, steel",
        "/m/0zz": "/m/0zz",
    }
    assert "unread_labels" not in tundish.status("line1", project=plant).files.skipped
    (tmp_path / "set/descriptions.csv").unlink()
    (tmp_path / "set").rename(tmp_path / "other")
    assert add(plant, tmp_path / "other").new_classes == ()


def test_without_a_table_the_codes_stay_and_it_is_reported(plant: Path, tmp_path: Path) -> None:
    added = add(plant, source(tmp_path / "set"))
    assert set(added.classes) == set(CODES)
    assert any("codes of classes without a name: 3" in fact for fact in added.facts)


def test_two_codes_of_one_name_and_a_name_that_is_a_class_already_stay_codes(
    plant: Path, tmp_path: Path
) -> None:
    table = "/m/0abc,Coil\n/g/11b_d,coil\n/m/0zz,Slab\n"
    added = add(plant, source(tmp_path / "set", names=table))
    assert set(added.classes) == {"/m/0abc", "/g/11b_d", "Slab"}
    recipe = plant / "pipelines/line2.yaml"
    recipe.write_text(added.text.replace("line1", "line2").replace("Slab: [/m/0zz]", "Slab: []"))
    (tmp_path / "set").rename(tmp_path / "other")
    again = add(plant, tmp_path / "other", "line2")
    assert yaml.safe_load(again.text)["annotations"]["classes"] == {
        "/g/11b_d": [],
        "/m/0abc": [],
        "Slab": [],
        "/m/0zz": [],
    }
