"""What an adjudicator is shown: every disputed label, every agreed one, and nobody's name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.stages.answering import answer, write_recipe
from tests.stages.curated import Picture, box, build, whole

from tundish.cli import main
from tundish.labeling.consensus.adjudications import Adjudications, read_adjudications
from tundish.labeling.consensus.disputes import Disputes, collect_disputes
from tundish.labeling.consensus.merge import merge_labels
from tundish.labeling.label_studio.read_answers import read_tasks
from tundish.labeling.tables import ANSWERS, judgements_of
from tundish.recipe.labelling import Label
from tundish.recipe.sections import Annotations
from tundish.stages import load_stage
from tundish.storage.tables import ANNOTATIONS, DISPUTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIZE = (64, 48)
SECTION = Annotations.model_validate({"classes": ["scratch", "no"]})


def asked(
    said: Mapping[str, Mapping[str, list[dict[str, Any]]]], quorum: float = 1.0, **more: Any
) -> Disputes:
    """The cases that come of what annotators drew, by image and author."""
    rows = [
        {"annotation_id": f"{number:030x}{row:02x}", "image_id": image_id, "path": f"{image_id}.jpg"}
        | {"source": "line-1", "author": author, "origin": "annotator", "valid": True, "is_crowd": False}
        | label
        for image_id, authors in said.items()
        for number, (author, labels) in enumerate(authors.items(), len(image_id))
        for row, label in enumerate(labels)
    ]
    labels = ANNOTATIONS.frame(rows).with_columns(
        annotation_id=pl.col("image_id").str.pad_end(4, "0") + pl.col("annotation_id").str.slice(4)
    )
    sizes = pl.DataFrame([(one, *SIZE) for one in said], schema=["image_id", "width", "height"], orient="row")
    seen = pl.DataFrame(
        [(one, author) for one, authors in said.items() for author in authors],
        schema=["image_id", "author"],
        orient="row",
    )
    found = merge_labels(labels, sizes, seen, quorum=quorum)
    disputes = found.disputes.with_columns(
        pl.col("unit").cast(pl.Int32), settled_by=pl.lit(more.get("by"), pl.String)
    ).select(DISPUTES.schema.names)
    agreed = found.agreed.with_columns(author=pl.col("decided_by").list.join(", "), valid=True)
    reported = agreed.select(
        pl.col(name) if name in agreed.columns else pl.lit(None).alias(name) for name in labels.columns
    ).cast(labels.schema)
    shapes = more.get("shapes", ("box", "mask", "class"))
    return collect_disputes(disputes, reported, labels, dict.fromkeys(more.get("there", said), SIZE), shapes)


HERE, NEAR, AWAY = box("scratch", 10, 10, 20, 20), box("scratch", 11, 10, 20, 20), box("no", 40, 20, 9, 9)
OTHER = box("no", 10, 10, 20, 20)


def notes(found: Disputes, image_id: str) -> list[tuple[str, str | None]]:
    return [
        (region["value"][region["type"]][0], region.get("meta", {}).get("text", [None])[0])
        for region in found.regions[image_id]
    ]


def test_each_disputed_label_with_its_note_then_what_is_agreed() -> None:
    found = asked({"a": {"li": [HERE, AWAY], "wu": [OTHER, AWAY]}, "b": {"li": [HERE], "wu": [HERE]}})
    reported = "Dispute 1: 1 call it 'no', 1 call it 'scratch'"
    assert notes(found, "a") == [("scratch", reported), ("no", reported), ("no", None)]
    assert found.images.rows() == [("a", reported)]
    assert set(found.regions) == {"a"}
    assert not found.problems


def test_the_most_disputed_first_then_by_id() -> None:
    one = {"li": [HERE], "wu": []}
    found = asked({"b": one, "c": {"li": [HERE, AWAY], "wu": []}, "a": one})
    assert found.images["image_id"].to_list() == ["c", "a", "b"]
    assert found.images["why"][0] == (
        "Dispute 1: 1 of 2 who saw the image drew it (scratch)"
        "\nDispute 2: 1 of 2 who saw the image drew it (no)"
    )


def test_classes_of_the_image__one_entry_that_knows_the_dispute_of_each() -> None:
    (entry,) = asked({"a": {"li": [whole("scratch")], "wu": [whole("no")]}}).regions["a"]
    assert sorted(entry["value"]["choices"]) == ["no", "scratch"]
    reported = "Dispute 1 (whole image): 1 call it 'no', 1 call it 'scratch'"
    assert entry["meta"] == {"text": [reported], "dispute": {"no": 1, "scratch": 1}}


def test_what_is_settled_or_gone_is_not_pushed() -> None:
    said = {"a": {"li": [HERE], "wu": []}}
    assert asked(said, by="qi").images.is_empty()
    assert asked(said, there=()).images.is_empty()


def test_a_label_that_cannot_be_shown__its_image_is_held_back() -> None:
    said = {"a": {"li": [HERE, whole("no")], "wu": [whole("no")]}, "b": {"li": [HERE], "wu": []}}
    found = asked(said, shapes=("box", "mask"))
    assert found.images["image_id"].to_list() == ["b"]
    assert [one.check for one in found.problems] == ["no_control"]


boxes = st.builds(
    box,
    st.sampled_from(["scratch", "no"]),
    st.integers(0, 30),
    st.integers(0, 20),
    st.integers(2, 30),
    st.integers(2, 20),
)
drawings = st.dictionaries(st.sampled_from(["li", "wu", "xu"]), st.lists(boxes, max_size=4), min_size=1)


@given(st.dictionaries(st.sampled_from("ab"), drawings, min_size=1), st.sampled_from([0.5, 2 / 3, 1.0]))
def test_nothing_that_was_drawn_is_missing_and_nobody_is_named(said: dict[str, Any], quorum: float) -> None:
    found = asked(said, quorum)
    assert not found.problems
    for image_id, why in found.images.iter_rows():
        regions = found.regions[image_id]
        disputed = [region for region in regions if "dispute" in region.get("meta", {})]
        count = sum(map(len, said[image_id].values()))
        assert 0 < len(disputed) <= count
        assert len(regions) <= count
        assert len({region["id"] for region in regions}) == len(regions)
        text = why + orjson.dumps(regions).decode()
        assert not any(name in text for name in ('li"', "wu", "xu"))
        for number in {region["meta"]["dispute"] for region in disputed}:
            assert f"Dispute {number}: " in why


def answered(
    regions: list[dict[str, Any]], origin: str, section: Annotations = SECTION
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is pulled where an adjudicator submits these regions."""
    result = [region | {"origin": origin} for region in regions]
    annotation = {"id": 7, "completed_by": {"email": "qi@x"}, "result": result}
    task = {"id": 3, "data": {"image_id": "a", "purpose": "adjudication"}, "annotations": [annotation]}
    images = pl.DataFrame([("a", "line-1", "a.jpg", *SIZE)], orient="row").rename(
        dict(zip(["column_0", "column_1", "column_2", "column_3", "column_4"],
                 ["image_id", "source", "path", "width", "height"], strict=True))
    )  # fmt: skip
    pulled = read_tasks([task], images, section)
    return pulled.annotations, pulled.answers


