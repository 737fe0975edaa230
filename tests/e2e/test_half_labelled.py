"""Pictures of which a label was lost are known, counted and kept out; decisions and repeats lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import yaml

import tundish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


GOOD = ("pit", 10, 10, 30, 30)


def put(folder: Path, name: str, objects: Sequence[tuple[object, ...]]) -> None:
    noise = np.random.default_rng(sum(name.encode()) * 7919 + len(name))
    coarse = cv2.resize(noise.uniform(30, 220, (6, 8)).astype(np.float32), (100, 80))
    pixels = np.clip(coarse + noise.normal(0, 6, (80, 100)), 0, 255).astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    boxes = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax>"
        "</bndbox></object>"
        for label, a, b, c, d in objects
    )
    size = "<size><width>100</width><height>80</height><depth>1</depth></size>"
    text = f"<annotation><filename>{name}.png</filename>{size}{boxes}</annotation>"
    (folder / f"{name}.xml").write_text(text)


def ran(
    plant: Path, folder: Path, classes: Mapping[str, Any], **split: str
) -> dict[str, tuple[str, str | None]]:
    """The state of each image and the reason of its split, by its stem."""
    tundish.add("line1", folder, project=plant, force=True)
    recipe = plant / "pipelines/line1.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["annotations"]["classes"] = dict(classes)
    content["split"] |= split
    recipe.write_text(yaml.safe_dump(content, sort_keys=False))
    tundish.run("line1", last="split", accept_losses=True, project=plant)
    states = tundish.read_table("standing", "line1", project=plant).select("path", "state")
    splits = tundish.read_table("splits", "line1", project=plant).select("path", "reason")
    rows = states.join(splits, on="path").iter_rows()
    return {Path(path).stem: (state, reason) for path, state, reason in rows}


LOST = {
    "unknown class": ("dog", 40, 40, 60, 60),
    "outside": ("pit", 60, 40, 190, 60),
    "unreadable": ("pit", "four", 40, 60, 60),
}
NOT_LOST = {
    "repeated": GOOD,
    "clipped": ("pit", 60, 40, 100.4, 60),
    "omitted": ("text", 40, 40, 60, 60),
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_an_image_that_lost_what_may_be_an_object_is_incomplete(
    plant: Path, tmp_path: Path, lost: tuple[object, ...]
) -> None:
    put(tmp_path / "set", "half", [GOOD, lost])
    put(tmp_path / "set", "none", [lost])
    put(tmp_path / "set", "whole", [GOOD])
    found = ran(plant, tmp_path / "set", {"pit": []})
    assert found["half"] == ("incomplete", "half labelled")
    assert found["none"] == ("rejected", "all its labels are quarantined")
    assert found["whole"] == ("labelled", "dealt")
    status = tundish.status("line1", project=plant)
    assert status.coverage == {"incomplete": 1, "labelled": 1, "rejected": 1}
    assert status.left_out is not None
    assert status.left_out["half labelled"] == 1
    assert status.closes


@pytest.mark.parametrize("extra", NOT_LOST.values(), ids=NOT_LOST)
def test_repeats_clips_and_decisions_lose_nothing(
    plant: Path, tmp_path: Path, extra: tuple[object, ...]
) -> None:
    put(tmp_path / "set", "a", [GOOD, extra])
    put(tmp_path / "set", "b", [GOOD])
    found = ran(plant, tmp_path / "set", {"pit": [], "text": None})
    assert found == {"a": ("labelled", "dealt"), "b": ("labelled", "dealt")}


def test_incomplete_images_come_in_where_the_recipe_says_so(plant: Path, tmp_path: Path) -> None:
    put(tmp_path / "set", "half", [GOOD, LOST["unknown class"]])
    put(tmp_path / "set", "whole", [GOOD])
    found = ran(plant, tmp_path / "set", {"pit": []}, incomplete="include")
    assert found["half"] == ("incomplete", "dealt")
    tundish.run("line1", first="augment", project=plant)


def test_a_class_set_to_null_is_omitted_and_skipped_in_the_ledger(plant: Path, tmp_path: Path) -> None:
    """An image that shows nothing but what is omitted is a negative: that was decided."""
    put(tmp_path / "set", "only", [("Text", 40, 40, 60, 60)])
    put(tmp_path / "set", "both", [GOOD, ("text", 40, 40, 60, 60)])
    found = ran(plant, tmp_path / "set", {"text": None, "pit": []})
    assert found == {"only": ("negative", "dealt"), "both": ("labelled", "dealt")}
    labels = tundish.status("line1", project=plant).labels
    assert labels is not None
    assert (labels.input, labels.accepted, labels.quarantined, labels.skipped) == (
        3,
        1,
        {},
        {"omitted_class": 2},
    )
    assert tundish.open("line1", project=plant).classes == ("pit",)


def test_a_recipe_that_omits_every_class_is_refused(plant: Path, tmp_path: Path) -> None:
    put(tmp_path / "set", "a", [GOOD])
    with pytest.raises(tundish.UsageError, match="omits every class"):
        ran(plant, tmp_path / "set", {"pit": None})
