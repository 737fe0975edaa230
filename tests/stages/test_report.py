from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.stages.curated import CLASSES, build, detection

from tundish.stages.report import STAGE
from tundish.storage.tables import DUPLICATES, FILES, QUARANTINE

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    context = build(tmp_path, detection())
    bad = {"path": "empty.jpg", "source": "line-1", "kind": "image", "size": 0, "batch": 3}
    FILES.write(
        FILES.frame([bad | {"outcome": "quarantined", "reason": "empty_file"}]),
        context.dataset.store / "files/00003-y.parquet",
    )
    QUARANTINE.write(
        QUARANTINE.frame(
            [
                {
                    "kind": "file",
                    "source": "line-1",
                    "path": "empty.jpg",
                    "check": "empty_file",
                    "severity": "error",
                },
                {
                    "kind": "image",
                    "source": "line-1",
                    "path": "A1/a.jpg",
                    "check": "dark",
                    "severity": "warning",
                },
            ]
        ),
        context.dataset.table("quarantine"),
    )
    relations = [
        ("representative", True, None),
        ("identical bytes", False, None),
        ("same picture", False, "class"),
    ]
    DUPLICATES.write(
        DUPLICATES.frame(
            [
                {
                    "cluster_id": "c",
                    "path": str(number),
                    "relation": relation,
                    "kept": kept,
                    "label_conflict": conflict,
                }
                for number, (relation, kept, conflict) in enumerate(relations)
            ]
        ),
        context.dataset.table("duplicates"),
    )
    return context


@pytest.fixture
def metrics(context: Context) -> dict[str, Any]:
    STAGE.run(context)
    read: dict[str, Any] = json.loads((context.dataset.reports / "metrics.json").read_text(encoding="utf-8"))
    return read


def test_the_ledger_is_in_the_metrics(metrics: dict[str, Any]) -> None:
    files = metrics["files"]
    assert files["input"] == files["accepted"] + files["quarantined"] + files["skipped"] == 11
    assert files["reasons"] == {"quarantined": {"empty_file": 1}, "skipped": {}}
    assert metrics["annotations"]["by_class"] == {"scratch": 5, "龟裂": 2, "no": 2}
    assert metrics["contradictions"] == 0


def test_images_duplicates_and_children_are_counted(metrics: dict[str, Any]) -> None:
    assert metrics["images"] == {
        "distinct": 10, "valid": 10, "files_labelled": 8, "files_negative": 1, "files_unlabelled": 1,
        "files_incomplete": 0, "files_disputed": 0, "files_refused": 0, "files_unreviewed": 0
    }  # fmt: skip
    assert metrics["duplicates"] == {
        "clusters": 1,
        "files": 3,
        "not_kept": 2,
        "by_relation": {"identical bytes": 1, "representative": 1, "same picture": 1},
        "clusters_with_label_conflicts": 1,
    }
    assert metrics["augmented"] == {"images": 1, "labels": 1, "labels_dropped": 0}


def test_the_splits_and_how_far_they_are_off(metrics: dict[str, Any]) -> None:
    splits = metrics["splits"]
    assert [splits[name]["images"] for name in ("train", "val", "test")] == [5, 2, 2]
    assert splits["test"]["labels"] == {"scratch": 2, "龟裂": 0, "no": 0}
    assert splits["left_out"] == {"kept out": 1}
    assert splits["deviation"]["images"] == pytest.approx(5 / 9 - 0.8, abs=1e-6)
    assert splits["deviation"]["by_class"]["scratch"] == pytest.approx(0.4)
    assert splits["deviation"]["largest"] == pytest.approx(0.4)


def test_plots_add_up(context: Context, metrics: dict[str, Any]) -> None:
    plots = {path.stem: pl.read_csv(path) for path in (context.dataset.reports / "plots").iterdir()}
    assert set(plots) == {"classes", "image_sizes", "brightness", "sharpness", "quarantine"}
    assert plots["classes"].rows()[:3] == [("train", "scratch", 2), ("train", "龟裂", 2), ("train", "no", 1)]
    assert plots["classes"].height == 3 * len(CLASSES)
    assert plots["image_sizes"].rows() == [("64x48", 10)]
    for name in ("brightness", "sharpness"):
        assert plots[name]["images"].sum() == metrics["images"]["distinct"]
    assert plots["quarantine"].rows() == [("file", "empty_file", "error", 1), ("image", "dark", "warning", 1)]


def test_the_same_tables_make_the_same_report(context: Context) -> None:
    folders = []
    for _ in range(2):
        STAGE.run(context)
        folders.append({path.name: path.read_bytes() for path in context.dataset.reports.rglob("*.*")})
    assert folders[0] == folders[1]


def test_dvc_reads_metrics_and_plots(context: Context, metrics: dict[str, Any]) -> None:
    reports = (context.dataset.reports / "metrics.json").relative_to(context.project).parent.as_posix()
    (context.project / "dvc.yaml").write_text(
        f"metrics: [{reports}/metrics.json]\n"
        f"plots: [{{{reports}/plots/classes.csv: {{x: class, y: labels, template: bar_horizontal}}}}]\n"
    )

    def dvc(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=context.project,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    dvc("init", "--no-scm", "--quiet")
    shown = json.loads(dvc("metrics", "show", "--json"))[""]["data"][f"{reports}/metrics.json"]["data"]
    assert shown["splits"]["deviation"] == metrics["splits"]["deviation"]
    (plot,) = json.loads(dvc("plots", "show", "--json"))["data"].values()
    assert "龟裂" in json.dumps(plot, ensure_ascii=False)
