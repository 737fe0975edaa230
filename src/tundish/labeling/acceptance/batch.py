"""Batches of labelled images that are accepted as a whole or not, and their files.

``labels/batches/<number>/`` contains plan.json (written last: a folder without it is not a batch),
lot.parquet (the batch's images), sample.parquet (the sample's labels when the batch was opened), review/ (the
reviewers' answers) and, after these were compared, findings.parquet, oc.svg and verdict.json, which only
another answer changes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as made
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl
import pyarrow as pa

from tundish.errors import OutsideError
from tundish.labeling.acceptance.plans import SamplingPlan
from tundish.labeling.acceptance.switching import CorrectiveAction, Inspection, SwitchingState, next_state
from tundish.labeling.acceptance.verdict import ALL_CLASSES, KINDS, combine_verdicts
from tundish.storage.table import Table, field, write_atomically
from tundish.storage.tables import CONSENSUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "BATCH_IMAGES",
    "FINDINGS",
    "AqlResult",
    "Batch",
    "dump_json",
    "plan_fields",
    "read_batches",
    "read_findings",
    "read_verdict",
    "switching_state",
    "write_batch",
]

_WRITER = "label accept"

BATCH_IMAGES = Table(
    "lot",
    pa.schema(
        [
            field("image_id", pa.string(), "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("place", pa.int32(), "position in the sample, from 0; null where the image was not drawn"),
            field(
                "fingerprint", pa.string(), "fingerprint of its labels: changed labels must be accepted again"
            ),
            field("severity", pa.string(), "severity of the image, where its annotators agree"),
        ]
    ),
    ("image_id",),
    _WRITER,
    history=True,
)
"""The images of a batch."""

_KINDS = {
    "missed": "a defect without a label",
    "wrong_severity": "another severity than the reviewer's",
    "wrong_class": "another class than the reviewer's",
    "rejected": "a label where the reviewer sees no defect",
    "misplaced": "a label in another place (IoU below 0.5, or the recipe's)",
    "loose": "a label that is not tight (IoU below 0.75, or the recipe's)",
}

FINDINGS = Table(
    "findings",
    pa.schema(
        [
            field("image_id", pa.string(), "an image of the sample that was reviewed"),
            field("source", pa.string(), "source of the file that represents the image"),
            field("path", pa.string(), "path of that file, relative to its source, POSIX"),
            *(
                field(kind, pa.int64(), f"number of these ({name}): {_KINDS[kind]}")
                for kind, name in KINDS.items()
            ),
            field("worst", pa.string(), "critical, major or minor; null where the image conforms"),
            field(
                "details",
                pa.string(),
                "the nonconformities in words, the worst first; null where the image conforms",
            ),
        ]
    ),
    ("image_id",),
    _WRITER,
    later=tuple(pl.lit(None, pl.String).alias(name) for name in ("source", "path", "details")),
    history=True,
)
"""The nonconformities that the review of a batch found."""

_LETTERS = {"A": "critical", "B": "major", "C": "minor"}
"""Names of the classes of nonconformities in batches of an earlier version."""


class AqlResult(NamedTuple):
    """The result of a batch's review by one AQL.

    Attributes:
        accepted: The verdict; None before it is decided.
        inspected: Number of images reviewed.
        defects: Number of nonconforming images among them.
    """

    accepted: bool | None
    inspected: int
    defects: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch of labelled images.

    Attributes:
        number: Number of the batch, from 1.
        folder: The folder with its files.
        title: Title of its review project.
        plans: The sampling plans of the batch, by name of the AQL as in `verdict.CLASSES_BY_AQL`.
        seed: Seed of the sample.
        images: Rows of `BATCH_IMAGES`.
        resubmits: Number of the batch that was not accepted and is resubmitted in this one.
        reduced: Whether the person responsible for the labels approved reduced inspection.
        chosen: Whether its severity was chosen by the user instead of the switching rules, which start again
            from it.
        corrected: The corrective action that ended a discontinuation before it; '' for none.
        producer: The annotator whose work it is; '' where all annotators of a dataset count as one producer.
        miss_rate: Assumed share of nonconforming images that reviewers overlook, 0 to 1.
        misplaced: IoU below which a label is in another place than the reviewer's.
        loose: IoU below which a label is not tight.
        classes: Names of its labels' classes when it was opened; empty for batches of an earlier version.
        results: The results of the review by name of the AQL; empty before the first answer.
    """

    number: int
    folder: Path
    title: str
    plans: Mapping[str, SamplingPlan]
    seed: int
    images: pl.DataFrame
    resubmits: int | None = None
    reduced: bool = False
    chosen: bool = False
    corrected: str = ""
    producer: str = ""
    miss_rate: float = 0.0
    misplaced: float = 0.5
    loose: float = 0.75
    classes: Sequence[str] = ()
    results: Mapping[str, AqlResult] = made(default_factory=dict)

    @property
    def plan(self) -> SamplingPlan:
        """The plan with the largest sample, which is the sample that is drawn."""
        return max(self.plans.values(), key=lambda one: one.n)

    @property
    def sample(self) -> list[str]:
        """The images to review, in the order they were drawn."""
        return self.images.drop_nulls("place").sort("place")["image_id"].to_list()

    @property
    def accepted(self) -> bool | None:
        """True if accepted by every AQL, False if not accepted by one; None before the verdict."""
        return combine_verdicts(one.accepted for one in self.results.values())

    @property
    def inspected(self) -> int:
        """Number of images reviewed so far."""
        return max((one.inspected for one in self.results.values()), default=0)

    @property
    def complete(self) -> bool:
        """Whether the whole sample was reviewed."""
        return self.inspected >= self.plan.n

    @property
    def name(self) -> str:
        """The batch's name in messages: its number, and the producer where there are several."""
        return f"{self.number} ({self.producer})" if self.producer else str(self.number)


