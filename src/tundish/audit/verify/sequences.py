"""Frames of one camera in their order, though splits tore them apart: by folders, names and times."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tundish.audit.verify.ties import Tie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tundish.audit.verify.pictures import Picture

__all__ = ["find_near_frames", "time_in_name"]

_CLOCK = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])[-_T. ]{0,2}"
    r"([01]\d|2[0-3])[-_:.h]?([0-5]\d)[-_:.m]?([0-5]\d)(?:[.,](\d{1,6})|(\d{3}|\d{6}))?(?!\d)"
)
_EPOCH_MS = re.compile(r"(?<!\d)(1[2-9]\d{11})(?!\d)")
_MOST_AT_ONCE = 100
"""Images of one camera with the same time; more have the time at which they were written."""


def time_in_name(name: str) -> tuple[str, float, str] | None:
    """The time that the name of a file states to the second or finer.

    Args:
        name: Name of the file, without folders.

    Returns:
        The text before the time, the time in seconds, and the text after it; None where there is no time.
    """
    if match := _CLOCK.search(name):
        *parts, dotted, joined = match.groups()
        try:
            moment = datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[misc,arg-type]
        except ValueError:
            return None
        fraction = dotted or joined or ""
        seconds = moment.timestamp() + (int(fraction) / 10 ** len(fraction) if fraction else 0)
        return name[: match.start()], seconds, name[match.end() :]
    if match := _EPOCH_MS.search(name):
        return name[: match.start()], int(match[1]) / 1000, name[match.end() :]
    return None


def find_near_frames(pictures: Sequence[Picture], within: float) -> list[Tie]:
    """Find frames of one camera that were taken shortly after each other and are in different splits.

    Frames whose names state times are of one camera only where the text before the time is the same.

    Args:
        pictures: The images.
        within: Seconds up to which two frames are near.
    """
    cameras: dict[tuple[str, str, str], list[tuple[float, int]]] = {}
    for number, picture in enumerate(pictures):
        folder, name = picture.camera, picture.path.rpartition("/")[2]
        if (found := time_in_name(name)) is not None:
            before, moment, after = found
            cameras.setdefault((folder, before, re.sub(r"\d+", "#", after)), []).append((moment, number))
        elif picture.captured_at is not None:
            moment = picture.captured_at.replace(tzinfo=UTC).timestamp()
            cameras.setdefault((folder, "", "EXIF"), []).append((moment, number))
    return [tie for frames in cameras.values() for tie in _near(sorted(frames), pictures, within)]


def _near(frames: Sequence[tuple[float, int]], pictures: Sequence[Picture], within: float) -> Iterator[Tie]:
    times = [moment for moment, _ in frames]
    for place, (moment, number) in enumerate(frames):
        if bisect_right(times, moment) - place > _MOST_AT_ONCE:
            return
        for later, other in frames[place + 1 : bisect_right(times, moment + within)]:
            if pictures[number].split != pictures[other].split:
                apart = later - moment
                yield Tie((number,), (other,), note=f"{apart:.3g} s apart", rank=apart)
