"""Which columns of a CSV file of boxes hold what: by their names, else by what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.csv.names import IMAGE_NAMES, LABEL_NAMES
from tundish.formats.csv.table import Row, Table, image_column, number_of, plain
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import fault_of_number, reals

if TYPE_CHECKING:
    from tundish.formats.base import Catalog

__all__ = ["ALL", "BoxColumns", "box_columns"]

ALL = ("corners", "xywh", "centre")
"""What four numbers of a box may be."""

_COLUMNS = {
    "corners": (
        ("xmin ymin xmax ymax", "minx miny maxx maxy", "x0 y0 x1 y1", "x1 y1 x2 y2", "left top right bottom"),
        (
            "xtl ytl xbr ybr",
            "startx starty endx endy",
            "bboxx1 bboxy1 bboxx2 bboxy2",
            "xstart ystart xend yend",
        ),
        ("bboxxmin bboxymin bboxxmax bboxymax", "bbxmin bbymin bbxmax bbymax"),
    ),
    "centre": (
        ("cx cy w h", "cx cy width height", "xcenter ycenter width height", "xcentre ycentre width height"),
        ("xcenter ycenter w h", "xc yc w h", "xc yc width height", "centerx centery width height"),
    ),
    "xywh": (
        ("xmin ymin width height", "xmin ymin w h", "left top width height", "left top w h"),
        ("bboxleft bboxtop bboxwidth bboxheight",),
    ),
    "": (
        ("x y w h", "x y width height", "bboxx bboxy bboxwidth bboxheight", "bboxx bboxy bboxw bboxh"),
        ("xpos ypos width height",),
    ),
}
"""Plain names of the four columns by what they say; '' says corner and size, or centre and size."""

_LISTS = frozenset({"bbox", "box", "boundingbox", "bboxes", "bndbox"})
_SIZES = (("width", "height"), ("imagewidth", "imageheight"), ("imgwidth", "imgheight"), ("imgw", "imgh"))
_NO_CLASSES = frozenset(
    {"source", "split", "set", "subset", "fold", "usage", "dataset", "partition", "annotator", "author"}
    | {"date", "time", "domain", "camera", "line", "shift", "location", "site"}
)
"""Plain names of columns that say something else than the class."""

_SCORES = frozenset({"score", "confidence", "conf", "probability"})


@dataclass(frozen=True)
class BoxColumns:
    """Where a file has what.

    Attributes:
        image: The column of images.
        label: That of classes; None where there is none.
        box: The four columns of the box, or one that holds all four.
        readings: What the four numbers may be by the names of their columns.
        size: The columns of the picture's width and height, where there are any.
        score: That of confidences.
        matched: How many images of the first rows are here.
    """

    image: int
    label: int | None
    box: tuple[int, ...]
    readings: tuple[str, ...]
    size: tuple[int, int] | None
    score: int | None
    matched: int

    def numbers(self, row: Row, table: Table) -> tuple[float, ...] | None:
        """The four numbers of a row; None where it has no box.

        Raises:
            Fault: Some are missing, or are not numbers.
        """
        fields = row.fields
        texts = [fields[column] if column < len(fields) else "" for column in self.box]
        if len(texts) == 1:
            texts = _in_list(texts[0])
        if not any(texts):
            return None
        if (plain := reals(texts)) is not None:
            return plain
        found = []
        for column, text in zip(_NAMES, texts, strict=True):
            number = number_of(text, table)
            if number is None and not text:
                raise Fault("missing_box", "the row has some of a box's four numbers, not all", column)
            if number is None:
                raise Fault(*fault_of_number(text), column, text)
            found.append(number)
        return tuple(found)


_NAMES = ("first number", "second number", "third number", "fourth number")


def _in_list(text: str) -> list[str]:
    """The numbers of '[1, 2, 3, 4]', '(1 2 3 4)' or '1 2 3 4'."""
    bare = text.strip("[]() ")
    if not bare:
        return []
    parts = bare.replace(",", " ").replace(";", " ").split()
    if len(parts) != len(_NAMES):
        raise Fault("missing_box", f"the box has {len(parts)} numbers, not four", "bbox", text)
    return parts


def box_columns(table: Table, catalog: Catalog, given: str = "") -> BoxColumns | str:
    """Where a file has its images, boxes and classes.

    Args:
        table: The file.
        catalog: The images.
        given: The option ``columns``: the names of the columns in order; they replace the header.

    Returns:
        The columns, or a sentence that says why they are not clear; it begins with '!' where the file surely
        has boxes.
    """
    names = [plain(name) for name in (given.split(",") if given else table.names)]
    if given and len(names) != table.width:
        return f"!the option columns names {len(names)} columns, the rows have {table.width}"
    image, matched = image_column(table, catalog, IMAGE_NAMES)
    if given:
        image = next((number for number, name in enumerate(names) if name in IMAGE_NAMES), image)
    if image is None:
        return "no column names images"
    found = _named(names) or _listed(table, names, image)
    readings: tuple[str, ...]
    if found is not None:
        box, readings = found
    elif given:
        return "!the option columns names no four columns of a box, such as x1, y1, x2, y2"
    else:
        guessed = _by_content(table, image)
        if isinstance(guessed, str):
            return guessed
        box, readings = guessed, ALL
    rest = [column for column in range(table.width) if column not in (image, *box)]
    size = _size(names, rest)
    score = next((one for one in rest if one < len(names) and names[one] in _SCORES), None)
    rest = [column for column in rest if column != score and column not in (size or ())]
    label = _label(table, names, rest)
    if isinstance(label, str):
        return label
    return BoxColumns(image, label, box, readings, size, score, matched)


def _named(names: list[str]) -> tuple[tuple[int, ...], tuple[str, ...]] | None:
    for reading, groups in _COLUMNS.items():
        for wanted in (one.split() for group in groups for one in group):
            if set(wanted) <= set(names):
                return tuple(names.index(one) for one in wanted), (reading,) if reading else (
                    "xywh",
                    "centre",
                )
    return None


def _listed(table: Table, names: list[str], image: int) -> tuple[tuple[int, ...], tuple[str, ...]] | None:
    """One column that holds four numbers; Kaggle's image_id, width, height, bbox says corner and size."""
    for column in range(table.width):
        if column == image:
            continue
        values = table.column(column)[:100]
        named = column < len(names) and names[column] in _LISTS
        if not values or not (named or all(value[0] in "[(" for value in values)):
            continue
        good = 0
        for value in values:
            try:
                good += all(number_of(text, table) is not None for text in _in_list(value))
            except Fault:
                continue
        if good * 2 > len(values):
            return (column,), ("xywh",) if {"imageid", "width", "height", "bbox"} <= set(names) else ALL
    return None


