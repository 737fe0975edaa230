"""consensus: annotators' answers take the place of what came; disputes keep their image out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.stages.answering import answer
from tests.stages.curated import Picture, box, build

from tundish.labeling.acceptance.batch import BATCH_IMAGES, Batch, dump_json, write_batch
from tundish.labeling.acceptance.gate import fingerprint_labels
from tundish.labeling.acceptance.plans import look_up_plan
from tundish.labeling.tables import ANSWERS
from tundish.stages import load_stage
from tundish.stages.consensus import STAGE
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, DISPUTES, SPLITS, STANDING

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context, Outcome

IMPORTED = [box("scratch", 4, 4, 20, 20)]
PICTURES = [
    Picture("agreed.jpg", seed=1, labels=IMPORTED),
    Picture("nothing.jpg", seed=2, labels=IMPORTED),
    Picture("class.jpg", seed=3, labels=IMPORTED),
    Picture("missed.jpg", seed=4, labels=IMPORTED),
    Picture("refused.jpg", seed=5, labels=IMPORTED),
    Picture("skipped.jpg", seed=6, labels=IMPORTED),
    Picture("unasked.jpg", seed=7, labels=IMPORTED),
    Picture("new.jpg", seed=8, state="unlabelled"),
]


def heard(folder: Path) -> Context:
    context = build(folder, PICTURES, children=False, label={"quorum": 1.0})
    there, near = box("scratch", 10, 10, 20, 20), box("scratch", 12, 10, 20, 20)
    answer(
        context,
        PICTURES,
        {
            "agreed.jpg": {"li": [there], "wu": [near]},
            "nothing.jpg": {"li": [], "wu": []},
            "class.jpg": {"li": [there], "wu": [box("no", 10, 10, 20, 20)]},
            "missed.jpg": {"li": [there], "wu": []},
            "refused.jpg": {"li": "refused"},
            "skipped.jpg": {"li": "cancelled"},
            "new.jpg": {"li": [there]},
        },
    )
    STAGE.run(context)
    return context


def test_standing__annotators_decide_where_they_answered(tmp_path: Path) -> None:
    rows = STANDING.read(heard(tmp_path).dataset.table("standing"))
    assert {
        path: (state, by) for path, state, by in rows.select("path", "state", "decided_by").iter_rows()
    } == {
        "agreed.jpg": ("labelled", "annotators"),
        "nothing.jpg": ("negative", "annotators"),
        "class.jpg": ("disputed", "annotators"),
        "missed.jpg": ("disputed", "annotators"),
        "refused.jpg": ("rejected", "annotators"),
        "skipped.jpg": ("labelled", "import"),
        "unasked.jpg": ("labelled", "import"),
        "new.jpg": ("labelled", "annotators"),
    }


def test_labels__geometry_is_averaged_and_who_decided_is_kept(tmp_path: Path) -> None:
    rows = CONSENSUS.read(heard(tmp_path).dataset.table("consensus"))
    found = {row["path"]: row for row in rows.iter_rows(named=True)}
    assert set(found) == {"agreed.jpg", "skipped.jpg", "unasked.jpg", "new.jpg"}
    agreed = found["agreed.jpg"]
    assert (agreed["x"], agreed["y"], agreed["width"], agreed["height"]) == (11, 10, 20, 20)
    assert (agreed["votes"], agreed["decided_by"], agreed["origin"]) == (2, "li, wu", "annotator")
    assert agreed["agreement"] == 18 / 22
    assert (found["unasked.jpg"]["x"], found["unasked.jpg"]["decided_by"]) == (4, "import")
    assert found["new.jpg"]["votes"] == 1


def test_disputes__each_label_that_has_no_quorum_with_its_reason(tmp_path: Path) -> None:
    context = heard(tmp_path)
    ids = {picture.image_id: picture.path for picture in PICTURES}
    rows = context.dataset.read(DISPUTES).with_columns(
        path=pl.col("image_id").replace_strict(ids, return_dtype=pl.String)
    )
    assert set(rows.select("path", "author", "reason").iter_rows()) == {
        ("class.jpg", "li", "class"),
        ("class.jpg", "wu", "class"),
        ("missed.jpg", "li", "quorum"),
    }


def test_nobody_was_asked__what_came_counts(tmp_path: Path) -> None:
    context = build(tmp_path, PICTURES, children=False)
    labels = context.dataset.read(ANNOTATIONS)
    rows = context.dataset.read(CONSENSUS)
    assert rows.select(labels.columns).equals(labels)
    assert set(rows["decided_by"]) == {"import"}


def gate(folder: Path, *, accepted: bool | None, acceptance: dict[str, Any] | None = None) -> dict[str, str]:
    """The states of images, two of which are in a batch with this verdict; one of those was changed since."""
    context = build(folder, PICTURES, children=False, label={"acceptance": acceptance})
    there = [box("scratch", 10, 10, 20, 20)]
    said: dict[str, Any] = {
        "agreed.jpg": {"li": there},
        "nothing.jpg": {"li": []},
        "class.jpg": {"li": there},
        "missed.jpg": {"li": there, "wu": []},
    }
    answer(context, PICTURES, said)
    STAGE.run(context)
    labels = context.dataset.read(CONSENSUS)
    ids = {picture.path: picture.image_id for picture in PICTURES}
    inside = pl.Series("image_id", [ids["agreed.jpg"], ids["nothing.jpg"]])
    places: dict[str, list[int | None]] = {"place": [0, 1], "severity": [None, None]}
    lot = fingerprint_labels(inside, labels).with_columns(
        pl.Series(name, values, BATCH_IMAGES.empty().schema[name]) for name, values in places.items()
    )
    batch = Batch(
        1, context.dataset.labels / "batches" / "1", "small review 1", {"": look_up_plan(2)}, 0, lot
    )
    write_batch(batch, labels)
    if accepted is not None:
        told = {"accepted": accepted, "inspected": 2, "defects": 0}
        (batch.folder / "verdict.json").write_bytes(dump_json(told))
    answer(context, PICTURES, said | {"nothing.jpg": {"li": there}})
    STAGE.run(context)
    load_stage("split").run(context)
    states = context.dataset.read(STANDING)
    reasons = dict(context.dataset.read(SPLITS).select("path", "reason").iter_rows())
    why = {"refused": "its batch was not accepted", "unreviewed": "its labels were not reviewed yet"}
    for path, state in states.select("path", "state").iter_rows():
        assert reasons[path] == why.get(state, reasons[path])
        assert (reasons[path] in why.values()) == (state in why)
    return dict(states.filter(decided_by="annotators").select("path", "state").iter_rows())


ALL = dict.fromkeys(("agreed.jpg", "nothing.jpg", "class.jpg"), "labelled") | {"missed.jpg": "disputed"}


def test_gate__a_batch_that_was_not_accepted_stays_out(tmp_path: Path) -> None:
    held = {"agreed.jpg": "refused", "nothing.jpg": "refused"}
    assert gate(tmp_path / "none", accepted=False) == ALL | held
    required = gate(tmp_path / "required", accepted=False, acceptance={})
    assert required == ALL | held | {"class.jpg": "unreviewed"}


def test_gate__a_batch_without_a_verdict_waits(tmp_path: Path) -> None:
    held = {"agreed.jpg": "unreviewed", "nothing.jpg": "unreviewed"}
    assert gate(tmp_path, accepted=None) == ALL | held


def test_gate__what_was_accepted_comes_in_unless_it_was_labelled_again(tmp_path: Path) -> None:
    assert gate(tmp_path / "none", accepted=True) == ALL
    required = gate(tmp_path / "required", accepted=True, acceptance={})
    assert required == ALL | {"nothing.jpg": "unreviewed", "class.jpg": "unreviewed"}


@pytest.mark.parametrize("accepted", [True, False, None])
def test_gate__off_by_the_recipe(tmp_path: Path, *, accepted: bool | None) -> None:
    assert gate(tmp_path, accepted=accepted, acceptance={"gate": False}) == ALL


HERE, AWAY = box("scratch", 10, 10, 20, 20), box("no", 40, 10, 20, 20)
TORN: dict[str, Any] = {
    "class.jpg": {"li": [HERE, AWAY], "wu": [box("no", 10, 10, 20, 20), AWAY]},
    "missed.jpg": {"li": [HERE], "wu": []},
    "agreed.jpg": {"li": [HERE], "wu": [HERE]},
}


def proposed(label: dict[str, Any], dispute: int, origin: str = "prediction", **more: Any) -> dict[str, Any]:
    """A label as it comes back from an adjudicator who was shown it."""
    meta = {"text": [f"Dispute {dispute}: 1 of 2"], "dispute": dispute} | more
    return label | {"attributes": json.dumps({"meta": meta, "origin": origin, "region": "r"})}


def adjudicated(folder: Path, *ruled: tuple[str, str, int, Any], **said: Any) -> tuple[Context, Outcome]:
    context = build(folder, PICTURES, children=False, label={"quorum": 1.0})
    answer(context, PICTURES, TORN | said, ruled)
    return context, STAGE.run(context)


def stand(context: Context, path: str) -> tuple[str, int, str]:
    row = context.dataset.read(STANDING).row(by_predicate=pl.col("path") == path, named=True)
    return row["state"], row["labels"], row["decided_by"]


def settlers(context: Context, path: str) -> set[str | None]:
    (image_id,) = (picture.image_id for picture in PICTURES if picture.path == path)
    return set(context.dataset.read(DISPUTES).filter(image_id=image_id)["settled_by"])


def test_adjudicated__the_answer_decides_alone_and_the_dispute_stays_on_record(tmp_path: Path) -> None:
    context, outcome = adjudicated(
        tmp_path,
        ("class.jpg", "qi", 2, [proposed(HERE, 1), AWAY]),
        ("missed.jpg", "qi", 2, []),
        ("agreed.jpg", "qi", 2, "refused"),
    )
    assert stand(context, "class.jpg") == ("labelled", 2, "adjudicator")
    assert stand(context, "missed.jpg") == ("negative", 0, "adjudicator")
    assert stand(context, "agreed.jpg") == ("rejected", 0, "adjudicator"), "asked for or not, it is final"
    assert settlers(context, "class.jpg") == settlers(context, "missed.jpg") == {"qi"}
    rows = context.dataset.read(CONSENSUS).filter(path="class.jpg")
    told = rows.sort("x").select("label", "decided_by", "author", "origin", "votes", "agreement").rows()
    assert told == [(name, "qi", "qi", "annotator", None, None) for name in ("scratch", "no")]
    assert json.loads(rows.sort("x")["attributes"][0]) == {"origin": "prediction", "region": "r"}
    assert outcome.counts["adjudicated"] == 3
    assert outcome.notes == []
    load_stage("split").run(context)
    splits = context.dataset.read(SPLITS)
    assert splits.filter(path="class.jpg")["split"].is_not_null().all()


def test_adjudicated__what_is_skipped_stays_open_and_names_the_command(tmp_path: Path) -> None:
    context, outcome = adjudicated(tmp_path, ("class.jpg", "qi", 2, "cancelled"))
    assert stand(context, "class.jpg") == ("disputed", 1, "annotators"), "the agreed label is kept"
    assert settlers(context, "class.jpg") == {None}
    assert outcome.notes == [
        "the annotators do not agree on 2 image files (2 class, 1 quorum): 'tundish label adjudicate small'",
        "1 images in dispute were skipped by their adjudicator",
    ]


def test_adjudicated__submitted_before_it_was_decided__stays_open(tmp_path: Path) -> None:
    other = box("no", 10, 10, 20, 20)
    both = [proposed(HERE, 1), proposed(other, 1), AWAY]
    context, outcome = adjudicated(
        tmp_path, ("class.jpg", "qi", 2, [proposed(HERE, 1)]), ("class.jpg", "qi", 3, both)
    )
    assert stand(context, "class.jpg")[0] == "disputed", "the answer changed last counts"
    assert settlers(context, "class.jpg") == {None}
    assert outcome.notes[1].startswith(
        "1 adjudicated images remain in dispute: submitted undecided (competing"
    )
    # Two objects at one place: the adjudicator changes one of them, or they were two disputes.
    for kept in (
        [proposed(HERE, 1), proposed(other, 1, "prediction-changed")],
        [proposed(HERE, 1), proposed(other, 2)],
        [proposed(HERE, 1), other],
    ):
        answer(context, PICTURES, TORN, [("class.jpg", "qi", 4, kept)])
        STAGE.run(context)
        assert stand(context, "class.jpg") == ("labelled", 2, "adjudicator")


def test_adjudicated__one_object_kept_twice_is_reported_and_counts(tmp_path: Path) -> None:
    shifted = box("scratch", 20, 10, 20, 20)
    said = {"missed.jpg": {"li": [HERE], "wu": [shifted]}}
    kept = [proposed(HERE, 1, overlaps=[2]), proposed(shifted, 2, overlaps=[1])]
    context, outcome = adjudicated(tmp_path, ("missed.jpg", "qi", 2, kept), **said)
    assert stand(context, "missed.jpg") == ("labelled", 2, "adjudicator")
    assert outcome.notes[1:] == [
        (
            "1 adjudicated images keep overlapping labels as they were proposed: where they are the same"
            " object, delete one of them in the adjudication project"
        )
    ]
    kept[1] = proposed(shifted, 2, "prediction-changed", overlaps=[1])
    answer(context, PICTURES, TORN | said, [("missed.jpg", "qi", 2, kept)])
    assert STAGE.run(context).notes == outcome.notes[:1]


def test_adjudicated__of_several_the_last_counts_whatever_annotators_say_since(tmp_path: Path) -> None:
    ruled = [
        ("class.jpg", "qi", 3, [HERE]),
        ("class.jpg", "xu", 2, []),
        ("missed.jpg", "li", 0, []),
    ]
    context, outcome = adjudicated(tmp_path, *ruled)
    assert stand(context, "class.jpg") == ("labelled", 1, "adjudicator")
    assert settlers(context, "class.jpg") == {"qi"}
    assert stand(context, "missed.jpg") == ("negative", 0, "adjudicator")
    assert outcome.notes == [
        (
            "1 adjudicated images were answered again since and remain as adjudicated: to change them,"
            " change the answer in the adjudication project"
        ),
        "li adjudicated 1 images that they had labelled themselves",
    ]


def test_adjudicated__gate(tmp_path: Path) -> None:
    """What an adjudicator decided is accepted in batches like the rest."""
    context = build(tmp_path, PICTURES, children=False, label={"quorum": 1.0, "acceptance": {}})
    answer(context, PICTURES, TORN, [("class.jpg", "qi", 2, [HERE])])
    STAGE.run(context)
    assert stand(context, "class.jpg") == ("unreviewed", 1, "adjudicator")


def test_an_annotator_who_answers_an_image_again_has_one_opinion__the_last(tmp_path: Path) -> None:
    """In a colleague's project, or once more in one task: neither two labels of one object nor two votes."""
    context = build(tmp_path, PICTURES, children=False, label={"quorum": 1.0})
    again, hour = [box("scratch", 12, 10, 20, 20)], datetime(2026, 1, 1, 5, tzinfo=UTC)
    answer(context, PICTURES, {"new.jpg": {"li": [HERE], "li again": again, "wu": [HERE]}})
    path, by = context.dataset.labels / "answers.parquet", pl.col("author")
    late = pl.when(by == "li again").then(pl.lit(hour).cast(pl.Datetime("us", "UTC")))
    answers = ANSWERS.read(path).with_columns(late.otherwise("updated_at").alias("updated_at"))
    same = by.str.replace(" again", "")
    ANSWERS.write(answers.with_columns(same), path)
    labels = context.dataset.read(ANNOTATIONS)
    context.dataset.write(ANNOTATIONS, labels.with_columns(same))
    outcome = STAGE.run(context)
    rows = context.dataset.read(CONSENSUS).filter(path="new.jpg")
    assert rows.select("x", "votes", "decided_by").rows() == [(11.0, 2, "li, wu")]
    assert outcome.notes == ["1 answers were superseded by later answers of the same annotators"]


def test_an_adjudicator_s_answer_of_another_server_may_have_an_annotator_s_numbers(tmp_path: Path) -> None:
    """A server that was set up again counts tasks and answers from 1 again."""
    context, _ = adjudicated(tmp_path, ("class.jpg", "qi", 2, [HERE]))
    answers = ANSWERS.read(context.dataset.labels / "answers.parquet")
    own = answers.filter(path="missed.jpg", author="li")["answer_id"][0]
    ruled = answers.filter(role="adjudicator")["answer_id"][0]
    number = pl.col("task_id", "answer_id").replace({ruled: own})
    ANSWERS.write(answers.with_columns(number), context.dataset.labels / "answers.parquet")
    labels = context.dataset.read(ANNOTATIONS)
    there = pl.col("label_path").replace(f"task-{ruled}/annotation-{ruled}", f"task-{own}/annotation-{own}")
    context.dataset.write(ANNOTATIONS, labels.with_columns(there))
    STAGE.run(context)
    assert stand(context, "class.jpg") == ("labelled", 1, "adjudicator")
    assert stand(context, "missed.jpg")[0] == "disputed"