def adjudicated(regions: list[dict[str, Any]], origin: str, section: Annotations = SECTION) -> Adjudications:
    sizes = pl.DataFrame([("a", *SIZE)], schema=["image_id", "width", "height"], orient="row")
    return read_adjudications(*answered(regions, origin, section), sizes, iou=0.5)


@pytest.mark.parametrize("kind", ["box", "class"])
def test_submitted_as_it_was_shown__settles_nothing(kind: str) -> None:
    drawn = (
        {"li": [HERE], "wu": [OTHER]} if kind == "box" else {"li": [whole("no")], "wu": [whole("scratch")]}
    )
    regions = asked({"a": drawn}).regions["a"]
    assert adjudicated(regions, "prediction").undecided == ["a"]
    changed = adjudicated(regions, "prediction-changed")
    assert changed.undecided == []
    assert changed.labels.height == 2
    if kind == "box":
        kept = adjudicated(regions[:1], "prediction")
        assert kept.labels["label"].to_list() == ["scratch"]
        assert "meta" not in json.loads(kept.labels["attributes"][0])


def test_a_class_that_was_renamed_since__is_still_of_its_dispute() -> None:
    regions = asked({"a": {"li": [whole("no")], "wu": [whole("scratch")]}}).regions["a"]
    renamed = Annotations.model_validate({"classes": {"groove": ["scratch"], "no": []}})
    assert adjudicated(regions, "prediction", renamed).undecided == ["a"]


