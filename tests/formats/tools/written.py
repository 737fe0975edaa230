"""Label files as annotation tools write them, made by the tests."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tundish.imaging.geometry import counts_of_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOX = (10.5, 20.25, 60.75, 50.5)
"""A box by its corners (px), in an image of 200x100."""

RING = [(20.0, 20.0), (60.0, 25.5), (50.0, 60.0)]


def png(cells: NDArray[np.bool_], mode: str = "L") -> bytes:
    values = cells.astype(np.uint8) * 255
    stream = io.BytesIO()
    if mode == "RGBA":
        values = np.stack([np.zeros_like(values)] * 3 + [values], axis=2)
    Image.fromarray(values).save(stream, "PNG")
    return stream.getvalue()


def labelme(*shapes: object, **more: Any) -> str:
    content: dict[str, Any] = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "..\\images\\a.jpg",
    }
    content |= {"imageData": None, "imageWidth": 200, "imageHeight": 100}
    return json.dumps(content | more)


def shape(kind: str, points: object, label: object = "crack", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def cvat(*inside: str, size: str = 'width="200" height="100"', name: str = "a.jpg") -> str:
    image = f'<image id="0" name="{name}" {size}>{"".join(inside)}</image>'
    return f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{image}</annotations>'


def cvat_box(label: str = "crack", corners: tuple[object, ...] = BOX, more: str = "") -> str:
    sides = zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)
    numbers = " ".join(f'{side}="{value}"' for side, value in sides)
    return f'<box label="{label}" {numbers} {more}/>'


def frame_box(frame: object, corners: tuple[object, ...], more: str = 'outside="0"') -> str:
    return cvat_box("", corners, f'frame="{frame}" {more}').replace('label="" ', "")


def video(*tracks: str) -> str:
    inside = "".join(f'<track id="{n}" label="coil">{track}</track>' for n, track in enumerate(tracks))
    meta = "<meta><task><original_size><width>200</width><height>100</height></original_size></task></meta>"
    return f"<annotations><version>1.1</version>{meta}{inside}</annotations>"


def region(shape_attributes: object, **attributes: object) -> dict[str, object]:
    return {"shape_attributes": shape_attributes, "region_attributes": attributes}


RECT = {"name": "rect", "x": 10, "y": 20, "width": 30.5, "height": 40}


def via(*regions: object, name: str = "a.jpg", project: bool = False) -> str:
    content: Any = {f"{name}123": {"filename": name, "size": 123, "regions": regions, "file_attributes": {}}}
    if project:
        content = {"_via_settings": {}, "_via_img_metadata": content, "_via_attributes": {}}
    return json.dumps(content)


def createml(*labels: object, image: object = "a.jpg") -> str:
    return json.dumps([{"image": image, "annotations": labels}])


def centred(label: object = "crack", **place: object) -> dict[str, object]:
    return {"label": label, "coordinates": {"x": 30, "y": 40, "width": 20, "height": 10} | place}


def supervisely(*objects: object, **more: Any) -> str:
    content = {"description": "", "tags": [], "size": {"height": 100, "width": 200}, "objects": objects}
    return json.dumps(content | more)


def drawn(kind: str, exterior: object, interior: object = (), name: object = "crack") -> dict[str, object]:
    points = {"exterior": exterior, "interior": interior}
    return {"classTitle": name, "geometryType": kind, "points": points, "labelerLogin": "ann", "tags": []}


def bitmap(cells: NDArray[np.bool_], left: int, top: int) -> dict[str, object]:
    data = base64.b64encode(zlib.compress(png(cells, "RGBA"))).decode()
    place = {"origin": [left, top], "data": data}
    return {"classTitle": "crack", "geometryType": "bitmap", "bitmap": place, "tags": []}


def segment_anything(*masks: NDArray[np.bool_] | None, **more: Any) -> str:
    entries: list[Any] = []
    for number, mask in enumerate(masks):
        rle = None if mask is None else {"size": list(mask.shape), "counts": counts_of_mask(mask)}
        entries.append({"id": number, "segmentation": rle, "area": 0, "predicted_iou": 0.9, **more})
    image = {"image_id": 1, "width": 200, "height": 100, "file_name": "a.jpg"}
    return json.dumps({"image": image, "annotations": entries})


def cityscapes(*objects: object) -> str:
    return json.dumps({"imgHeight": 100, "imgWidth": 200, "objects": objects})


def outline(label: str | None, ring: object = RING) -> dict[str, object]:
    return {"label": label, "polygon": ring}


def vott(*regions: object, name: str = "a.jpg") -> str:
    asset = {"format": "jpg", "id": "1", "name": name, "size": {"width": 200, "height": 100}, "state": 2}
    return json.dumps({"name": "p", "assets": {"1": {"asset": asset, "regions": regions, "version": "2.2"}}})


def vott_box(*tags: object, kind: str = "RECTANGLE", **more: object) -> dict[str, object]:
    place = {"left": 10.5, "top": 20, "width": 40, "height": 30.25}
    return {"id": "x", "type": kind, "tags": tags, "boundingBox": place, "points": []} | more
