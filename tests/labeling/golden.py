"""The golden corpus: answers whose truth in pixels is known, given to a real server.

Truth is made here with arithmetic and tools of its own, not with those that are measured.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from label_studio_sdk.converter.brush import mask2rle

from tundish.gallery.gallery import Gallery
from tundish.imaging.files.decode import encode
from tundish.imaging.geometry import mask_of_polygon
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.push import push
from tundish.labeling.label_studio.tasks import Item
from tundish.storage.shards import Blob, image_id_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tundish.labeling.label_studio.client import Client

    Mask = NDArray[np.uint8]

SCRATCH, INCLUSION, SCALE, LATER = "划痕", "夹杂", "氧化铁皮（压入）", "裂纹"  # noqa: RUF001  (as plants write it)
CLASSES = (SCRATCH, INCLUSION, SCALE)
AUTHORS = ("admin@example.com", "second@example.com")
WIDE = (640, 160)

Box = tuple[float, float, float, float]


class Thing(NamedTuple):
    """A label: class ('' where there is none), mask (height, width), bounds x, y, width, height, px."""

    label: str
    mask: Mask
    box: Box


class Region(NamedTuple):
    """A label as it is, and as Label Studio's editor says it."""

    truth: Thing
    control: str
    kind: str
    value: dict[str, Any]


class Said(NamedTuple):
    """An answer to a task."""

    regions: tuple[Region, ...] = ()
    author: int = 0
    cancelled: bool = False


@dataclass(frozen=True)
class Case:
    """An image, upright of `size` px, and what is answered to it."""

    name: str
    path: str
    data: bytes
    size: tuple[int, int]
    answers: tuple[Said, ...]

    @property
    def image_id(self) -> str:
        """Its key in the server."""
        return image_id_of(hashlib.sha256(self.data).hexdigest())

    @property
    def truth(self) -> list[Thing]:
        """The labels of all answers."""
        return [region.truth for said in self.answers for region in said.regions]

    @property
    def state(self) -> str:
        """What the answers say of the task."""
        if not self.answers:
            return "unanswered"
        if all(said.cancelled for said in self.answers):
            return "cancelled"
        return "labelled" if self.truth else "empty"


def cases() -> list[Case]:
    """The corpus; every picture differs, every label lies inside its picture."""
    turned = [
        turned_box((300, 20, 90, 30), 45, SCRATCH),
        turned_box((120.5, 60.25, 80, 20), 33.3, INCLUSION),
        turned_box((500, 40, 60, 40), 90, SCALE),
        turned_box((40, 110, 70.5, 25.25), 340, SCRATCH),
    ]
    straight = box((10.5, 20.25, 100, 40), SCRATCH)
    other = box((200, 30, 64, 100), INCLUSION)
    two = (
        Said((straight, other)),
        Said((box((12, 21, 98, 41), SCRATCH), box((400, 60, 90, 70), SCALE)), author=1),
    )
    given: list[tuple[str, tuple[Said, ...]]] = [
        ("boxes", (Said((straight, other)),)),
        ("turned boxes on a 4:1 image", (Said(tuple(turned)),)),
        ("polygon", (Said((polygon([20, 20, 300.5, 30, 250, 140.25, 60, 150], SCALE),)),)),
        ("brush with a hole and two parts", (Said((brush(_holed(), SCRATCH),)),)),
        ("two authors on one task", two),
        ("a class with Chinese brackets in its name", (Said((box((5, 5, 30, 30), SCALE),)),)),
        ("a label added later to the configuration", (Said((box((50, 50, 60, 60), LATER), straight)),)),
        ("a region without a label beside one with", (Said((straight, box((400, 40, 50, 50), ""))),)),
        ("an empty answer", (Said(),)),
        ("a cancelled answer", (Said(cancelled=True),)),
        ("a task nobody answered", ()),
    ]
    made = [
        Case(name, f"{place:02d}.png", encode(_picture(WIDE, place), "png"), WIDE, answers)
        for place, (name, answers) in enumerate(given)
    ]
    return [*made[:2], *_other_files(), *made[2:]]


def box(place: Box, label: str) -> Region:
    """An upright box."""
    return turned_box(place, 0, label)


def turned_box(place: Box, degrees: float, label: str, size: tuple[int, int] = WIDE) -> Region:
    """A box turned clockwise about its upper left corner."""
    (x, y, across, down), (width, height) = place, size
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    corners = [complex(x, y) + turn * leg for leg in (0, across, complex(across, down), complex(0, down))]
    ring = [number for corner in corners for number in (corner.real, corner.imag)]
    value: dict[str, Any] = {"x": x / width * 100, "y": y / height * 100, "rotation": degrees}
    value |= {"width": across / width * 100, "height": down / height * 100}
    kind = "rectanglelabels" if label else "rectangle"
    return Region(_thing(ring, label, size), "box", kind, value | ({kind: [label]} if label else {}))


def polygon(ring: list[float], label: str) -> Region:
    """A polygon."""
    points = [[x / WIDE[0] * 100, y / WIDE[1] * 100] for x, y in zip(ring[::2], ring[1::2], strict=True)]
    value = {"points": points, "closed": True, "polygonlabels": [label]}
    return Region(_thing(ring, label, WIDE), "polygon", "polygonlabels", value)


