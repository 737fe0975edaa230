"""The certificate of the splits: ties by kind, those across splits, balance, hashes of the files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.stages.curated import build, detection

from tundish.stages import load_stage
from tundish.stages.export.stage import export_one
from tundish.storage.tables import PAIRS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

KEYED: dict[str, Any] = {"split": {"group_by": ["coil_id"]}, "export": {"formats": ["coco", "parquet"]}}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return build(tmp_path, detection(), **KEYED)


def certificate(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((context.dataset.exports / "certificate.json").read_bytes())
    return found


def overlap(one: str, other: str) -> dict[str, object]:
    return {"image_id": one, "other_id": other, "relation": "overlapping", "verified": "blocks"}


def test_ties_are_counted_and_those_across_splits_named(context: Context) -> None:
    """Two coils of the pictures lie across splits: nothing is hidden for the groups' sake."""
    by_path = {picture.path: picture.image_id for picture in detection()}
    pairs = [
        overlap(by_path["A1/龟裂 1.jpg"], by_path["A1/a.jpg"]),
        overlap(by_path["A1/a.jpg"], by_path["B2/emoji 😀.png"]),
    ]
    context.dataset.write(PAIRS, PAIRS.frame(pairs))
    load_stage("export").run(context)
    found = certificate(context)
    assert found["ties"]["overlapping"] == {"ties": 2, "across_splits": 1}
    assert found["ties"]["probably overlapping"] == {"ties": 0, "across_splits": 0}
    assert found["ties"]["copies"] == {"ties": 0, "across_splits": 0}
    assert found["ties"]["coil_id"] == {"ties": 3, "across_splits": 3}
    card = (context.dataset.exports / "parquet/README.md").read_text(encoding="utf-8")
    assert "Across splits: coil_id 3, overlapping 1." in card


def test_what_was_written_has_its_hash_and_the_splits_their_labels(context: Context) -> None:
    load_stage("export").run(context)
    found = certificate(context)
    exports = context.dataset.exports
    assert {"parquet/README.md", "coco/annotations/instances_train.json"} <= found["files"].keys()
    for name, digest in found["files"].items():
        assert hashlib.sha256((exports / name).read_bytes()).hexdigest() == digest
    assert found["splits"]["test"]["images"] == 2
    assert found["splits"]["test"]["labels"] == {"scratch": 2, "龟裂": 0, "no": 0}
    assert sum(split["images"] for split in found["splits"].values()) == 10
    assert found["groups"]["count"] >= 1


def test_the_same_tables_give_the_same_certificate(context: Context) -> None:
    load_stage("export").run(context)
    before = (context.dataset.exports / "certificate.json").read_bytes()
    load_stage("export").run(context)
    assert (context.dataset.exports / "certificate.json").read_bytes() == before


def test_one_more_format_is_in_the_certificate(context: Context) -> None:
    load_stage("export").run(context)
    export_one(context, "yolo")
    assert any(name.startswith("yolo/") for name in certificate(context)["files"])
