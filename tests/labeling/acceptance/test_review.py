"""label accept: the lot, its sample, the blind review beside the labels, the verdict, the next batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest
from tests.labeling.reviewing import COUNT, DRAWN, IDS, PICTURES, reviewed, validated
from tests.stages.answering import answer
from tests.stages.curated import box, build

from tundish.errors import OutsideError, UsageError
from tundish.labeling.acceptance.batch import (
    BATCH_IMAGES,
    FINDINGS,
    AqlResult,
    Batch,
    dump_json,
    read_batches,
    switching_state,
    write_batch,
)
from tundish.labeling.acceptance.gate import fingerprint_labels, latest_batches
from tundish.labeling.acceptance.next_batch import create_next_batch, find_open_batch, refused_batches
from tundish.labeling.acceptance.opening import describe_opening
from tundish.labeling.acceptance.options import BatchOptions
from tundish.labeling.acceptance.plans import look_up_plan
from tundish.labeling.acceptance.review import judge_batch, unreviewed_images
from tundish.labeling.acceptance.verdict import ALL_CLASSES, KINDS
from tundish.labeling.tables import ANSWERS, answers_fingerprint
from tundish.recipe.classes import spellings
from tundish.stages.consensus import STAGE
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, STANDING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.stages.base import Context

OPTIONS = BatchOptions("small", aql=6.5, level="II")


def labelled(
    context: Context, count: int = COUNT, other: dict[int, list[dict[str, Any]]] | None = None
) -> None:
    """Let li answer the first pictures; `other` says by number where they do not draw `DRAWN`."""
    given = {
        picture.path: {"li": (other or {}).get(number, DRAWN)}
        for number, picture in enumerate(PICTURES[:count])
    }
    answer(context, PICTURES, given)
    STAGE.run(context)


def world(folder: Path, count: int = COUNT) -> Context:
    context = build(folder, PICTURES, children=False)
    labelled(context, count)
    return context


def made(context: Context, options: BatchOptions = OPTIONS) -> Batch:
    batch = create_next_batch(context.dataset, options)
    assert batch is not None
    return batch


def test_batch__what_annotators_decided_and_a_sample_of_it(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    assert (batch.number, batch.title, batch.plan) == (1, "small review 1", look_up_plan(COUNT, "II", 6.5))
    assert set(batch.images["image_id"]) == set(IDS)
    assert len(batch.sample) == batch.plan.n < COUNT
    assert read_batches(context.dataset.labels)[0].sample == batch.sample
    frozen = CONSENSUS.read(batch.folder / "sample.parquet")
    assert set(frozen["image_id"]) == set(batch.sample)
    found = find_open_batch(context.dataset)
    assert found is not None
    assert found.number == 1
    assert create_next_batch(context.dataset, OPTIONS) is None, "all images are in the open batch"


def test_another_seed_draws_another_sample_and_equal_ones_equal_bytes(tmp_path: Path) -> None:
    one, same, other = (world(tmp_path / name) for name in "abc")
    first, second = made(one), made(same)
    for name in ("plan.json", "lot.parquet", "sample.parquet"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert made(other, OPTIONS._replace(seed=1)).sample != first.sample


def test_half_reviewed__says_what_is_missing(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    reviewed(batch, *batch.sample[:1])
    judged = judge_batch(batch, context.dataset)
    assert (judged.verdict.accepted, judged.verdict.verdicts[ALL_CLASSES].inspected) == (None, 1)
    assert f"{batch.plan.n - 1} of {batch.plan.n} not reviewed" in str(judged.verdict)
    assert find_open_batch(context.dataset) is not None


def test_accepted__stored_with_the_batch(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    reviewed(batch, *batch.sample)
    judged = judge_batch(batch, context.dataset)
    assert judged.verdict.accepted is True
    reported = orjson.loads((batch.folder / "verdict.json").read_bytes())
    assert (reported["accepted"], reported["defects"], reported["reviewers"]) == (True, 0, ["qi"])
    assert reported["interval"] == list(judged.verdict.verdicts[ALL_CLASSES].interval or ())
    assert reported["switching"]["score"] == 2
    assert (batch.folder / "oc.svg").read_text().startswith("<svg")
    assert find_open_batch(context.dataset) is None
    assert refused_batches(context.dataset) == []
    before = {path.name: path.read_bytes() for path in batch.folder.glob("*.*")}
    judge_batch(batch, context.dataset)
    assert before == {path.name: path.read_bytes() for path in batch.folder.glob("*.*")}


def test_a_class_that_was_renamed_since__is_the_class_that_reviewers_drew(tmp_path: Path) -> None:
    """Their answers are read with the recipe as it is; the batch holds the names of the day it was opened."""
    context = world(tmp_path)
    batch = made(context)
    drawn = [box("Kratzer", 10, 10, 20, 20)]
    reviewed(batch, *batch.sample, given=dict.fromkeys(batch.sample, drawn))
    assert judge_batch(batch, context.dataset).verdict.accepted is False
    renamed = spellings({"Kratzer": ("scratch",)})
    assert judge_batch(batch, context.dataset, renamed).verdict.accepted is True


@pytest.mark.parametrize("accepted", [True, False])
def test_a_renamed_class_does_not_count_as_labelling_again(tmp_path: Path, accepted: bool) -> None:
    """Neither leaves what was accepted the splits, nor comes what was not accepted again as it was."""
    context = build(tmp_path, PICTURES, children=False, label={"acceptance": {"aql": 6.5}})
    labelled(context)
    batch = made(context)
    reviewed(batch, *batch.sample, given={} if accepted else {key: [] for key in batch.sample})
    assert judge_batch(batch, context.dataset).batch.accepted is accepted
    STAGE.run(context)
    before = context.dataset.read(STANDING)["state"].to_list()
    section = context.recipe.annotations
    classes = {"Kratzer": ("scratch",)} | {name: () for name in section.classes if name != "scratch"}
    renamed = section.model_copy(update={"classes": classes})
    context = replace(context, recipe=context.recipe.model_copy(update={"annotations": renamed}))
    path = context.dataset.table("annotations")
    rows = ANNOTATIONS.read(path).with_columns(pl.col("label").replace({"scratch": "Kratzer"}))
    ANNOTATIONS.write(rows, path, metadata=answers_fingerprint(context.dataset.labels))
    STAGE.run(context)
    assert set(context.dataset.read(CONSENSUS)["label"]) == {"Kratzer"}
    assert context.dataset.read(STANDING)["state"].to_list() == before
    options = OPTIONS._replace(class_of=renamed.lookup())
    assert find_open_batch(context.dataset, "", options.class_of) is None
    assert create_next_batch(context.dataset, options) is None
    labelled(context, other={0: [], 1: []})
    assert set(context.dataset.read(STANDING).filter(path="0.jpg")["state"]) == {
        "unreviewed" if accepted else "refused"
    }


def kinds(context: Context, batch: Batch, drawn: list[dict[str, Any]]) -> dict[str, int]:
    """The nonconformities of the first image of the sample, where the reviewer draws this."""
    first = batch.sample[0]
    reviewed(batch, first, given={first: drawn})
    judge_batch(batch, context.dataset)
    row = FINDINGS.read(batch.folder / "findings.parquet").row(0, named=True)
    assert (row["source"], row["path"]) == (IDS[first].source, IDS[first].path)
    return {name: value for name, value in row.items() if name in KINDS and value}


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ([box("scratch", 10, 10, 20, 20)], {}),
        ([box("no", 10, 10, 20, 20)], {"wrong_class": 1}),
        ([box("scratch", 24, 10, 20, 20)], {"misplaced": 1}),
        ([box("scratch", 14, 10, 20, 20)], {"loose": 1}),
        ([], {"rejected": 1}),
        ([*DRAWN, box("no", 40, 30, 8, 8)], {"missed": 1}),
        ([box("scratch", 40, 30, 8, 8)], {"missed": 1, "rejected": 1}),
    ],
    ids=["same", "class", "misplaced", "loose", "rejected", "missed", "elsewhere"],
)
def test_findings(tmp_path: Path, drawn: list[dict[str, Any]], expected: dict[str, int]) -> None:
    context = world(tmp_path)
    assert kinds(context, made(context), drawn) == expected


def test_severity__compared_where_both_were_asked(tmp_path: Path) -> None:
    context = world(tmp_path)
    path = context.dataset.labels / "answers.parquet"
    ANSWERS.write(ANSWERS.read(path).with_columns(severity=pl.lit("minor")), path)
    validated(context)
    batch = made(context)
    reviewed(batch, *batch.sample, severity="major")
    judge_batch(batch, context.dataset)
    assert FINDINGS.read(batch.folder / "findings.parquet")["wrong_severity"].sum() == batch.plan.n
    reviewed(batch, *batch.sample)
    assert judge_batch(batch, context.dataset).verdict.accepted


def test_skipped_and_unreadable_answers_are_not_a_review(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    reviewed(batch, *batch.sample)
    path = batch.folder / "review" / "answers.parquet"
    answers = ANSWERS.read(path)
    first = pl.col("image_id") == answers["image_id"][0]
    ANSWERS.write(answers.with_columns(refused=pl.when(first).then(1).otherwise(0).cast(pl.Int32)), path)
    judged = judge_batch(batch, context.dataset)
    assert judged.verdict.verdicts[ALL_CLASSES].missing == 1
    assert judged.notes == ["1 answers have a region that cannot be read, and do not count; draw it again"]
    ANSWERS.write(answers.with_columns(answer=pl.lit("cancelled")), path)
    assert judge_batch(batch, context.dataset).verdict.verdicts[ALL_CLASSES].inspected == 0


def test_what_is_left_to_review(tmp_path: Path) -> None:
    batch = made(world(tmp_path), BatchOptions("small", aql=10.0))
    assert unreviewed_images(batch) == batch.sample
    reviewed(batch, *batch.sample[1:3])
    assert unreviewed_images(batch) == [batch.sample[0], *batch.sample[3:]]


def test_own_work__reported(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    reviewed(batch, *batch.sample, author="li")
    assert judge_batch(batch, context.dataset).notes == [
        f"li reviewed {batch.plan.n} images that they had labelled themselves: that is not a second opinion"
    ]


def rejected(context: Context) -> Batch:
    batch = made(context)
    reviewed(batch, *batch.sample, given={image_id: [] for image_id in batch.sample})
    judged = judge_batch(batch, context.dataset)
    assert judged.verdict.accepted is False
    STAGE.run(context)
    return judged.batch


def test_refused__resubmitted_once_what_was_found_is_labelled_again(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = rejected(context)
    assert [one.number for one in refused_batches(context.dataset)] == [1]
    assert create_next_batch(context.dataset, OPTIONS) is None, (
        "another sample of the same labels is no inspection"
    )

    numbers = {picture.image_id: number for number, picture in enumerate(PICTURES)}
    labelled(context, other={numbers[image_id]: [] for image_id in batch.sample})
    again = made(context)
    assert (again.number, again.resubmits, again.images.height) == (2, 1, COUNT)
    assert refused_batches(context.dataset) == []
    reviewed(again, *again.sample, given={image_id: [] for image_id in batch.sample})
    assert judge_batch(again, context.dataset).verdict.accepted
    assert switching_state(read_batches(context.dataset.labels), 6.5).recent == (False,), (
        "what comes again counts for nothing"
    )


def test_refused_before_all_is_reviewed(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    assert batch.plan.re == 1
    first = batch.sample[0]
    reviewed(batch, first, given={first: []})
    found = judge_batch(batch, context.dataset).verdict.verdicts[ALL_CLASSES]
    assert (found.accepted, found.interval) == (False, None), "an interval waits for the rest"
    assert find_open_batch(context.dataset) is not None
    labelled(context, other={PICTURES.index(IDS[first]): []})
    assert find_open_batch(context.dataset) is None
    assert made(context).resubmits == 1


def test_new_and_changed_images_are_the_next_batch(tmp_path: Path) -> None:
    context = world(tmp_path, 9)
    batch = made(context)
    reviewed(batch, *batch.sample)
    judge_batch(batch, context.dataset)
    assert create_next_batch(context.dataset, OPTIONS) is None
    labelled(context, other={0: [box("no", 1, 1, 9, 9)]})
    fresh = made(context)
    assert set(fresh.images["image_id"]) == {PICTURES[place].image_id for place in (0, 9, 10, 11)}
    by_batch = dict(
        latest_batches(read_batches(context.dataset.labels)).select("image_id", "batch").iter_rows()
    )
    assert sorted(by_batch.values()) == [1] * 8 + [2] * 4


def test_in_dispute_when_its_batch_came_again__comes_with_the_next(tmp_path: Path) -> None:
    """It was in a batch that has been followed by another: no other batch would ever have taken it."""
    context = world(tmp_path)
    batch = rejected(context)
    late = next(one for one in PICTURES if one.image_id not in batch.sample)
    given: dict[str, dict[str, Any]] = {
        one.path: {"li": [] if one.image_id in batch.sample else DRAWN} for one in PICTURES
    }
    given[late.path] = {"li": DRAWN, "wu": []}
    answer(context, PICTURES, given)
    STAGE.run(context)
    again = made(context)
    assert (again.resubmits, again.images.height) == (1, COUNT - 1)
    reviewed(again, *again.sample, given={image_id: [] for image_id in batch.sample})
    assert judge_batch(again, context.dataset).verdict.accepted

    given[late.path] = {"li": DRAWN, "wu": DRAWN}
    answer(context, PICTURES, given)
    STAGE.run(context)
    standing = context.dataset.read(STANDING).filter(image_id=late.image_id)
    assert standing["state"].to_list() == ["unreviewed"], "what was refused before does not slip in"
    third = made(context)
    assert (third.images["image_id"].to_list(), third.resubmits) == ([late.image_id], None)
    assert "1 left out when their batch was resubmitted" in describe_opening(
        third, read_batches(context.dataset.labels)
    )


def called(context: Context, severity: str, *, other: str = "", among: Sequence[str] = ()) -> None:
    """Give every answer a severity, and those of the images `among` another."""
    path = context.dataset.labels / "answers.parquet"
    chosen = pl.when(pl.col("image_id").is_in(list(among))).then(pl.lit(other)).otherwise(pl.lit(severity))
    ANSWERS.write(ANSWERS.read(path).with_columns(severity=chosen), path)
    validated(context)


def test_refused_for_a_severity__resubmitted_once_that_is_corrected(tmp_path: Path) -> None:
    context = world(tmp_path)
    called(context, "minor")
    batch = made(context)
    reviewed(batch, *batch.sample, severity="major")
    assert judge_batch(batch, context.dataset).verdict.accepted is False
    assert create_next_batch(context.dataset, OPTIONS) is None
    called(context, "minor", other="major", among=batch.sample)
    assert made(context).resubmits == 1


def test_another_severity_after_acceptance__unreviewed(tmp_path: Path) -> None:
    context = world(tmp_path)
    called(context, "minor")
    batch = made(context)
    reviewed(batch, *batch.sample, severity="minor")
    assert judge_batch(batch, context.dataset).verdict.accepted
    called(context, "minor", other="major", among=batch.sample[:1])
    assert made(context).images["image_id"].to_list() == batch.sample[:1]


def judged_as(number: int, folder: Path, *, accepted: bool, **more: Any) -> Batch:
    state = more.pop("severity", "normal")
    planned = look_up_plan(500, "II", 1.0, state)
    defects = 0 if accepted else planned.re
    return Batch(
        number,
        folder,
        "t",
        {ALL_CLASSES: planned},
        0,
        BATCH_IMAGES.empty(),
        results={ALL_CLASSES: AqlResult(accepted, planned.n, defects)},
        **more,
    )


def test_switching__tightened_discontinued_corrected(tmp_path: Path) -> None:
    batches = [judged_as(number, tmp_path, accepted=False) for number in (1, 2)]
    assert switching_state(batches, 1.0).severity == "tightened"
    assert switching_state(batches, 2.5).severity == "normal", "another AQL has a history of its own"
    batches += [judged_as(number, tmp_path, accepted=False, severity="tightened") for number in range(3, 8)]
    assert switching_state(batches, 1.0).discontinued
    batches.append(judged_as(8, tmp_path, accepted=True, severity="tightened", corrected="trained anew"))
    assert (switching_state(batches, 1.0).discontinued, switching_state(batches, 1.0).severity) == (
        False,
        "tightened",
    )
    batches.append(judged_as(9, tmp_path, accepted=True, chosen=True))
    assert (switching_state(batches, 1.0).severity, switching_state(batches, 1.0).score) == ("normal", 2)


def test_nobody_answers_for_reduced_inspection_any_more__normal(tmp_path: Path) -> None:
    context = world(tmp_path)
    for number in range(1, 17):
        folder = context.dataset.labels / "batches" / str(number)
        severity = "normal" if number < 16 else "reduced"
        one = judged_as(number, folder, accepted=True, severity=severity, reduced=True)
        write_batch(one, CONSENSUS.empty())
        FINDINGS.write(FINDINGS.empty(), folder / "findings.parquet")
        (folder / "verdict.json").write_bytes(dump_json(one.results[ALL_CLASSES]._asdict()))
    options = BatchOptions("small", aql=1.0, reduced=True)
    assert switching_state(read_batches(context.dataset.labels), 1.0).severity == "reduced"
    batch = made(context, options._replace(reduced=False))
    assert batch.plan.severity == "normal"
    reviewed(batch, *batch.sample)
    judge_batch(batch, context.dataset)
    state = switching_state(read_batches(context.dataset.labels), 1.0)
    assert (state.severity, state.score) == ("normal", 2)


def test_discontinued__no_batch_before_a_correction(tmp_path: Path) -> None:
    context = world(tmp_path)
    for number in range(1, 8):
        severity = "normal" if number < 3 else "tightened"
        folder = context.dataset.labels / "batches" / str(number)
        one = judged_as(number, folder, accepted=False, severity=severity)
        write_batch(one, CONSENSUS.empty())
        FINDINGS.write(FINDINGS.empty(), folder / "findings.parquet")
        (folder / "verdict.json").write_bytes(dump_json(one.results[ALL_CLASSES]._asdict()))
    options = BatchOptions("small", aql=1.0)
    with pytest.raises(UsageError, match="discontinued"):
        create_next_batch(context.dataset, options)
    batch = made(context, options._replace(corrected="trained anew"))
    assert (batch.number, batch.plan.severity) == (8, "tightened")
    assert read_batches(context.dataset.labels)[-1].corrected == "trained anew"


def test_fingerprints__of_what_is_drawn_alone(tmp_path: Path) -> None:
    context = world(tmp_path)
    labels = context.dataset.read(CONSENSUS)
    ids = pl.Series("image_id", [PICTURES[0].image_id, PICTURES[1].image_id, "none"])
    found = fingerprint_labels(ids, labels)["fingerprint"].to_list()
    assert found[0] == found[1] != found[2]
    renamed = labels.reverse().with_columns(annotation_id=pl.col("annotation_id") + "x", author=pl.lit("wu"))
    assert fingerprint_labels(ids, renamed)["fingerprint"].to_list() == found
    moved = labels.with_columns(x=pl.col("x") + 1e-9)
    assert fingerprint_labels(ids, moved)["fingerprint"][0] != found[0]


def test_damaged_plan__one_sentence(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    (batch.folder / "plan.json").write_bytes(b"{")
    with pytest.raises(OutsideError, match="damaged"):
        read_batches(context.dataset.labels)
    (batch.folder / "plan.json").write_bytes(b"{}")
    with pytest.raises(OutsideError, match="contradict each other"):
        read_batches(context.dataset.labels)


def test_interrupted_while_it_is_written__no_batch(tmp_path: Path) -> None:
    context = world(tmp_path)
    batch = made(context)
    (batch.folder / "plan.json").unlink()
    assert read_batches(context.dataset.labels) == []
    assert made(context).number == 1