def test_one_upon_the_other_with_the_same_class__settles_nothing() -> None:
    first, second = asked({"a": {"li": [HERE], "wu": [OTHER]}}).regions["a"]
    value = second["value"] | {"rectanglelabels": ["scratch"]}
    assert adjudicated([first, second | {"value": value}], "prediction-changed").undecided == ["a"]
    away = value | {"x": 60.0}
    assert adjudicated([first, second | {"value": away}], "prediction-changed").labels.height == 2


def test_empty_and_not_started_from_what_is_drawn__settles_nothing() -> None:
    assert adjudicated([], "manual").undecided == ["a"]


SHIFTED, APART = box("scratch", 20, 10, 20, 20), box("no", 25, 10, 20, 20)
PART, ROD = box("no", 12, 12, 4, 4), box("scratch", 12, 8, 2, 24)


def test_one_object_at_two_places__each_dispute_names_the_other() -> None:
    found = asked({"a": {"li": [HERE], "wu": [SHIFTED]}})
    said = "1 of 2 who saw the image drew it (scratch); overlaps dispute {}: one object or two?"
    assert found.images["why"][0].split("\n") == [f"Dispute {n}: {said.format(3 - n)}" for n in (1, 2)]
    reported = [(one["meta"]["dispute"], one["meta"]["overlaps"]) for one in found.regions["a"]]
    assert reported == [(1, [2]), (2, [1])]
    many = asked({"a": {"li": [HERE], "wu": [SHIFTED], "xu": [PART]}}).images["why"][0]
    assert "overlaps disputes 2, 3: one object or more?" in many


@pytest.mark.parametrize(
    ("drawn", "asks"),
    [
        ({"li": [HERE], "wu": [APART]}, False),  # a quarter of the smaller
        ({"li": [HERE], "wu": [PART]}, True),  # a part, and the whole
        ({"li": [HERE, SHIFTED], "wu": []}, False),  # one author knows what is one thing
        ({"li": [HERE], "wu": [box("no", 45, 10, 9, 9)]}, False),
        ({"li": [whole("no")], "wu": [HERE]}, False),
        ({"li": [HERE], "wu": [ROD]}, True),
    ],
)
def test_when_a_note_asks_whether_there_is_one_object_or_two(drawn: dict[str, Any], asks: bool) -> None:
    found = asked({"a": drawn})
    assert ("one object or two?" in found.images["why"][0]) == asks
    assert any("overlaps" in one["meta"] for one in found.regions["a"]) == asks
    assert adjudicated(found.regions["a"], "prediction").overlapping == ["a"] * asks


def test_a_third_drew_it_at_another_place__what_is_agreed_is_named_too() -> None:
    found = asked({"a": {"li": [HERE], "wu": [NEAR], "xu": [SHIFTED]}}, 0.6)
    assert found.images["why"][0].endswith("(scratch); overlaps what is agreed: one object or two?")
    disputed, agreed = found.regions["a"]
    assert agreed["meta"] == {"text": ["Agreed; overlaps dispute 1: one object or two?"], "overlaps": [1]}
    kept = adjudicated([disputed, agreed], "prediction")
    assert (kept.overlapping, kept.undecided, kept.labels.height) == (["a"], [], 2)
    assert not any("meta" in json.loads(text) for text in kept.labels["attributes"])
    assert adjudicated([disputed], "prediction").overlapping == []
    assert adjudicated([agreed], "prediction").overlapping == []
    several = {"a": {"li": [HERE], "wu": [NEAR], "xu": [SHIFTED], "zu": [PART]}}
    why = asked(several, 0.5).images["why"][0]
    assert "overlaps what is agreed: one object or two?" in why


