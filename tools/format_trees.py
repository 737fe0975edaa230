"""A small made-up source in each format that can be read: `tundish add` looks at it for docs/formats.md.

A new format needs a tree here: the page shows what `tundish add` says of it.
"""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.api import projects

__all__ = ["TREES", "look_at", "write_tree"]

Files = dict[str, bytes | str]

_WIDTH, _HEIGHT = 120, 90


def _photo(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.uniform(40, 210, (5, 6)).astype(np.float32), (_WIDTH, _HEIGHT))
    pixels = np.clip(coarse + random.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def _mask(place: int) -> bytes:
    pixels = cv2.circle(np.zeros((_HEIGHT, _WIDTH), np.uint8), (40 + place, 45), 12, 255, -1)
    return cv2.imencode(".png", pixels)[1].tobytes()


def _photos(*paths: str) -> Files:
    return {path: _photo(number) for number, path in enumerate(paths)}


def _json(content: Any) -> str:
    return json.dumps(content)


PICTURES = _photos("images/a.png", "images/b.png", "images/c.png")
RING = [[20, 20], [60, 25], [50, 60]]
SIZE = {"width": _WIDTH, "height": _HEIGHT}
RLE = {"size": [_HEIGHT, _WIDTH], "counts": [2000, 300, _HEIGHT * _WIDTH - 2300]}


def _voc() -> Files:
    size = f"<size><width>{_WIDTH}</width><height>{_HEIGHT}</height></size>"
    corners = "<xmin>1</xmin><ymin>20</ymin><xmax>60</xmax><ymax>90</ymax>"
    found = f"<object><name>scratch</name><bndbox>{corners}</bndbox></object>"
    return PICTURES | {
        f"annotations/{name}.xml": f"<annotation><filename>{name}.png</filename>{size}{inner}</annotation>"
        for name, inner in (("a", found), ("b", found), ("c", ""))
    }


def _yolo() -> Files:
    rows = "0 0.5 0.5 0.2 0.3\n1 0.1 0.1 0.3 0.1 0.3 0.4\n"
    return PICTURES | {
        "labels/a.txt": rows,
        "labels/b.txt": "0 0.4 0.5 0.2 0.3\n",
        "labels/c.txt": "",
        "classes.txt": "scratch\ndent\n",
    }


def _coco() -> Files:
    images = [{"id": number, "file_name": f"{name}.png", **SIZE} for number, name in enumerate("abc")]
    boxes = [
        {"id": number, "image_id": number, "category_id": 1, "bbox": [10, 20, 30, 40]} for number in (0, 1)
    ]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "scratch"}]}
    return PICTURES | {"annotations.json": _json(content)}


def _labelme() -> Files:
    shapes = [
        {"label": "scratch", "points": RING[:2], "shape_type": "rectangle"},
        {"label": "dent", "points": RING, "shape_type": "polygon"},
        {"label": "tip", "points": RING[:1], "shape_type": "point"},
    ]
    content = {"imagePath": "a.png", "imageWidth": _WIDTH, "imageHeight": _HEIGHT, "shapes": shapes}
    return PICTURES | {"images/a.json": _json(content)}


def _cvat() -> Files:
    box = '<box label="scratch" xtl="10" ytl="20" xbr="60" ybr="50"/><points label="tip" points="1,2"/>'
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    images = f'<image id="0" name="a.png" {size}>{box}</image><image id="1" name="b.png" {size}/>'
    return PICTURES | {"annotations.xml": f"<annotations>{images}</annotations>"}


def _via() -> Files:
    place = {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 20}
    region = {"shape_attributes": place, "region_attributes": {"kind": "scratch"}}
    return PICTURES | {
        "via.json": _json(
            {"a.png1": {"filename": "a.png", "size": 1, "regions": [region], "file_attributes": {}}}
        )
    }


def _createml() -> Files:
    place = {"x": 0.5, "y": 0.4, "width": 0.2, "height": 0.3}
    return PICTURES | {
        "labels.json": _json(
            [{"image": "a.png", "annotations": [{"label": "scratch", "coordinates": place}]}]
        )
    }


def _supervisely() -> Files:
    found = {
        "classTitle": "scratch",
        "geometryType": "rectangle",
        "points": {"exterior": RING[:2], "interior": []},
    }
    pictures = _photos("img/a.png", "img/b.png")
    return pictures | {"ann/a.png.json": _json({"size": SIZE, "objects": [found], "tags": []})}


def _segment_anything() -> Files:
    found = [{"id": number, "segmentation": RLE, "predicted_iou": 0.9} for number in range(2)]
    return PICTURES | {
        "images/a.json": _json({"image": {"image_id": 1, "file_name": "a.png", **SIZE}, "annotations": found})
    }


