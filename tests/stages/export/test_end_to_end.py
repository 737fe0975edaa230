"""From a folder of real images through every stage to the exports, read back by others and by ourselves."""

from __future__ import annotations

import hashlib
import importlib
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pycocotools.coco import COCO

from tundish.audit.ledger import read_ledger
from tundish.engine import LocalEngine
from tundish.formats.base import Catalog, ImageRef, Options
from tundish.formats.registry import load_reader
from tundish.recipe.load import Recipe
from tundish.stages import ABOUT, load_stage
from tundish.stages.base import Context
from tundish.stages.export.stage import export_one
from tundish.storage.tables import ANNOTATIONS, SPLITS

ROOT = Path(__file__).resolve().parents[3]
# Imported by name: to mypy the repository's own folder of this name would hide the package.
hf: Any = importlib.import_module("datasets")

pytestmark = pytest.mark.shared


def project_of(folder: Path, shared_data: Path) -> Context:
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copytree(shared_data / "kolektorsdd_sample", folder / "datasets/kolektor/raw/sample")
    recipe = Recipe.model_validate(
        {
            "dataset": "kolektor",
            "sources": [{"path": "raw/sample", "format": "yolo"}],
            "annotations": {"classes": ["defect"]},
            "augment": {"copies": 1, "operations": [{"flip": {"p": 1.0}}]},
        }
    )
    context = Context(recipe, folder, LocalEngine())
    for name in ABOUT:
        load_stage(name).run(context)
    return context


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Context:
    return project_of(tmp_path_factory.mktemp("one"), shared_data)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".seen.json"
    }


def test_the_ledger_closes_over_all(context: Context) -> None:
    ledger = read_ledger(context.dataset)
    assert ledger.contradictions == ()
    assert ledger.closes
    assert ledger.annotations is not None
    assert ledger.annotations.accepted == 53


def test_every_reader_counts_what_the_splits_say(context: Context, tmp_path: Path) -> None:
    splits = context.dataset.read(SPLITS).drop_nulls("split")
    counts = dict(splits.group_by("split").len().iter_rows())
    counts["train"] *= 2  # one child each
    loaded = hf.load_dataset(str(context.dataset.exports / "parquet"), cache_dir=str(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == counts
    for split, count in counts.items():
        reader = COCO(str(context.dataset.exports / f"coco/annotations/instances_{split}.json"))
        assert len(reader.imgs) == count
        assert len(reader.anns) == sum(len(row["id"]) for row in loaded[split]["objects"])
        for annotation in reader.anns.values():
            drawn = reader.annToMask(annotation).sum()
            assert drawn == pytest.approx(annotation["area"], rel=0.25, abs=30)
        assert all(row["image"].size == (row["width"], row["height"]) for row in loaded[split])


def test_yolo_is_read_back_by_our_own_reader(context: Context) -> None:
    export_one(context, "yolo")
    root = context.dataset.exports / "yolo"
    images = pl.read_parquet(root / "images.parquet")
    sizes = {
        row["image_id"]: (row["width"], row["height"])
        for split in ("train", "val", "test")
        for row in pl.read_parquet(
            context.dataset.exports / f"parquet/{split}-*.parquet", columns=["image_id", "width", "height"]
        ).iter_rows(named=True)
    }
    catalog = Catalog(
        ImageRef(f"images/{row['file']}", row["image_id"], *sizes[row["image_id"]])
        for row in images.iter_rows(named=True)
    )
    files = sorted(path for path in root.rglob("*") if path.suffix in {".txt", ".yaml"})
    texts = ((path.relative_to(root).as_posix(), path.read_bytes()) for path in files)
    reading = load_reader("yolo").read(texts, catalog, Options())
    assert reading.problems == []
    assert len(reading.covered) == images.height
    labels = context.dataset.read(ANNOTATIONS).filter("valid")
    parents = images.filter(pl.col("parent_id").is_null())
    labels = labels.join(parents, on=["source", "path"], how="semi")
    expected = {
        (row["image_id"], tuple(round(v, 3) for v in row["segmentation"][0])) for row in labels.to_dicts()
    }
    back = {
        (label.image.image_id, tuple(round(v, 3) for v in (label.segmentation or [[]])[0]))
        for label in reading.labels
        if label.image.image_id in set(parents["image_id"])
    }
    assert back == expected
    assert {label.raw_label for label in reading.labels} == {"defect"}


def test_two_folders_hold_the_same_bytes(context: Context, tmp_path: Path, shared_data: Path) -> None:
    other = project_of(tmp_path, shared_data)
    for context_part, other_part in (
        (context.dataset.store, other.dataset.store),
        (context.dataset.curated, other.dataset.curated),
        (context.dataset.augmented, other.dataset.augmented),
        (context.dataset.exports / "parquet", other.dataset.exports / "parquet"),
        (context.dataset.exports / "coco", other.dataset.exports / "coco"),
        (context.dataset.reports, other.dataset.reports),
    ):
        assert digests(context_part) == digests(other_part)
