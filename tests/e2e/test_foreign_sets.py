"""Other people's sets, from `tundish add` to the splits: nothing that may be a label is lost in silence."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
from click.testing import CliRunner
from PIL import Image
from tests.plants import photo, put

import tundish
from tundish.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray


def mark(place: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.circle(np.zeros((90, 120), np.uint8), (30 + place, 40), 9, 255, -1))


def taken_in(plant: Path, source: Path) -> tundish.AddedImages:
    added = tundish.add("line1", source, project=plant)
    assert isinstance(added, tundish.AddedImages)
    tundish.run("line1", project=plant)
    return added


def states(plant: Path) -> dict[str, int]:
    return dict(tundish.read_table("coverage", "line1", project=plant)["state"].value_counts().iter_rows())


def test_masks_without_names_beside_yolo_labels_are_kept_out_of_the_images(
    plant: Path, tmp_path: Path
) -> None:
    source = tmp_path / "set"
    for number in range(6):
        put(source / f"images/s{number}.jpg", photo(number))
        put(source / f"drawn/s{number}.png", mark(number))
        (source / "labels").mkdir(exist_ok=True)
        (source / f"labels/s{number}.txt").write_text(f"{number % 2} 0.5 0.5 0.2 0.2\n")
    added = taken_in(plant, source)
    assert (added.format, added.also) == ("yolo", ())
    assert [(one.kind, one.count) for one in added.unread] == [("mask", 6)]
    assert any("6 masks ('drawn/*') are not photographs" in fact for fact in added.facts)
    assert states(plant) == {"labelled": 6}


def test_masks_beside_their_photograph_label_it(plant: Path, tmp_path: Path) -> None:
    for name, places in (("pit", range(4)), ("sound", [900] * 4)):
        for number, place in enumerate(places):
            seed = number + 50 * (name == "pit")
            put(tmp_path / f"set/{name}/Imgs/{name}{number}.jpg", photo(seed))
            put(tmp_path / f"set/{name}/Imgs/{name}{number}.png", mark(place))
    added = taken_in(plant, tmp_path / "set")
    assert (added.format, added.classes) == ("masks", ("pit",))
    assert states(plant) == {"labelled": 4, "negative": 4}


def faults(plant: Path) -> dict[str, int]:
    table = tundish.read_table("quarantine", "line1", project=plant)
    return dict(table["check"].value_counts().iter_rows())


def test_a_given_split_is_reported_with_its_counts(plant: Path, tmp_path: Path) -> None:
    for number, folder in enumerate(["train"] * 5 + ["valid"] * 2 + ["test"] * 3):
        put(tmp_path / f"set/{folder}/images/{folder}{number}.png", photo(number))
    (tmp_path / "set/test.txt").write_text("".join(f"images/test{number}.png\n" for number in (7, 8, 9)))
    added = tundish.add("line1", tmp_path / "set", project=plant)
    assert isinstance(added, tundish.AddedImages)
    assert any("(train 5, val 2, test 3)" in fact for fact in added.facts)
    assert "lists state a split and are not read: test.txt" in added.facts


def test_jpegs_by_other_suffixes_come_in_and_kinds_that_are_not_read_are_named(
    plant: Path, tmp_path: Path
) -> None:
    for number, suffix in enumerate([".jfif", ".JPE", ".jpg"]):
        path = tmp_path / f"set/p{number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", photo(number))[1].tobytes())
    for number, suffix in enumerate([".pgm", ".jp2"]):
        put(tmp_path / f"set/q{number}{suffix}", photo(8 + number))
    (tmp_path / "set/r.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "set/more.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    added = taken_in(plant, tmp_path / "set")
    assert any("1 image of kinds that cannot be decoded here (.heic 1)" in fact for fact in added.facts)
    assert "1 archive inside it not read (.7z 1): unpack them" in added.facts
    assert states(plant) == {"unlabelled": 5}
    assert not faults(plant)


def test_a_download_that_was_zipped_twice_is_read(plant: Path, tmp_path: Path) -> None:
    pictures, labels = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(pictures, "w") as inner, zipfile.ZipFile(labels, "w") as drawn:
        for number in range(3):
            inner.writestr(f"images/a{number}.png", cv2.imencode(".png", photo(number))[1].tobytes())
            drawn.writestr(f"labels/a{number}.txt", "0 0.5 0.5 0.2 0.2\n")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.writestr("set/images.zip", pictures.getvalue())
        outer.writestr("set/annotations.zip", labels.getvalue())
    assert taken_in(plant, tmp_path / "outer.zip").format == "yolo"
    assert states(plant) == {"labelled": 3}


def burst(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pages = [Image.fromarray(photo(number)) for number in range(count)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


def test_an_animated_avif_is_named_with_the_reason_by_add_and_by_the_run(plant: Path, tmp_path: Path) -> None:
    pages = [Image.fromarray(photo(number)) for number in range(3)]
    (tmp_path / "set").mkdir()
    pages[0].save(tmp_path / "set/move.avif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "set/one.avif")
    added = tundish.add("line1", tmp_path / "set", project=plant)
    assert isinstance(added, tundish.AddedImages)
    told = "1 of 2 images of rarer kinds cannot be read, such as move.avif (an animated AVIF): convert to PNG"
    assert told in added.facts
    tundish.run("line1", project=plant)
    assert states(plant) == {"unlabelled": 1}
    assert faults(plant) == {"unsupported": 1}


def test_each_page_is_an_image_and_the_recipe_says_so(plant: Path, tmp_path: Path) -> None:
    burst(tmp_path / "set/划 burst.tif", 3)
    burst(tmp_path / "set/move.gif", 2)
    put(tmp_path / "set/one.tif", photo(8))
    added = taken_in(plant, tmp_path / "set")
    assert (
        "2 of 3 files that may hold several pages or frames do, up to 3: each comes in as an image"
        " (pages: each)"
    ) in added.facts
    recipe = plant / "pipelines/line1.yaml"
    assert "    pages: each\n" in recipe.read_text()
    images = tundish.read_table("coverage", "line1", project=plant)["path"].to_list()
    assert images == [
        *("move.gif.page-0001.png", "move.gif.page-0002.png", "one.tif"),
        *(f"划 burst.tif.page-000{number}.png" for number in (1, 2, 3)),
    ]
    assert not faults(plant)
    tundish.run("line1", project=plant)
    assert states(plant) == {"unlabelled": 6}
    burst(tmp_path / "set/划 burst.tif", 2)
    tundish.run("line1", project=plant, accept_losses=True)
    assert states(plant) == {"unlabelled": 5}
    recipe.write_text(recipe.read_text().replace("pages: each", "pages: first"))
    tundish.run("line1", project=plant, accept_losses=True)
    assert states(plant) == {"unlabelled": 3}
    assert faults(plant) == {"several_pages": 2}
    recipe.write_text(recipe.read_text().replace("pages: first", "pages: each"))
    tundish.run("line1", project=plant, accept_losses=True)
    assert states(plant) == {"unlabelled": 5}


def test_the_first_page_is_taken_where_labels_are_about_the_file(plant: Path, tmp_path: Path) -> None:
    burst(tmp_path / "set/images/a.tif", 3)
    (tmp_path / "set/labels").mkdir(parents=True)
    (tmp_path / "set/labels/a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    added = taken_in(plant, tmp_path / "set")
    assert any("the first is taken (pages: first)" in fact for fact in added.facts)
    assert states(plant) == {"labelled": 1}
    assert faults(plant)["several_pages"] == 1


def test_boxes_that_may_mean_two_things_are_proposed_with_what_to_settle(
    plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        put(tmp_path / f"set/p{number}.png", photo(number))
    (tmp_path / "set/boxes.csv").write_text("p0.png,10,10,12,12,rust\np1.png,20,20,22,22,rust\n")
    monkeypatch.chdir(plant)
    done = CliRunner().invoke(main, ["add", "line1", str(tmp_path / "set")])
    assert done.exit_code == 1
    assert "To settle in the recipe before a run, or no label is read: of 2 boxes" in done.output
    recipe = plant / "pipelines/line1.yaml"
    assert "# to settle before a run, or no label is read: of 2 boxes" in recipe.read_text()
    place = "    format: boxes-csv\n"
    recipe.write_text(recipe.read_text().replace(place, f"{place}    options: {{box: corners, unit: px}}\n"))
    tundish.run("line1", project=plant)
    assert states(plant) == {"labelled": 2}


def test_names_from_a_mac_find_their_labels_and_are_reported(plant: Path, tmp_path: Path) -> None:
    put(tmp_path / "set/images/O\u0308l 1.png", photo(1))
    (tmp_path / "set/labels").mkdir()
    (tmp_path / "set/labels/\u00d6l%201.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    taken_in(plant, tmp_path / "set")
    assert states(plant) == {"labelled": 1}
    assert faults(plant)["name_spelling"] == 1
