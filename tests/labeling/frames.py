"""Labels of several authors, written short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tundish.imaging.geometry import box_of_counts, box_of_polygon, counts_of_mask
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Row = dict[str, Any]

WIDTH, HEIGHT = 60, 40


def box(
    author: str, x: float, y: float, width: float, height: float, label: str | None = "scratch", **more: Any
) -> Row:
    place = {"x": x, "y": y, "width": width, "height": height}
    return {"author": author, "label": label, "shape": "box", **place, **more}


def polygon(author: str, ring: Sequence[float], label: str = "scratch", **more: Any) -> Row:
    found = box_of_polygon([ring])
    assert found is not None
    place = dict(zip(("x", "y", "width", "height"), found, strict=True))
    return {
        "author": author,
        "label": label,
        "shape": "polygon",
        "segmentation": [list(ring)],
        **place,
        **more,
    }


def mask(author: str, pixels: NDArray[np.uint8], label: str = "scratch", **more: Any) -> Row:
    counts = counts_of_mask(pixels)
    found = box_of_counts(counts, pixels.shape[1], pixels.shape[0]) or (0.0, 0.0, 0.0, 0.0)
    place = dict(zip(("x", "y", "width", "height"), found, strict=True))
    return {"author": author, "label": label, "shape": "mask", "rle": counts, **place, **more}


def whole(author: str, label: str, **more: Any) -> Row:
    return {"author": author, "label": label, "shape": "class", **more}


def labels(*rows: Row) -> pl.DataFrame:
    """Rows of the annotations table, valid and of image `i` where they do not say otherwise."""
    empty = ANNOTATIONS.empty()
    base: Row = {"image_id": "i", "valid": True, "is_crowd": False, "path": "i.png", "source": "s"}
    filled = [base | {"annotation_id": f"{row['author']}{place}"} | row for place, row in enumerate(rows)]
    return pl.DataFrame(filled, schema=empty.schema) if filled else empty


def sizes(*names: str, width: int = WIDTH, height: int = HEIGHT) -> pl.DataFrame:
    """Sizes of images; of `i` where none is named."""
    ids = list(names) or ["i"]
    return pl.DataFrame({"image_id": ids, "width": [width] * len(ids), "height": [height] * len(ids)})


def answers(*pairs: tuple[str, str]) -> pl.DataFrame:
    """image_id and author of who has seen what."""
    return pl.DataFrame(pairs, schema={"image_id": pl.String, "author": pl.String}, orient="row")
