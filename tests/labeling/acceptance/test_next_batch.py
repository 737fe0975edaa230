"""label accept: whose work a batch is, an AQL for each class of nonconformity, what is refused before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest
from click.testing import CliRunner
from defusedxml import ElementTree
from tests.labeling.reviewing import DRAWN, PICTURES, reviewed, validated
from tests.stages.answering import answer, write_recipe
from tests.stages.curated import box, build

from tundish.cli import main
from tundish.errors import MissingStepError, UsageError
from tundish.labeling.acceptance.batch import (
    BATCH_IMAGES,
    AqlResult,
    Batch,
    read_batches,
    read_findings,
    read_verdict,
    switching_state,
)
from tundish.labeling.acceptance.next_batch import (
    SEVERAL,
    count_waiting_images,
    create_next_batch,
    find_open_batch,
    refused_batches,
)
from tundish.labeling.acceptance.opening import describe_opening
from tundish.labeling.acceptance.options import BatchOptions, check_options
from tundish.labeling.acceptance.plans import look_up_plan
from tundish.labeling.acceptance.review import judge_batch
from tundish.labeling.acceptance.verdict import ALL_CLASSES
from tundish.labeling.tables import ANSWERS
from tundish.stages.consensus import STAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

EACH = BatchOptions("small", aql=6.5, per_annotator=True)
BY_CLASS = BatchOptions("small", aql={"major": 10.0, "critical": 6.5})
"""Of twelve images two are looked at for critical nonconformities (Ac 0), five for major ones (Ac 1)."""


def given(**more: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """wu answers five pictures, li five, and both the last two; `more` by number of the picture, p3."""
    by_number: list[dict[str, Any]] = [
        *({"wu": DRAWN} for _ in range(5)),
        *({"li": DRAWN} for _ in range(5)),
        *({"li": DRAWN, "wu": DRAWN} for _ in range(2)),
    ]
    return {
        picture.path: more.get(f"p{number}", by_number[number]) for number, picture in enumerate(PICTURES)
    }


def world(folder: Path, **more: dict[str, Any]) -> Context:
    context = build(folder, PICTURES, children=False)
    answer(context, PICTURES, given(**more))
    STAGE.run(context)
    return context


def made(context: Context, options: BatchOptions) -> Batch:
    batch = create_next_batch(context.dataset, options)
    assert batch is not None
    return batch


def numbers(batch: Batch) -> set[int]:
    places = {picture.image_id: number for number, picture in enumerate(PICTURES)}
    return {places[image_id] for image_id in batch.images["image_id"]}


def test_a_batch_holds_the_work_of_one(tmp_path: Path) -> None:
    """By name; what several answered is their joint work, and comes last."""
    context = world(tmp_path)
    found = []
    for _ in range(3):
        batch = made(context, EACH)
        reviewed(batch, *batch.sample)
        judge_batch(batch, context.dataset)
        assert batch.title == f"small review {batch.number}", "the title must not tell whose work it is"
        reported = [
            orjson.loads((batch.folder / name).read_bytes()) for name in ("plan.json", "verdict.json")
        ]
        assert [one["producer"] for one in reported] == [batch.producer] * 2
        found.append((batch.producer, numbers(batch)))
    assert found == [("li", {5, 6, 7, 8, 9}), ("wu", {0, 1, 2, 3, 4}), (SEVERAL, {10, 11})]
    assert create_next_batch(context.dataset, EACH) is None
    batches = read_batches(context.dataset.labels)
    assert [switching_state(batches, 6.5, ALL_CLASSES, who).score for who in ("li", "wu", SEVERAL, "")] == [
        2,
        2,
        2,
        0,
    ]


def test_what_an_adjudicator_decided_is_joint_work(tmp_path: Path) -> None:
    context = world(tmp_path)
    path = context.dataset.labels / "answers.parquet"
    first = pl.col("image_id") == PICTURES[5].image_id
    role = pl.when(first).then(pl.lit("adjudicator")).otherwise(pl.lit("annotator"))
    ANSWERS.write(ANSWERS.read(path).with_columns(role=role), path)
    validated(context)
    assert numbers(made(context, EACH)) == {6, 7, 8, 9}
    assert numbers(made(context, EACH._replace(annotator=SEVERAL))) == {5, 10, 11}


def test_an_annotator_is_chosen(tmp_path: Path) -> None:
    context = world(tmp_path)
    first = made(context, EACH)
    second = made(context, EACH._replace(annotator="wu"))
    assert (first.producer, second.producer) == ("li", "wu")
    for name, number in (("", 1), ("li", 1), ("wu", 2)):
        batch = find_open_batch(context.dataset, name)
        assert batch is not None
        assert batch.number == number
    assert find_open_batch(context.dataset, SEVERAL) is None
    assert create_next_batch(context.dataset, EACH._replace(annotator="wu")) is None
    with pytest.raises(UsageError, match="no image was answered by 'qi' alone; use one of li, wu, several"):
        create_next_batch(context.dataset, EACH._replace(annotator="qi"))
    with pytest.raises(UsageError, match="per: annotator"):
        check_options(EACH._replace(annotator="li", per_annotator=False))


def test_refused_work_comes_again_as_that_of_the_same_producer(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context, EACH)
    reviewed(batch, *batch.sample, given={image_id: [] for image_id in batch.sample})
    judge_batch(batch, context.dataset)
    assert [one.name for one in refused_batches(context.dataset)] == ["1 (li)"]
    assert made(context, EACH).producer == "wu", "the others' work goes on"
    # wu mends what was found: it stays the lot that li made.
    places = {picture.image_id: f"p{number}" for number, picture in enumerate(PICTURES)}
    answer(context, PICTURES, given(**{places[image_id]: {"wu": []} for image_id in batch.sample}))
    STAGE.run(context)
    again = made(context, EACH)
    assert (again.producer, again.resubmits, numbers(again)) == ("li", 1, {5, 6, 7, 8, 9})
    reviewed(again, *again.sample, given={image_id: [] for image_id in batch.sample})
    judged = judge_batch(again, context.dataset)
    assert judged.verdict.accepted
    before = read_batches(context.dataset.labels)
    assert switching_state(before, 6.5, ALL_CLASSES, "li").recent == (False,), (
        "what comes again counts for nothing"
    )
    assert switching_state(before, 6.5, ALL_CLASSES, "wu").recent == ()


MISSED, OTHER, LOOSE = (
    [*DRAWN, box("scratch", 40, 30, 8, 8)],
    [box("no", 10, 10, 20, 20)],
    [box("scratch", 14, 10, 20, 20)],
)
"""What a reviewer draws where the batch is wrong: critical, major, minor."""


@pytest.mark.parametrize(
    ("found", "accepted", "by_class", "defects"),
    [
        ({}, True, (True, True), (0, 0)),
        ({0: MISSED}, False, (False, True), (1, 0)),
        ({2: MISSED, 3: MISSED}, True, (True, True), (0, 0)),  # beyond the sample of the critical class
        ({0: OTHER}, True, (True, True), (0, 1)),
        ({0: OTHER, 4: OTHER}, False, (True, False), (0, 2)),
        ({0: MISSED, 1: OTHER, 2: OTHER}, False, (False, False), (1, 2)),
        ({0: LOOSE, 1: LOOSE, 2: LOOSE}, True, (True, True), (0, 0)),  # no AQL: told, not judged
    ],
)
def test_each_class_has_its_verdict(
    tmp_path: Path,
    found: dict[int, list[dict[str, Any]]],
    accepted: bool,
    by_class: tuple[bool, bool],
    defects: tuple[int, int],
) -> None:
    context = world(tmp_path)
    batch = made(context, BY_CLASS)
    assert batch.plans == {
        "critical": look_up_plan(12, "II", 6.5),
        "major": look_up_plan(12, "II", 10.0),
    }
    assert len(batch.sample) == batch.plan.n == 5
    reviewed(batch, *batch.sample, given={batch.sample[place]: boxes for place, boxes in found.items()})
    judged = judge_batch(batch, context.dataset)
    assert judged.verdict.accepted is accepted
    (again,) = read_batches(context.dataset.labels)
    assert (again.accepted, again.plans, again.complete) == (accepted, batch.plans, True)
    assert again.results == {
        name: AqlResult(word, inspected, count)
        for name, word, inspected, count in zip(("critical", "major"), by_class, (2, 5), defects, strict=True)
    }
    reported = orjson.loads((batch.folder / "verdict.json").read_bytes())
    assert reported["images_by_worst"]["minor"] == judged.verdict.unjudged["minor"]
    assert (reported["accepted"], reported["sentence"]) == (accepted, str(judged.verdict))
    root = ElementTree.fromstring((batch.folder / "oc.svg").read_text())
    titles = [node.text for node in root.iter() if (node.text or "").startswith("Operating characteristic: ")]
    assert titles[1:] == [f"Operating characteristic: {name} nonconformities" for name in again.plans]


def test_each_class_has_its_history(tmp_path: Path) -> None:
    def judged_as(number: int, critical: bool | None, major: bool | None) -> Batch:
        plans = {"critical": look_up_plan(500, "II", 1.0), "major": look_up_plan(500, "II", 2.5)}
        results = {
            name: AqlResult(word, plans[name].n, 0 if word else plans[name].re)
            for name, word in (("critical", critical), ("major", major))
        }
        return Batch(number, tmp_path, "t", plans, 0, pl.DataFrame(), results=results)

    batches = [judged_as(1, False, True), judged_as(2, False, True)]
    assert [one.accepted for one in batches] == [False, False]
    assert switching_state(batches, 1.0, "critical").severity == "tightened"
    assert switching_state(batches, 2.5, "major").score == 6
    assert switching_state(batches, 1.0).score == 0, "an AQL for all has a history of its own"
    # A review that broke off when one class was refused says nothing of the other.
    assert switching_state([*batches, judged_as(3, False, None)], 2.5, "major").score == 6


def test_severity_is_found_for_each_class(tmp_path: Path) -> None:
    context = world(tmp_path)
    for _ in range(2):
        batch = made(context, BY_CLASS)
        reviewed(batch, *batch.sample, given={batch.sample[0]: MISSED, batch.sample[1]: MISSED})
        judge_batch(batch, context.dataset)
        # Without a lot its images are there for the next batch.
        BATCH_IMAGES.write(BATCH_IMAGES.empty(), batch.folder / "lot.parquet")
    batch = made(context, BY_CLASS)
    assert {name: one.severity for name, one in batch.plans.items()} == {
        "critical": "tightened",
        "major": "normal",
    }


def test_what_reviewers_overlook_is_reported(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context, BatchOptions("small", aql=10.0, miss_rate=0.2))
    reviewed(batch, *batch.sample, given={batch.sample[0]: MISSED})
    judged = judge_batch(batch, context.dataset)
    assert judged.verdict.verdicts[ALL_CLASSES].rate == pytest.approx(1 / 5 / 0.8)
    reported = orjson.loads((batch.folder / "verdict.json").read_bytes())
    assert (reported["miss_rate"], reported["rate"]) == (0.2, pytest.approx(0.25))
    assert "(95 %), if reviewers overlook 20 % of them." in reported["sentence"]
    assert read_batches(context.dataset.labels)[0].miss_rate == 0.2
    assert "25.00 % nonconforming, 20 % overlooked" in (batch.folder / "oc.svg").read_text()


def test_how_near_a_label_must_be_is_the_recipe_s(tmp_path: Path) -> None:
    """As it was when the batch was opened."""
    context = world(tmp_path)
    batch = made(context, BY_CLASS._replace(misplaced=0.2, loose=0.3))
    reviewed(batch, *batch.sample, given={batch.sample[0]: LOOSE})
    assert judge_batch(batch, context.dataset).verdict.unjudged == {"minor": 0}
    (again,) = read_batches(context.dataset.labels)
    assert (again.misplaced, again.loose) == (0.2, 0.3)


def test_a_batch_of_an_earlier_version(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context, BatchOptions("small", aql=6.5))
    path = batch.folder / "plan.json"
    new = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({key: new[key] for key in new if key not in LATER}))
    (old,) = read_batches(context.dataset.labels)
    assert (old.producer, old.miss_rate, old.plans) == ("", 0.0, batch.plans)
    assert (old.misplaced, old.loose) == (0.5, 0.75)
    assert find_open_batch(context.dataset) is not None


def accepted(context: Context, batch: Batch) -> Batch:
    reviewed(batch, *batch.sample)
    judge_batch(batch, context.dataset)
    return batch


def opened(context: Context, options: BatchOptions) -> str:
    batch = made(context, options)
    return describe_opening(batch, read_batches(context.dataset.labels))


def world_of(folder: Path, count: int) -> Context:
    """The first pictures answered by li."""
    context = build(folder, PICTURES, children=False)
    answer(context, PICTURES, {picture.path: {"li": DRAWN} for picture in PICTURES[:count]})
    STAGE.run(context)
    return context


def test_a_further_batch_is_inspected_as_the_one_before_it(tmp_path: Path) -> None:
    """Where neither the recipe nor an option says anything else: the switching rules require one series."""
    context = world_of(tmp_path, 9)
    assert opened(context, BatchOptions("small", aql=6.5, level="I")) == (
        "opens batch 1: 9 images, 9 not in a batch before; AQL 6.5 %, level I"
    )
    accepted(context, read_batches(context.dataset.labels)[0])
    answer(
        context,
        PICTURES,
        {p.path: {"li": [] if n == 4 else DRAWN} for n, p in enumerate(PICTURES[:11])},
    )
    STAGE.run(context)
    assert count_waiting_images(context.dataset, BatchOptions("small")) == 3
    plain = made(context, BatchOptions("small"))
    assert (plain.plan.aql, plain.plan.level) == (6.5, "I")
    assert count_waiting_images(context.dataset, BatchOptions("small")) == 0
    assert describe_opening(plain, read_batches(context.dataset.labels)) == (
        "opens batch 2: 3 images, 2 not in a batch before, 1 labelled again since acceptance;"
        " AQL 6.5 %, level I, as batch 1"
    )
    accepted(context, plain)
    answer(
        context,
        PICTURES,
        {p.path: {"li": [] if n == 4 else DRAWN} for n, p in enumerate(PICTURES)},
    )
    STAGE.run(context)
    assert opened(context, BatchOptions("small", aql=2.5)) == (
        "opens batch 3: 1 image, 1 not in a batch before; AQL 2.5 %, level I; batch 2 had AQL 6.5 %, level I:"
        " another series"
    )


def test_the_first_batch_is_inspected_by_default(tmp_path: Path) -> None:
    of = made(world_of(tmp_path, 9), BatchOptions("small")).plan
    assert (of.aql, of.level) == (1.0, "II")


def test_each_annotator_has_a_series(tmp_path: Path) -> None:
    context = world(tmp_path)
    accepted(context, made(context, BatchOptions("small", aql=6.5, per_annotator=True)))
    of = BatchOptions("small", per_annotator=True)
    assert opened(context, of) == "opens batch 2 (wu): 5 images, 5 not in a batch before; AQL 1 %, level II"


def test_a_series_with_an_aql_for_each_class_goes_on(tmp_path: Path) -> None:
    context = world_of(tmp_path, 9)
    accepted(context, made(context, BY_CLASS))
    answer(context, PICTURES, {picture.path: {"li": DRAWN} for picture in PICTURES})
    STAGE.run(context)
    assert opened(context, BatchOptions("small")) == (
        "opens batch 2: 3 images, 3 not in a batch before; critical AQL 6.5 %, major AQL 10 %, level II,"
        " as batch 1"
    )


def test_a_batch_that_comes_again_is_inspected_as_before(tmp_path: Path) -> None:
    context = world_of(tmp_path, 9)
    batch = made(context, BatchOptions("small", lq=40.0, ac=1))
    assert (batch.plan.lq, batch.plan.ac, batch.plan.aql) == (40.0, 1, None)
    reviewed(batch, *batch.sample, given={image_id: [] for image_id in batch.sample})
    judge_batch(batch, context.dataset)
    reported = orjson.loads((batch.folder / "verdict.json").read_bytes())
    assert reported["accepted"] is False
    assert "switching" not in reported, "a lot that stands alone is of no series"
    places = {picture.image_id: picture.path for picture in PICTURES}
    bad = {places[image_id] for image_id in batch.sample}
    answer(context, PICTURES, {p.path: {"li": [] if p.path in bad else DRAWN} for p in PICTURES[:9]})
    STAGE.run(context)
    assert opened(context, BatchOptions("small")) == (
        "opens batch 2: 9 images resubmitted after batch 1; LQ 40 %, Ac 1, as batch 1"
    )
    accepted(context, read_batches(context.dataset.labels)[1])
    answer(context, PICTURES, {p.path: {"li": [] if p.path in bad else DRAWN} for p in PICTURES})
    STAGE.run(context)
    assert made(context, BatchOptions("small")).plan.aql == 1.0, "a lot that stands alone begins no series"


def test_an_isolated_batch_has_no_aql(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="an isolated batch has no level"):
        check_options(BatchOptions("small", lq=5.0, level="I"))
    with pytest.raises(UsageError, match="holds 1 nonconforming items, which a plan with Ac 1 cannot reject"):
        create_next_batch(world_of(tmp_path, 9).dataset, BatchOptions("small", lq=5.0, ac=1))


def test_findings_of_an_earlier_version(tmp_path: Path) -> None:
    """Their classes were letters, and they did not say where the image is."""
    context = world(tmp_path)
    batch = made(context, BY_CLASS)
    reviewed(batch, *batch.sample, given={batch.sample[0]: MISSED, batch.sample[1]: LOOSE})
    judge_batch(batch, context.dataset)
    path = batch.folder / "findings.parquet"
    letters = pl.col("worst").replace({"critical": "A", "major": "B", "minor": "C"})
    pl.read_parquet(path).with_columns(letters).drop("source", "path", "details").write_parquet(path)
    reported = batch.folder / "verdict.json"
    said_then = orjson.loads(reported.read_bytes()) | {"images_by_worst": {"A": 1, "B": 0, "C": 1}}
    reported.write_bytes(orjson.dumps(said_then))
    (old,) = read_batches(context.dataset.labels)
    found = read_findings(old).sort("worst")
    assert found["worst"].drop_nulls().to_list() == ["critical", "minor"]
    assert found["path"].null_count() == found.height
    verdict = read_verdict(old)
    assert verdict is not None
    assert verdict["images_by_worst"] == {"critical": 1, "major": 0, "minor": 1}
    # What is minor has no AQL: the lot comes again when what is critical has been labelled anew.
    places = {picture.image_id: f"p{number}" for number, picture in enumerate(PICTURES)}
    answer(context, PICTURES, given(**{places[batch.sample[0]]: {"li": []}}))
    STAGE.run(context)
    assert made(context, BY_CLASS).resubmits == 1


LATER = ("producer", "miss_rate", "misplaced", "loose")


def test_answers_that_the_labels_do_not_know_yet(tmp_path: Path) -> None:
    """By what the file says, not by its time: a copy is no news."""
    context = world(tmp_path)
    path = context.dataset.labels / "answers.parquet"
    before = path.read_bytes()
    changed = ANSWERS.read(path).with_columns(severity=pl.lit("minor"))
    ANSWERS.write(changed, path)
    with pytest.raises(MissingStepError, match="run 'tundish run small --to consensus'"):
        create_next_batch(context.dataset, EACH)
    STAGE.run(context)
    with pytest.raises(MissingStepError, match="answers were pulled since the labels that count"):
        create_next_batch(context.dataset, EACH)  # validate has not seen them
    assert read_batches(context.dataset.labels) == []
    path.write_bytes(before)
    assert made(context, EACH).number == 1


def test_no_answers(tmp_path: Path) -> None:
    context = world(tmp_path)
    (context.dataset.labels / "answers.parquet").unlink()
    with pytest.raises(MissingStepError, match="no answers table; run 'tundish label pull small' first"):
        create_next_batch(context.dataset, EACH)


def test_a_pull_that_brought_no_answer(tmp_path: Path) -> None:
    """Whether the stage consensus has run since or not: there is nothing that it could make."""
    context = world(tmp_path)
    ANSWERS.write(ANSWERS.empty(), context.dataset.labels / "answers.parquet")
    for _ in range(2):
        with pytest.raises(MissingStepError, match=r"nobody has answered yet; .*'tundish label pull small'"):
            create_next_batch(context.dataset, EACH)
        validated(context)


REFUSED = [
    (["--aql", "0.7"], "aql: AQL 0.7 is not in the tables; use one of 0.065, 0.1, "),
    (["--aql", "40"], "nonconformities, not nonconforming images; use one of 0.065"),
    (["--level", "V"], "level: unknown inspection level 'V'; use one of S-1, S-2, S-3, S-4, I, II, III"),
    (["--level", ""], "level: unknown inspection level ''"),
    (["--severity", "hard"], "severity: unknown severity 'hard'; use one of auto, normal, tightened"),
    (["--annotator", "li"], "annotator: a batch holds the work of all annotators here; write 'acceptance: {"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED, ids=lambda value: " ".join(value)[:20])
def test_refused_before_anything_is_asked_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    context = world(tmp_path)
    made(context, BatchOptions("small"))  # also where a batch is open, which the option is not for
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["label", "accept", "small", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({"aql": 0.7}, "use one of 0.065, 0.1, "),
        ({"aql": {"minor": 0.7}}, "use one of 0.065, 0.1, "),
        ({"level": "V"}, "use one of S-1, S-2, S-3, S-4, I, II, III"),
        ({"severity": "hard"}, "use one of auto, normal, tightened, reduced"),
        ({"severity": "reduced"}, "write 'acceptance: {reduced: true}' into the recipe"),
        ({"aql": None, "lq": float("nan")}, "an LQ of nan % is out of range; give more than 0 %, and 100 %"),
    ],
)
def test_what_the_standard_does_not_have(change: dict[str, Any], allowed: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_options(EACH._replace(**change))
    assert allowed in str(caught.value)