def _vott() -> Files:
    place = {"left": 10, "top": 20, "width": 30, "height": 20}
    region = {"id": "1", "type": "RECTANGLE", "tags": ["scratch"], "boundingBox": place}
    asset = {"asset": {"name": "a.png", "size": SIZE}, "regions": [region]}
    return PICTURES | {"plant.vott.json": _json({"assets": {"1": asset}})}


def _cityscapes() -> Files:
    content = {"imgWidth": _WIDTH, "imgHeight": _HEIGHT, "objects": [{"label": "belt", "polygon": RING}]}
    return _photos("leftImg8bit/train/x/a_leftImg8bit.png") | {
        "gtFine/train/x/a_gtFine_polygons.json": _json(content),
        "gtFine/train/x/a_gtFine_labelIds.png": _mask(0),
    }


def _masks() -> Files:
    return PICTURES | {f"Ground truth/{name}.png": _mask(number) for number, name in enumerate("abc")}


def _dota() -> Files:
    row = "20 20 60 30 55 60 15 50 plate 0\n"
    return PICTURES | {"labelTxt/a.txt": f"gsd:0.1\n{row}", "labelTxt/b.txt": row}


def _class_in_name() -> Files:
    return _photos(*(f"{name}_{number}.png" for name in ("crazing", "patches") for number in range(1, 5)))


def _label_studio() -> Files:
    place = {"x": 10, "y": 20, "width": 30, "height": 20, "rotation": 0, "rectanglelabels": ["scratch"]}
    sizes = {"original_width": _WIDTH, "original_height": _HEIGHT}
    found = {"id": "r", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "value": place}
    answer = {"id": 1, "completed_by": 3, "was_cancelled": False, "result": [found | sizes]}
    task = {"id": 1, "data": {"image": "/data/upload/1/8a7b6c5d-a.png"}, "annotations": [answer]}
    return PICTURES | {"project-1.json": _json([task])}


def _parquet() -> Files:
    rows = [
        {
            "image": {"bytes": data, "path": path},
            "objects": {"bbox": [[10.0, 20.0, 30.0, 20.0]], "category": ["scratch"]},
        }
        for path, data in _photos("a.png", "b.png").items()
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return {"train.parquet": buffer.getvalue()}


def _imagefolder() -> Files:
    objects = {"bbox": [[10, 20, 30, 20]], "categories": ["scratch"]}
    return _photos("train/a.png") | {
        "train/metadata.jsonl": _json({"file_name": "a.png", "objects": objects}) + "\n"
    }


RUNS = "ImageId,ClassId,EncodedPixels\na.png,1,2000 30\nb.png,3,500 9\nc.png,1,\n"
BOXES = "filename,xmin,ymin,xmax,ymax,class\na.png,10,20,60,50,scratch\nb.png,70,5,110,80,dent\n"
CLASSES = "filename, scratch, dent\na.png, 1, 0\nb.png, 1, 1\nc.png, 0, 0\n"

TREES: dict[str, Files] = {
    "voc": _voc(),
    "parquet": _parquet(),
    "yolo": _yolo(),
    "coco": _coco(),
    "label-studio": _label_studio(),
    "labelme": _labelme(),
    "cvat": _cvat(),
    "via": _via(),
    "createml": _createml(),
    "supervisely": _supervisely(),
    "segment-anything": _segment_anything(),
    "vott": _vott(),
    "cityscapes": _cityscapes(),
    "masks": _masks(),
    "dota": _dota(),
    "imagefolder": _imagefolder(),
    "runs-csv": PICTURES | {"train.csv": RUNS},
    "boxes-csv": PICTURES | {"boxes.csv": BOXES},
    "classes-csv": PICTURES | {"_classes.csv": CLASSES},
    "folders": _photos("good/a.png", "good/b.png", "scratch/c.png"),
    "class-in-name": _class_in_name(),
    "images": PICTURES,
}
"""The files of a source by their path, for each format that can be read."""


def write_tree(name: str, folder: Path) -> None:
    """Write the tree of a format.

    Args:
        name: The format's name.
        folder: Takes the files; it need not exist.

    Raises:
        KeyError: The format has no tree yet.
    """
    if name not in TREES:
        raise KeyError(f"the format '{name}' has no tree: make a small one in tools/format_trees.py")
    for path, data in TREES[name].items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)


def look_at(name: str) -> projects.AddedImages:
    """What `tundish add` says of the tree of a format.

    Args:
        name: The format's name.

    Raises:
        KeyError: It has no tree yet.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        (project / "pipelines").mkdir(parents=True)
        write_tree(name, Path(folder, "set"))
        added = projects.add("line1", Path(folder, "set"), dry_run=True, project=project)
    assert isinstance(added, projects.AddedImages)
    return added
