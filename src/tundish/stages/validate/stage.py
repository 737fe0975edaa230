"""validate: find which images and labels are valid, and why the others are not.

Reads the label files from the store, checks images and labels by the Pandera models of the project, and
writes `images`, `annotations`, `coverage` and `quarantine`. Nothing is excluded without a row that says why.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.base import Problem, Reading
from tundish.formats.frames import labels_to_frame
from tundish.formats.several.read import read_together
from tundish.labeling.tables import JUDGEMENTS, LABEL_FAULTS, answers_fingerprint
from tundish.recipe.classes import normalise
from tundish.rules.check import check
from tundish.rules.models import load_model
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.ingest.intake import SEVERAL_PAGES
from tundish.stages.parts import parts_of_source
from tundish.stages.validate.coverage import coverage_of
from tundish.stages.validate.given import given_splits
from tundish.stages.validate.labels import check_labels
from tundish.stages.validate.stored import catalog_of_source, stored_files
from tundish.stages.validate.targets import read_targets
from tundish.storage.checks import describe
from tundish.storage.features import read_features
from tundish.storage.quarantine import quarantine_frame, quarantine_row, quarantine_rows
from tundish.storage.shards import latest_files, read_files
from tundish.storage.tables import ANNOTATIONS, COVERAGE, IMAGES, QUARANTINE, RECORD_FAULTS, TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.formats.base import Judgement
    from tundish.recipe.sections import Source

__all__ = ["STAGE"]

_PULLED = replace(ANNOTATIONS, written_by="label pull")

_SUFFIXES = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "tiff": (".tif", ".tiff"),
    "bmp": (".bmp",),
    "gif": (".gif",),
    "webp": (".webp",),
    "pnm": (".pgm", ".ppm", ".pbm", ".pnm"),
    "jp2": (".jp2", ".j2k"),
    "avif": (".avif",),
}

_SPELT = "its labels spell the name otherwise: capitals, umlauts in two characters, or %20"

_COVERED = {"source": pl.String, "path": pl.String, "covered": pl.Boolean, "refused": pl.Boolean}


def _run(context: Context) -> Outcome:
    files = latest_files(read_files(context.dataset.store))
    images, image_faults = _check_images(context, files)
    targets, target_faults = read_targets(context, files, images.filter("valid"))
    given, given_faults = given_splits(context, files, images.filter("valid"))
    images = images.join(given, on=["source", "path"], how="left", maintain_order="left")
    good = images.filter("valid")
    labels, label_faults, breaches, covered, judgements = _check_labels(context, files, images, good)
    faults = [image_faults, given_faults, target_faults, label_faults, breaches]
    quarantine = pl.concat([_file_faults(files), *faults, context.dataset.read(RECORD_FAULTS)])
    context.dataset.write(IMAGES, _distinct(images, context.recipe.keys))
    ANNOTATIONS.write(
        labels, context.dataset.table("annotations"), metadata=answers_fingerprint(context.dataset.labels)
    )
    coverage = coverage_of(good, labels, breaches, covered)
    context.dataset.write(COVERAGE, coverage)
    context.dataset.write(TARGETS, targets)
    context.dataset.write(JUDGEMENTS, judgements)
    context.dataset.write(QUARANTINE, quarantine)
    return _outcome(images, labels, coverage, quarantine)


def _check_images(context: Context, files: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every accepted image file with its features, keys and `valid`; and the breaches as quarantine rows."""
    features = read_features(context.dataset, context.recipe.images.max_pixels)
    rows = (
        files.filter((pl.col("kind") == "image") & (pl.col("outcome") == "accepted"))
        .join(features, on="image_id", how="left", maintain_order="left")
        .with_columns(
            # The clock of the camera has no zone: it is that of the plant.
            captured_at=pl.col("captured_at")
            .dt.replace_time_zone(None)
            .dt.replace_time_zone(context.recipe.timezone, ambiguous="null", non_existent="null")
            .dt.convert_time_zone("UTC")
        )
        .with_columns(fault=pl.col("reason_right").fill_null("none"), extension_fits=_extension_fits())
    )
    rows, missing = _with_keys(context, rows)
    model = load_model(context.project, context.recipe.images.schema_)
    failures = check(model, rows)
    places = rows.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), "image_id", "source", "path", "fault", "message"
    )
    undecoded = pl.col("column") == "fault"
    faults = quarantine_rows(
        "image",
        failures.join(places, on="row", how="left", maintain_order="left", suffix="_of_image").drop("row"),
        id="image_id",
        check=pl.when(undecoded).then("fault").otherwise("check"),
        message=pl.when(undecoded).then("message_of_image").otherwise("message"),
    )
    bad = failures.filter(pl.col("severity") == "error")["row"].unique()
    index = pl.int_range(pl.len(), dtype=pl.UInt32)
    rows = rows.with_columns(valid=~index.is_in(bad.implode()))
    return rows, pl.concat([faults, missing])