def _by_content(table: Table, image: int) -> tuple[int, ...] | str:
    """Four columns of numbers side by side and one more, in a file without header.

    Under a header that names no box, numbers may be anything: moisture, ash, a 1 under each class.
    """
    if table.names:
        return "no four columns hold boxes by their names"
    rest = [column for column in range(table.width) if column != image]
    numeric = [
        column
        for column in rest
        if (values := table.column(column))
        and sum(number_of(value, table) is not None for value in values) >= 0.9 * len(values)
    ]
    apart = numeric and numeric[-1] - numeric[0] == len(numeric) - 1
    if len(numeric) == 4 and apart and len(rest) > len(numeric):
        return tuple(numeric)
    if len(rest) != len(numeric) or len(rest) != len(_NAMES) + 1:
        return "no four columns hold boxes beside one of classes"
    return (
        f"!{len(numeric)} columns hold numbers, and without a header it is not clear which four are the box; "
        "say it in the source's options, for example {columns: 'image,x1,y1,x2,y2,class'}"
    )


def _size(names: list[str], rest: list[int]) -> tuple[int, int] | None:
    for wide, high in _SIZES:
        if wide in names and high in names and {names.index(wide), names.index(high)} <= set(rest):
            return names.index(wide), names.index(high)
    return None


def _comes_again(table: Table, column: int) -> bool:
    """Whether a column holds text that comes again, as classes do and names and remarks do not."""
    values = table.column(column)
    texts = [value for value in values if number_of(value, table) is None]
    return len(texts) * 2 > len(values) and len(set(texts)) <= max(1, len(texts) // 2)


def _label(table: Table, names: list[str], rest: list[int]) -> int | str | None:
    """The column of classes among those left; a sentence where it is not clear."""
    named = [column for column in rest if column < len(names) and names[column] in LABEL_NAMES]
    if named:
        texts = [
            column
            for column in named
            if any(number_of(value, table) is None for value in table.column(column)[:50])
        ]
        return (texts or named)[0]
    if names:
        rest = [column for column in rest if names[column] not in _NO_CLASSES and _comes_again(table, column)]
    if len(rest) > 1:
        return (
            f"!{len(rest)} columns could be that of the class; say it in the source's options, for example "
            "{columns: 'image,x1,y1,x2,y2,class'}"
        )
    return rest[0] if rest else None
