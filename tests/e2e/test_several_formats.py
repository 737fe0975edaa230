"""Labels of several formats in one source are all read; what may be labels is never ignored silently."""

from __future__ import annotations

import json
import re
import tarfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from tests.plants import photo, put

import tundish
from tundish.cli import main
from tundish.storage.shards import read_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

WIDTH, HEIGHT = 120, 90


def pictures(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        put(folder / name, photo((seed, len(name))))
    return folder


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def add(plant: Path, source: Path, *, strict: bool = False, force: bool = False) -> tundish.AddedImages:
    added = tundish.add("line1", source, project=plant, strict=strict, force=force)
    assert isinstance(added, tundish.AddedImages)
    return added


def read(plant: Path, source: Path) -> tuple[tundish.AddedImages, pl.DataFrame]:
    """Add and run a source; what was added, and its valid labels."""
    added = add(plant, source)
    tundish.run("line1", project=plant, last="validate")
    assert tundish.status("line1", project=plant).closes
    return added, tundish.read_table("annotations", "line1", project=plant).filter("valid")


def skipped(plant: Path) -> dict[str, int]:
    return tundish.status("line1", project=plant).files.skipped


def files_of(plant: Path) -> pl.DataFrame:
    return read_files(plant / "datasets/line1/store")


def found(plant: Path, check: str) -> pl.DataFrame:
    table = tundish.read_table("quarantine", "line1", project=plant)
    return table.filter(table["check"] == check)


def voc(*objects: tuple[str, int, int, int, int]) -> str:
    inside = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{x + w}</xmax>"
        f"<ymax>{y + h}</ymax></bndbox></object>"
        for name, x, y, w, h in objects
    )
    return f"<annotation><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>{inside}</annotation>"


def coco(labels: Mapping[str, list[tuple[str, int, int, int, int]]]) -> str:
    names = sorted({name for boxes in labels.values() for name, *_ in boxes})
    images = [
        {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
        for number, name in enumerate(labels)
    ]
    boxes = [
        {"image_id": number, "category_id": names.index(name), "bbox": box}
        for number, found in enumerate(labels.values())
        for name, *box in found
    ]
    return json.dumps(
        {
            "images": images,
            "annotations": [{"id": number, **box} for number, box in enumerate(boxes)],
            "categories": [{"id": number, "name": name} for number, name in enumerate(names)],
        }
    )


def labelme(name: str) -> str:
    shape = {"label": "pit", "shape_type": "rectangle", "points": [[10, 10], [40, 30]]}
    return json.dumps(
        {"shapes": [shape], "imagePath": name, "imageWidth": WIDTH, "imageHeight": HEIGHT, "flags": {}}
    )


def cvat(*names: str) -> str:
    images = "".join(
        f'<image id="{number}" name="{name}" width="{WIDTH}" height="{HEIGHT}">'
        '<box label="crack" xtl="20" ytl="20" xbr="60" ybr="50"/></image>'
        for number, name in enumerate(names)
    )
    return f"<annotations><version>1.1</version>{images}</annotations>"


DOTA = "imagesource:here\n20 20 60 30 55 60 15 50 ship 0\n"
YOLO = "0 0.5 0.5 0.2 0.2\n"
ALL = [f"img/p{number}.png" for number in range(6)]
MASK = cv2.imencode(".png", cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (60, 40), 12, 255, -1))[
    1
].tobytes()

