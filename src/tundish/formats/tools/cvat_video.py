"""CVAT 1.1 XML for video: tracks of shapes by the number of their frame.

A frame is the image called ``frame_000012``, otherwise the one image whose name ends in the number 12. Where
a shape is ``outside``, the object is not seen. CVAT writes every frame of a track; where a file has only
some, boxes and ellipses between two of them are interpolated as CVAT does, in a straight line, and other
shapes are reported. Frames without a visible object stay unlabelled: the file does not say that somebody
looked at them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from tundish.formats.base import ImageRef, parts_of
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.match import Miss
from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import real
from tundish.formats.tools.cvat_shapes import CORNERS, kind_of
from tundish.formats.tools.pages import Item, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.formats.base import Catalog
    from tundish.formats.tools.pages import File

__all__ = ["video_pages"]

_NUMBER = re.compile(r"(\d{1,9})$")
_SIDES = {"box": CORNERS, "ellipse": ("cx", "cy", "rx", "ry")}
"""Shapes that are interpolated, with the numbers that move."""

_MOST_FRAMES = 10_000_000
_MOST_ROWS = 2**31 - 1


def video_pages(file: File, root: Element, tracks: Sequence[Element], first: int) -> list[Page]:
    """One page for each frame on which a track is seen; rows are counted from `first`."""
    size = root.find("meta//original_size")
    stated = (size.findtext("width"), size.findtext("height")) if size is not None else None
    stop = root.findtext("meta//stop_frame", "")
    last = int(stop) if stop.isascii() and stop.isdigit() and len(stop) < 9 else 0
    video = _Video(_Frames(file.catalog, parts_of(file.path)[0]), first, last)
    for track in tracks:
        video.count(track)
    for track in tracks:
        video.take(track)
    pages = [
        Page(f"frame {frame}", video.frames.image(frame), found.items, stated, None, found.lost, found.notes)
        for frame, found in sorted(video.found.items())
    ]
    if video.lost:
        pages.append(Page("", Miss("wrong_type", "the number of the frame is not one"), [], lost=video.lost))
    return pages


@dataclass(frozen=True)
class _Frames:
    """The images by the number at the end of their names."""

    catalog: Catalog
    folder: str

    @cached_property
    def numbered(self) -> dict[int, list[ImageRef]]:
        """All images with a number; those below the file's own folder before others."""
        own: dict[int, list[ImageRef]] = {}
        other: dict[int, list[ImageRef]] = {}
        for image in self.catalog.images:
            number = _NUMBER.search(parts_of(image.path)[2])
            if number and number[1].isascii():
                inside = not self.folder or image.path.startswith(f"{self.folder}/")
                (own if inside else other).setdefault(int(number[1]), []).append(image)
        return other | own

    def between(self, start: int, end: int) -> list[int]:
        """The frames between two others that have an image."""
        if end - start < 2:
            return []
        if end - start < len(self.numbered):
            return [frame for frame in range(start + 1, end) if frame in self.numbered]
        return sorted(frame for frame in self.numbered if start < frame < end)

    def image(self, frame: int) -> ImageRef | Miss:
        """The image of a frame."""
        found = self.numbered.get(frame, [])
        named = [image for image in found if parts_of(image.path)[2].lower() == f"frame_{frame:06d}"]
        found = named or found
        if len(found) == 1:
            return found[0]
        if not found:
            return Miss(
                "image_not_found", f"no readable image is called frame_{frame:06d} or ends in {frame}"
            )
        paths = ", ".join(sorted(image.path for image in found)[:3])
        return Miss("ambiguous_image", f"{len(found)} images could be frame {frame}: {paths}")


@dataclass
class _Found:
    """What the tracks say about one frame."""

    items: list[Item] = field(default_factory=list)
    lost: list[tuple[int | None, Fault]] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass
class _Video:
    """The tracks of a file on their way to pages."""

    frames: _Frames
    row: int
    last: int
    between: int = 0
    found: dict[int, _Found] = field(default_factory=dict)
    lost: list[tuple[int | None, Fault]] = field(default_factory=list)

    def count(self, track: Element) -> None:
        """Interpolated labels have rows behind those of all shapes in the file."""
        self.between = max(self.between, self.row) + len(track)

    def take(self, track: Element) -> None:
        """Sort a track's shapes to their frames."""
        label, more = track.get("label"), {"track": track.get("id", "")}
        shapes: list[tuple[int, Element]] = []
        for shape in track:
            frame = _frame(shape)
            if frame is None:
                message = "the number of the frame is not a whole number from 0"
                self.lost.append((self.row, Fault("wrong_type", message, "frame", shape.get("frame"))))
            else:
                shapes.append((frame, shape))
                if not _outside(shape):
                    self._put(frame, Item(self.row, (shape, label, more), kind_of(shape), label))
            self.row += 1
        shapes.sort(key=lambda one: one[0])
        for (start, shape), (end, following) in pairwise(shapes):
            if not _outside(shape):
                self._fill(start, shape, end, following, (label, more))
            self.between += max(end - start - 1, 0)
        if shapes and not _outside(shapes[-1][1]):
            self._end(shapes[-1][0], track.get("id", ""))

    def _put(self, frame: int, item: Item) -> None:
        self.found.setdefault(frame, _Found()).items.append(item)

    def _end(self, frame: int, track: str) -> None:
        """Report a track that does not end although frames follow: whether it goes on is not known."""
        later = len(self.frames.between(frame, self.last + 1))
        if later:
            message = (
                f"the track '{track}' stops at frame {frame} without an end;"
                f" {counted(later, 'later image')} have no label of it"
            )
            self.found[frame].notes.append(Fault("not_interpolated", message, "frame", frame))

    def _fill(
        self, start: int, shape: Element, end: int, following: Element, whose: tuple[str | None, Any]
    ) -> None:
        """The frames between two shapes of a track that have an image."""
        label, more = whose
        for frame in self.frames.between(start, end):
            row = self.between + frame - start - 1
            element = _interpolated(shape, following, (frame - start) / (end - start))
            if element is not None and row <= _MOST_ROWS:
                self._put(frame, Item(row, (element, label, more), f"interpolated {shape.tag}", label))
                continue
            message = f"between frames {start} and {end} of a track, a {shape.tag} is not interpolated"
            fault = Fault("not_interpolated", message, "frame", frame)
            self.found.setdefault(frame, _Found()).lost.append((min(row, _MOST_ROWS), fault))


def _frame(shape: Element) -> int | None:
    text = shape.get("frame", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        return None
    return int(text) if int(text) < _MOST_FRAMES else None


def _outside(shape: Element) -> bool:
    return shape.get("outside", "0").strip().lower() in ("1", "true")


def _interpolated(shape: Element, following: Element, part: float) -> Element | None:
    """The shape at a part of the way between two boxes or ellipses; None where that cannot be said."""
    sides = _SIDES.get(shape.tag)
    if sides is None or following.tag != shape.tag:
        return None
    moved = Element(shape.tag, dict(shape.attrib))
    for side in sides:
        before, after = real(shape.get(side)), real(following.get(side))
        if before is None or after is None:
            return None
        moved.set(side, repr(before + (after - before) * part))
    turn, target = real(shape.get("rotation", "0")), real(following.get("rotation", "0"))
    if turn is None or target is None:
        return None
    way = (target - turn + 180) % 360 - 180
    moved.set("rotation", repr((turn + way * part) % 360))
    moved.extend(shape.findall("attribute"))
    return moved
