"""A small dataset as the stages before export leave it: images in shards, and the tables of decisions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl

from tundish.engine import LocalEngine
from tundish.imaging.geometry import counts_of_mask
from tundish.recipe.load import Recipe
from tundish.stages import load_stage
from tundish.stages.base import Context
from tundish.storage.shards import Blob, Packer, image_id_of
from tundish.storage.tables import (
    ANNOTATIONS,
    COVERAGE,
    DUPLICATES,
    FILES,
    IMAGES,
    LINEAGE,
    PAIRS,
    QUARANTINE,
    SPLITS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CLASSES = ("scratch", "龟裂", "no")
LONG = "长" * 90  # 270 bytes in UTF-8: an archive can hold such a name, a folder cannot


@dataclass
class Picture:
    """An image file of the dataset."""

    path: str
    split: str | None = "train"
    source: str = "line-1"
    size: tuple[int, int] = (64, 48)
    seed: int = 0
    orientation: int = 1
    state: str = "labelled"
    labels: list[dict[str, Any]] = field(default_factory=list)
    batch: int = 1

    @property
    def pixels(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Upright BGR pixels."""
        width, height = self.size
        rng = np.random.default_rng(self.seed)
        small = rng.integers(30, 220, (4, 4, 3), dtype=np.uint8)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]

    @property
    def data(self) -> bytes:
        """The file; where `orientation` is 6 its stored frame is the upright one turned to the left."""
        if self.orientation == 1:
            return encoded(self.pixels, "." + self.path.rsplit(".", 1)[-1])
        stored = cv2.rotate(self.pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
        tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
        plain = encoded(stored, ".jpg")
        return plain[:2] + b"\xff\xe1" + (len(tiff) + 2).to_bytes(2, "big") + tiff + plain[2:]

    @property
    def format(self) -> str:
        suffix = self.path.rsplit(".", 1)[-1].lower()
        return {"jpg": "jpeg"}.get(suffix, suffix)

    @property
    def image_id(self) -> str:
        return image_id_of(hashlib.sha256(self.data).hexdigest())


def encoded(pixels: Any, suffix: str) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def box(label: str, x: float, y: float, width: float, height: float, **more: Any) -> dict[str, Any]:
    return {"label": label, "shape": "box", "x": x, "y": y, "width": width, "height": height} | more


def polygon(label: str, ring: list[float]) -> dict[str, Any]:
    xs, ys = ring[::2], ring[1::2]
    bounds = box(label, min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return bounds | {"shape": "polygon", "segmentation": [ring]}


def mask(label: str, size: tuple[int, int], region: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    x, y, width, height = region
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[y : y + height, x : x + width] = 1
    pixels[y, x] = 0
    return box(label, x, y, width, height, **more) | {"shape": "mask", "rle": counts_of_mask(pixels)}


def whole(label: str) -> dict[str, Any]:
    return box(label, 0, 0, 64, 48) | {"shape": "class"}


def detection() -> list[Picture]:
    """Nasty names, every shape, EXIF, a negative, an unlabelled image, and one that has no split."""
    ring = [4.0, 4.0, 30.5, 6.0, 28.0, 30.0, 5.0, 25.0]
    return [
        Picture("A1/龟裂 1.jpg", seed=1, labels=[box("龟裂", 1.5, 2, 10.25, 12), polygon("scratch", ring)]),
        Picture("A1/a.jpg", seed=2, labels=[mask("scratch", (64, 48), (5, 6, 20, 10))]),
        Picture("A1/A.JPG", "val", seed=3, labels=[box("no", 0, 0, 64, 48)]),
        Picture("B2/emoji 😀.png", "test", seed=4, labels=[box("scratch", 3, 3, 5, 5)]),
        Picture("B2/turned.jpg", seed=5, orientation=6, labels=[box("龟裂", 10, 20, 12, 9)]),
        Picture("B2/turned.png", seed=6, state="negative"),
        Picture(f"C3/{LONG}.jpg", seed=7, labels=[mask("no", (64, 48), (0, 0, 64, 40), is_crowd=True)]),
        Picture("C3/nobody.bmp", "val", seed=8, state="unlabelled"),
        Picture("C3/out.jpg", None, seed=9, labels=[box("scratch", 1, 1, 9, 9)]),
        Picture("x.jpg", "test", source="line-2", seed=10, labels=[box("scratch", 1, 1, 9, 9)], batch=2),
    ]


def recipe(**more: Any) -> Recipe:
    sources = [
        {"path": "raw/line-1", "format": "voc", "keys": {"coil_id": r"^(?P<coil_id>[A-Z]\d)/"}},
        {"path": "raw/line-2", "format": "voc"},
    ]
    return Recipe.model_validate(
        {"dataset": "small", "sources": sources, "annotations": {"classes": list(CLASSES)}} | more
    )


def build(project: Path, pictures: Sequence[Picture], *, children: bool = True, **more: Any) -> Context:
    """Write the store and all tables that export and report read."""
    context = Context(recipe(**more), project, LocalEngine())
    shard_of = _store(context, pictures)
    images = IMAGES.frame([_image(picture, shard_of) for picture in pictures]).with_columns(
        coil_id=pl.Series(
            [picture.path[:2] if "/" in picture.path else None for picture in pictures], dtype=pl.String
        )
    )
    context.dataset.write(IMAGES, images.unique("image_id", keep="first"))
    rows = [row for picture in pictures for row in _labels(picture)]
    context.dataset.write(ANNOTATIONS, ANNOTATIONS.frame(rows))
    for table in (COVERAGE, SPLITS):
        rows = [_decision(picture) for picture in pictures]
        frame = table.frame([{name: row.get(name) for name in table.schema.names} for row in rows])
        unique = ["image_id"] if table is SPLITS else ["source", "path"]
        table.write(
            frame.unique(unique, keep="first", maintain_order=True), context.dataset.table(table.name)
        )
    for table in (QUARANTINE, DUPLICATES, PAIRS):
        table.write(table.empty(), context.dataset.table(table.name))
    load_stage("consensus").run(context)
    _augmented(context, [pictures[0]] if children else [])
    return context


def _store(context: Context, pictures: Sequence[Picture]) -> dict[str, str]:
    shard_of: dict[str, str] = {}
    for batch in sorted({picture.batch for picture in pictures}):
        packer = Packer(context.dataset.image_shards, shard_bytes=6_000)
        mine = sorted((p for p in pictures if p.batch == batch), key=lambda p: (p.source, p.path))
        fresh = {p.image_id: p.data for p in mine if p.image_id not in shard_of}
        numbers = {image_id: packer.add(Blob(image_id, data)) for image_id, data in fresh.items()}
        packer.flush()
        shard_of |= {image_id: packer.shards[number] for image_id, number in numbers.items()}
        rows = [_file(picture) | {"shard": shard_of[picture.image_id], "batch": batch} for picture in mine]
        FILES.write(FILES.frame(rows), context.dataset.store / "files" / f"{batch:05d}-x.parquet")
    return shard_of


def _file(picture: Picture) -> dict[str, object]:
    return {
        "path": picture.path,
        "source": picture.source,
        "kind": "image",
        "outcome": "accepted",
        "image_id": picture.image_id,
        "sha256": hashlib.sha256(picture.data).hexdigest(),
        "size": len(picture.data),
    }


def _image(picture: Picture, shard_of: dict[str, str]) -> dict[str, object]:
    return {
        "image_id": picture.image_id,
        "path": picture.path,
        "source": picture.source,
        "format": picture.format,
        "width": picture.size[0],
        "height": picture.size[1],
        "channels": 3,
        "bit_depth": 8,
        "orientation": picture.orientation,
        "sharpness": 20.0 * picture.seed,
        "brightness": 0.05 * picture.seed,
        "contrast": 0.1,
        "files": 1,
        "valid": True,
        "shard": shard_of[picture.image_id],
    }


def _labels(picture: Picture) -> list[dict[str, object]]:
    return [
        {
            "annotation_id": hashlib.sha256(f"{picture.source}{picture.path}{row}".encode()).hexdigest()[:32],
            "image_id": picture.image_id,
            "path": picture.path,
            "source": picture.source,
            "origin": "import",
            "raw_label": label["label"],
            "is_crowd": False,
            "valid": True,
            "label_path": f"{picture.path}.xml",
            "label_row": row,
        }
        | label
        for row, label in enumerate(picture.labels)
    ]


def _decision(picture: Picture) -> dict[str, object]:
    return {
        "image_id": picture.image_id,
        "path": picture.path,
        "source": picture.source,
        "split": picture.split,
        "group_id": picture.image_id,
        "reason": "dealt" if picture.split else "kept out",
        "state": picture.state,
        "labels": len(picture.labels),
    }


def _augmented(context: Context, parents: Sequence[Picture]) -> None:
    """One mirrored child of each parent, with its boxes mirrored."""
    packer = Packer(context.dataset.augmented)
    lineage, labels = [], []
    for parent in parents:
        data = encoded(parent.pixels[:, ::-1], ".jpg" if parent.format == "jpeg" else ".png")
        child = image_id_of(hashlib.sha256(data).hexdigest())
        packer.add(Blob(child, data))
        packer.flush()
        lineage.append(
            {
                "image_id": child,
                "parent_id": parent.image_id,
                "operation": "flip",
                "seed": "0",
                "step_version": 1,
                "parameters": json.dumps({"steps": []}),
                "dropped": 0,
                "shard": packer.shards[-1],
            }
        )
        for row in _labels(parent):
            if row["shape"] == "box":
                x = parent.size[0] - row["x"] - row["width"]  # type: ignore[operator]
                labels.append(row | {"annotation_id": f"{row['annotation_id']}-0", "image_id": child, "x": x})
    context.dataset.write(LINEAGE, LINEAGE.frame(lineage))
    ANNOTATIONS.write(ANNOTATIONS.frame(labels), context.dataset.augmented / "annotations.parquet")