MIXED: dict[str, tuple[Mapping[str, str | bytes], set[str]]] = {
    "dota and cvat": (
        {f"txt/p{number}.txt": DOTA for number in range(3)} | {"a.xml": cvat("p3.png", "p4.png", "p5.png")},
        {"dota", "cvat"},
    ),
    "yolo and labelme": (
        {f"img/p{number}.txt": YOLO for number in range(4)}
        | {f"img/p{number}.json": labelme(f"p{number}.png") for number in (4, 5)},
        {"yolo", "labelme"},
    ),
    "yolo and dota": (
        {f"a/p{number}.txt": YOLO for number in range(4)} | {f"b/p{number}.txt": DOTA for number in (4, 5)},
        {"yolo", "dota"},
    ),
    "coco and masks": (
        {"c.json": coco({f"p{number}.png": [("pit", 5, 5, 20, 20)] for number in range(3)})}
        | {f"masks/p{number}.png": MASK for number in (3, 4, 5)},
        {"coco", "masks"},
    ),
    "voc and csv": (
        {f"xml/p{number}.xml": voc(("pit", 10, 10, 20, 20)) for number in range(4)}
        | {"more.csv": "filename,xmin,ymin,xmax,ymax,class\np4.png,10,10,60,40,pit\np5.png,1,2,90,80,pit\n"},
        {"voc", "boxes-csv"},
    ),
    "coco and labelme": (
        {"c.json": coco({f"p{number}.png": [("pit", 5, 5, 20, 20)] for number in range(4)})}
        | {f"img/p{number}.json": labelme(f"p{number}.png") for number in (4, 5)},
        {"coco", "labelme"},
    ),
    "three": (
        {"img/p0.txt": YOLO, "img/p1.txt": YOLO, "img/p2.txt": YOLO}
        | {"img/p3.xml": voc(("pit", 1, 1, 9, 9)), "img/p4.xml": voc(("pit", 1, 1, 9, 9))}
        | {"img/p5.json": labelme("p5.png")},
        {"yolo", "voc", "labelme"},
    ),
}


@pytest.mark.parametrize("case", MIXED)
def test_formats_in_one_source_are_all_read(plant: Path, tmp_path: Path, case: str) -> None:
    files, formats = MIXED[case]
    source = pictures(tmp_path / "set", *ALL)
    write(source, files)
    added, labels = read(plant, source)
    assert {added.format, *added.also} == formats
    assert added.unread == ()
    assert set(labels["path"]) == set(ALL)
    assert any("none with several formats: all are read" in fact for fact in added.facts)
    assert "unread_labels" not in skipped(plant)
    images = tundish.read_table("images", "line1", project=plant)
    assert images.height == len(ALL)
    assert added.recipe.read_text() == added.text


def test_one_stray_file_among_many_is_found(plant: Path, tmp_path: Path) -> None:
    names = [f"img/p{number:03}.png" for number in range(260)]
    source = pictures(tmp_path / "set", *names)
    write(source, {f"img/p{number:03}.txt": YOLO for number in range(260)})
    write(source, {"img/p131.txt": DOTA, "img/p133.txt": "a scratch near the edge"})
    added = add(plant, source)
    assert (added.format, added.also) == ("yolo", ("dota",))
    assert [(one.count, one.example) for one in added.unread] == [(1, "img/p133.txt")]


def test_equal_labels_of_two_formats_count_once_and_contradictions_are_reported(
    plant: Path, tmp_path: Path
) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png", "c.png", "d.png")
    pit = ("pit", 10, 10, 40, 30)
    write(source, {f"{name}.xml": voc(pit) for name in "abc"})
    write(source, {"c.json": coco({"a.png": [pit], "b.png": [("scale", 10, 10, 40, 30)], "d.png": [pit]})})
    added, labels = read(plant, source)
    assert (added.format, added.also) in (("voc", ("coco",)), ("coco", ("voc",)))
    assert sorted(labels.select("path", "label").iter_rows()) == [
        ("a.png", "pit"),
        ("b.png", "pit"),
        ("b.png", "scale"),
        ("c.png", "pit"),
        ("d.png", "pit"),
    ]
    assert found(plant, "same_in_two_formats").height == 1
    (message,) = found(plant, "formats_disagree")["message"]
    assert "b.png: 1 label only in coco, 1 label only in voc" in message
    facts = " ".join(added.facts)
    assert "2 with several: equal labels count once (1)" in facts
    assert "the formats contradict each other on 1 picture, such as b.png" in facts


