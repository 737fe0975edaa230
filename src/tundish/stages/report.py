"""report: write ledger and balance to ``reports/metrics.json`` for `dvc metrics`, tables for `dvc plots`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from tundish.audit.ledger import Ledger, Tally, left_out, read_ledger
from tundish.neutral import for_csv
from tundish.stages.base import Context, Outcome, Stage
from tundish.storage.table import write_atomically
from tundish.storage.tables import (
    ANNOTATIONS,
    CONSENSUS,
    DUPLICATES,
    IMAGES,
    LINEAGE,
    QUARANTINE,
    SPLITS,
    STANDING,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["STAGE"]

_BRIGHTNESS = [step / 20 for step in range(21)]
_STATES = ("labelled", "incomplete", "negative", "unlabelled", "disputed", "refused", "unreviewed")
_SHARPNESS = [0.0, *(2.0**power for power in range(17))]
"""Doubling: sharpness spans orders of magnitude."""


def _run(context: Context) -> Outcome:
    ledger = read_ledger(context.dataset)
    images = context.dataset.read(IMAGES)
    labels = _used_labels(context)
    valid = context.dataset.read(CONSENSUS)
    metrics = {
        "files": _tally(ledger.files),
        "annotations": _tally(ledger.annotations) | {"by_class": _classes(context, valid)},
        "records": {name: _tally(tally) for name, tally in ledger.records.items()},
        "targets": {name: _tally(tally) for name, tally in ledger.targets.items()},
        "contradictions": len(ledger.contradictions),
        "images": _images(context, images),
        "duplicates": _duplicates(context),
        "splits": _splits(context, labels),
        "augmented": _augmented(context),
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    write_atomically(context.dataset.reports / "metrics.json", orjson.dumps(metrics, option=options))
    _plots(context, images, labels)
    return _outcome(ledger, metrics)


def _used_labels(context: Context) -> pl.DataFrame:
    """The valid labels of the files that have a split, with the columns split and label."""
    splits = context.dataset.read(SPLITS).filter(pl.col("split").is_not_null())
    labels = context.dataset.read(CONSENSUS)
    return labels.join(splits, on=["source", "path"], how="inner").select("split", "label")


def _tally(tally: Tally | None) -> dict[str, Any]:
    tally = tally or Tally(0, 0)
    return {
        "input": tally.input,
        "accepted": tally.accepted,
        "quarantined": sum(tally.quarantined.values()),
        "skipped": sum(tally.skipped.values()),
        "reasons": {"quarantined": tally.quarantined, "skipped": tally.skipped},
    }


def _classes(context: Context, labels: pl.DataFrame) -> dict[str, int]:
    """Labels of each class, in the order of the recipe."""
    counts = dict(labels.group_by("label").len().iter_rows())
    return {name: counts.get(name, 0) for name in context.recipe.annotations.classes}


def _images(context: Context, images: pl.DataFrame) -> dict[str, int]:
    states = dict(context.dataset.read(STANDING).group_by("state").len().iter_rows())
    return {
        "distinct": images.height,
        "valid": int(images["valid"].sum()),
        **{f"files_{state}": states.get(state, 0) for state in _STATES},
    }


def _duplicates(context: Context) -> dict[str, Any]:
    rows = context.dataset.read(DUPLICATES)
    conflicts = rows.filter(pl.col("label_conflict").is_not_null())
    relations = rows.group_by("relation").len().sort("relation").iter_rows()
    return {
        "clusters": rows["cluster_id"].n_unique(),
        "files": rows.height,
        "not_kept": rows.filter(~pl.col("kept")).height,
        "by_relation": dict(relations),
        "clusters_with_label_conflicts": conflicts["cluster_id"].n_unique(),
    }


def _splits(context: Context, labels: pl.DataFrame) -> dict[str, Any]:
    """Images and labels of each split, without derived ones, and their deviations from the ratios."""
    table = context.dataset.read(SPLITS)
    inside = table.filter(pl.col("split").is_not_null())
    given = set(inside["split"]) - set(context.recipe.split.ratios)
    ratios = context.recipe.split.ratios | dict.fromkeys(sorted(given), 0.0)
    result: dict[str, Any] = {
        name: {
            "images": inside.filter(pl.col("split") == name).height,
            "labels": _classes(context, labels.filter(pl.col("split") == name)),
        }
        for name in ratios
    }
    by_class = {
        name: _deviation([result[split]["labels"][name] for split in ratios], list(ratios.values()))
        for name in context.recipe.annotations.classes
    }
    images = _deviation([result[split]["images"] for split in ratios], list(ratios.values()))
    return result | {
        "left_out": left_out(table),
        "deviation": {
            "images": images,
            "by_class": by_class,
            "largest": max((abs(value) for value in (images, *by_class.values())), default=0.0),
        },
    }


def _deviation(counts: list[int], ratios: list[float]) -> float:
    """The largest deviation of shares from the ratios; 0 where the counts are zero."""
    total = sum(counts)
    if not total:
        return 0.0
    off = np.subtract(np.divide(counts, total), ratios)
    return round(float(off[np.abs(off).argmax()]), 6)


def _augmented(context: Context) -> dict[str, int]:
    lineage = context.dataset.read_if_there(LINEAGE)
    labels = context.dataset.read(ANNOTATIONS, context.dataset.augmented).height if lineage.height else 0
    return {"images": lineage.height, "labels": labels, "labels_dropped": int(lineage["dropped"].sum())}


def _plots(context: Context, images: pl.DataFrame, labels: pl.DataFrame) -> None:
    classes = [
        (split, name, count)
        for split in context.recipe.split.ratios
        for name, count in _classes(context, labels.filter(pl.col("split") == split)).items()
    ]
    sizes = images.filter("valid").group_by("width", "height").len().sort("width", "height").iter_rows()
    quarantine = context.dataset.read(QUARANTINE)
    checks = ["kind", "check", "severity"]
    _csv(context, "classes", ["split", "class", "labels"], classes)
    _csv(
        context,
        "image_sizes",
        ["size", "images"],
        ((f"{width}x{height}", count) for width, height, count in sizes),
    )
    _csv(
        context, "quarantine", [*checks, "count"], quarantine.group_by(checks).len().sort(checks).iter_rows()
    )
    for name, edges in (("brightness", _BRIGHTNESS), ("sharpness", _SHARPNESS)):
        _csv(context, name, [name, "images"], _histogram(images[name], edges))


def _histogram(values: pl.Series, edges: Sequence[float]) -> list[tuple[float, int]]:
    """Pairs of lower edge and count; values beyond the edges are counted in the outermost bins."""
    inner = np.clip(values.drop_nulls().drop_nans().to_numpy(), edges[0], edges[-1])
    counts, _ = np.histogram(inner, edges)
    return list(zip(edges[:-1], counts.tolist(), strict=True))


def _csv(context: Context, name: str, columns: list[str], rows: Iterable[Sequence[object]]) -> None:
    cells = [[for_csv(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    frame = pl.DataFrame(cells, schema=columns, orient="row")
    write_atomically(context.dataset.reports / "plots" / f"{name}.csv", frame.write_csv().encode())


def _outcome(ledger: Ledger, metrics: dict[str, Any]) -> Outcome:
    counts = {
        f"{name} {what}": metrics[name][what]
        for name in ("files", "annotations")
        for what in ("input", "accepted", "quarantined", "skipped")
    }
    return Outcome(counts, list(ledger.contradictions))


STAGE = Stage(
    name="report",
    reads=(
        "store",
        "curated/images.parquet",
        "curated/consensus.parquet",
        "curated/standing.parquet",
        "curated/targets.parquet",
        "curated/quarantine.parquet",
        "curated/duplicates.parquet",
        "curated/records",
        "curated/record_files.parquet",
        "curated/links.parquet",
        "curated/splits.parquet",
        "curated/lineage.parquet",
        "augmented",
    ),
    writes=("reports/metrics.json", "reports/plots"),
    depends=("annotations", "split"),
    run=_run,
)
