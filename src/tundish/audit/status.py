"""The status of a dataset: the ledger, and in numbers what became of its labels, copies, links and splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from tundish.audit.leaks import find_leaks
from tundish.audit.ledger import Tally, read_ledger
from tundish.results import Result
from tundish.storage.accepted import splits_are_older
from tundish.storage.receipts import export_states
from tundish.storage.seen import find_gone
from tundish.storage.tables import (
    CONSENSUS,
    COVERAGE,
    DUPLICATES,
    LINKS,
    PAIRS,
    QUARANTINE,
    RECORD_FILES,
    SPLITS,
    STANDING,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.audit.ledger import Ledger
    from tundish.storage.dataset import DatasetFolder
    from tundish.storage.receipts import ExportState
    from tundish.storage.seen import Gone
    from tundish.storage.table import Table

__all__ = ["Status", "read_status"]

_Counts = dict[str, int]

_READ = {"typed": "typed", "unknown": "text", "left out": "left out"}
"""How a column was read that the schema does not know, or that the recipe omits, by the words of the plan."""


@dataclass(frozen=True)
class Status(Result):
    """What came into a dataset, what was removed and why, and how far its stages have run.

    Counts by reason have the most frequent reason first. What a stage counts is None until it has run.

    Attributes:
        dataset: Name of the dataset.
        files: What became of the files of its sources.
        labels: What became of their labels.
        records: What became of the records, by table.
        targets: What became of the values of images, by target.
        leaks: Pictures of which copies came in two splits of the source, by these: 'train and test'.
        closes: Whether every file, label and record is accounted for.
        contradictions: A sentence for each contradiction between the tables.
        warnings: What was reported of files, images and labels, and kept.
        record_warnings: What was reported of records and kept, by table.
        columns: How many columns of the files were read by name, typed by their values, left as text, and
            left out by the recipe; by table of records.
        links: Images with a record, with several that fit equally well (ambiguous), and without one by
            reason; by table of records.
        coverage: Image files by what is known of them: labelled, negative, unlabelled, rejected ...
        copies: Copies that are left out, by how they relate to the image that stays.
        overlaps: Pairs of images that show in part the same, by relation; each is in one split.
        label_conflicts: Copies that are labelled differently from the image that stays, by what differs.
        splits: Images in each split.
        left_out: Images without a split, by reason.
        classes: Labels of each class in each split, '' for those of images without a split; None unless
            it was asked for.
        results: Folders and files that exist already, relative to the dataset's folder.
        source_gone: Files that were deleted at their source, as far as the last ingest on this machine saw;
            they stay in the dataset. None where all are in place, or nothing was ingested here.
        splits_older: Whether the splits were made for other images than those that are valid now, as after a
            run that the guard stopped.
        exports: What the folder of each export is: 'current', 'older than the tables' or 'incomplete', where
            the export that wrote it failed or was interrupted.
        sentences: What the rules say that failed in this dataset, by rule, in English and Chinese with a
            slash between them; without the rules that say it in one language.
    """

    dataset: str
    files: Tally
    labels: Tally | None
    records: dict[str, Tally]
    closes: bool
    contradictions: tuple[str, ...] = ()
    warnings: _Counts | None = None
    record_warnings: dict[str, _Counts] = field(default_factory=dict)
    columns: dict[str, _Counts] = field(default_factory=dict)
    links: dict[str, _Counts] = field(default_factory=dict)
    coverage: _Counts | None = None
    copies: _Counts | None = None
    overlaps: _Counts | None = None
    label_conflicts: _Counts | None = None
    splits: _Counts | None = None
    left_out: _Counts | None = None
    classes: dict[str, _Counts] | None = None
    results: tuple[str, ...] = ()
    source_gone: Gone | None = None
    splits_older: bool = False
    exports: dict[str, ExportState] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict, repr=False)
    targets: dict[str, Tally] = field(default_factory=dict)
    leaks: _Counts = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The status as plain values, for JSON; what is not known yet is not among them."""
        records = {
            name: tally.counts()
            | ({} if self.warnings is None else {"warnings": self.record_warnings.get(name, {})})
            | ({"columns": self.columns[name]} if name in self.columns else {})
            for name, tally in self.records.items()
        }
        known = {
            "labels": None if self.labels is None else self.labels.counts(),
            "records": records or None,
            "targets": {name: tally.counts() for name, tally in self.targets.items()} or None,
            "leaks": self.leaks or None,
            "links": self.links or None,
            "warnings": self.warnings,
            "coverage": self.coverage,
            "copies": self.copies,
            "overlaps": self.overlaps or None,
            "label conflicts": self.label_conflicts,
            "splits": self.splits,
            "left out": self.left_out,
            "classes": self.classes,
            "source gone": None if self.source_gone is None else asdict(self.source_gone),
            "splits older": self.splits_older or None,
            "exports": self.exports or None,
        }
        facts = {"files": self.files.counts(), "closes": self.closes}
        return facts | {key: value for key, value in known.items() if value is not None}


