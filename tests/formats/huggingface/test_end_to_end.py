"""Parquet and imagefolder through `tundish add` and `tundish run`: labels and pictures stay as they are."""

from __future__ import annotations

import importlib
import io
import shutil
import unicodedata
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.formats.tools.test_end_to_end import photograph

from tundish.cli import main
from tundish.imaging.geometry import counts_of_mask, mask_of_polygon

if TYPE_CHECKING:
    from pathlib import Path

hf: Any = importlib.import_module("datasets")

NAMES = (
    "龟裂/划痕 1.jpg",
    "a%20b.jpg",
    unicodedata.normalize("NFD", "Räude.jpg"),
    "IMG.JPG",
    "x/IMG.jpg",
    "n.jpg",
)

ANNOTATION = ("label", "shape", "x", "y", "width", "height", "segmentation", "rle", "is_crowd")


def do(*command: str) -> str:
    result = CliRunner().invoke(main, list(command))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    do("init", str(folder))
    monkeypatch.chdir(folder)
    return folder


def coco(folder: Path) -> None:
    """Six pictures: a box, a polygon, a crowd mask, a box each, and one where nothing is."""
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(photograph(number))
    ring = [10.25, 10, 60, 12.5, 50, 70.125]
    mask = counts_of_mask(mask_of_polygon([[20, 20, 90, 20, 90, 60, 20, 60]], 200, 100))
    shapes: list[dict[str, Any]] = [
        {"bbox": [10.5, 20.25, 30, 40]},
        {"bbox": [10.25, 10, 49.75, 60.125], "segmentation": [ring]},
        {"bbox": [20, 20, 70, 40], "segmentation": {"size": [100, 200], "counts": mask}, "iscrowd": 1},
        {"bbox": [1, 2, 3, 4]},
        {"bbox": [5, 6, 7, 8]},
    ]
    labels = [
        {"id": number, "image_id": number, "category_id": number % 2, "iscrowd": 0, **shape}
        for number, shape in enumerate(shapes)
    ]
    content = {
        "images": [
            {"id": number, "file_name": name, "width": 200, "height": 100}
            for number, name in enumerate(NAMES)
        ],
        "annotations": labels,
        "categories": [{"id": 0, "name": "crack"}, {"id": 1, "name": "氧化铁皮"}],
    }
    (folder / "labels.json").write_bytes(orjson.dumps(content))


def labels_in(project: Path, name: str) -> list[tuple[Any, ...]]:
    labels = pl.read_parquet(project / "datasets" / name / "curated" / "annotations.parquet").filter("valid")
    return sorted(labels.select("image_id", *ANNOTATION).rows(), key=str)


def states(project: Path, name: str) -> list[tuple[str, str]]:
    table = pl.read_parquet(project / "datasets" / name / "curated" / "standing.parquet")
    return sorted(table.select("image_id", "state").rows())


def pictures(project: Path, name: str) -> list[bytes]:
    exports = (project / "datasets" / name / "exports" / "parquet").glob("*.parquet")
    return sorted(row["bytes"] for file in exports for row in pq.read_table(file)["image"].to_pylist())


def test_an_export_comes_in_again_with_the_same_labels_and_bytes(tmp_path: Path, project: Path) -> None:
    coco(tmp_path / "in")
    do("add", "first", str(tmp_path / "in"))
    recipe = project / "pipelines" / "first.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("copies: 2", "copies: 0"), encoding="utf-8")
    do("run", "first")
    shutil.copytree(project / "datasets" / "first" / "exports" / "parquet", tmp_path / "again")
    output = do("add", "second", str(tmp_path / "again"))
    assert "looks like 'parquet'" in output
    assert "6 of 6 images named in" in output
    do("run", "second")
    assert labels_in(project, "first") == labels_in(project, "second")
    assert len(labels_in(project, "second")) == 5
    assert states(project, "first") == states(project, "second")
    assert pictures(project, "first") == pictures(project, "second")
    assert len(pictures(project, "second")) == 6
    paths = pl.read_parquet(project / "datasets" / "second" / "curated" / "images.parquet")["path"]
    assert {path.partition(".parquet/in/")[2] for path in paths} == set(NAMES)
    files = pl.concat([pl.read_parquet(f) for f in (project / "datasets/second/store/files").iterdir()])
    tables = list((tmp_path / "again").glob("*.parquet"))
    kinds = dict(files["kind"].value_counts().iter_rows())
    assert (kinds["image"], kinds["annotation"]) == (6, len(tables))
    assert files.filter(kind="image")["size"].min() > 1000  # type: ignore[operator]


def test_a_second_run_reads_no_row_again(tmp_path: Path, project: Path) -> None:
    write_parquet(tmp_path / "in" / "train.parquet")
    do("add", "steel", str(tmp_path / "in"))
    do("run", "steel", "--to", "ingest")
    assert "unchanged" in do("ingest", "steel")
    files = list((project / "datasets/steel/store/files").iterdir())
    assert len(files) == 1


