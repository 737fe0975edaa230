"""The ledger: accepted + quarantined + skipped = input, for files and annotations, with the reasons.

It is computed from the tables each time, and says where they contradict each other: something that was
removed without a reason, or that one table has and the next does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl

from tundish.storage.accepted import splits_are_older
from tundish.storage.quarantine import OMITTED
from tundish.storage.shards import latest_files, read_files
from tundish.storage.tables import ANNOTATIONS, IMAGES, QUARANTINE, RECORD_FILES, SPLITS, TARGETS

if TYPE_CHECKING:
    from tundish.storage.dataset import DatasetFolder
    from tundish.storage.table import Table

__all__ = ["Ledger", "Tally", "judge_annotations", "judge_files", "left_out", "read_ledger"]

_Outcome = Literal["accepted", "quarantined", "skipped"]
_OUTCOMES: tuple[_Outcome, ...] = ("accepted", "quarantined", "skipped")
_NO_REASON = "no reason given"


@dataclass(frozen=True)
class Tally:
    """What became of files, labels or records.

    Attributes:
        input: How many came in.
        accepted: How many were accepted.
        quarantined: How many were quarantined, by reason, the most frequent first.
        skipped: How many were skipped, by reason, the most frequent first.
    """

    input: int
    accepted: int
    quarantined: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        out, skipped = sum(self.quarantined.values()), sum(self.skipped.values())
        return f"{self.input:,} = {self.accepted:,} accepted + {out:,} quarantined + {skipped:,} skipped"

    @property
    def closes(self) -> bool:
        """Whether nothing was lost and nothing counted twice."""
        return self.input == self.accepted + sum(self.quarantined.values()) + sum(self.skipped.values())

    def counts(self) -> dict[str, int | dict[str, int]]:
        """The tally as plain values, for JSON."""
        return {
            "input": self.input,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "skipped": self.skipped,
        }


@dataclass(frozen=True)
class Ledger:
    """The tallies of a dataset.

    Attributes:
        files: What became of the files.
        annotations: What became of the labels; None until they have been validated.
        contradictions: A sentence for each contradiction in the tables.
        records: What became of the records, by table.
        targets: What became of the values of images, by target.
    """

    files: Tally
    annotations: Tally | None
    contradictions: tuple[str, ...]
    records: dict[str, Tally] = field(default_factory=dict)
    targets: dict[str, Tally] = field(default_factory=dict)

    @property
    def closes(self) -> bool:
        """Whether all tallies close and no table contradicts another."""
        tallies = [self.files, *self.records.values(), *self.targets.values()]
        tallies += [self.annotations] if self.annotations else []
        return all(tally.closes for tally in tallies) and not self.contradictions


def read_ledger(dataset: DatasetFolder) -> Ledger:
    """Compute the ledger from what was taken in and the tables that are there so far.

    Raises:
        OutsideError: A table is damaged.
    """
    files = read_files(dataset.store)
    quarantine = _read(QUARANTINE, dataset)
    errors = (QUARANTINE.empty() if quarantine is None else quarantine).filter(pl.col("severity") == "error")
    judged = judge_files(files, errors)
    annotations = _read(ANNOTATIONS, dataset)
    judged_annotations = None if annotations is None else judge_annotations(annotations, errors)
    # Splits of other images are not wrong: they wait for the next run.
    splits = None if splits_are_older(dataset) else _read(SPLITS, dataset)
    found = _contradictions(judged, judged_annotations, _read(IMAGES, dataset), splits)
    records, unexplained = _records(dataset, None if quarantine is None else errors)
    return Ledger(
        _tally(judged, files.height),
        None if judged_annotations is None else _tally(judged_annotations, judged_annotations.height),
        (*found, *unexplained),
        records,
        _targets(dataset),
    )


def _targets(dataset: DatasetFolder) -> dict[str, Tally]:
    """A tally for each target, of the cells that its tables have."""
    rows = _read(TARGETS, dataset)
    if rows is None:
        return {}
    return {
        str(name): _tally(group, group.height)
        for (name,), group in rows.group_by("target", maintain_order=True)
    }


def _records(dataset: DatasetFolder, errors: pl.DataFrame | None) -> tuple[dict[str, Tally], list[str]]:
    """A tally for each table of records; the input is what the readers counted, not what the table holds."""
    files = _read(RECORD_FILES, dataset)
    tallies: dict[str, Tally] = {}
    found: list[str] = []
    if files is None:
        return tallies, found
    known = (
        None if errors is None else errors.filter(pl.col("kind") == "record").select(source="source", id="id")
    )
    for (name,), group in files.group_by("table", maintain_order=True):
        path = dataset.table(str(name), dataset.records)
        if not path.exists():
            found.append(f"the records '{name}' were read, and their table is gone")
            continue
        scan = pl.scan_parquet(path, glob=False)
        counts = scan.group_by("outcome", "reason").len().sort("outcome", "reason").collect()
        tallies[str(name)] = _tally_of_counts(int(group["rows"].sum()), counts)
        if known is not None:
            mine = known.filter(pl.col("source") == name)
            out = scan.filter(pl.col("outcome") == "quarantined").select("path", id="record_id").collect()
            silent = out.join(mine, on="id", how="anti").with_columns(source=pl.lit(name))
            found += _statement(silent, "quarantined record{s} that quarantine does not know")
    return tallies, found


def _tally_of_counts(count: int, counts: pl.DataFrame) -> Tally:
    by_outcome: dict[str, dict[str, int]] = {outcome: {} for outcome in _OUTCOMES}
    for outcome, reason, number in counts.sort("len", descending=True, maintain_order=True).iter_rows():
        by_outcome[outcome][reason or _NO_REASON] = number
    accepted = sum(by_outcome["accepted"].values())
    return Tally(count, accepted, by_outcome["quarantined"], by_outcome["skipped"])


def left_out(splits: pl.DataFrame) -> dict[str, int]:
    """Images of the splits table that have no split, by reason, the most frequent first.

    The image a duplicate is a copy of is left off: the reasons are kinds, not images.
    """
    kind = pl.col("reason").fill_null(_NO_REASON).str.replace(r" as [0-9a-f]{32}$", "")
    counts = splits.filter(pl.col("split").is_null()).group_by(kind).len()
    return dict(counts.sort(["len", "reason"], descending=[True, False]).iter_rows())


def _read(table: Table, dataset: DatasetFolder) -> pl.DataFrame | None:
    return dataset.read(table) if dataset.has(table) else None


def judge_files(files: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """Each version of each file with its outcome and reason after all stages.

    Args:
        files: All versions of all files, as `read_files` gives them.
        errors: The errors in the quarantine table.
    """
    latest = latest_files(files)
    newest = latest.select("source", "path", "batch")
    superseded = files.join(newest, on=["source", "path", "batch"], how="anti").with_columns(
        outcome=pl.lit("skipped"), reason=pl.lit("superseded")
    )
    faults = errors.filter(pl.col("kind").is_in(["file", "image"])).sort("check")
    by_path = faults.group_by("source", "path").agg(pl.col("check").first().alias("by_path"))
    by_image = (
        faults.filter(pl.col("id").is_not_null() & pl.col("path").is_null())
        .group_by(image_id="id")
        .agg(pl.col("check").first().alias("by_image"))
    )
    found = latest.join(by_path, on=["source", "path"], how="left", maintain_order="left").join(
        by_image, on="image_id", how="left", maintain_order="left"
    )
    fault = pl.coalesce("by_path", "by_image")
    removed = (pl.col("outcome") == "accepted") & fault.is_not_null()
    judged = found.with_columns(
        outcome=pl.when(removed).then(pl.lit("quarantined")).otherwise("outcome"),
        reason=pl.when(removed).then(fault).otherwise("reason"),
    )
    return pl.concat([judged.select(files.columns), superseded])


def judge_annotations(annotations: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """Each label, and each place in a label file that could not become one, with outcome and reason.

    Args:
        annotations: The annotations table.
        errors: The errors in the quarantine table.

    Returns:
        source, path (of the image file; of the label file where no label was read), outcome, reason, label
        (its class), count (how many labels are concerned, 0 where the file does not say), and whole (a label
        file as such, no place in it).
    """
    errors = errors.filter(pl.col("kind") == "annotation").sort("check")
    why = errors.group_by(annotation_id="id").agg(pl.col("check").first().alias("reason"))
    rows = annotations.join(why, on="annotation_id", how="left", maintain_order="left").select(
        "source",
        "path",
        outcome=pl.when("valid")
        .then(pl.lit("accepted"))
        .when(pl.col("reason") == OMITTED)
        .then(pl.lit("skipped"))
        .otherwise(pl.lit("quarantined")),
        reason=pl.when(~pl.col("valid")).then("reason"),
        label="label",
        count=pl.lit(1, pl.Int32),
        whole=pl.lit(value=False),
    )
    places = annotations.select("source", path="label_path", row=pl.col("label_row").cast(pl.Int64))
    unread = (
        errors.join(annotations, left_on="id", right_on="annotation_id", how="anti", maintain_order="left")
        .join(places, on=["source", "path", "row"], how="anti", maintain_order="left")
        # Several faults of one place are one label; a fault without a place counts on its own.
        .filter(pl.col("row").is_null() | pl.struct("source", "path", "row").is_first_distinct())
        .select(
            "source",
            "path",
            outcome=pl.lit("quarantined"),
            reason="check",
            label=pl.lit(None, pl.String),
            count="count",
            whole=pl.col("row").is_null(),
        )
    )
    return pl.concat([rows, unread])


def _tally(judged: pl.DataFrame, count: int) -> Tally:
    by_outcome = {
        outcome: dict(
            judged.filter(pl.col("outcome") == outcome)
            .with_columns(pl.col("reason").fill_null(_NO_REASON))
            .group_by("reason")
            .len()
            .sort(["len", "reason"], descending=[True, False])
            .iter_rows()
        )
        for outcome in _OUTCOMES[1:]
    }
    accepted = judged.filter(pl.col("outcome") == "accepted").height
    return Tally(count, accepted, by_outcome["quarantined"], by_outcome["skipped"])


def _contradictions(
    files: pl.DataFrame,
    annotations: pl.DataFrame | None,
    images: pl.DataFrame | None,
    splits: pl.DataFrame | None,
) -> list[str]:
    found = [
        *_unexplained("file", files),
        *([] if annotations is None else _unexplained("annotation", annotations)),
    ]
    if images is None:
        return found
    valid = images.filter("valid")
    accepted = files.filter((pl.col("outcome") == "accepted") & (pl.col("kind") == "image"))
    unknown = accepted.join(valid, on="image_id", how="anti")
    found += _statement(unknown, "accepted image {file} without a valid row in images")
    ghosts = valid.join(accepted, on="image_id", how="anti")
    found += _statement(ghosts, "valid row{s} in images without an accepted file")
    if splits is not None:
        found += _statement(
            valid.join(splits, on="image_id", how="anti"), "valid image{s} that splits does not know"
        )
        found += _statement(
            splits.filter(pl.col("split").is_not_null()).join(valid, on="image_id", how="anti"),
            "image{s} in splits without a valid row in images",
        )
    return found


def _unexplained(kind: str, judged: pl.DataFrame) -> list[str]:
    silent = judged.filter((pl.col("outcome") != "accepted") & pl.col("reason").is_null())
    strange = judged.filter(~pl.col("outcome").is_in(_OUTCOMES))
    return [
        *_statement(silent, f"{kind}{{s}} removed without a reason"),
        *_statement(strange, f"{kind}{{s}} with an outcome that is none"),
    ]


def _statement(rows: pl.DataFrame, what: str) -> list[str]:
    if not rows.height:
        return []
    first = rows.sort("source", "path").row(0, named=True)
    text = what.format(s="" if rows.height == 1 else "s", file="file" if rows.height == 1 else "files")
    return [f"{rows.height} {text}, first {first['source']}/{first['path']}"]
