"""What the labelling functions of the API return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tundish.api.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from tundish.errors import GateError, OutsideError
    from tundish.formats.base import Problem
    from tundish.gallery.server import ImageServer
    from tundish.labeling.acceptance.plans import SamplingPlan
    from tundish.labeling.agreement.summary import AgreementSummary
    from tundish.labeling.label_studio.pull import Pull
    from tundish.labeling.workflow.accept import Acceptance
    from tundish.labeling.workflow.adjudicate import Adjudication
    from tundish.labeling.workflow.push import DatasetPush
    from tundish.labeling.workflow.servers import ProjectServer

__all__ = [
    "LabelAcceptance",
    "LabelAdjudication",
    "LabelAgreement",
    "LabelPull",
    "LabelPush",
    "LabelServer",
    "PictureServer",
]


@dataclass(frozen=True)
class LabelPush(Result):
    """What a push did.

    Attributes:
        dataset: Name of the dataset.
        projects: Address of each project in the browser, by title.
        new_tasks: Tasks that are new on the server.
        existing_tasks: Tasks that were there already.
        updated_proposals: Tasks among these that got another model's proposals.
        labels_not_shown: Known labels that the projects cannot show.
        problems: What is wrong with each of them.
        notes: Sentences worth reading.
    """

    dataset: str
    projects: Mapping[str, str]
    new_tasks: int
    existing_tasks: int
    updated_proposals: int
    labels_not_shown: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: str, done: DatasetPush) -> Self:
        """What a push did.

        Args:
            dataset: Name of the dataset.
            done: What the push returned.
        """
        pushes = done.pushes.values()
        return cls(
            dataset,
            done.addresses,
            new_tasks=sum(one.added for one in pushes),
            existing_tasks=sum(one.known for one in pushes),
            updated_proposals=sum(one.proposed for one in pushes),
            labels_not_shown=len(done.problems),
            problems=tuple(done.problems),
            notes=tuple(done.notes),
        )


@dataclass(frozen=True)
class LabelPull(Result):
    """What a pull did.

    Attributes:
        dataset: Name of the dataset.
        changed_tasks: Tasks that were asked for, since they have changed.
        unchanged_tasks: Answered tasks that were known as they are.
        answers: Answers of all projects, pulled now or before.
        labels: Labels in these answers.
        drafts: Tasks in which somebody has begun an answer and not submitted it.
        problems: What could not be taken, or should be known.
        notes: Sentences worth reading.
        missing: The error that some of the dataset's projects are not on the server; None where all are. What
            the others hold was pulled. The command line fails with it.
    """

    dataset: str
    changed_tasks: int
    unchanged_tasks: int
    answers: int
    labels: int
    drafts: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    missing: OutsideError | None = None

    @classmethod
    def of(cls, dataset: str, done: Pull) -> Self:
        """What a pull did.

        Args:
            dataset: Name of the dataset.
            done: What the pull returned.
        """
        return cls(
            dataset,
            changed_tasks=done.changed,
            unchanged_tasks=done.unchanged,
            answers=done.answers,
            labels=done.labels,
            drafts=done.drafts,
            problems=done.problems,
            notes=done.notes,
            missing=done.missing,
        )


@dataclass(frozen=True)
class LabelAgreement(Result):
    """How far the annotators of a dataset agree.

    Attributes:
        dataset: Name of the dataset.
        images: Images that two annotators or more answered.
        overall: A row a measure, with its interval.
        classes: A row a class.
        annotators: A row an annotator.
        pairs: A row a pair of annotators.
        confusion: What one annotator called an object and what another did, a row a pair and two labels.
        confusion_matrix: The same over all pairs: a row a label, a column a label.
        notes: Sentences worth reading.
    """

    dataset: str
    images: int
    overall: pl.DataFrame
    classes: pl.DataFrame
    annotators: pl.DataFrame
    pairs: pl.DataFrame
    confusion: pl.DataFrame = field(repr=False)
    confusion_matrix: pl.DataFrame
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: str, found: AgreementSummary) -> Self:
        """How far the annotators of a dataset agree.

        Args:
            dataset: Name of the dataset.
            found: What was measured.
        """
        from tundish.labeling.agreement.summary import confusion_table  # noqa: PLC0415

        agreement = found.agreement
        return cls(
            dataset,
            images=found.shared,
            overall=agreement.overall,
            classes=agreement.classes,
            annotators=agreement.annotators.join(found.quality, on="author", how="left"),
            pairs=agreement.pairs,
            confusion=agreement.confusion,
            confusion_matrix=confusion_table(agreement),
            notes=tuple(found.notes),
        )


@dataclass(frozen=True)
class LabelAdjudication(Result):
    """What became of the project in which disputes are settled.

    Attributes:
        dataset: Name of the dataset.
        in_dispute: Images in dispute.
        new_tasks: Tasks that are new.
        existing_tasks: Tasks that were there already.
        renewed_tasks: Tasks that were replaced, since annotators have changed their answers.
        removed_tasks: Tasks that were removed, since their images are no longer in dispute.
        labels_not_shown: Labels that the project cannot show; their images were not pushed.
        address: Where the project is in the browser; None where nothing is in dispute.
        problems: What is wrong with each label that cannot be shown.
        notes: Sentences worth reading.
    """

    dataset: str
    in_dispute: int
    new_tasks: int
    existing_tasks: int
    renewed_tasks: int
    removed_tasks: int
    labels_not_shown: int
    address: str | None
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: str, done: Adjudication) -> Self:
        """What became of the project in which disputes are settled.

        Args:
            dataset: Name of the dataset.
            done: What the adjudication returned.
        """
        return cls(
            dataset,
            in_dispute=done.disputed,
            new_tasks=done.added,
            existing_tasks=done.existing,
            renewed_tasks=done.renewed,
            removed_tasks=done.removed,
            labels_not_shown=len(done.problems),
            address=done.address,
            problems=tuple(done.problems),
            notes=tuple(done.notes),
        )


@dataclass(frozen=True)
class LabelAcceptance(Result):
    """The state of a dataset's acceptance: the batch under review, else the last one.

    Attributes:
        dataset: Name of the dataset.
        batch: The batch's number; None where annotators have decided nothing yet.
        producer: The annotator whose work it holds; '' for all.
        images: Images in the batch.
        sample: Images in its sample.
        reviewed: Images of the sample that were reviewed.
        accepted: Whether it was accepted; None before the verdict.
        opened: Why this call opened the batch, as a sentence; '' where it did not.
        plans: The sampling plans, by class of nonconformity; the name is '' where one plan judges all.
        verdict: What the batch's verdict.json says; None before the first answer.
        findings: The images that do not conform, one row each, once there is a verdict.
        folder: Folder of the batch; None where there is none.
        address: Where reviewers answer, in the browser; None where there is nothing to review.
        notes: Sentences worth reading.
        refusal: The error that batches were not accepted and have not been resubmitted; None where there are
            none. The command line fails with it.
    """

    dataset: str
    batch: int | None
    producer: str
    images: int
    sample: int
    reviewed: int
    accepted: bool | None
    opened: str
    plans: Mapping[str, SamplingPlan]
    verdict: Mapping[str, Any] | None = field(repr=False)
    findings: pl.DataFrame | None
    folder: Path | None
    address: str | None
    notes: tuple[str, ...]
    refusal: GateError | None = None

    @classmethod
    def of(cls, dataset: str, done: Acceptance) -> Self:
        """The state of a dataset's acceptance.

        Args:
            dataset: Name of the dataset.
            done: What the acceptance returned.
        """
        batch = done.batch
        return cls(
            dataset,
            batch=batch.number if batch else None,
            producer=batch.producer if batch else "",
            images=batch.plan.lot_size if batch else 0,
            sample=batch.plan.n if batch else 0,
            reviewed=batch.inspected if batch else 0,
            accepted=batch.accepted if batch else None,
            opened=done.opened,
            plans=batch.plans if batch else {},
            verdict=done.verdict,
            findings=done.findings,
            folder=batch.folder if batch else None,
            address=done.address,
            notes=tuple(done.notes),
            refusal=done.refusal,
        )


@dataclass(frozen=True)
class LabelServer(Result):
    """A running Label Studio; a context manager that stops it at the end.

    Attributes:
        url: Address of the server.
        user: Name of its first user.
        token: The token that signs in; never shown.
        token_file: The file that holds the token.
        password_file: The file that holds the user's password.
        pushed: What was pushed at the start, by name of the dataset.
    """

    url: str
    user: str
    token: str = field(repr=False)
    token_file: Path
    password_file: Path
    _server: ProjectServer = field(repr=False)
    pushed: Mapping[str, LabelPush] = field(default_factory=dict)

    def wait(self) -> None:
        """Wait until it ends by itself, which it should not.

        Raises:
            OutsideError: It ended.
        """
        self._server.wait()

    def close(self) -> None:
        """Stop it; doing so twice does nothing."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class PictureServer(Result):
    """A running server of a dataset's pictures; a context manager that stops it at the end.

    Attributes:
        dataset: Name of the dataset.
        url: Its address; a picture is at ``<url>/<image_id>``.
    """

    dataset: str
    url: str
    _server: ImageServer = field(repr=False)

    def wait(self) -> None:
        """Wait until the process is interrupted."""
        self._server.wait()

    def close(self) -> None:
        """Stop it, and free the port."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
