from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.imaging.pictures import jpeg, png, texture

from tundish.engine import LocalEngine
from tundish.errors import MissingStepError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context, Outcome
from tundish.stages.measure import STAGE
from tundish.storage.features import feature_parts, read_features
from tundish.storage.shards import Blob, write_shard

if TYPE_CHECKING:
    from pathlib import Path


def make(project: Path, max_pixels: int = 1_000_000) -> Context:
    recipe = {
        "dataset": "d",
        "sources": [{"path": "raw", "format": "images"}],
        "images": {"max_pixels": max_pixels},
    }
    return Context(Recipe.model_validate(recipe), project, LocalEngine())


def run(context: Context) -> Outcome:
    return STAGE.run(context)


def test_a_known_shard_is_never_decoded_again(tmp_path: Path) -> None:
    context = make(tmp_path)
    write_shard(context.dataset.image_shards, [Blob("a", png(texture(1))), Blob("b", jpeg(texture(2)))])
    assert run(context).counts["images decoded"] == 2
    before = {
        path.name: path.read_bytes()
        for path in feature_parts(context.dataset, context.recipe.images.max_pixels)
    }
    write_shard(context.dataset.image_shards, [Blob("c", png(texture(3)))])
    outcome = run(context)
    assert (outcome.counts["images decoded"], outcome.counts["known shards"]) == (1, 1)
    assert run(context).counts["images decoded"] == 0
    assert (
        before.items()
        <= {
            path.name: path.read_bytes()
            for path in feature_parts(context.dataset, context.recipe.images.max_pixels)
        }.items()
    )


def test_bad_images_are_rows(tmp_path: Path) -> None:
    context = make(tmp_path, max_pixels=texture().size)
    data = jpeg(texture())
    blobs = {
        "bomb": png(texture(1, 300, 300)),
        "cut": data[: len(data) // 2],
        "good": data,
        "text": b"no image",
    }
    write_shard(context.dataset.image_shards, [Blob(name, data) for name, data in blobs.items()])
    assert run(context).counts["not decodable"] == 3
    rows = {
        row["image_id"]: row
        for row in read_features(context.dataset, context.recipe.images.max_pixels).iter_rows(named=True)
    }
    assert {name: row["reason"] for name, row in rows.items()} == {
        "bomb": "too_large",
        "cut": "truncated",
        "good": None,
        "text": "not_an_image",
    }
    assert {name: row["decodable"] for name, row in rows.items()} == {name: name == "good" for name in blobs}
    assert all(row["message"] for name, row in rows.items() if name != "good")
    assert rows["good"]["width"] == 200
    assert "thumbnail" not in rows["good"]


def test_a_shard_that_was_not_measured_is_reported(tmp_path: Path) -> None:
    context = make(tmp_path)
    write_shard(context.dataset.image_shards, [Blob("a", png(texture()))])
    with pytest.raises(MissingStepError):
        read_features(context.dataset, context.recipe.images.max_pixels)


def test_the_same_images_give_the_same_bytes(tmp_path: Path) -> None:
    parts = []
    for name in ("one", "two"):
        context = make(tmp_path / name)
        write_shard(context.dataset.image_shards, [Blob(str(seed), jpeg(texture(seed))) for seed in range(8)])
        run(context)
        parts.append(
            [path.read_bytes() for path in feature_parts(context.dataset, context.recipe.images.max_pixels)]
        )
    assert parts[0] == parts[1]