def _extension_fits() -> pl.Expr:
    suffix = pl.col("path").str.extract(r"(\.[^./]+)$").str.to_lowercase()
    fits = pl.lit(False)
    for name, suffixes in _SUFFIXES.items():
        fits = fits | ((pl.col("format") == name) & suffix.is_in(suffixes))
    return pl.col("format").is_null() | fits


def _with_keys(context: Context, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add the keys of the recipe as columns, from file names; with a warning for each name without key."""
    faults = []
    for key in context.recipe.keys:
        values = pl.Series(key, [None] * rows.height, dtype=pl.String)
        for source in context.recipe.sources:
            mine = rows["source"] == source.label
            pattern = source.keys.get(key)
            if pattern is None:
                continue
            found = pl.Series(key, [source.key(key, path) for path in rows["path"]], dtype=pl.String)
            values = values.zip_with(~mine, found)
            faults += [
                quarantine_row(
                    "image",
                    "key_missing",
                    f"the name has no {key} that matches the pattern {pattern}",
                    object_id=image_id,
                    source=source.label,
                    path=path,
                    column=key,
                    value=path,
                    severity="warning",
                )
                for image_id, path in rows.filter(mine & found.is_null())
                .select("image_id", "path")
                .iter_rows()
            ]
        rows = rows.with_columns(values)
    return rows, quarantine_frame(faults)


def _file_faults(files: pl.DataFrame) -> pl.DataFrame:
    pages = (pl.col("outcome") == "accepted") & (pl.col("reason") == SEVERAL_PAGES)
    bad = files.filter((pl.col("outcome") == "quarantined") | pages)
    return quarantine_frame(
        quarantine_row(
            "file",
            reason,
            describe(reason, "en"),
            source=source,
            path=path,
            column="size",
            value=str(size),
            severity="warning" if reason == SEVERAL_PAGES else "error",
        )
        for source, path, reason, size in bad.select("source", "path", "reason", "size").iter_rows()
    )


def _check_labels(
    context: Context, files: pl.DataFrame, images: pl.DataFrame, good: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Check all labels of all sources; with faults, breaches, what files cover, and who answered."""
    frames, faults, covered = [ANNOTATIONS.empty()], [QUARANTINE.empty()], []
    judgements: list[dict[str, object]] = []
    for source in context.recipe.sources:
        reading = _read_labels(context, files, source, good)
        frames.append(labels_to_frame(reading, source.label))
        judgements += [_judgement(one, source.label) for one in reading.judgements]
        mine = pl.col("source") == source.label
        out = [
            *images.filter(mine & ~pl.col("valid"))["path"],
            *files.filter(mine & (pl.col("kind") == "image") & (pl.col("outcome") == "quarantined"))["path"],
        ]
        faults.append(_problem_rows(reading, source.label, out))
        covered += [
            (source.label, path, path in reading.covered, path in reading.refused)
            for path in sorted(reading.covered | reading.refused)
        ]
    answered = _pulled_labels(context, good)
    frames.append(answered)
    faults.append(_pulled_faults(context, answered))
    sizes = good.unique("image_id").select("image_id", "width", "height")
    section = context.recipe.annotations
    model = load_model(context.project, section.schema_)
    labels, breaches = check_labels(pl.concat(frames), sizes, model, section)
    table = pl.DataFrame(covered, schema=_COVERED, orient="row")
    return labels, pl.concat(faults), breaches, table, JUDGEMENTS.frame(judgements)


def _judgement(judgement: Judgement, source: str) -> dict[str, object]:
    image = judgement.image
    about = {"path": image.path, "source": source, "image_id": image.image_id}
    return about | {name: value for name, value in judgement._asdict().items() if name != "image"}


def _pulled_labels(context: Context, good: pl.DataFrame) -> pl.DataFrame:
    """The labels of annotators, as `tundish label pull` wrote them: checked like any other label."""
    pulled = context.dataset.read_if_there(_PULLED, context.dataset.labels)
    return pulled.select(_PULLED.schema.names).join(good, on=["source", "path"], how="semi")


def _pulled_faults(context: Context, labels: pl.DataFrame) -> pl.DataFrame:
    """Faults of refused labels. Others are checked here: the recipe may have their class by now."""
    faults = context.dataset.read_if_there(LABEL_FAULTS, context.dataset.labels)
    taken = labels.select(path="label_path", row=pl.col("label_row").cast(pl.Int64), severity=pl.lit("error"))
    return faults.join(taken, on=["path", "row", "severity"], how="anti", maintain_order="left")


def _read_labels(context: Context, files: pl.DataFrame, source: Source, good: pl.DataFrame) -> Reading:
    catalog = catalog_of_source(good, source.label)
    wanted = files.filter(
        (pl.col("source") == source.label)
        & pl.col("kind").is_in(["annotation", "classes"])
        & (pl.col("outcome") == "accepted")
    )
    lookup = context.recipe.annotations.lookup()
    reading = read_together(
        parts_of_source(source),
        stored_files(context, wanted),
        catalog,
        lambda name: lookup.get(normalise(name), normalise(name)),
    ).reading
    reading.problems += [
        Problem(path, None, "name_spelling", "path", asked, _SPELT, "warning")
        for asked, path in sorted(catalog.spelt.items())
    ]
    return reading


def _problem_rows(reading: Reading, source: str, out: list[str]) -> pl.DataFrame:
    """Convert problems to quarantine rows; a quarantined image is the reason for its labels."""
    stems = {PurePosixPath(path).stem for path in out}

    def row(problem: Problem) -> dict[str, object]:
        name, message = problem.check, problem.message
        named = {PurePosixPath(problem.path).stem, PurePosixPath(problem.value).stem}
        if name == "image_not_found" and named & stems:
            name, message = "image_quarantined", "its image is quarantined"
        return quarantine_row(
            "annotation",
            name,
            message,
            source=source,
            path=problem.path,
            row=problem.row,
            column=problem.column,
            value=problem.value,
            severity=problem.severity,
            count=problem.labels if problem.severity == "error" else 1,
        )

    return quarantine_frame(row(problem) for problem in reading.problems)


def _distinct(images: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """One row for each distinct image, that of its first valid file, with the keys of the recipe."""
    counted = images.with_columns(files=pl.len().over("image_id").cast(pl.Int32))
    ordered = counted.sort(~pl.col("valid"), "source", "path", maintain_order=True)
    first = ordered.unique("image_id", keep="first", maintain_order=True)
    return first.select(*IMAGES.schema.names, *keys)


def _outcome(
    images: pl.DataFrame, labels: pl.DataFrame, coverage: pl.DataFrame, quarantine: pl.DataFrame
) -> Outcome:
    states = dict(coverage["state"].value_counts().iter_rows())
    severities = dict(quarantine["severity"].value_counts().iter_rows())
    counts = {
        "image files": images.height,
        "valid": int(images["valid"].sum()),
        "labels": labels.height,
        "valid labels": int(labels["valid"].sum()),
        "labelled": states.get("labelled", 0),
        "incomplete": states.get("incomplete", 0),
        "negative": states.get("negative", 0),
        "unlabelled": states.get("unlabelled", 0),
        "rejected": states.get("rejected", 0),
        "errors": severities.get("error", 0),
        "warnings": severities.get("warning", 0),
    }
    return Outcome(counts)


STAGE = Stage(
    name="validate",
    reads=("store", "labels", "curated/features", "curated/record_faults.parquet"),
    writes=(
        "curated/images.parquet",
        "curated/annotations.parquet",
        "curated/coverage.parquet",
        "curated/targets.parquet",
        "curated/judgements.parquet",
        "curated/quarantine.parquet",
    ),
    depends=("sources", "timezone", "images", "annotations"),
    run=_run,
    schemas=True,
)
