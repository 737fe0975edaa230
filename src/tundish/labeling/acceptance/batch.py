"""Batches of labelled images that are accepted as a whole or not: their files, and what they hold back.

``labels/batches/<number>/`` holds plan.json (written last: without it there is no batch), lot.parquet, the
labels of the sample as they stood (sample.parquet), the reviewers' answers (review/), and once they were
compared findings.parquet, oc.svg and verdict.json. Nothing of it is written anew but by another answer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as made
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl
import pyarrow as pa

from tundish.errors import OutsideError
from tundish.labeling.acceptance.plans import Plan
from tundish.labeling.acceptance.switching import CorrectiveAction, Lot, State, after
from tundish.labeling.acceptance.verdict import ALL, KINDS, together
from tundish.recipe.classes import normalise
from tundish.storage.table import Table, field, write_atomically
from tundish.storage.tables import CONSENSUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "FINDINGS",
    "LOT",
    "Batch",
    "Found",
    "dumped",
    "findings_of",
    "fingerprints",
    "gated",
    "history",
    "latest",
    "planned",
    "read_batches",
    "unchanged",
    "verdict_of",
    "write_batch",
]

_WRITER = "label accept"

LOT = Table(
    "lot",
    pa.schema(
        [
            field("image_id", pa.string(), "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("place", pa.int32(), "in the sample, from 0; null where the image was not drawn"),
            field("fingerprint", pa.string(), "of its labels: other labels are to be accepted anew"),
            field("severity", pa.string(), "how bad its annotators called it, where they agree"),
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
    "rejected": "a label where the reviewer sees nothing",
    "misplaced": "a label in another place (IoU below 0.5, or the recipe's)",
    "loose": "a label that is not tight (IoU below 0.75, or the recipe's)",
}

FINDINGS = Table(
    "findings",
    pa.schema(
        [
            field("image_id", pa.string(), "of an image of the sample that was reviewed"),
            field("source", pa.string(), "of the file that stands for the image"),
            field("path", pa.string(), "of that file within its source"),
            *(field(kind, pa.int64(), f"times, {name}: {_KINDS[kind]}") for kind, name in KINDS.items()),
            field("worst", pa.string(), "critical, major or minor; null where the image conforms"),
            field("details", pa.string(), "what was found, in words, the worst first; null as above"),
        ]
    ),
    ("image_id",),
    _WRITER,
    later=tuple(pl.lit(None, pl.String).alias(name) for name in ("source", "path", "details")),
    history=True,
)
"""What the review found."""

_LETTERS = {"A": "critical", "B": "major", "C": "minor"}
"""What batches of an earlier version call the classes of nonconformities."""

_CONTENT = ("label", "shape", "x", "y", "width", "height", "segmentation", "rle", "is_crowd", "attributes")


class Found(NamedTuple):
    """What the review of a batch came to by one AQL: its verdict, images reviewed, those nonconforming."""

    accepted: bool | None
    inspected: int
    defects: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch.

    Attributes:
        number: From 1.
        folder: Where its files are.
        title: Of its review project.
        plans: The sampling plans, by name of the AQL as in `acceptance.JUDGED`; of one lot.
        seed: What the sample was drawn with.
        lot: Rows of `LOT`.
        resubmits: Number of the batch that was not accepted and comes again in this one.
        reduced: Whoever answers for the labels agrees to reduced inspection.
        chosen: Its severity was said, and not found by the switching rules, which start anew here.
        corrected: The corrective action that ended a discontinuation before it; '' for none.
        producer: Whose work it is; '' where all annotators of a dataset are taken as one.
        miss_rate: Share of nonconforming images that its reviewers are taken to overlook.
        misplaced: IoU below which a label is in another place than the reviewer's.
        loose: IoU below which it is not tight.
        classes: What its labels were called when it was made; empty of a batch of an earlier version.
        found: By name of the AQL; empty before the first answer.
    """

    number: int
    folder: Path
    title: str
    plans: Mapping[str, Plan]
    seed: int
    lot: pl.DataFrame
    resubmits: int | None = None
    reduced: bool = False
    chosen: bool = False
    corrected: str = ""
    producer: str = ""
    miss_rate: float = 0.0
    misplaced: float = 0.5
    loose: float = 0.75
    classes: Sequence[str] = ()
    found: Mapping[str, Found] = made(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan with the largest sample: that is the sample drawn."""
        return max(self.plans.values(), key=lambda one: one.n)

    @property
    def sample(self) -> list[str]:
        """The images to review, in the order they were drawn."""
        return self.lot.drop_nulls("place").sort("place")["image_id"].to_list()

    @property
    def accepted(self) -> bool | None:
        """By every AQL, or not by one of them; None before the verdict."""
        return together(one.accepted for one in self.found.values())

    @property
    def inspected(self) -> int:
        """Images reviewed so far."""
        return max((one.inspected for one in self.found.values()), default=0)

    @property
    def complete(self) -> bool:
        """All of the sample was reviewed."""
        return self.inspected >= self.plan.n

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.number} ({self.producer})" if self.producer else str(self.number)


def findings_of(batch: Batch) -> pl.DataFrame:
    """Rows of `FINDINGS` of a batch that was reviewed, whatever version of Tundish wrote them."""
    found = FINDINGS.read(batch.folder / "findings.parquet")
    return found.with_columns(pl.col("worst").replace(_LETTERS))


def verdict_of(batch: Batch) -> dict[str, Any] | None:
    """What verdict.json says, whatever version of Tundish wrote it; None before the first answer."""
    path = batch.folder / "verdict.json"
    if not path.exists():
        return None
    said = _json(path)
    worst = {_LETTERS.get(name, name): count for name, count in said.get("images_by_worst", {}).items()}
    return said | {"images_by_worst": worst}


_SAID = (
    *("title", "seed", "resubmits", "reduced", "chosen", "corrected"),
    *("producer", "miss_rate", "misplaced", "loose", "classes"),
)
_BEFORE = {"producer": "", "miss_rate": 0.0, "misplaced": 0.5, "loose": 0.75, "classes": ()}
"""What a batch of an earlier version means where it says nothing."""


def read_batches(labels: Path) -> list[Batch]:
    """The batches of a dataset's ``labels/`` in their order.

    Raises:
        OutsideError: A file of a batch is damaged.
    """
    folder = labels / "batches"
    numbers = sorted(int(one.parent.name) for one in folder.glob("*/plan.json") if one.parent.name.isdigit())
    return [_read(folder / str(number), number) for number in numbers]


def _read(folder: Path, number: int) -> Batch:
    said: dict[str, Any] = _BEFORE | _json(folder / "plan.json")
    found = _json(folder / "verdict.json") if (folder / "verdict.json").exists() else {}
    try:
        plans = {ALL: said["plan"]} if "plan" in said else said["plans"]
        by_name = found.get("classes", {ALL: found}) if found else {}
        return Batch(
            number,
            folder,
            plans={name: Plan(**plan) for name, plan in plans.items()},
            lot=LOT.read(folder / "lot.parquet"),
            **{name: said[name] for name in _SAID},
            found={name: Found(*(one[part] for part in Found._fields)) for name, one in by_name.items()},
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise OutsideError(
            f"the batch's files do not fit each other ({error})", where=str(folder), fix="restore them"
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise OutsideError("the file is damaged", where=str(path), fix="restore it") from error
    return dict(found)


def write_batch(batch: Batch, labels: pl.DataFrame) -> None:
    """Write a new batch, and the labels (rows of CONSENSUS) of its sample as they stand."""
    LOT.write(batch.lot, batch.folder / "lot.parquet")
    CONSENSUS.write(labels, batch.folder / "sample.parquet")
    said = {name: getattr(batch, name) for name in _SAID} | planned(batch.plans)
    write_atomically(batch.folder / "plan.json", dumped({"number": batch.number, **said}))


def planned(plans: Mapping[str, Plan]) -> dict[str, object]:
    """The plan of a batch, or its plans by class of nonconformity, as they stand in plan.json."""
    by_name = {name: asdict(plan) for name, plan in plans.items()}
    return {"plan": by_name[ALL]} if ALL in by_name else {"plans": by_name}


def dumped(value: object) -> bytes:
    """JSON as it stands in a batch's files."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def fingerprints(image_ids: pl.Series, labels: pl.DataFrame) -> pl.DataFrame:
    """image_id and fingerprint of what is drawn in each image, whoever drew it and whatever it is called by.

    Args:
        image_ids: Each once; one without labels has a fingerprint, too.
        labels: Rows of CONSENSUS; equal files may repeat them.
    """
    once = labels.unique(["image_id", "annotation_id"]).select("image_id", *_CONTENT)
    drawn: dict[str, list[bytes]] = {}
    for image_id, *content in once.iter_rows():
        drawn.setdefault(image_id, []).append(orjson.dumps(content))
    prints = [sha256(b"\n".join(sorted(drawn.get(image_id, [])))).hexdigest() for image_id in image_ids]
    return pl.DataFrame(
        {"image_id": image_ids, "fingerprint": prints},
        schema={"image_id": pl.String, "fingerprint": pl.String},
    )


def unchanged(
    labels: pl.DataFrame, severities: pl.DataFrame, batches: Sequence[Batch], class_of: Mapping[str, str]
) -> pl.DataFrame:
    """image_id and batch of the images that are labelled as they were in a batch.

    A class that was renamed since is what it was; of classes that were made one since, one is.

    Args:
        labels: Rows of CONSENSUS.
        severities: image_id and severity, as `severities.agreed` gives them.
        batches: All of them.
        class_of: The recipe's classes by normalised spelling.
    """
    found = [pl.DataFrame(schema={"image_id": pl.String, "batch": pl.Int64})]
    for one in batches:
        then = {class_of.get(normalise(name), name): name for name in reversed(one.classes)}
        named = labels.join(one.lot, on="image_id", how="semi").with_columns(pl.col("label").replace(then))
        now = fingerprints(one.lot["image_id"], named)
        now = now.join(severities.select("image_id", "severity"), on="image_id", how="left")
        same = now.join(one.lot, on=["image_id", "fingerprint", "severity"], how="semi", nulls_equal=True)
        found.append(same.select("image_id", batch=pl.lit(one.number, pl.Int64)))
    return pl.concat(found)


def latest(batches: Sequence[Batch]) -> pl.DataFrame:
    """For each image the batch it came in last: image_id, batch, accepted.

    What a batch that came again left behind, because it was in dispute then, has no verdict any more.
    """
    again = {one.resubmits for one in batches}
    schema = {"image_id": pl.String, "batch": pl.Int64, "accepted": pl.Boolean}
    rows = [
        one.lot.select(
            "image_id",
            batch=pl.lit(one.number, pl.Int64),
            accepted=pl.lit(None if one.number in again else one.accepted, pl.Boolean),
        )
        for one in batches
    ]
    return pl.concat([pl.DataFrame(schema=schema), *rows]).unique(
        "image_id", keep="last", maintain_order=True
    )


def gated(
    standing: pl.DataFrame,
    labels: pl.DataFrame,
    severities: pl.DataFrame,
    batches: Sequence[Batch],
    class_of: Mapping[str, str],
    *,
    required: bool,
) -> pl.DataFrame:
    """Rows of STANDING, with the state 'refused' or 'unreviewed' where a batch holds back what was decided.

    Args:
        standing: Rows of STANDING.
        labels: The rows of CONSENSUS they speak of.
        severities: As of `unchanged`.
        batches: All of them.
        class_of: The recipe's classes by normalised spelling.
        required: Whether what is in no batch, or was labelled anew since it was accepted, is held back, too.
    """
    decided = (pl.col("decided_by") != "import") & pl.col("state").is_in(["labelled", "negative"])
    same = unchanged(labels, severities, batches, class_of).with_columns(same=pl.lit(value=True))
    known = (
        standing.filter(decided)
        .select(pl.col("image_id").unique())
        .join(latest(batches), on="image_id", how="left")
        .join(same, on=["image_id", "batch"], how="left")
        .select(
            "image_id",
            "accepted",
            pl.col("same").fill_null(value=False),
            inside=pl.col("batch").is_not_null(),
        )
    )
    open_ = pl.col("inside") & pl.col("accepted").is_null()
    unproven = pl.lit(required) & ~(pl.col("inside") & pl.col("same"))
    state = (
        pl.when(decided & (pl.col("accepted") == False))  # noqa: E712  (null is neither)
        .then(pl.lit("refused"))
        .when(decided & (open_ | unproven))
        .then(pl.lit("unreviewed"))
        .otherwise("state")
    )
    joined = standing.join(known, on="image_id", how="left", maintain_order="left")
    return joined.with_columns(state=state).select(standing.columns)


def history(batches: Sequence[Batch], aql: float, name: str = ALL, producer: str = "") -> State:
    """Where the switching rules stand after one producer's batches that have a verdict by this AQL.

    Args:
        batches: All of them.
        aql: Percent of nonconforming images; batches that were judged by another count for nothing.
        name: Of the AQL, as in `acceptance.JUDGED`.
        producer: Whose lots.
    """
    state = State()
    for one in batches:
        plan, found = one.plans.get(name), one.found.get(name)
        if plan is None or plan.aql != aql or plan.severity is None or one.producer != producer:
            continue
        if one.corrected:
            state = after(state, CorrectiveAction())
        if found is None or found.accepted is None:
            continue
        if one.chosen and one.resubmits is None:
            state = State(plan.severity)
        if state.severity == "reduced" and plan.severity == "normal" and one.resubmits is None:
            state = State()  # nobody answered for reduced inspection any more
        state = after(state, Lot(plan, found.defects, one.resubmits is not None, agreed=one.reduced))
    return state
