"""One annotation of Label Studio as labels, in px of the upright image: what the bridge and the format share.

Regions are in percent of the picture that the browser shows, which is upright. A region that was drawn on a
picture of another size is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tundish.formats.base import ImageRef, Label
from tundish.formats.label_studio.shapes import clip_to_picture, read_value
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import real
from tundish.imaging.geometry import box_of_polygon

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tundish.formats.label_studio.results import DrawnRegion, ImageClass, Results
    from tundish.formats.label_studio.shapes import Geometry

__all__ = ["AnswerLabels", "NamedLabel", "Trouble", "author_of", "kind_of_answer", "labels_of"]

_ROUNDING = 1e-6
"""px; extending beyond the image by less is floating-point rounding and not reported."""

_PART = re.compile(r"([0-9a-f]{32})(?:-(\d{1,6}))?")
"""Id of a region that was pushed; of a polygon of several rings, each ring but the first adds its number."""


class NamedLabel(NamedTuple):
    """A label, and the key that distinguishes it within its annotation, the same at every export."""

    label: Label
    key: str


class Trouble(NamedTuple):
    """What is wrong with one entry of a result: its position from 0, and labels lost; 0 for a warning."""

    row: int
    fault: Fault
    lost: int


@dataclass(slots=True)
class AnswerLabels:
    """What one annotation says.

    Attributes:
        labels: Its labels; `raw_label` is empty for a region without a label.
        troubles: Entries that were refused or corrected.
    """

    labels: list[NamedLabel] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many labels were lost."""
        return sum(trouble.lost for trouble in self.troubles)


def labels_of(results: Results, image: ImageRef, where: str, author: str | None) -> AnswerLabels:
    """Turn the regions and classes of one annotation into labels.

    Args:
        results: The annotation's result, sorted.
        image: The image that was shown.
        where: The `label_path` of the labels.
        author: Who answered.

    Returns:
        The labels, whose `label_row` is the position in the result, and what is wrong with the others.
    """
    reader = _Answer(image, where, author, AnswerLabels())
    reader.read(results)
    return reader.answer


def author_of(completed_by: object) -> str | None:
    """The author of an annotation: the e-mail address, else the user's number."""
    if isinstance(completed_by, dict):
        named = completed_by.get("email") or completed_by.get("id")
        return str(named) if named else None
    if type(completed_by) is int:
        return str(completed_by)
    return completed_by if isinstance(completed_by, str) and completed_by else None


def kind_of_answer(
    annotation: Mapping[str, Any], results: Results
) -> Literal["labelled", "empty", "cancelled"]:
    """Whether an annotation has labels, says that there is nothing, or was cancelled (skipped)."""
    if annotation.get("was_cancelled") or annotation.get("skipped"):
        return "cancelled"
    drawn = results.regions or results.choices or any(lost for _, _, lost in results.faults)
    return "labelled" if drawn else "empty"


@dataclass(slots=True)
class _Answer:
    """Collects the labels of one annotation."""

    image: ImageRef
    where: str
    author: str | None
    answer: AnswerLabels

    def read(self, results: Results) -> None:
        """Read all regions and classes of the whole image."""
        for row, fault, lost in results.faults:
            self._refuse(row, fault, lost)
        drawn: list[tuple[DrawnRegion, Geometry]] = []
        for region in results.regions:
            try:
                drawn.append((region, self._drawn(region)))
            except Fault as fault:
                self._refuse(region.row, fault, max(len(region.labels), 1))
        for region, shape in _whole_polygons(drawn):
            self._region(region, shape)
        for choice in results.choices:
            self._choice(choice)

    def _drawn(self, region: DrawnRegion) -> Geometry:
        width, height = self.image.width, self.image.height
        kind = region.readable_kind
        if kind is None:
            message = f"regions of kind '{region.kind}' are not supported"
            raise Fault("unsupported_region", message, "type", region.value)
        stated = tuple(real(length) for length in region.size)
        if None not in stated and stated != (width, height):
            size = "x".join(f"{length:g}" for length in stated if length is not None)
            message = f"the region was drawn on a picture of {size}, but its image has {width}x{height}"
            raise Fault("size_mismatch", message, "original_width", size)
        return read_value(kind, region.value, width, height)

    def _region(self, region: DrawnRegion, shape: Geometry) -> None:
        try:
            drawn, out = clip_to_picture(shape, self.image.width, self.image.height)
        except Fault as fault:
            self._refuse(region.row, fault, max(len(region.labels), 1))
            return
        if out > _ROUNDING:
            message = f"the region extended {out:.3g} px beyond the image and was clipped"
            self._refuse(region.row, Fault("clipped", message, "value", out), 0)
        attributes = region.attributes
        if drawn.rotation is not None:
            attributes = attributes | {"rotation": drawn.rotation[0], "box": list(drawn.rotation[1])}
        proposed = region.origin == "prediction"
        if region.score is not None and not proposed:
            attributes = attributes | {"score": region.score}
        for place, name in enumerate(region.labels or [""]):
            label = Label(
                self.image, name, drawn.shape, *drawn.box, self.where, region.row, drawn.rings, drawn.counts
            )
            score = region.score if proposed else None
            complete = label._replace(score=score, author=self.author, attributes=attributes)
            self._add(complete, f"{region.id or region.row}\0{place}")

    def _choice(self, choice: ImageClass) -> None:
        whole = (0.0, 0.0, float(self.image.width), float(self.image.height))
        attributes: dict[str, object] = {"region": choice.id, "origin": choice.origin}
        if choice.meta:
            attributes["meta"] = choice.meta
        label = Label(self.image, choice.label, "class", *whole, self.where, choice.row)
        complete = label._replace(author=self.author, attributes=attributes)
        self._add(complete, f"{choice.id or choice.row}\0{choice.label}")

    def _add(self, label: Label, key: str) -> None:
        self.answer.labels.append(NamedLabel(label, key))

    def _refuse(self, row: int, fault: Fault, lost: int) -> None:
        self.answer.troubles.append(Trouble(row, fault, lost))


def _whole_polygons(drawn: list[tuple[DrawnRegion, Geometry]]) -> Iterable[tuple[DrawnRegion, Geometry]]:
    """Regions, with the rings of one pushed polygon joined again as far as they have the same labels."""
    wholes: dict[tuple[object, ...], tuple[DrawnRegion, Geometry]] = {}
    for region, shape in drawn:
        part = _PART.fullmatch(region.id or "") if region.kind == "polygon" else None
        key = (part[1], *region.labels) if part else (region.row,)
        if key not in wholes:
            wholes[key] = region, shape
            continue
        first, known = wholes[key]
        if region.origin != "prediction":
            first.origin = region.origin
        rings = [*(known.rings or []), *(shape.rings or [])]
        wholes[key] = first, known._replace(rings=rings, box=box_of_polygon(rings) or known.box)
    return wholes.values()
