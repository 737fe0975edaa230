"""The formats of CSV and text files by the commands of a user: add, run, and what the tables then hold."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import polars as pl
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


def scene(seed: int) -> NDArray[np.uint8]:
    small = np.random.default_rng(seed).integers(30, 220, (9, 12, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC), np.uint8)


def tundish(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tundish", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


CORNERS = ["10,12,60,50", "100,70,150,110", "90,5,159,30", "80,60,120,118", "5,80,100,119", "120,10,140,90"]
RETINANET = "".join(f"img/p{number}.png,{box},rust\n" for number, box in enumerate(CORNERS))
SEVERSTAL = "".join(
    f"p{number}.png,{1 + number % 2},{1000 + 120 * number} 30 5001 9\n" for number in range(5)
)
DOTA = "gsd:0.1\n20 20 60 30 55 60 15 50 ship 0\n80 20 120 20 120 60 80 60 small-vehicle 1\n"
XML = (
    "<annotation><filename>p0.png</filename><size><width>160</width><height>120</height></size><object>"
    "<name>rust</name><robndbox><cx>80</cx><cy>60</cy><w>40</w><h>20</h><angle>1.5707963</angle></robndbox>"
    "</object></annotation>"
)


@pytest.mark.parametrize(
    ("files", "form", "options", "shapes", "states"),
    [
        (
            {"train.csv": "ImageId,ClassId,EncodedPixels\n" + SEVERSTAL + "p5.png,1,\n"}
            | {"sample_submission.csv": "ImageId,ClassId,EncodedPixels\np6.png,1,1 1\n"},
            "runs-csv",
            {"files": "train.csv"},
            {"mask": 5},
            {"labelled": 5, "negative": 1, "unlabelled": 1},
        ),
        (
            {"annotations.csv": RETINANET + "img/p6.png,,,,,\n"},
            "boxes-csv",
            {"box": "corners", "unit": "px"},
            {"box": 6},
            {"labelled": 6, "negative": 1},
        ),
        (
            {
                "labels.csv": "filename;label\n"
                + "".join(f"p{n}.png;{'ok' if n % 2 else 'bad'}\n" for n in range(7))
            },
            "classes-csv",
            {},
            {"class": 7},
            {"labelled": 7},
        ),
        (
            {"labelTxt/p0.txt": DOTA, "labelTxt/p1.txt": ""},
            "dota",
            {},
            {"polygon": 2},
            {"labelled": 1, "negative": 1, "unlabelled": 5},
        ),
        ({"img/p0.xml": XML}, "voc", {}, {"polygon": 1}, {"labelled": 1, "unlabelled": 6}),
    ],
)
def test_add_recognises_it_and_run_reads_it(
    tmp_path: Path,
    files: Mapping[str, str],
    form: str,
    options: Mapping[str, str],
    shapes: Mapping[str, int],
    states: Mapping[str, int],
) -> None:
    source, project = tmp_path / "set", tmp_path / "project"
    (source / "img").mkdir(parents=True)
    project.mkdir()
    for number in range(7):
        cv2.imwrite(str(source / f"img/p{number}.png"), scene(number))
    for path, text in files.items():
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_text(text)
    tundish(project, "init", ".")
    assert f"looks like '{form}'" in tundish(project, "add", "x", str(source))
    (entry,) = yaml.safe_load((project / "pipelines/x.yaml").read_text())["sources"]
    assert (entry["format"], entry.get("options", {})) == (form, options)
    tundish(project, "run", "x", "--to", "validate")
    curated = project / "datasets/x/curated"
    labels = pl.read_parquet(curated / "annotations.parquet")
    assert dict(labels.filter("valid")["shape"].cast(pl.String).value_counts().iter_rows()) == shapes
    coverage = pl.read_parquet(curated / "coverage.parquet")
    assert dict(coverage["state"].cast(pl.String).value_counts().iter_rows()) == states
    told = pl.read_parquet(curated / "quarantine.parquet")
    assert told.filter(told["kind"] != "image").is_empty()