def read_findings(batch: Batch) -> pl.DataFrame:
    """Read the `FINDINGS` of a reviewed batch, also those that an earlier version wrote."""
    found = FINDINGS.read(batch.folder / "findings.parquet")
    return found.with_columns(pl.col("worst").replace(_LETTERS))


def read_verdict(batch: Batch) -> dict[str, Any] | None:
    """Read verdict.json, also one that an earlier version wrote; None before the first answer."""
    path = batch.folder / "verdict.json"
    if not path.exists():
        return None
    verdict = _json(path)
    worst = {_LETTERS.get(name, name): count for name, count in verdict.get("images_by_worst", {}).items()}
    return verdict | {"images_by_worst": worst}


_FIELDS = (
    *("title", "seed", "resubmits", "reduced", "chosen", "corrected"),
    *("producer", "miss_rate", "misplaced", "loose", "classes"),
)
_DEFAULTS = {"producer": "", "miss_rate": 0.0, "misplaced": 0.5, "loose": 0.75, "classes": ()}
"""Fields that plan.json of an earlier version lacks."""


def read_batches(labels: Path) -> list[Batch]:
    """Read the batches in a dataset's ``labels/``, in the order of their numbers.

    Raises:
        OutsideError: A file of a batch is damaged.
    """
    folder = labels / "batches"
    numbers = sorted(int(one.parent.name) for one in folder.glob("*/plan.json") if one.parent.name.isdigit())
    return [_read(folder / str(number), number) for number in numbers]


def _read(folder: Path, number: int) -> Batch:
    fields: dict[str, Any] = _DEFAULTS | _json(folder / "plan.json")
    verdict = _json(folder / "verdict.json") if (folder / "verdict.json").exists() else {}
    try:
        plans = {ALL_CLASSES: fields["plan"]} if "plan" in fields else fields["plans"]
        by_name = verdict.get("classes", {ALL_CLASSES: verdict}) if verdict else {}
        return Batch(
            number,
            folder,
            plans={name: SamplingPlan(**plan) for name, plan in plans.items()},
            images=BATCH_IMAGES.read(folder / "lot.parquet"),
            **{name: fields[name] for name in _FIELDS},
            results={
                name: AqlResult(*(one[part] for part in AqlResult._fields)) for name, one in by_name.items()
            },
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise OutsideError(
            f"the batch's files contradict each other ({error})", where=str(folder), fix="restore them"
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise OutsideError("the file is damaged", where=str(path), fix="restore it") from error
    return dict(found)


def write_batch(batch: Batch, labels: pl.DataFrame) -> None:
    """Write the files of a new batch.

    Args:
        batch: The batch.
        labels: The current labels of its sample, rows of CONSENSUS.
    """
    BATCH_IMAGES.write(batch.images, batch.folder / "lot.parquet")
    CONSENSUS.write(labels, batch.folder / "sample.parquet")
    fields = {name: getattr(batch, name) for name in _FIELDS} | plan_fields(batch.plans)
    write_atomically(batch.folder / "plan.json", dump_json({"number": batch.number, **fields}))


def plan_fields(plans: Mapping[str, SamplingPlan]) -> dict[str, object]:
    """The plan of a batch, or its plans by class of nonconformity, as in plan.json."""
    by_name = {name: asdict(plan) for name, plan in plans.items()}
    return {"plan": by_name[ALL_CLASSES]} if ALL_CLASSES in by_name else {"plans": by_name}


def dump_json(value: object) -> bytes:
    """Encode a value as the JSON of a batch's files."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def switching_state(
    batches: Sequence[Batch], aql: float, name: str = ALL_CLASSES, producer: str = ""
) -> SwitchingState:
    """Apply the switching rules to one producer's batches that have a verdict by this AQL.

    Args:
        batches: All batches of the dataset, in their order.
        aql: Percent of nonconforming images; batches that were judged by another AQL are ignored.
        name: Name of the AQL, as in `verdict.CLASSES_BY_AQL`.
        producer: The producer whose batches count.
    """
    state = SwitchingState()
    for one in batches:
        plan, result = one.plans.get(name), one.results.get(name)
        if plan is None or plan.aql != aql or plan.severity is None or one.producer != producer:
            continue
        if one.corrected:
            state = next_state(state, CorrectiveAction())
        if result is None or result.accepted is None:
            continue
        if one.chosen and one.resubmits is None:
            state = SwitchingState(plan.severity)
        if state.severity == "reduced" and plan.severity == "normal" and one.resubmits is None:
            state = SwitchingState()  # reduced inspection was no longer approved
        state = next_state(
            state, Inspection(plan, result.defects, one.resubmits is not None, agreed=one.reduced)
        )
    return state
