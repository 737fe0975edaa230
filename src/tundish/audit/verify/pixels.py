"""Images that show the same in whole or in part, by their pixels."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tundish.audit.verify.ties import Tie
from tundish.engine import each
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode
from tundish.imaging.measure import pixel_hash
from tundish.imaging.overlaps.stored import sequences_by_name
from tundish.imaging.similarity import TRANSFORMS, find_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tundish.audit.verify.pictures import Kept, Picture
    from tundish.imaging.similarity import Copy

__all__ = ["find_pixel_ties"]

_PIXELS_PERHAPS = 0.99
"""Score from which the pixels of two files may be equal, though one is a JPEG and the other is not."""


@dataclass
class _Seen:
    """One content of pixels: the files that hold it, by their bytes."""

    files: list[tuple[int, ...]] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The file that represents it."""
        return self.files[0][0]

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(number for files in self.files for number in files)


def find_pixel_ties(
    pictures: Sequence[Picture],
    kept: Kept,
    read: Callable[[str], bytes],
    *,
    thorough: bool = True,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> dict[str, list[Tie]]:
    """Find images that show the same.

    Args:
        pictures: The images.
        kept: What they are compared by, with the same numbers.
        read: Reads an image once more, where only whole pixels prove that two are equal.
        thorough: Find images that show the same in part, too.
        progress: Called as (step, done, total).

    Returns:
        The ties by the kinds of `LEAKS` and `WARNINGS`.
    """
    seen = _contents(pictures, read)
    ties: dict[str, list[Tie]] = {}
    for one in seen:
        for place, files in enumerate(one.files):
            if len(files) > 1:
                ties.setdefault("equal bytes", []).append(Tie(files, files, 1.0, rank=-1))
            for other in one.files[:place]:
                ties.setdefault("equal pixels", []).append(Tie(other, files, 1.0, rank=-1))
    copies = find_copies(
        [pictures[one.number].hashes for one in seen],
        lambda places: kept.thumbnails.read(seen[place].number for place in places),
        threads=os.cpu_count() or 1,
        progress=lambda done, total: progress("copies", done, total),
    )
    equal = _equal_pixels(copies, seen, pictures, read)
    for copy in copies:
        kind = "equal pixels" if (copy.first, copy.second) in equal else str(copy.relation)
        note = TRANSFORMS[copy.code] if copy.code else ""
        tie = Tie(seen[copy.first].all, seen[copy.second].all, copy.score, note, -copy.score)
        ties.setdefault(kind, []).append(tie)
    if thorough:
        _add_overlaps(ties, seen, copies, pictures, kept, progress)
    return ties


def _contents(pictures: Sequence[Picture], read: Callable[[str], bytes]) -> list[_Seen]:
    """The files of each content: equal bytes, then equal pixels, proven where their gray values are equal."""
    by_bytes: dict[bytes, list[int]] = {}
    for number, picture in enumerate(pictures):
        by_bytes.setdefault(picture.digest, []).append(number)
    by_gray: dict[bytes, list[tuple[int, ...]]] = {}
    for numbers in by_bytes.values():
        by_gray.setdefault(pictures[numbers[0]].gray_hash, []).append(tuple(numbers))
    doubtful = [files[0] for group in by_gray.values() if len(group) > 1 for files in group]
    pixels = _pixel_hashes(doubtful, pictures, read)
    found: dict[bytes, _Seen] = {}
    for gray, group in by_gray.items():
        for files in group:
            found.setdefault(pixels.get(files[0], gray), _Seen()).files.append(files)
    return list(found.values())


def _pixel_hashes(
    numbers: Iterable[int], pictures: Sequence[Picture], read: Callable[[str], bytes]
) -> dict[int, bytes]:
    def digest(item: tuple[int, bytes]) -> tuple[int, bytes]:
        number, data = item
        try:
            return number, pixel_hash(decode(data))
        except BadImage:  # decodable in gray but not in colour: equal to no other
            return number, pictures[number].digest

    return dict(each(digest, ((number, read(pictures[number].path)) for number in numbers)))


def _equal_pixels(
    copies: Iterable[Copy],
    seen: Sequence[_Seen],
    pictures: Sequence[Picture],
    read: Callable[[str], bytes],
) -> set[tuple[int, int]]:
    """Copies whose pixels are equal, though they are stored in different formats."""
    alike = []
    for copy in copies:
        one, other = (pictures[seen[place].number] for place in (copy.first, copy.second))
        same_size = (one.width, one.height) == (other.width, other.height)
        if copy.code == 0 and copy.score >= _PIXELS_PERHAPS and same_size:
            alike.append((copy.first, copy.second))
    numbers = sorted({seen[place].number for pair in alike for place in pair})
    pixels = _pixel_hashes(numbers, pictures, read)
    return {pair for pair in alike if pixels[seen[pair[0]].number] == pixels[seen[pair[1]].number]}


def _add_overlaps(
    ties: dict[str, list[Tie]],
    seen: Sequence[_Seen],
    copies: Sequence[Copy],
    pictures: Sequence[Picture],
    kept: Kept,
    progress: Callable[[str, int, int], None],
) -> None:
    """Compare one picture of each star of copies; what it shows in part, its copies show as well."""
    members = _stars(copies, len(seen))
    leaders = list(members)
    place_of = {seen[leader].number: leader for leader in leaders}
    numbers = np.array(sorted(place_of), np.int64)
    some = [pictures[number] for number in numbers]
    overlaps = kept.parts.find(
        numbers,
        sequences_by_name((picture.camera, picture.path) for picture in some),
        lambda done, total: progress("overlaps", done, total),
    )
    for overlap in overlaps:
        if overlap.relation == "same scene":
            continue
        first, second = (
            tuple(number for place in members[place_of[end]] for number in seen[place].all)
            for end in (overlap.first, overlap.second)
        )
        note = f"{overlap.share:.0%} of the smaller one"
        if overlap.code:
            note += f", {TRANSFORMS[overlap.code]}"
        ties.setdefault(overlap.relation, []).append(Tie(first, second, overlap.score, note, -overlap.score))


def _stars(copies: Sequence[Copy], contents: int) -> dict[int, list[int]]:
    """The contents that each of them represents: itself, and its verified copies."""
    leader: dict[int, int] = {}
    for copy in copies:
        if copy.relation != "probably same picture" and copy.first not in leader:
            leader.setdefault(copy.second, copy.first)
    stars: dict[int, list[int]] = {place: [place] for place in range(contents) if place not in leader}
    for member, place in leader.items():
        stars[place].append(member)
    return stars
