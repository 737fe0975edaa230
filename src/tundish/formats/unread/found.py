"""The files of a source that may be labels and that nobody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tundish.formats.base import IMAGE_SUFFIXES, parts_of, suffix_of
from tundish.formats.reading.sniffing import catalog_of, sample
from tundish.formats.unread.judge import is_readable, judge, may_be_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from tundish.formats.base import Listing
    from tundish.formats.unread.suspect import Suspect

__all__ = ["MOST_LOOKED_AT", "by_sample", "find_suspects", "sampled_note", "stem_of_picture"]

MOST_LOOKED_AT = 50_000
"""Files of a folder and a suffix that are looked into; of more a sample. If it agrees, so do the others."""

_Answer = TypeVar("_Answer")


def find_suspects(listing: Listing, images: Collection[str], taken: Collection[str]) -> dict[str, Suspect]:
    """What may be labels in a source and is not read, by path.

    Args:
        listing: The files of the source.
        images: Paths of its pictures.
        taken: Paths of the files that readers take.
    """
    pictures = set(images)
    doubtful = [
        path for path in listing.paths if path not in taken and path not in pictures and may_be_labels(path)
    ]
    if not doubtful:
        return {}
    catalog = catalog_of(pictures)

    def look(path: str) -> Suspect | None:
        return judge(path, listing.read(path) if is_readable(path) else b"", catalog)

    stems = {parts_of(path)[2] for path in pictures}
    return {
        path: suspect
        for path, suspect in by_sample(doubtful, look).items()
        if suspect is not None and (not suspect.beside or stem_of_picture(path) in stems)
    }


def stem_of_picture(path: str) -> str:
    """The stem of the picture that a file is called like: that of ``a.json`` and of ``a.jpg.json``."""
    stem = parts_of(path)[2]
    return parts_of(stem)[2] if suffix_of(stem) in IMAGE_SUFFIXES else stem


def by_sample(paths: Iterable[str], look: Callable[[str], _Answer]) -> dict[str, _Answer]:
    """What a look at each file says; of very many in one folder a sample is looked at, where its files agree.

    Args:
        paths: The files.
        look: Looks at one.

    Returns:
        The answers by path, in the order of the paths.
    """
    answers: dict[str, _Answer] = {}
    for members in _alike(paths).values():
        seen = {path: look(path) for path in sample(members, MOST_LOOKED_AT)}
        first, *others = seen.values()
        same = all(answer == first for answer in others)
        answers |= {path: seen[path] if path in seen else first if same else look(path) for path in members}
    return answers


def sampled_note(paths: Iterable[str]) -> list[str]:
    """Sentences on folders of which only a sample of the files was looked at.

    Args:
        paths: Files that are labels, or may be some.
    """
    return [
        f"of {len(members):,} {suffix} files in {folder or 'the source'} {MOST_LOOKED_AT:,} were looked at,"
        " evenly spread: `tundish run` looks at all"
        for (folder, suffix), members in _alike(paths).items()
        if len(members) > MOST_LOOKED_AT
    ]


def _alike(paths: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """The files of each folder and suffix."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        groups.setdefault((parts_of(path)[0], suffix_of(path)), []).append(path)
    return groups
