"""Run the pipeline on the public sets and write docs/real-sets.md: what the ledger and the tables show.

    python tools/real_sets.py ../shared/data

The sets are not part of the project; their folder is given. The figures are read from the tables that
`tundish run` wrote, none is typed in.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

import tundish
from tundish.cli import main as command

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parents[1] / "docs"
SETS = {
    "neu-det": "neu_det",
    "coal-belt-foreign": "coal_belt_foreign",
    "kolektorsdd": "kolektorsdd_sample",
    "samples-coco-instances": "annotation_samples/coco/instances",
    "samples-coco-keypoints": "annotation_samples/coco/person_keypoints",
    "samples-coco-roboflow": "annotation_samples/coco/roboflow_layout",
    "samples-coco-panoptic": "annotation_samples/coco/panoptic",
    "samples-yolo-darknet": "annotation_samples/yolo/darknet_strict",
    "samples-yolo-separate": "annotation_samples/yolo/separate_annotations",
    "samples-yolo-ultralytics": "annotation_samples/yolo/ultralytics_layout",
    "samples-voc-1": "annotation_samples/voc/voc_dataset1",
    "samples-voc-2": "annotation_samples/voc/voc_dataset2",
    "steel-plates": "steel_plates_faults/SteelPlatesFaults_Clean.csv",
    "steel-plates-quoted": "steel_plates_faults/Faults.NNA",
    "coal-quality": "coal_quality/coal_all.csv",
}
MORE = {"steel-plates-quoted": ("--names", "steel_plates_faults/Faults27x7_var")}
"""What `tundish add` has to know about a set: an option, and a file beside it."""

IDENTICAL = ["identical bytes", "identical pixels"]


def facts(project: Path, name: str) -> Iterator[tuple[str, str]]:
    """What a run left in the tables, as (what, figures)."""
    ledger = tundish.status(name, project=project)
    if ledger.records:
        yield from records(project, name)
        return
    for kind, tally in (("files", ledger.files), ("labels", ledger.labels)):
        assert tally is not None
        yield (
            kind,
            (
                f"{tally.input:,} = {tally.accepted:,} accepted + {counted(tally.quarantined)} quarantined"
                f" + {counted(tally.skipped)} skipped"
            ),
        )
    table = {one: tundish.read_table(one, name, project=project) for one in TABLES}
    yield "ledger closes", "yes" if ledger.closes else f"no: {'; '.join(ledger.contradictions)}"
    yield "image files", counted(counts(table["coverage"], "state"))
    yield "labels by class", counted(counts(table["annotations"], "label"))
    shapes = counts(table["annotations"].unique(["source", "path", "shape"]), "shape")
    yield "image files with a label of shape", counted(shapes)
    warnings = table["quarantine"].filter(pl.col("severity") == "warning")
    yield "kept with a warning", counted(counts(warnings, "check"))
    yield from duplicates(table["duplicates"])
    yield "overlaps", overlaps(table["pairs"])
    yield "splits", counted(counts(table["splits"].drop_nulls("split"), "split"))


def records(project: Path, name: str) -> Iterator[tuple[str, str]]:
    """What a run left of tables of records."""
    ledger = tundish.status(name, project=project)
    for table, tally in ledger.records.items():
        yield (
            table,
            (
                f"{tally.input:,} = {tally.accepted:,} accepted + {counted(tally.quarantined)} quarantined"
                f" + {counted(tally.skipped)} skipped"
            ),
        )
    yield "ledger closes", "yes" if ledger.closes else f"no: {'; '.join(ledger.contradictions)}"
    quarantine = tundish.read_table("quarantine", name, project=project)
    places = [
        f"row {row} ({place}): {check}"
        for row, place, check in quarantine.select("row", "place", "check").rows()
    ]
    yield "faults, rows from 0", "; ".join(places) or "none"
    files = tundish.read_table("record_files", name, project=project)
    read = [one for text in files["columns"] for one in orjson.loads(text) if one["how"] == "magnitude"]
    yield (
        "units found by magnitude",
        ", ".join(f"{one['header']}: {one['read_as']}" for one in read) or "none",
    )


TABLES = ("coverage", "annotations", "quarantine", "duplicates", "pairs", "splits")


def duplicates(table: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Clusters of equal pictures, the other copies, and where labels disagree."""
    copies = table.filter(pl.col("relation").is_in(IDENTICAL))
    groups = copies["cluster_id"].n_unique()
    torn = copies.filter(pl.col("label_conflict").is_not_null())
    files = copies.height + groups
    yield (
        "groups of equal pictures",
        f"{groups} of {files} files, {torn['cluster_id'].n_unique()} with other labels",
    )
    others = table.filter(~pl.col("relation").is_in([*IDENTICAL, "representative"]))
    yield "other copies", counted(counts(others, "relation"))


def overlaps(table: pl.DataFrame) -> str:
    """Pairs that show in part the same, and how many images they touch."""
    pairs = table.filter(verified="blocks")
    touched = len({*pairs["image_id"], *pairs["other_id"]})
    return f"{counted(counts(pairs, 'relation'))}, of {touched:,} images" if pairs.height else "0"


def counts(table: pl.DataFrame, column: str) -> dict[str, int]:
    """How often each value of a column occurs, the most frequent first."""
    found = table.group_by(column).len().sort(["len", column], descending=[True, False])
    return {str(value): count for value, count in found.iter_rows()}


def counted(found: dict[str, int]) -> str:
    """Counts in words, or 0."""
    if not found:
        return "0"
    return ", ".join(f"{value} {count:,}" for value, count in found.items())


def tundish_command(*arguments: str) -> None:
    """A command of Tundish, in this process."""
    try:
        command.main(list(arguments))
    except SystemExit as end:
        if end.code:
            raise


def main(data: Path) -> None:
    """Run all sets and write the page."""
    import os

    lines = [
        "# What comes out on public sets",
        "",
        "Made by `python tools/real_sets.py DATA`: every set through `tundish add` and `tundish run",
        "--accept-losses`, as they come and whatever they lose; the figures are read from the tables",
        "that were written.",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "plant"
        tundish_command("init", str(project))
        os.chdir(project)
        for name, path in SETS.items():
            option, file = MORE.get(name, ("", ""))
            tundish_command("add", name, str(data / path), *((option, str(data / file)) if option else ()))
            tundish_command("run", name, "--accept-losses")
            lines += [f"## {name}", "", "| what | figures |", "| --- | --- |"]
            lines += [f"| {what} | {figures} |" for what, figures in facts(project, name)]
            lines.append("")
        os.chdir(DOCS)
    (DOCS / "real-sets.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    parsed: list[Any] = sys.argv[1:]
    main(Path(parsed[0]).resolve())