def brush(mask: Mask, label: str) -> Region:
    """A mask, in the bytes that Label Studio's own tool makes of it."""
    rle = mask2rle(mask * np.uint8(255))  # type: ignore[no-untyped-call]
    value = {"format": "rle", "rle": rle, "brushlabels": [label]}
    return Region(Thing(label, mask, _bounds(mask)), "brush", "brushlabels", value)


def put(client: Client, title: str, files: Path, corpus: Sequence[Case], scratch: Path) -> int:
    """Push the corpus and answer it as annotators would; returns the project's id.

    The pictures are shown from `files`, the server's document root. The last class is added to the
    configuration after the first answers; regions without a label come after that, as the server changes no
    configuration once there are some.
    """
    folder = files / title.replace(" ", "-")
    shard = write_shard(scratch, [Blob(case.image_id, case.data) for case in corpus])
    gallery = Gallery(scratch, dict.fromkeys((case.image_id for case in corpus), shard))
    names = gallery.write([case.image_id for case in corpus], folder)
    items = [Item(case.image_id, case.path, "golden", *case.size) for case in corpus]

    def address(image_id: str) -> str:
        return f"/data/local-files/?d={folder.name}/{names[image_id]}"

    project = push(client, title, config_of(CLASSES), items, address).project
    client.offer_folder(project, folder)
    tasks = {str(task["data"]["image_id"]): int(task["id"]) for task in client.tasks(project)}
    authors = _users(client)
    later = [case for case in corpus if any(thing.label in (LATER, "") for thing in case.truth)]
    for case in (case for case in corpus if case not in later):
        _answer(client, tasks[case.image_id], case, authors)
    push(client, title, config_of((*CLASSES, LATER)), items, address)
    for case in later:
        _answer(client, tasks[case.image_id], case, authors)
    return project


def config_of(classes: Sequence[str]) -> LabelConfig:
    return LabelConfig(dict.fromkeys(classes, ()), ("box", "polygon", "mask"))


def _users(client: Client) -> list[int]:
    known = {email: number for number, email in client.users().items()}
    for email in AUTHORS:
        if email not in known:
            body = {"email": email, "username": email, "first_name": "", "last_name": ""}
            known[email] = int(client.post("adding an annotator", "api/users/", body)["id"])
    return [known[email] for email in AUTHORS]


def _answer(client: Client, task: int, case: Case, authors: Sequence[int]) -> None:
    for said in case.answers:
        result = [
            {
                "id": f"{case.path[:2]}-{said.author}-{place}",
                "from_name": region.control,
                "to_name": "image",
                "type": region.kind,
                "original_width": case.size[0],
                "original_height": case.size[1],
                "image_rotation": 0,
                "value": region.value,
            }
            for place, region in enumerate(said.regions)
        ]
        body = {"result": result, "was_cancelled": said.cancelled, "completed_by": authors[said.author]}
        client.post("answering", f"api/tasks/{task}/annotations/", body | {"lead_time": 2.5})


def _other_files() -> list[Case]:
    """Pictures that are not shown as they are stored; what is labelled in them is bright."""
    size, place = (160, 320), (30.0, 200.0, 50.0, 80.0)
    upright = _picture(size, 20) // 4
    upright[200:280, 30:80] = 250
    turned = encode(np.ascontiguousarray(np.rot90(upright)), "jpeg")
    tags = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = turned[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + turned[2:]
    deep = (_picture(size, 21).astype(np.uint16) // 4) * 16
    deep[200:280, 30:80] = 4000
    done, tiff = cv2.imencode(".tiff", deep)
    assert done
    said = (Said((turned_box(place, 0, INCLUSION, size),)),)
    square = (320, 320)
    both = (
        Said(
            (
                turned_box((200, 80, 90, 40), 45, SCRATCH, square),
                turned_box((90, 20, 60, 40), 90, SCALE, square),
            )
        ),
    )
    return [
        Case("turned boxes on a square image", "19.png", encode(_picture(square, 19), "png"), square, both),
        Case("JPEG turned by EXIF (6)", "20.jpg", exif, size, said),
        Case("TIFF of 16 bits", "21.tif", tiff.tobytes(), size, said),
    ]


def _picture(size: tuple[int, int], seed: int) -> Mask:
    width, height = size
    ramp = np.add.outer(np.arange(height), np.arange(width)) + 7 * seed
    picture: Mask = (ramp % 251).astype(np.uint8)
    return picture


def _holed() -> Mask:
    mask = np.zeros(WIDE[::-1], np.uint8)
    mask[20:120, 50:200] = 1
    mask[50:80, 90:140] = 0
    rows, columns = np.ogrid[: WIDE[1], : WIDE[0]]
    mask[(columns - 450) ** 2 + (rows - 75) ** 2 < 55**2] = 1
    return mask


def _thing(ring: list[float], label: str, size: tuple[int, int]) -> Thing:
    xs, ys = ring[::2], ring[1::2]
    bounds = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return Thing(label, mask_of_polygon([ring], *size), bounds)


def _bounds(mask: Mask) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = float(columns[0]), float(rows[0])
    return left, top, float(columns[-1]) + 1 - left, float(rows[-1]) + 1 - top
