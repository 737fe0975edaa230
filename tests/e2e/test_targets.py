"""Numbers for images in a table beside them are targets: proposed, checked, balanced, exported."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest
import yaml
from tests.plants import photo, put

import tundish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def coal(folder: Path, count: int = 30, head: str = "image,Moisture (%),ash_ad / %,GCV [MJ/kg]") -> None:
    rows = [head]
    for number in range(count):
        put(folder / f"img/c{number:03}.png", photo(number))
        rows.append(f"c{number:03}.png,{5 + number * 0.37:.2f},{9 + number % 11},{20 + number * 0.11:.3f}")
    (folder / "values.csv").write_text("\n".join(rows))


def change(plant: Path, targets: Mapping[str, Any] | None = None, **sections: Any) -> None:
    recipe = plant / "pipelines/line1.yaml"
    content = yaml.safe_load(recipe.read_text())
    if targets is not None:
        content["sources"][0]["targets"] = dict(targets)
    for name, values in sections.items():
        content[name] |= values
    recipe.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def proposed(plant: Path, folder: Path) -> dict[str, Any]:
    added = tundish.add("line1", folder, project=plant, force=True)
    targets: dict[str, Any] = yaml.safe_load(added.text)["sources"][0].get("targets", {})
    return targets


def values(plant: Path) -> pl.DataFrame:
    return tundish.read_table("targets", "line1", project=plant)


def test_columns_of_numbers_are_proposed_with_their_unit_and_limits(plant: Path, tmp_path: Path) -> None:
    coal(tmp_path / "set")
    assert proposed(plant, tmp_path / "set") == {
        "moisture": {"table": "values.csv", "column": "Moisture (%)", "unit": "%", "min": 0, "max": 100},
        "ash_ad": {"table": "values.csv", "column": "ash_ad / %", "unit": "%", "min": 0, "max": 100},
        "gcv": {"table": "values.csv", "column": "GCV [MJ/kg]", "unit": "MJ/kg"},
    }


def other(folder: Path, head: str, cell: Any, count: int = 20, separator: str = ",") -> None:
    rows = [head]
    for number in range(count):
        put(folder / f"p{number:03}.png", photo(number))
        rows.append(separator.join([f"p{number:03}", *map(str, cell(number))]))
    (folder / "table.csv").write_text("\n".join(rows))


NOTHING = {
    "rows counted": ("file,index", lambda n: (n + 7,)),
    "the number of the image": ("file,sample", lambda n: (n,)),
    "grades": ("file,grade", lambda n: (n % 4,)),
    "boxes": ("file,class,xmin,ymin,xmax,ymax", lambda n: ("pit", n, n, n + 20, n + 30)),
    "sizes of the picture": ("file,width,height", lambda n: (120 + n, 90 + n)),
    "texts": ("file,remark", lambda n: (f"remark {n}",)),
}


@pytest.mark.parametrize(("head", "cell"), NOTHING.values(), ids=NOTHING)
def test_what_measures_nothing_is_not_proposed(plant: Path, tmp_path: Path, head: str, cell: Any) -> None:
    other(tmp_path / "set", head, cell)
    assert proposed(plant, tmp_path / "set") == {}


MEASURED = {
    "hardness, whole numbers": ("file,hardness HV", lambda n: (180 + n * 13 % 70,), ","),
    "a class beside it": ("file,label,roughness", lambda n: (("rough", "fine")[n % 2], n * 0.13), ","),
    "decimal commas": ("file;moisture", lambda n: (f"{5 + n * 0.3:.2f}".replace(".", ","),), ";"),
    "a column called target": ("file,target", lambda n: (n * 0.31 + 2,), ","),
    "chinese": ("文件名,水分(%)", lambda n: (f"{5 + n * 0.3:.2f}",), ","),
    "gaps": ("file,ash", lambda n: ("" if n % 3 else f"{n * 0.7:.1f}",), ","),
}


@pytest.mark.parametrize(("head", "cell", "separator"), MEASURED.values(), ids=MEASURED)
def test_what_measures_something_is_proposed_and_read(
    plant: Path, tmp_path: Path, head: str, cell: Any, separator: str
) -> None:
    other(tmp_path / "set", head, cell, 24, separator)
    assert len(proposed(plant, tmp_path / "set")) == 1
    tundish.run("line1", last="split", project=plant)
    frame = values(plant)
    assert frame.height == 24
    assert set(frame["outcome"]) <= {"accepted", "skipped"}
    assert tundish.status("line1", project=plant).closes


def test_a_class_beside_the_numbers_is_still_a_label(plant: Path, tmp_path: Path) -> None:
    other(tmp_path / "set", *MEASURED["a class beside it"][:2])
    proposed(plant, tmp_path / "set")
    tundish.run("line1", last="split", project=plant)
    coverage = tundish.read_table("coverage", "line1", project=plant)
    assert set(coverage["state"]) == {"labelled"}


def test_values_come_out_with_the_images(plant: Path, tmp_path: Path) -> None:
    """With boxes, too: a set without any has no COCO."""
    coal(tmp_path / "set")
    for number in range(30):
        (tmp_path / f"set/img/c{number:03}.txt").write_text("0 0.5 0.5 0.2 0.3\n")
    proposed(plant, tmp_path / "set")
    tundish.run("line1", project=plant)
    exports = plant / "datasets/line1/exports"
    frames = [pl.read_parquet(path).drop("image") for path in sorted(exports.glob("parquet/*.parquet"))]
    rows = pl.concat(frames)
    assert rows.height == 30
    by_path = dict(rows.select("path", "moisture").iter_rows())
    assert by_path == {f"img/c{number:03}.png": round(5 + number * 0.37, 2) for number in range(30)}
    units = pl.read_parquet_metadata(next(exports.glob("parquet/train-*.parquet")))
    assert units
    images = [
        image
        for path in exports.glob("coco/annotations/*.json")
        for image in json.loads(path.read_bytes())["images"]
    ]
    assert len(images) == 30
    assert {image["path"]: image["attributes"]["moisture"] for image in images} == by_path
    card = (exports / "parquet/README.md").read_text()
    assert "moisture" in card


def test_splits_are_balanced_over_the_values(plant: Path, tmp_path: Path) -> None:
    """Without the values in the balance the splits of 60 images may be far off."""
    coal(tmp_path / "set", 60)
    proposed(plant, tmp_path / "set")
    change(plant, split={"ratios": {"train": 0.5, "val": 0.5}})
    outcome = tundish.run("line1", last="split", project=plant)["split"]
    frame = (
        values(plant)
        .filter(target="moisture")
        .join(tundish.read_table("splits", "line1", project=plant), on=["source", "path"])
    )
    fifths = frame.with_columns(fifth=(pl.col("value").rank("ordinal") - 1) // 12)
    counts = fifths.group_by("fifth", "split").len()["len"]
    assert counts.len() == 10
    assert set(counts) <= {5, 6, 7}
    assert any("moisture" in note for note in outcome.notes)


def test_images_of_one_group_stay_together_all_the_same(plant: Path, tmp_path: Path) -> None:
    coal(tmp_path / "set", 40)
    proposed(plant, tmp_path / "set")
    recipe = plant / "pipelines/line1.yaml"
    content = yaml.safe_load(recipe.read_text())
    content["sources"][0]["keys"] = {"ten": r"^c(?P<ten>\d\d)"}
    content["split"] |= {"group_by": ["ten"], "ratios": {"train": 0.5, "val": 0.5}}
    recipe.write_text(yaml.safe_dump(content))
    tundish.run("line1", last="split", project=plant)
    splits = tundish.read_table("splits", "line1", project=plant)
    assert splits.group_by("group_id").agg(pl.col("split").n_unique())["split"].to_list() == [1] * 4


def test_cells_that_cannot_be_taken_are_quarantined_with_their_reason(plant: Path, tmp_path: Path) -> None:
    coal(tmp_path / "set")
    with (tmp_path / "set/values.csv").open("a") as file:
        file.write("\nc001.png,5.37,10,20.11\nc002.png,77,11,20.22\nnowhere.png,1,2,3\n")
    proposed(plant, tmp_path / "set")
    text = (tmp_path / "set/values.csv").read_text()
    text = text.replace("c003.png,6.11", "c003.png,wet").replace("c004.png,6.48", "c004.png,-3")
    (tmp_path / "set/values.csv").write_text(text.replace("c005.png,6.85", "c005.png,n/a"))
    tundish.run("line1", last="split", project=plant)
    status = tundish.status("line1", project=plant)
    tally = status.targets["moisture"]
    assert tally.quarantined == {
        "conflicting_value": 2,
        "image_not_found": 1,
        "not_a_number": 1,
        "outside_limits": 1,
    }
    assert tally.skipped == {"no_value": 1, "repeated_value": 1}
    assert (tally.input, tally.accepted) == (33, 26)
    assert status.closes
    quarantine = tundish.read_table("quarantine", "line1", project=plant).filter(
        kind="value", column="moisture"
    )
    told = {row["check"]: row["message"] for row in quarantine.iter_rows(named=True)}
    assert told["outside_limits"] == "-3 is below 0"
    assert told["not_a_number"] == "'wet' is not a number"
    left = dict(tundish.read_table("splits", "line1", project=plant).select("path", "split").iter_rows())
    assert all(left[f"img/c{number:03}.png"] for number in (3, 4, 5))


def copied(folder: Path) -> None:
    """Fifteen pictures; of three there is a copy: equal bytes, equal pixels, a near one; one agrees."""
    coal(folder, 15)
    rows = (folder / "values.csv").read_text()
    shutil.copy(folder / "img/c000.png", folder / "img/x-bytes.png")
    put(folder / "img/x-pixels.bmp", photo(1))
    near = np.clip(photo(2).astype(np.float32) * 0.9 + 12, 0, 255).astype(np.uint8)
    (folder / "img/x-near.jpg").write_bytes(
        cv2.imencode(".jpg", near, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    )
    shutil.copy(folder / "img/c003.png", folder / "img/x-same.png")
    rows += (
        "\nx-bytes.png,50,9,20\nx-pixels.bmp,51,10,20.11\nx-near.jpg,52,11,20.22\nx-same.png,6.11,12,20.330"
    )
    (folder / "values.csv").write_text(rows)


def test_copies_with_other_values_are_reported_as_conflicts(plant: Path, tmp_path: Path) -> None:
    copied(tmp_path / "set")
    proposed(plant, tmp_path / "set")
    tundish.run("line1", last="split", project=plant)
    status = tundish.status("line1", project=plant)
    assert status.label_conflicts == {"value": 3}
    change(plant, dedup={"conflicts": "hold"})
    tundish.run("line1", last="split", project=plant)
    splits = tundish.read_table("splits", "line1", project=plant)
    held = splits.filter(pl.col("reason").str.starts_with("held"))
    assert sorted(held["path"]) == ["img/c000.png", "img/c001.png", "img/c002.png"]


def test_an_image_with_a_value_and_no_label_has_a_split(plant: Path, tmp_path: Path) -> None:
    coal(tmp_path / "set", 12)
    put(tmp_path / "set/img/extra.png", photo(900))
    proposed(plant, tmp_path / "set")
    tundish.run("line1", last="split", project=plant)
    splits = tundish.read_table("splits", "line1", project=plant)
    assert splits.filter(pl.col("split").is_null()).select("path", "reason").rows() == [
        ("img/extra.png", "unlabelled")
    ]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"table": "nowhere.csv", "column": "a"}, "nowhere.csv"),
        ({"table": "values.csv", "column": "a", "min": 4, "max": 3}, "swap them"),
        ({"table": "values.csv"}, "'sources.0.targets.moisture.column' is missing"),
    ],
)
def test_a_target_that_cannot_be_is_refused(
    plant: Path, tmp_path: Path, target: dict[str, Any], told: str
) -> None:
    coal(tmp_path / "set", 8)
    proposed(plant, tmp_path / "set")
    change(plant, {"moisture": target})
    with pytest.raises(tundish.TundishError, match=told):
        tundish.run("line1", last="split", project=plant)


def test_a_column_that_is_gone_is_reported(plant: Path, tmp_path: Path) -> None:
    coal(tmp_path / "set", 8)
    proposed(plant, tmp_path / "set")
    change(plant, {"moisture": {"table": "values.csv", "column": "Wetness"}})
    tundish.run("line1", last="split", project=plant)
    assert (tundish.status("line1", project=plant).warnings or {})["column_not_found"] == 1
