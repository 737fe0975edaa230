"""What comes in front of whom."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import MissingStepError, SourceError
from tundish.labeling.assignment import deal
from tundish.labeling.label_studio.prelabels import imported_prelabels, items_of, predicted_prelabels
from tundish.labeling.pool import images_of, listed_images
from tundish.storage.dataset import DatasetFolder
from tundish.storage.tables import ANNOTATIONS, DUPLICATES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.labeling.label_studio.config import Shape

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
    with pytest.raises(SourceError, match=r"1 of its lines name no valid image.*'images/1.jpg'"):
        listed_images(images(5), file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="it is no text"):
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


def test_work_is_assigned_evenly_and_overlaps_as_asked() -> None:
    dealt = deal(IDS, ("a", "b", "c"), 0.2, {}, {})
    counts = [len(mine) for mine in dealt.values()]
    assert sum(counts) - 300 == pytest.approx(60, abs=25)
    assert all(95 < count < 145 for count in counts)
    seen = {image_id for mine in dealt.values() for image_id in mine}
    assert seen == set(IDS)
    assert all(mine == sorted(mine) for mine in dealt.values())


def test_what_is_assigned_stays_when_annotators_come() -> None:
    before = deal(IDS, ("a", "b"), 0.0, {}, {})
    after = deal(IDS, ("a", "b", "c"), 0.0, before, {})
    assert after == before | {"c": []}


def test_one_who_comes_for_two_who_went_gets_what_they_did_not_answer() -> None:
    before = deal(IDS, ("li", "wu"), 0.3, {}, {})
    answered = {name: mine[::2] for name, mine in before.items()}
    done = {image_id for mine in answered.values() for image_id in mine}
    assert deal(IDS, ("qi",), 0.0, {}, answered) == {"qi": [one for one in IDS if one not in done]}


PEOPLE = ("a", "b", "c", "d")
SOME = st.sets(st.sampled_from(IDS[:20]))
HAVE = st.fixed_dictionaries(dict.fromkeys(PEOPLE, SOME))


@st.composite
def pushes(draw: st.DrawFn) -> tuple[Sequence[str], float, dict[str, set[str]], dict[str, set[str]]]:
    """Who is named, the overlap, what the named have, and what those who are not named have answered."""
    named = draw(st.permutations(PEOPLE))[: draw(st.integers(1, 3))]
    overlap = draw(st.sampled_from([0.0, 0.4, 1.0]))
    have = draw(HAVE)
    there = {name: have[name] for name in named}
    return named, overlap, there, {name: ids for name, ids in have.items() if name not in named}


@given(pushes())
def test_no_image_is_asked_for_more_often_than_wanted(push: Any) -> None:
    named, overlap, there, answered = push
    wanted = Counter([*IDS[:20], *twice(overlap)])
    dealt = deal(IDS[:20], named, overlap, there, answered)
    for image_id in IDS[:20]:
        mine = {name for name in named if image_id in dealt[name]}
        kept = {name for name in named if image_id in there[name]}
        others = sum(image_id in ids for ids in answered.values())
        assert min(len(kept), wanted[image_id]) == len(mine & kept)
        if mine - kept:
            assert len(mine) + others <= wanted[image_id]
        assert len(mine) + others >= min(wanted[image_id], len(named) + others)


def twice(overlap: float) -> set[str]:
    """The images that two annotators get."""
    dealt = deal(IDS[:20], ("one", "other"), overlap, {}, {})
    return {*dealt["one"]} & {*dealt["other"]}


@given(pushes(), st.integers(0, 20))
def test_what_is_assigned_stays_when_images_come_and_when_it_is_pushed_again(push: Any, count: int) -> None:
    named, overlap, there, answered = push
    dealt = deal(IDS[:20], named, overlap, there, answered)
    before = deal(IDS[:count], named, overlap, there, answered)
    assert all(dealt[name][: len(before[name])] == before[name] for name in named)
    have = {name: there[name].union(dealt[name]) for name in named}
    assert deal(IDS[:20], named, overlap, have, answered) == dealt


@given(pushes())
def test_where_nobody_is_left_out_it_goes_to_those_who_have_it_first(push: Any) -> None:
    named, overlap, there, _ = push
    dealt = deal(IDS[:20], named, overlap, there, {})
    for image_id in IDS[:20]:
        rank = {name: sum(first(image_id, name, other) for other in named) for name in named}
        order = sorted(named, key=lambda name: (image_id not in there[name], -rank[name]))
        mine = order[: 1 + (image_id in twice(overlap))]
        assert {name for name in named if image_id in dealt[name]} == {*mine}


def first(image_id: str, name: str, other: str) -> bool:
    """Whether one of two annotators gets an image rather than the other."""
    return name != other and deal([image_id], (name, other), 0.0, {}, {})[name] == [image_id]