def test_who_agreed_and_drew_another_beside_it_meant_two_objects() -> None:
    found = asked({"a": {"li": [HERE, SHIFTED], "wu": [NEAR], "xu": [AWAY, NEAR]}}, 0.6)
    assert "one thing" not in found.images["why"][0]
    assert not any("overlaps" in one.get("meta", {}) for one in found.regions["a"])


def test_of_several_labels_of_a_dispute__only_the_one_that_overlaps() -> None:
    """wu's box lies apart from xu's: keeping li's and xu's is what is asked about, wu's and xu's is not."""
    li, wu, xu = box("scratch", 10, 10, 20, 20), box("no", 4, 10, 20, 20), box("no", 22, 10, 16, 20)
    regions = asked({"a": {"li": [li], "wu": [wu], "xu": [xu]}}).regions["a"]
    numbers = {one["value"]["x"]: one["meta"] for one in regions}
    assert len({meta["dispute"] for meta in numbers.values()}) == 2
    by_x = {round(one["value"]["x"] * 0.64): one for one in regions}
    assert adjudicated([by_x[10], by_x[22]], "prediction").overlapping == ["a"]
    assert adjudicated([by_x[4], by_x[22]], "prediction").overlapping == []


def test_both_kept__the_answer_counts_and_is_reported_unless_one_was_touched() -> None:
    regions = asked({"a": {"li": [HERE], "wu": [SHIFTED]}}).regions["a"]
    kept = adjudicated(regions, "prediction")
    assert (kept.overlapping, kept.undecided, kept.labels.height) == (["a"], [], 2)
    assert not any("meta" in json.loads(text) for text in kept.labels["attributes"])
    assert adjudicated(regions[:1], "prediction").overlapping == []
    assert adjudicated(regions, "prediction-changed").overlapping == []


def test_an_adjudicator_s_answer_is_not_a_judgement() -> None:
    labels, answers = answered(asked({"a": {"li": [HERE], "wu": []}}).regions["a"], "prediction")
    assert answers["role"].to_list() == ["adjudicator"]
    own, opinions = judgements_of(labels, answers)
    assert own.is_empty()
    assert opinions.is_empty()
    nobody = ANSWERS.empty()
    assert judgements_of(labels, nobody)[0].height == 1


def test_command__no_stale_labels_and_the_server_is_asked_though_nothing_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [Picture("a.jpg", seed=1, state="unlabelled")]
    context = build(tmp_path, pictures, children=False, label={"server": "http://127.0.0.1:9"})
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "f" * 40)
    answer(context, pictures, {"a.jpg": {"li": [HERE], "wu": []}})
    stale = CliRunner().invoke(main, ["label", "adjudicate", "small"])
    assert stale.exit_code == 2
    assert "answers were pulled since the labels that count" in stale.stderr
    load_stage("consensus").run(context)
    asked_for = CliRunner().invoke(main, ["label", "adjudicate", "small"])
    assert asked_for.exit_code == 3, asked_for.output
    answer(context, pictures, {"a.jpg": {"li": [HERE], "wu": []}}, [("a.jpg", "qi", 2, [])])
    load_stage("consensus").run(context)
    done = CliRunner().invoke(main, ["label", "adjudicate", "small"])
    assert done.exit_code == 3, "something may be in front of the adjudicator still"
    answer(context, pictures, {})
    nobody = CliRunner().invoke(main, ["label", "adjudicate", "small"])
    assert nobody.exit_code == 2
    fix = "run 'tundish label pull small' when somebody has answered"
    assert f"nobody has answered yet; {fix}" in nobody.stderr


def test_no_annotator_is_called_as_the_project_is() -> None:
    with pytest.raises(ValueError, match="is the project of disputes"):
        Label(annotators=("li", "adjudication"))
