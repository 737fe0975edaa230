"""Source trees that hypothesis makes up: pictures with odd names, labelled in one format or in two.

What is in a tree is known before it is written: `Tree.truth` is what a run has to find.
"""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import cv2
import numpy as np
from hypothesis import strategies as st

from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["FORMATS", "Picture", "Tree", "trees", "write_tree"]

WIDTH, HEIGHT = 128, 96

Corners = tuple[int, int, int, int]
"""Left, upper, right and lower edge, in px."""


@dataclass(frozen=True)
class Mark:
    """A box with its class; `outline` draws it as a ring of four points."""

    label: str
    corners: Corners
    outline: bool = False

    @property
    def ring(self) -> list[list[int]]:
        """The points of a ring whose box is `corners`."""
        left, upper, right, lower = self.corners
        middle = (left + right) // 2
        return [[left, upper], [right, (upper + lower) // 2], [middle, lower], [left, lower]]

    @property
    def flat(self) -> list[int]:
        """The ring as COCO has it."""
        return [value for point in self.ring for value in point]


@dataclass(frozen=True)
class Picture:
    """A picture: its place in the tree, which format labels it, and with what; None: nothing does.

    `stated` is how its label file spells the name, and how the file itself is called.
    """

    path: str
    stated: str
    format: str | None
    marks: tuple[Mark, ...]

    @property
    def stem(self) -> str:
        """The stem of its label file."""
        return self.stated.rpartition("/")[2].rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name as label files state it."""
        return self.stated.rpartition("/")[2]


@dataclass(frozen=True)
class Tree:
    """A source."""

    classes: tuple[str, ...]
    pictures: tuple[Picture, ...]

    @property
    def formats(self) -> set[str]:
        """The formats of its labels."""
        return {one.format for one in self.pictures if one.format}

    def of(self, form: str) -> list[Picture]:
        """The pictures that a format labels."""
        return [one for one in self.pictures if one.format == form]

    @property
    def truth(self) -> dict[str, list[tuple[str, Corners | None]]]:
        """Class and place of the labels of each picture that has some, or is said to have none."""
        return {
            one.path: sorted(
                (mark.label, None if one.format == "folders" else mark.corners) for mark in one.marks
            )
            for one in self.pictures
            if one.format
        }

    @property
    def states(self) -> dict[str, str]:
        """What is known of each picture."""
        return {
            one.path: "labelled" if one.marks else "negative" if one.format else "unlabelled"
            for one in self.pictures
        }


Files = dict[str, bytes]


def _yolo(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    files = {"classes.txt": "".join(f"{name}\n" for name in classes).encode()}
    for one in pictures:
        rows = []
        for mark in one.marks:
            left, upper, right, lower = mark.corners
            numbers = (
                [
                    value / (HEIGHT if place else WIDTH)
                    for point in mark.ring
                    for place, value in enumerate(point)
                ]
                if mark.outline
                else [
                    (left + right) / 2 / WIDTH,
                    (upper + lower) / 2 / HEIGHT,
                    (right - left) / WIDTH,
                    (lower - upper) / HEIGHT,
                ]
            )
            rows.append(" ".join([str(classes.index(mark.label)), *(f"{value:.10f}" for value in numbers)]))
        files[f"labels/{one.stem}.txt"] = "".join(f"{row}\n" for row in rows).encode()
    return files


def _coco(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, one in enumerate(pictures, 7):
        images.append({"id": number, "file_name": one.name, "width": WIDTH, "height": HEIGHT})
        for mark in one.marks:
            left, upper, right, lower = mark.corners
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": classes.index(mark.label) + 1,
                    "bbox": [left, upper, right - left, lower - upper],
                    "segmentation": [[value for point in mark.ring for value in point]]
                    if mark.outline
                    else [],
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(classes, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return {"annotations.json": json.dumps(content).encode()}


def _voc(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    files = {}
    for one in pictures:
        objects = "".join(
            f"<object><name>{escape(mark.label)}</name><bndbox><xmin>{mark.corners[0] + 1}</xmin>"
            f"<ymin>{mark.corners[1] + 1}</ymin><xmax>{mark.corners[2]}</xmax>"
            f"<ymax>{mark.corners[3]}</ymax></bndbox></object>"
            for mark in one.marks
        )
        files[f"xml/{one.stem}.xml"] = (
            f"<annotation><filename>{escape(one.name)}</filename><size><width>{WIDTH}</width>"
            f"<height>{HEIGHT}</height></size>{objects}</annotation>"
        ).encode()
    return files


def _labelme(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    files = {}
    for one in pictures:
        shapes = [
            {"label": mark.label, "shape_type": "polygon", "points": mark.ring}
            if mark.outline
            else {
                "label": mark.label,
                "shape_type": "rectangle",
                "points": [list(mark.corners[:2]), list(mark.corners[2:])],
            }
            for mark in one.marks
        ]
        content = {"shapes": shapes, "imagePath": one.name, "imageWidth": WIDTH, "imageHeight": HEIGHT}
        folder = one.path.rpartition("/")[0]
        files[f"{folder}/{one.stem}.json"] = json.dumps(content).encode()
    return files


def _boxes(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["filename", "xmin", "ymin", "xmax", "ymax", "class"])
    for one in pictures:
        table.writerows([one.name, *mark.corners, mark.label] for mark in one.marks)
        if not one.marks:
            table.writerow([one.name, "", "", "", "", ""])
    return {"boxes.csv": text.getvalue().encode()}


def _cvat(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    images = []
    for number, one in enumerate(pictures):
        marks = "".join(
            "<polygon label={} points={}/>".format(
                quoteattr(mark.label), quoteattr(";".join(f"{x},{y}" for x, y in mark.ring))
            )
            if mark.outline
            else '<box label={} xtl="{}" ytl="{}" xbr="{}" ybr="{}"/>'.format(
                quoteattr(mark.label), *mark.corners
            )
            for mark in one.marks
        )
        images.append(
            f'<image id="{number}" name={quoteattr(one.name)} width="{WIDTH}" height="{HEIGHT}">'
            f"{marks}</image>"
        )
    return {"cvat.xml": f"<annotations><version>1.1</version>{''.join(images)}</annotations>".encode()}


def _masks(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    files = {}
    for one in pictures:
        pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for mark in one.marks:
            left, upper, right, lower = mark.corners
            pixels[upper:lower, left:right] = 255
        files[f"drawn/{one.stem}.png"] = cv2.imencode(".png", pixels)[1].tobytes()
    return files


def _nothing(pictures: list[Picture], classes: tuple[str, ...]) -> Files:
    return {}


FORMATS: dict[str, Callable[[list[Picture], tuple[str, ...]], Files]] = {
    "yolo": _yolo,
    "coco": _coco,
    "voc": _voc,
    "labelme": _labelme,
    "boxes-csv": _boxes,
    "cvat": _cvat,
    "masks": _masks,
    "folders": _nothing,
}
"""What writes the label files of a format; the class folders are the paths of the pictures."""

_WITH_OUTLINES = {"yolo", "coco", "labelme", "cvat"}
_ALONE = {"masks", "folders"}
"""Formats that are not mixed with others here."""


def _photo(seed: int, suffix: str) -> bytes:
    """A picture that no other is a copy of, whatever way it is turned."""
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.uniform(30, 220, (6, 8)).astype(np.float32), (WIDTH, HEIGHT))
    pixels = np.clip(coarse + random.normal(0, 6, coarse.shape), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(suffix, pixels)[1].tobytes())


def write_tree(tree: Tree, folder: Path) -> None:
    """Write the files of a tree.

    Args:
        tree: What is in it.
        folder: Takes the files.
    """
    files = {
        one.path: _photo(seed, f".{one.path.rpartition('.')[2].lower()}")
        for seed, one in enumerate(tree.pictures)
    }
    for form in sorted(tree.formats):
        files |= FORMATS[form](tree.of(form), tree.classes)
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


STEMS = st.sampled_from(
    [
        *("train_0001", "test_0002", "val", "classes", "notes", "img.v2", "a.jpg", "IMG_0003", "Strip 4"),
        *("划痕_5", "炉 号 6", "Oberfläche_7", "Riß_8", "100%20ok", "a%b", "x+y", "(9)", "#10", "'11", "12"),
        *("mask_13", "00041000_test", "coil-14", "15_aug", "_16", "é17", "표면결함_18", "a&b", "19;20"),
    ]
)
_WORDS = st.text(st.sampled_from("abZ09_-. äß钢%"), min_size=1, max_size=8).filter(
    lambda text: text == text.strip() and not text.startswith(".") and not text.endswith(".")
)
CLASSES = st.sampled_from(
    ["scratch", "Dent", "裂纹", "02146", "no", "1e3", "rolled in", "Riß", "a/b", "12:30", "null", "~", "O'K"]
)


@st.composite
def _marks(draw: st.DrawFn, classes: tuple[str, ...], form: str) -> tuple[Mark, ...]:
    marks = []
    # Cells of a grid, so that no two marks are copies of each other or run together.
    # A mask of one value is one label.
    most = 1 if form == "masks" else 3
    for cell in draw(st.lists(st.integers(0, 5), unique=True, max_size=most)):
        left, upper = cell % 3 * 42 + draw(st.integers(0, 8)), cell // 3 * 48 + draw(st.integers(0, 10))
        width, height = draw(st.integers(12, 30)), draw(st.integers(12, 34))
        corners = (left, upper, left + width, upper + height)
        outline = form in _WITH_OUTLINES and draw(st.booleans())
        marks.append(Mark(draw(st.sampled_from(classes)), corners, outline))
    return tuple(marks)


def _spelt(name: str, how: str) -> str:
    """A name as other systems spell it."""
    if how == "decomposed":
        return unicodedata.normalize("NFD", name)
    if how == "quoted":
        return quote(name)
    return name.swapcase() if how == "capitals" else name


@st.composite
def trees(draw: st.DrawFn, forms: tuple[str, ...] = ()) -> Tree:
    """Trees in one format, now and then in two.

    Args:
        draw: Given by hypothesis.
        forms: The formats; drawn where none is named.
    """
    if not forms:
        first = draw(st.sampled_from(sorted(FORMATS)))
        both = first not in _ALONE and draw(st.booleans())
        others = sorted(FORMATS.keys() - _ALONE - {first})
        forms = (first, draw(st.sampled_from(others))) if both else (first,)
    classes = tuple(draw(st.lists(CLASSES, unique=True, min_size=1 + ("folders" in forms), max_size=3)))
    if "folders" in forms:
        classes = tuple(name.replace("/", "_") for name in classes)
    count = draw(st.integers(2 * len(forms), 4 * len(forms)))
    stems = draw(st.lists(STEMS | _WORDS, min_size=count, max_size=count, unique_by=loose_spelling))
    suffix = draw(st.sampled_from([".png", ".jpg", ".PNG"]))
    folder = draw(st.sampled_from(["images", "bilder", "图像", "Line 1/imgs"]))
    how = draw(st.sampled_from(["same", "same", "decomposed", "quoted", "capitals"]))
    pictures = []
    for number, stem in enumerate(stems):
        form = forms[number % len(forms)]
        # The first of each format is labelled: a format without a label is none.
        bare = number >= len(forms) and form not in _ALONE and draw(st.integers(0, 5)) == 0
        marked = _marks(classes, form)
        marks = draw(marked if number >= len(forms) else marked.filter(bool))
        place = f"{folder}/{stem}{suffix}"
        if form == "folders":
            label = classes[number % len(classes)]
            marks = (Mark(label, (0, 0, WIDTH, HEIGHT)),)
            place = f"{label}/{stem}{suffix}"
        if form == "masks":
            marks = tuple(Mark(_FOREGROUND, mark.corners) for mark in marks)
        stated = f"{place.rpartition('/')[0]}/{_spelt(f'{stem}{suffix}', how)}"
        pictures.append(Picture(place, stated, None if bare else form, () if bare else marks))
    return Tree(classes, tuple(pictures))


_FOREGROUND = "255"
"""What the marks of a mask are called whose values have no names."""
