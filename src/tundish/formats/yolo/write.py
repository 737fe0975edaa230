"""YOLO in the layout of Ultralytics: ``data.yaml``, ``images/<split>/`` and ``labels/<split>/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl
import yaml

from tundish.formats.base import parts_of
from tundish.formats.names import file_names as unique_names
from tundish.formats.names import with_suffix
from tundish.formats.reading.match import split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tundish.formats.base import Selection, Target

__all__ = ["YoloWriter", "write_yolo"]

_DECIMALS = 12
"""Of a share of the image: what a text with fewer says comes back as the same text."""


class YoloWriter:
    """YOLO as Ultralytics reads it.

    To YOLO an image without labels is a negative, so images that are not labelled are left out. Polygons are
    written to segment where all labels are polygons, else as their boxes to detect.
    """

    def write(self, selection: Selection, target: Target) -> Mapping[str, int]:
        """Bring the export up to date."""
        images = _flat(selection.images.filter(pl.col("state") != "unlabelled"))
        placed = target.place(images)
        names = dict(images.select("image_id", pl.format("{}/{}", "split", "file_name")).iter_rows())
        labels = selection.annotations.join(images, on="image_id", how="semi", maintain_order="left")
        segment = labels.height > 0 and (labels["shape"] == "polygon").all()
        files, left_out = write_yolo(
            images, labels, selection.classes, file_names=names, task="segment" if segment else "detect"
        )
        for path, data in files.items():
            target.write(path, data)
        return placed.counts("YOLO") | {"labels that YOLO cannot say": len(left_out)}


def _flat(images: pl.DataFrame) -> pl.DataFrame:
    """`images` with names without folders, whose stems differ.

    Ultralytics finds a label by its image's path: it looks for the last ``/images/``, which may be one of the
    source's folders, and leaves out the suffix.
    """
    flat = [name.replace("/", "_") for name in images["file_name"]]
    wanted = [
        f"{split}/{with_suffix(name, '.txt')}" for split, name in zip(images["split"], flat, strict=True)
    ]
    unique = [name.partition("/")[2] for name in unique_names(wanted, images["image_id"].to_list())]
    suffixes = [f".{name.rpartition('.')[2]}" for name in flat]
    names = [with_suffix(name, suffix) for name, suffix in zip(unique, suffixes, strict=True)]
    return images.with_columns(pl.Series("file_name", names, pl.String))


def write_yolo(
    images: pl.DataFrame,
    annotations: pl.DataFrame,
    classes: Sequence[str],
    *,
    file_names: Mapping[str, str],
    task: Literal["detect", "segment"] = "detect",
) -> tuple[dict[str, bytes], list[str]]:
    """Label files and data.yaml by path, and the annotation_ids of what YOLO cannot say.

    ``train/a.jpg`` gives ``labels/train/a.txt``; its image belongs at ``images/train/a.jpg``. Every image has
    a file, an empty one where it has no label: give no unlabelled images. To detect, polygons and masks are
    written as their boxes. To segment, polygons stay polygons, several rings joined into one by bridges
    without width, and boxes stay boxes (Ultralytics wants all of one kind). Left out are crowds, labels of
    the whole image, and masks to segment. Scores, authors and attributes have no place in YOLO.

    Raises:
        ValueError: An annotation has another image or label, or two images would share a label file.
    """
    sizes = {
        image_id: (width, height)
        for image_id, width, height in images["image_id", "width", "height"].iter_rows()
    }
    numbers = {name: number for number, name in enumerate(classes)}
    lines: dict[str, list[str]] = {image_id: [] for image_id in sizes}
    left_out: list[str] = []
    for annotation_id, image_id, label, shape, crowd, rings, *box in annotations.select(
        *("annotation_id", "image_id", "label", "shape", "is_crowd", "segmentation"),
        *("x", "y", "width", "height"),
    ).iter_rows():
        if image_id not in sizes or label not in numbers:
            raise ValueError("annotations are of images or classes that are not written")
        if crowd or shape == "class" or (shape == "mask" and task == "segment"):
            left_out.append(annotation_id)
            continue
        polygon = shape == "polygon" and task == "segment" and rings
        shares = _ring_shares(rings, *sizes[image_id]) if polygon else _box_shares(box, *sizes[image_id])
        lines[image_id].append(" ".join([str(numbers[label]), *map(_share, shares)]))
    files = {"data.yaml": _data_yaml(classes, [file_names[image_id] for image_id in sizes])}
    for image_id in sorted(sizes, key=lambda each: file_names[each]):
        folder, _, stem = parts_of(file_names[image_id])
        path = f"labels/{folder}/{stem}.txt" if folder else f"labels/{stem}.txt"
        if path in files:
            raise ValueError(f"two images would share the label file {path}")
        files[path] = "".join(f"{line}\n" for line in lines[image_id]).encode()
    return files, left_out


def _box_shares(box: Sequence[float], width: float, height: float) -> tuple[float, ...]:
    x, y, box_width, box_height = box
    return (x + box_width / 2) / width, (y + box_height / 2) / height, box_width / width, box_height / height


def _ring_shares(rings: Sequence[Sequence[float]], width: float, height: float) -> list[float]:
    return [value / (height if place % 2 else width) for place, value in enumerate(_one_ring(rings))]


def _one_ring(rings: Sequence[Sequence[float]]) -> list[float]:
    """Rings as one: each is closed, then a bridge leads to the next, and back at the end."""
    if len(rings) == 1:
        return list(rings[0])
    joined = [value for ring in rings for value in (*ring, *ring[:2])]
    return joined + [value for ring in reversed(rings[1:-1]) for value in ring[:2]]


def _share(value: float) -> str:
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _data_yaml(classes: Sequence[str], file_names: Iterable[str]) -> bytes:
    """Ultralytics' data.yaml, without ``path``: folders then count from where the file itself lies.

    A trainer asks for 'val'; where no image validates it is that of training, and the file says so.
    """
    found = {split_of(parts_of(name)[0]): parts_of(name)[0] for name in sorted(file_names)}
    train = found.get("train", found.get("", ""))
    content: dict[str, object] = {"train": f"images/{train}".rstrip("/")}
    content["val"] = f"images/{found.get('val', train)}".rstrip("/")
    if "test" in found:
        content["test"] = f"images/{found['test']}"
    content["names"] = dict(enumerate(classes))
    text = str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
    if "val" not in found:
        text = f"# No image is set apart for validation: val is {content['val']}, as train is.\n{text}"
    return text.encode()