def test_classes_of_two_formats_are_equal_by_the_names_of_the_recipe(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    write(source, {"a.xml": voc(("Loch", 10, 10, 40, 30)), "b.xml": voc(("Loch", 1, 1, 9, 9))})
    write(source, {"c.json": coco({"a.png": [("pit", 10, 10, 40, 30)]})})
    added = add(plant, source)
    text = added.text.replace("'Loch': []", "'pit': ['Loch']").replace("Loch: []", "pit: [Loch]")
    lines = [line for line in text.splitlines() if line.strip() not in {"pit: []", "'pit': []"}]
    added.recipe.write_text("\n".join(lines) + "\n")
    tundish.run("line1", project=plant, last="validate")
    labels = tundish.read_table("annotations", "line1", project=plant).filter("valid")
    assert list(labels.sort("path")["label"]) == ["pit", "pit"]
    assert found(plant, "same_in_two_formats").height == 1


def test_a_second_format_that_says_nothing_new_is_named_and_not_read(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png", "c.png")
    pit = ("pit", 10, 10, 40, 30)
    write(source, {f"{name}.xml": voc(pit) for name in "abc"} | {"c.json": coco({"a.png": [pit]})})
    added, labels = read(plant, source)
    assert (added.format, added.also) == ("voc", ())
    (unread,) = added.unread
    assert str(unread) == "1 JSON file that may be labels is not read: voc has its 1 label too (c.json)"
    assert labels.height == 3
    assert skipped(plant)["unread_labels"] == 1


UNREAD: dict[str, tuple[str | bytes, str]] = {
    "gt/x.json": (json.dumps([{"file": "a.png", "flaw": "pit", "box": [1, 2, 3, 4]}]), "JSON"),
    "gt/x.xml": ("<data><item><bndbox/></item></data>", "XML"),
    "values.csv": ("image,moisture,ash\na.png,8.1,11\nb.png,7.5,12\n", "CSV"),
    "gt/a.txt": ("a caption of the picture", "text"),
    "gt/x.mat": (b"MATLAB 5.0 MAT-file", "MAT"),
    "gt/x.h5": (b"\x89HDF\r\n", "HDF5"),
    "gt/x.tfrecord": (b"\0", "TFRecord"),
    "gt/x.npz": (b"PK", "NumPy"),
    "gt/x.pkl": (b"\x80", "pickle"),
    "values.xlsx": (b"PK", "workbook"),
    "gt/boxes.yaml": ("- {path: a.png, boxes: [{x_min: 1, x_max: 2}]}\n", "YAML"),
}
HARMLESS = {
    "readme.txt": "Pictures of the strip.\n",
    "train.txt": "a.png\nb.png\n",
    "classes.txt": "pit\nscale\n",
    "classes.json": '["pit", "scale"]',
    "data.yaml": "names: [pit, scale]\n",
    "obj.data": "classes = 2\n",
    "split.csv": "filename,split\na.png,train\nb.png,val\n",
}


@pytest.mark.parametrize("labelled", [False, True])
def test_what_may_be_labels_is_named_by_add_and_carried_in_the_ledger(
    plant: Path, tmp_path: Path, labelled: bool
) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    write(source, {path: data for path, (data, _) in UNREAD.items()})
    write(source, HARMLESS)
    if labelled:
        write(source, {"b.xml": voc(("pit", 10, 10, 40, 30))})
    added, _ = read(plant, source)
    assert added.format == ("voc" if labelled else "images")
    assert sorted(one.kind for one in added.unread) == sorted(kind for _, kind in UNREAD.values())
    expected = set(UNREAD) - ({"gt/x.xml"} if labelled else set())  # VOC reports it: its root is not VOC's
    files = files_of(plant)
    unread = files.filter(files["reason"] == "unread_labels")
    assert set(unread["path"]) == expected
    assert set(unread["outcome"]) == {"skipped"}
    assert skipped(plant)["unread_labels"] == len(expected)


def test_a_list_of_classes_that_holds_labels_is_named_too(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    boxes = "- {path: b.png, boxes: [{x_min: 1, x_max: 2}]}\n"
    write(source, {"a.txt": YOLO, "boxes.yaml": boxes, "data.yaml": "names: [pit]\n"})
    added, _ = read(plant, source)
    assert [(one.kind, one.example) for one in added.unread] == [("YAML", "boxes.yaml")]
    assert skipped(plant) == {"unread_labels": 1}


def test_strict_refuses_and_writes_nothing(
    plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    write(source, {"x.mat": b"x", "y.mat": b"x"})
    with pytest.raises(tundish.TundishError, match="2 MAT files that may be labels are not read") as caught:
        add(plant, source, strict=True)
    assert caught.value.exit_code == 1
    assert not (plant / "pipelines/line1.yaml").exists()
    monkeypatch.chdir(plant)
    ran = CliRunner().invoke(main, ["add", "line1", str(source), "--strict"])
    assert ran.exit_code == 1
    assert "2 MAT files" in ran.output
    told = CliRunner().invoke(main, ["add", "line1", str(source)])
    assert told.exit_code == 0
    assert "Not read: 2 MAT files that may be labels are not read: " in told.output
    assert "(such as x.mat)" in told.output
    (source / "x.mat").unlink()
    (source / "y.mat").unlink()
    assert CliRunner().invoke(main, ["add", "line1", str(source), "--strict", "--force"]).exit_code == 0


def test_records_of_the_recipe_are_not_taken_for_labels(plant: Path, tmp_path: Path) -> None:
    source = pictures(plant / "datasets/line1/raw", "a.png", "b.png")
    write(source, {"lab/coal.csv": "sample_id,M_ad,A_ad\nS1,8.1,11\nS2,7.5,12\n"})
    assert [one.kind for one in add(plant, source).unread] == ["CSV"]
    records = "records:\n  lab: {path: raw/lab/*.csv, schema: 'schemas/coal.py:CoalAnalysis'}\n"
    recipe = plant / "pipelines/line1.yaml"
    recipe.write_text(recipe.read_text().replace("records: {}\n", records))
    tundish.run("line1", project=plant, last="ingest")
    assert "unread_labels" not in skipped(plant)
    recipe.write_text(re.sub(r"sources:\n(?: .*\n)+", "sources: []\n", recipe.read_text()))
    assert add(plant, source).unread == ()


def test_a_file_is_looked_at_again_when_the_recipe_or_the_pictures_change(
    plant: Path, tmp_path: Path
) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    write(source, {"a.xml": voc(("pit", 10, 10, 40, 30)), "c.txt": "scratched strip"})
    added = add(plant, source)
    added.recipe.write_text(added.text.replace("format: voc", "format: images"))
    tundish.run("line1", project=plant, last="ingest")
    assert skipped(plant) == {"unread_labels": 1, "not_for_this_format": 1}
    pictures(source, "c.png")
    tundish.run("line1", project=plant, last="ingest")
    assert skipped(plant) == {"unread_labels": 2, "superseded": 1}
    added.recipe.write_text(added.text)
    tundish.run("line1", project=plant, last="validate")
    assert skipped(plant) == {"unread_labels": 1, "superseded": 2}
    assert tundish.read_table("annotations", "line1", project=plant).height == 1
    before = files_of(plant)
    tundish.run("line1", project=plant, last="validate")
    assert files_of(plant).equals(before)


def test_archives_are_looked_into_as_folders_are(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png")
    write(source, {path: data for path, (data, _) in UNREAD.items()})
    write(source, HARMLESS)
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(source, ".")
    added, _ = read(plant, tmp_path / "set.tar.gz")
    assert len(added.unread) == len(UNREAD)
    assert skipped(plant)["unread_labels"] == len(UNREAD)


def test_what_add_writes_for_several_formats_the_recipe_holds(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", *ALL)
    write(source, MIXED["coco and masks"][0])
    add(plant, pictures(tmp_path / "first", "x.png", "y.png"))
    added = add(plant, source)
    assert added.action == "extended"
    _, entry = yaml.safe_load(added.text)["sources"]
    assert entry["format"] == "coco"
    assert entry["also"][0]["format"] == "masks"
    assert entry["also"][0]["names"] == ["background", "pit"]
    tundish.run("line1", project=plant, last="validate")
    labels = tundish.read_table("annotations", "line1", project=plant).filter("valid")
    assert set(labels["label"]) == {"pit"}
    assert labels.height == 6


def test_labels_that_came_twice_are_not_losses_to_the_guard(plant: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "set", "a.png", "b.png", "c.png", "d.png")
    pit = ("pit", 10, 10, 40, 30)
    write(source, {f"{name}.xml": voc(pit) for name in "abc"})
    write(source, {"c.json": coco({name: [pit] for name in ("a.png", "b.png", "d.png")})})
    add(plant, source)
    tundish.run("line1", project=plant, last="split")
    assert found(plant, "same_in_two_formats").height == 2