def write_parquet(path: Path, count: int = 5) -> None:
    """A file as `datasets` writes it: pictures without names, boxes, class numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    features = hf.Features(
        {
            "image": hf.Image(),
            "label": hf.ClassLabel(names=["good", "bad"]),
            "objects": {
                "bbox": hf.List(hf.List(hf.Value("float32"), length=4)),
                "category": hf.List(hf.ClassLabel(names=["crack", "划痕"])),
            },
        }
    )
    rows = {
        "image": [Image.open(io.BytesIO(photograph(number))) for number in range(count)],
        "label": [number % 2 for number in range(count)],
        "objects": [
            {"bbox": [[1, 2, 30, 40]] * number, "category": [number % 2] * number} for number in range(count)
        ],
    }
    hf.Dataset.from_dict(rows, features=features).to_parquet(str(path))


def test_what_the_datasets_library_wrote_comes_in(tmp_path: Path, project: Path) -> None:
    file = tmp_path / "in" / "data" / "train-00000-of-00001.parquet"
    write_parquet(file)
    output = do("add", "steel", str(tmp_path / "in"), "--dry-run")
    assert "looks like 'parquet'" in output
    do("add", "steel", str(file))
    do("run", "steel", "--to", "validate")
    labels = pl.read_parquet(project / "datasets" / "steel" / "curated" / "annotations.parquet")
    classes = labels.filter(shape="class").sort("path")
    assert classes["raw_label"].to_list() == ["good", "bad", "good", "bad", "good"]
    boxes = labels.filter(shape="box")
    assert dict(boxes["raw_label"].value_counts().iter_rows()) == {"crack": 6, "划痕": 4}
    assert set(boxes.select("x", "y", "width", "height").rows()) == {(1, 2, 30, 40)}
    assert classes["path"][0] == "train-00000-of-00001.parquet/000000.jpg"
    theirs = hf.load_dataset(
        "parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    ids = pl.read_parquet(project / "datasets" / "steel" / "curated" / "images.parquet").height
    assert ids == len(theirs)


def test_an_imagefolder_comes_in_as_the_datasets_library_reads_it(tmp_path: Path, project: Path) -> None:
    source = tmp_path / "in"
    for split, seeds in (("train", (1, 2, 3)), ("test", (4,))):
        (source / split / "深 度").mkdir(parents=True)
        lines = []
        for seed in seeds:
            name = f"深 度/划痕 {seed}%20.jpg"
            (source / split / name).write_bytes(photograph(seed))
            objects = {"bbox": [[1.5, 2, 30, 40]] * (seed - 1), "categories": [0] * (seed - 1)}
            lines.append(orjson.dumps({"file_name": name, "objects": objects, "note": "x"}))
        (source / split / "metadata.jsonl").write_bytes(b"\n".join(lines))
    output = do("add", "steel", str(source))
    assert "looks like 'imagefolder'" in output
    assert "columns that hold no labels are not read: note" in output
    assert "classes are numbers without names" in output
    do("run", "steel", "--to", "consensus")
    curated = project / "datasets" / "steel" / "curated"
    labels = pl.read_parquet(curated / "annotations.parquet").filter("valid")
    theirs = hf.load_dataset("imagefolder", data_dir=str(source), cache_dir=str(tmp_path / "cache"))
    count = sum(len(row["objects"]["bbox"]) for split in theirs.values() for row in split)
    assert labels.height + len(repeated(curated)) == count == 6
    assert sorted(pl.read_parquet(curated / "standing.parquet")["state"]) == ["labelled"] * 3 + ["negative"]


def repeated(curated: Path) -> list[str]:
    """Labels that are there twice, which the test's own picture has."""
    quarantine = pl.read_parquet(curated / "quarantine.parquet")
    return [check for check in quarantine["check"] if check == "repeated"]


def test_a_table_without_pictures_stays_a_table_of_records(tmp_path: Path, project: Path) -> None:
    pq.write_table(pa.table({"heat": ["H1"], "blob": [b"no picture"]}), tmp_path / "lab.parquet")
    result = CliRunner().invoke(main, ["add", "steel", str(tmp_path / "lab.parquet"), "--dry-run"])
    assert "image" not in result.output.partition("\n")[0]


def test_parquet_in_an_archive_is_refused_with_what_to_do(tmp_path: Path, project: Path) -> None:
    write_parquet(tmp_path / "in" / "train.parquet")
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "in")
    result = CliRunner().invoke(main, ["add", "steel", archive])
    assert result.exit_code == 2
    assert "unpack it: pictures inside Parquet files are read from folders only" in result.output
    assert not list((project / "pipelines").iterdir())
