"""Accept what annotators labelled, batch by batch, by the blind review of a sample, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from tundish.errors import GateError, TundishError, UsageError
from tundish.labeling.acceptance import review
from tundish.labeling.acceptance.batch import read_batches, read_findings, read_verdict
from tundish.labeling.acceptance.next_batch import (
    count_waiting_images,
    create_next_batch,
    find_open_batch,
    refused_batches,
)
from tundish.labeling.acceptance.opening import describe_opening
from tundish.labeling.acceptance.options import BatchOptions, check_options
from tundish.labeling.workflow.pull import pull_projects
from tundish.labeling.workflow.push import project_address, push_images
from tundish.recipe.labelling import Acceptance as AcceptanceSection
from tundish.storage.tables import IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.labeling.acceptance.batch import Batch
    from tundish.labeling.workflow.session import Session
    from tundish.recipe.labelling import Nonconformity
    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = ["Acceptance", "accept", "batch_options"]

_UNSET = (None, "", "auto", 0)


class Acceptance(NamedTuple):
    """The state of a dataset's acceptance after a call.

    Attributes:
        batch: The batch under review, else the last one; None where there is none.
        opened: Why this call opened the batch, as a sentence; '' where it did not.
        verdict: What the batch's verdict.json says; None before the first answer.
        findings: Rows of the findings table that do not conform; None before the verdict.
        address: Where reviewers answer, in the browser; None where there is nothing to review.
        refusal: That batches were not accepted and have not been resubmitted, as an error; None where none.
        notes: Sentences worth reading.
    """

    batch: Batch | None
    opened: str
    verdict: dict[str, Any] | None
    findings: pl.DataFrame | None
    address: str | None
    refusal: GateError | None
    notes: list[str]


def batch_options(
    recipe: Recipe,
    *,
    aql: float | Mapping[Nonconformity, float] | None = None,
    level: str | None = None,
    lq: float | None = None,
    ac: int | None = None,
    severity: str = "auto",
    seed: int = 0,
    corrected: str = "",
    annotator: str = "",
) -> BatchOptions:
    """How the next batch is to be inspected: by the options, and else by the recipe.

    Args:
        recipe: The dataset's recipe.
        aql: Percent of nonconforming images, of any class or by class of nonconformity.
        level: Inspection level.
        lq: Limiting quality in percent, of an isolated batch.
        ac: Acceptance number of an isolated batch.
        severity: Severity of inspection; 'auto' as the batches before it require.
        seed: Seed of the sample.
        corrected: What was done after five batches failed.
        annotator: The annotator whose work is inspected; '' for the next who has images.

    Raises:
        UsageError: The options do not go together, or are not in the standard.
    """
    if lq is not None and aql is not None:
        raise UsageError("an AQL and an LQ do not go together", where="--lq", fix="name one of them")
    if ac is not None and ac < 0:
        raise UsageError(f"an Ac of {ac}", where="--ac", fix="name 0 or more")
    if lq is None and ac is not None:
        raise UsageError("an AQL has its Ac from the standard", where="--ac", fix="name it with --lq alone")
    section = recipe.label.acceptance
    rules = section or AcceptanceSection()
    from_recipe = section is not None and lq is None
    options = BatchOptions(
        recipe.label_title,
        rules.aql if from_recipe and aql is None else aql,
        rules.level if from_recipe and level is None else level,
        severity=severity,
        seed=seed,
        reduced=rules.reduced,
        corrected=corrected,
        per_annotator=rules.per == "annotator",
        annotator=annotator,
        miss_rate=rules.miss_rate,
        misplaced=rules.misplaced,
        loose=rules.loose,
        lq=lq,
        ac=ac or 0,
        class_of=recipe.annotations.lookup(),
    )
    check_options(options)
    return options


def accept(session: Session, **inspection: Any) -> Acceptance:
    """Open the next batch, or take the review of the open one further, and judge it.

    Args:
        session: The dataset and the server.
        inspection: How a new batch is to be inspected: the keyword arguments of `batch_options`.

    Raises:
        UsageError: As of `batch_options`; or an annotator decided nothing, or inspection is discontinued.
        MissingStepError: No answers were pulled, or the stage consensus has not run since.
        OutsideError: The server fails, or another process writes the dataset. Where a batch was opened
            before, a note of the error says so.
    """
    options = batch_options(session.recipe, **inspection)
    with session.dataset.lock(f"tundish label accept {session.dataset.name}"):
        return _accept(session, options, inspection)


def _accept(session: Session, options: BatchOptions, inspection: Mapping[str, object]) -> Acceptance:
    dataset, annotator = session.dataset, options.annotator
    batch = find_open_batch(dataset, annotator, options.class_of)
    opened, notes, address = "", [], None
    if batch is not None:
        notes = _not_applied(batch, inspection)
    elif (batch := create_next_batch(dataset, options)) is not None:
        opened = describe_opening(batch, read_batches(dataset.labels))
    if batch is None:
        batch, note = _last(dataset, annotator)
        notes = [note]
    else:
        try:
            batch, address, found = _review(session, batch)
        except TundishError as error:
            if opened:
                error.add_note(opened)
            raise
        notes += found
    verdict, findings = read_verdict(batch) if batch else None, None
    if batch and verdict and verdict["accepted"] is not None:
        findings = read_findings(batch).drop_nulls("worst").sort("source", "path", "image_id")
        more = count_waiting_images(dataset, options._replace(annotator=""))
        notes += [f"waiting for the next batch, which another call opens: {more:,} images"] if more else []
    return Acceptance(batch, opened, verdict, findings, address, _refusal(dataset), notes)


def _last(dataset: DatasetFolder, annotator: str) -> tuple[Batch | None, str]:
    """The last batch, of this annotator or of any, and that there is nothing to open."""
    who = annotator or "annotators"
    mine = [one for one in read_batches(dataset.labels) if annotator in ("", one.producer)]
    if not mine:
        return None, f"{who} decided nothing yet"
    return mine[-1], f"all that {who} decided is in batches that have a verdict"


def _not_applied(batch: Batch, inspection: Mapping[str, object]) -> list[str]:
    """A sentence where options were given that apply to a new batch."""
    given = [f"--{name}" for name, value in inspection.items() if name != "annotator" and value not in _UNSET]
    if not given:
        return []
    apply = "apply" if len(given) > 1 else "applies"
    return [f"{', '.join(given)} {apply} to a new batch; batch {batch.name} is reviewed as it was opened"]


def _review(session: Session, batch: Batch) -> tuple[Batch, str | None, list[str]]:
    """Bring the sample in front of its reviewers, and judge the batch by their answers so far."""
    dataset, recipe = session.dataset, session.recipe
    images = dataset.read(IMAGES)
    # Where somebody deleted the project, what was reviewed in it is not asked for twice.
    drawn = pl.DataFrame({"image_id": review.unreviewed_images(batch)}, schema={"image_id": pl.String})
    sample = drawn.join(images, on="image_id", how="inner", maintain_order="left")
    with session.connect() as client:
        pushed = push_images(client, session, batch.title, sample)
        pulled = pull_projects(client, session, [batch.title], images, batch.folder / "review")
        address = project_address(client, pushed.project)
    judged = review.judge_batch(batch, dataset, recipe.annotations.lookup())
    notes = [
        *dict.fromkeys([*pushed.notes, *pulled.notes]),
        *(f"{one.path}: {one.message}" for one in pulled.problems),
        *judged.notes,
    ]
    if judged.batch.complete:
        return judged.batch, None, notes
    return judged.batch, address, [*notes, address]


def _refusal(dataset: DatasetFolder) -> GateError | None:
    """That batches were not accepted, and what to do about the first of them."""
    batches = refused_batches(dataset)
    if not batches:
        return None
    folder = batches[0].folder.relative_to(dataset.project).as_posix()
    return GateError(
        f"batch {', '.join(one.name for one in batches)} was not accepted",
        where=dataset.name,
        fix=f"correct the images in {folder}/findings.parquet, then pull,"
        f" 'tundish run {dataset.name} --to consensus' and accept again",
    )
