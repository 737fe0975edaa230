"""The images of a dataset one by one: each a `Sample` with labels, and records and pixels on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from tundish.results import Result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tundish.api.tables import Curated

__all__ = ["Images", "Label", "Sample"]

_SHOWN = 10
"""Rows that a notebook shows of many images."""


@dataclass(frozen=True)
class Label(Result):
    """One label of an image, in pixels of the upright image: x right, y down, 0-based, half-open.

    Attributes:
        name: The recipe's class.
        shape: 'box', 'polygon', 'mask' or 'class', which labels the whole image.
        box: (x, y, width, height) of the label, px.
        polygons: Its rings, each (n, 2) of x and y, px; none unless the shape is a polygon.
        score: How sure a model was, 0 to 1; None for people.
        author: Who drew it, where that is known.
        origin: 'import', 'annotator' or 'model'.
        decided_by: 'import', the annotators who agreed on it, or the adjudicator.
        annotation_id: Its id in the tables ``annotations`` and ``consensus``.
        is_crowd: Whether it outlines a crowd of objects, as in COCO.
    """

    name: str
    shape: str
    box: tuple[float, float, float, float]
    polygons: tuple[NDArray[np.float64], ...] = field(repr=False, compare=False)
    score: float | None
    author: str | None
    origin: str
    decided_by: str | None
    annotation_id: str
    is_crowd: bool
    _size: tuple[int, int] = field(repr=False)
    _counts: str | None = field(repr=False)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The pixels of the label, bool (h, w) of the image; those inside of the box where it is a box."""
        from tundish.api.pixels import mask_of  # noqa: PLC0415

        return mask_of(self.box, self.polygons, self._counts, *self._size)


@dataclass(frozen=True)
class Sample(Result):
    """One image of a dataset; its pixels, bytes and records are read when they are asked for.

    Attributes:
        image_id: First 32 hex digits of the SHA-256 of the file's bytes.
        source: Name of the source in the recipe.
        path: Path of the file, relative to its source, POSIX.
        split: 'train', 'val' or 'test'; None where it is left out, or not split yet.
        state: What is known of it: 'labelled', 'negative' (labels say: nothing here), 'unlabelled' ...
        width: Width of the upright image, px.
        height: Height of the upright image, px.
        captured_at: When it was taken, UTC, where that is known.
        keys: The recipe's keys, read from its name, such as the coil.
        labels: The labels that count.
    """

    image_id: str
    source: str
    path: str
    split: str | None
    state: str | None
    width: int
    height: int
    captured_at: datetime | None
    keys: dict[str, str]
    labels: tuple[Label, ...]
    _curated: Curated = field(repr=False, compare=False)
    _shard: str = field(repr=False)

    @property
    def data(self) -> bytes:
        """The file as it was taken in, byte for byte."""
        return self._curated.data(self._shard, self.image_id)

    @property
    def array(self) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The pixels: gray (h, w) or RGB (h, w, 3), uint8 or uint16, upright; decoded at each call.

        A channel of transparency is left out. 16-bit values are those of the file.
        """
        from tundish.api.pixels import rgb_of  # noqa: PLC0415

        return rgb_of(self.data, self._curated.max_pixels)

    @property
    def records(self) -> dict[str, pl.DataFrame]:
        """The records that belong to it, by table: a row each, with how it was linked in the last columns."""
        return self._curated.records_of(self.image_id)

    def _repr_html_(self) -> str:
        """The picture with its labels drawn, and the facts below."""
        from tundish.api.pixels import drawing  # noqa: PLC0415

        shapes = [(one.name, one.box, one.polygons) for one in self.labels if one.shape != "class"]
        return drawing(self.data, (self.height, self.width), shapes) + super()._repr_html_()


class Images:
    """Some images of a dataset, in the order in which they are stored; a sequence of `Sample`.

    Iterating reads tables only. Pixels are read a shard at a time when a sample is asked for them: memory
    holds one shard of the store (64 MiB).
    """

    def __init__(self, curated: Curated, rows: pl.DataFrame) -> None:
        self._curated = curated
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.height

    def __iter__(self) -> Iterator[Sample]:
        for row in self._rows.iter_rows(named=True):
            yield self._sample(row)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> Images: ...

    def __getitem__(self, index: int | slice) -> Sample | Images:
        """The image at a place, or the images of a slice."""
        if isinstance(index, slice):
            return Images(self._curated, self._rows[index])
        return self._sample(self._rows.row(index, named=True))

    @property
    def table(self) -> pl.DataFrame:
        """Their facts as a table, one row an image: the ``images`` table with split and state."""
        return self._rows

    def _sample(self, row: dict[str, Any]) -> Sample:
        size = row["height"], row["width"]
        labels = self._curated.labels_of(row["source"], row["path"])
        return Sample(
            row["image_id"],
            row["source"],
            row["path"],
            row["split"],
            row["state"],
            row["width"],
            row["height"],
            row["captured_at"],
            {name: row[name] for name in self._curated.keys if row[name] is not None},
            tuple(_label(one, size) for one in labels),
            self._curated,
            row["shard"],
        )

    def _repr_html_(self) -> str:
        columns = ["path", "split", "state", *self._curated.keys]
        shown = self._rows.select(columns).head(_SHOWN)._repr_html_()
        return f"<p>{len(self):,} images</p>{shown}"


def _label(row: dict[str, Any], size: tuple[int, int]) -> Label:
    from tundish.api.pixels import rings_of  # noqa: PLC0415

    return Label(
        row["label"],
        row["shape"],
        (row["x"], row["y"], row["width"], row["height"]),
        rings_of(row["segmentation"]),
        row["score"],
        row["author"],
        row["origin"],
        row["decided_by"],
        row["annotation_id"],
        bool(row["is_crowd"]),
        size,
        row["rle"],
    )