def read_status(dataset: DatasetFolder, *, classes: Sequence[str] | None = None) -> Status:
    """Compute the status of a dataset from what was taken in and the tables that exist so far.

    Args:
        dataset: Where the dataset lies.
        classes: Its classes in their order, to count the labels of each of them; None not to.

    Raises:
        OutsideError: A table is damaged.
    """
    ledger = read_ledger(dataset)
    counts = _warnings(dataset, ledger) | _copies(dataset) | _splits(dataset)
    standing, links = _read(STANDING, dataset), _read(LINKS, dataset)
    return Status(
        dataset.name,
        files=ledger.files,
        labels=ledger.annotations,
        records=ledger.records,
        targets=ledger.targets,
        leaks=_leaks(dataset),
        closes=ledger.closes,
        contradictions=ledger.contradictions,
        columns=_columns(dataset),
        links={} if links is None else _links(links),
        coverage=None if standing is None else _counts(standing["state"]),
        classes=None if classes is None else _classes(dataset, classes),
        results=_results(dataset),
        source_gone=find_gone(dataset),
        splits_older=splits_are_older(dataset),
        exports=export_states(dataset),
        **counts,
    )


def _warnings(dataset: DatasetFolder, ledger: Ledger) -> dict[str, Any]:
    quarantine = _read(QUARANTINE, dataset)
    if quarantine is None:
        return {}
    warned = quarantine.filter(pl.col("severity") == "warning")
    of_records = warned.filter(pl.col("kind") == "record")
    return {
        "warnings": _counts(warned.filter(pl.col("kind") != "record")["check"]),
        "record_warnings": {
            name: _counts(of_records.filter(pl.col("source") == name)["check"]) for name in ledger.records
        },
        "sentences": _sentences(quarantine),
    }


def _sentences(quarantine: pl.DataFrame) -> dict[str, str]:
    """What rules say, without the values of the row: 'English / Chinese: values'."""
    found = quarantine.filter(pl.col("message").str.contains(" / ", literal=True))
    found = found.unique("check", keep="first", maintain_order=True)
    return dict(
        found.select("check", pl.col("message").str.extract(r"^(.+? / .+?): ")).drop_nulls().iter_rows()
    )


def _copies(dataset: DatasetFolder) -> dict[str, _Counts]:
    duplicates = _read(DUPLICATES, dataset)
    if duplicates is None:
        return {}
    pairs = _read(PAIRS, dataset)
    parts = pl.Series([], dtype=pl.String) if pairs is None else pairs.filter(verified="blocks")["relation"]
    return {
        "overlaps": _counts(parts),
        "copies": _counts(duplicates.filter(~pl.col("kept"))["relation"]),
        "label_conflicts": _counts(duplicates["label_conflict"].drop_nulls()),
    }


def _leaks(dataset: DatasetFolder) -> _Counts:
    duplicates, coverage = _read(DUPLICATES, dataset), _read(COVERAGE, dataset)
    if duplicates is None or coverage is None:
        return {}
    return {" and ".join(leak.splits): leak.pictures for leak in find_leaks(duplicates, coverage)}


def _splits(dataset: DatasetFolder) -> dict[str, _Counts]:
    splits = _read(SPLITS, dataset)
    if splits is None:
        return {}
    left = splits.filter(pl.col("split").is_null())["reason"]
    return {
        "splits": _counts(splits["split"].drop_nulls()),
        "left_out": _counts(reason.split(":")[0] for reason in left),
    }


def _columns(dataset: DatasetFolder) -> dict[str, _Counts]:
    """How the columns of each table were read: each header once, as the first file that has it."""
    files = _read(RECORD_FILES, dataset)
    found: dict[str, dict[str, str]] = {}
    for table, columns in files.select("table", "columns").iter_rows() if files is not None else ():
        for column in orjson.loads(columns):
            found.setdefault(table, {}).setdefault(column["header"], _READ.get(column["how"], "by name"))
    return {
        table: {how: list(read.values()).count(how) for how in ("by name", *_READ.values())}
        for table, read in found.items()
    }


def _links(links: pl.DataFrame) -> dict[str, _Counts]:
    answers: dict[str, _Counts] = {}
    for (name,), group in links.group_by("table", maintain_order=True):
        found = group.filter(pl.col("record_id").is_not_null())
        answers[str(name)] = {
            "linked": found["image_id"].n_unique(),
            "ambiguous": found.filter("ambiguous")["image_id"].n_unique(),
            **_counts(group.filter(pl.col("record_id").is_null())["reason"]),
        }
    return answers


def _classes(dataset: DatasetFolder, classes: Sequence[str]) -> dict[str, _Counts] | None:
    """Labels that count, of the file that has the split: files of the same bytes may have other labels."""
    labels = _read(CONSENSUS, dataset)
    if labels is None:
        return None
    splits = dataset.read_if_there(SPLITS).select("source", "path", "split")
    found = (
        labels.filter("valid", pl.col("label").is_in(list(classes)))
        .join(splits, on=["source", "path"], how="left")
        .group_by("label", pl.col("split").fill_null(""))
        .len()
    )
    answers: dict[str, _Counts] = {name: {} for name in classes}
    for label, split, count in found.sort("label", "split", descending=[False, True]).iter_rows():
        answers[label][split] = count
    return answers


def _results(dataset: DatasetFolder) -> tuple[str, ...]:
    """Where the results lie: the tables, and every export that was written."""
    splits = dataset.table(SPLITS.name)
    exports = sorted(path for path in dataset.exports.glob("[!.]*") if path.is_dir())
    existing = [splits] if splits.exists() else []
    return tuple(path.relative_to(dataset.root).as_posix() for path in (*existing, *exports))


def _read(table: Table, dataset: DatasetFolder) -> pl.DataFrame | None:
    return dataset.read(table) if dataset.has(table) else None


def _counts(values: Iterable[str]) -> _Counts:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
