"""Whatever the formats and names of a tree: add, run, export, add the export and run; nothing changes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from tests.e2e.trees import Tree, trees, write_tree
from tests.plants import make_plant

import tundish

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

TOLERANCE = 1e-6
"""px: how far an edge may move on its way through an export."""

Found = dict[str, list[tuple[str, str, float, float, float, float]]]
"""Class, shape and box of the labels of each picture, sorted."""


def take_in(plant: Path, name: str, source: Path) -> tundish.AddedImages:
    added = tundish.add(name, source, project=plant, strict=True)
    assert isinstance(added, tundish.AddedImages)
    assert added.problem is None
    tundish.run(name, project=plant, last="split")
    assert tundish.status(name, project=plant).closes
    return added


def classes_of(added: tundish.AddedImages) -> list[str]:
    """The classes of a recipe, in the order that numbers them."""
    return list(yaml.safe_load(added.text)["annotations"]["classes"])


def table(plant: Path, dataset: str, name: str) -> pl.DataFrame:
    return tundish.read_table(name, dataset, project=plant)


def splits_of(plant: Path, dataset: str) -> dict[str, str]:
    pictures = table(plant, dataset, "splits").drop_nulls("split")
    return dict(pictures.select("image_id", "split").iter_rows())


def labels_of(plant: Path, dataset: str, by: str, pictures: Iterable[str]) -> Found:
    found: Found = {picture: [] for picture in pictures}
    labels = table(plant, dataset, "annotations").filter("valid")
    columns = (by, "label", "shape", "x", "y", "width", "height")
    for picture, name, shape, x, y, width, height in labels.select(columns).iter_rows():
        if picture in found:
            found[picture].append((name, shape, x, y, width, height))
    return {picture: sorted(labels) for picture, labels in found.items()}


def as_boxes(found: Found) -> Found:
    return {
        picture: sorted((name, "box", x, y, width, height) for name, _, x, y, width, height in labels)
        for picture, labels in found.items()
    }


def assert_same(before: Found, after: Found) -> None:
    assert before.keys() == after.keys()
    for picture, labels in before.items():
        assert [one[:2] for one in labels] == [one[:2] for one in after[picture]], picture
        for one, other in zip(labels, after[picture], strict=True):
            assert one[2:] == pytest.approx(other[2:], abs=TOLERANCE), picture


def assert_true(plant: Path, tree: Tree) -> None:
    """What came in is what was written."""
    found = as_boxes(labels_of(plant, "first", "path", tree.truth))
    for picture, labels in tree.truth.items():
        assert len(found[picture]) == len(labels), (picture, found[picture])
        for (name, _, x, y, width, height), (label, corners) in zip(found[picture], labels, strict=True):
            assert name == label
            if corners is not None:
                assert (x, y, x + width, y + height) == pytest.approx(corners, abs=TOLERANCE)
    states = table(plant, "first", "coverage").select("path", "state")
    assert dict(states.iter_rows()) == tree.states


def goes_round(tree: Tree, folder: Path) -> None:
    """Take a tree in, and what each format exports of it."""
    plant = make_plant(folder / "plant")
    write_tree(tree, folder / "set")
    added = take_in(plant, "first", folder / "set")
    assert {added.format, *added.also} == tree.formats, added
    assert_true(plant, tree)
    splits = splits_of(plant, "first")
    before = labels_of(plant, "first", "image_id", splits)
    shapes = {shape for labels in before.values() for _, shape, *_ in labels}
    for form in ("parquet",) if shapes == {"class"} else ("parquet", "coco", "yolo"):
        tundish.export("first", format=form, project=plant)
        again = take_in(plant, form, plant / f"datasets/first/exports/{form}")
        assert (again.format, again.also) == (form, ()), again
        assert classes_of(again) == classes_of(added), again
        assert splits_of(plant, form) == splits, form
        # YOLO writes polygons where all are some, else boxes.
        same = form != "yolo" or shapes == {"polygon"}
        assert_same(before if same else as_boxes(before), labels_of(plant, form, "image_id", splits))


@given(trees())
@settings(max_examples=10)
def test_a_tree_comes_out_of_every_export_as_it_went_in(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        goes_round(tree, Path(folder))


@pytest.mark.slow
@given(trees())
@settings(max_examples=150, derandomize=True)  # the same trees in every run: what fails, fails for all
def test_many_trees_come_out_of_every_export_as_they_went_in(tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        goes_round(tree, Path(folder))
