"""Each tool's folder through `tundish add` and `tundish run`: what comes in is what the files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.formats.tools.test_via import table
from tests.formats.tools.written import (
    RECT,
    RING,
    centred,
    cityscapes,
    createml,
    cvat,
    cvat_box,
    drawn,
    frame_box,
    labelme,
    outline,
    region,
    segment_anything,
    shape,
    supervisely,
    via,
    video,
    vott,
    vott_box,
)

from tundish.cli import main

if TYPE_CHECKING:
    from pathlib import Path

POINT = {"name": "point", "cx": 1, "cy": 2}
TREES: dict[str, tuple[str, dict[str, str]]] = {
    "labelme": (
        "labelme",
        {"a.json": labelme(shape("rectangle", RING[:2]), shape("point", RING[:1])), "b.json": labelme()},
    ),
    "cvat": ("cvat", {"annotations.xml": cvat(cvat_box(), '<points label="tip" points="1,2"/>')}),
    "cvat-video": ("cvat", {"annotations.xml": video(frame_box(1, (1, 2, 30, 40)), '<points frame="1"/>')}),
    "via": ("via", {"via.json": via(region(RECT, label="crack"), region(POINT, label="crack"))}),
    "via-csv": (
        "via",
        {"via.csv": table(("a.jpg", 2, RECT, {"kind": "crack"}), ("a.jpg", 2, POINT, {"kind": "crack"}))},
    ),
    "createml": ("createml", {"_annotations.json": createml(centred(), centred(x="left"))}),
    "supervisely": (
        "supervisely",
        {
            "ann/a.jpg.json": supervisely(drawn("rectangle", RING[:2]), drawn("point", RING[:1])),
            "meta.json": "{}",
        },
    ),
    "segment-anything": ("segment-anything", {"a.json": segment_anything(np.eye(100, 200) > 0, None)}),
    "vott": ("vott", {"set.json": vott(vott_box("crack"), vott_box("tip", kind="POINT"))}),
    "cityscapes": (
        "cityscapes",
        {"gt/a_gtFine_polygons.json": cityscapes(outline("car"), outline("line", RING[:2]))},
    ),
}


def photograph(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 200, (8, 12), dtype=np.uint8)
    big = cv2.resize(small, (200, 100), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", big)[1].tobytes()


@pytest.mark.parametrize("name", TREES)
def test_add_and_run_take_what_a_tool_wrote(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, files = TREES[name]
    source = tmp_path / "in"
    images = {"cvat-video": "frame_000001.jpg", "supervisely": "img/a.jpg"}
    pictures = {images.get(name, "a.jpg"): photograph(1), "b.jpg": photograph(2)}
    for path, data in {**pictures, **{path: text.encode() for path, text in files.items()}}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(data)
    project = tmp_path / "project"
    assert CliRunner().invoke(main, ["init", str(project)]).exit_code == 0
    monkeypatch.chdir(project)
    for command in (["add", "steel", str(source)], ["run", "steel", "--accept-losses"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        if command[0] == "add":
            assert f"looks like '{form}'" in result.output
    curated = project / "datasets" / "steel" / "curated"
    labels = pl.read_parquet(curated / "annotations.parquet")
    assert labels.filter("valid").height == 1
    bad = pl.read_parquet(curated / "quarantine.parquet").filter(pl.col("severity") == "error")
    others = {"createml": "wrong_type", "segment-anything": "broken_mask", "cityscapes": "broken_polygon"}
    assert bad["check"].to_list() == [others.get(name, "unsupported_shape")]
