"""The readers of a source, one or several, and which file each of them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.formats.base import Catalog, Options, Reader, Role

__all__ = ["LABELS", "Part", "reads_labels_in", "recognises", "redraws", "role_among", "share_out"]

LABELS = frozenset({"annotation", "classes"})
"""The roles of files that are given to a reader."""

_RANKS: tuple[Role, ...] = ("annotation", "classes", "image", "other")
"""Of several roles of a file the first counts: what is a mask to one format is a picture to the others."""


class Part(NamedTuple):
    """What reads one format of a source.

    Attributes:
        format: Name of the format.
        reader: What reads it.
        options: What the recipe says about it.
    """

    format: str
    reader: Reader
    options: Options


def role_among(parts: Sequence[Part], path: str) -> Role:
    """What a file is to a source, by its path alone."""
    roles = {part.reader.role(path, part.options) for part in parts}
    return next((role for role in _RANKS if role in roles), "other")


def recognises(part: Part, path: str, data: bytes) -> bool:
    """Whether a file that `role` gives to a reader is of its format; where the reader cannot tell, it is."""
    offered = getattr(part.reader, "recognises", None)
    return offered is None or bool(offered(path, data))


def redraws(part: Part, path: str) -> bool:
    """Whether a picture draws the labels of a reader again, as masks; where the reader cannot tell, not."""
    offered = getattr(part.reader, "redraws", None)
    return offered is not None and bool(offered(path))


def reads_labels_in(parts: Sequence[Part], path: str, data: bytes, catalog: Catalog) -> bool:
    """Whether a reader takes a file that is called like a list of classes for labels.

    Args:
        parts: The readers of a source.
        path: Where the file is.
        data: The bytes of the file.
        catalog: The pictures of the source.
    """
    offers = (getattr(part.reader, "reads_labels_in", None) for part in parts)
    return any(offered is not None and offered(path, data, catalog) for offered in offers)


def share_out(
    parts: Sequence[Part], files: Iterable[tuple[str, bytes]]
) -> tuple[list[tuple[str, bytes]], ...]:
    """The files of each part: the first that recognises a file takes it.

    Lists of classes go to all whose role they have. A file that nobody recognises goes to the first whose
    role it has, who reports what is wrong with it.

    Args:
        parts: The readers of a source.
        files: Its label files and lists of classes, in path order.
    """
    shares: tuple[list[tuple[str, bytes]], ...] = tuple([] for _ in parts)
    for path, data in files:
        roles = [part.reader.role(path, part.options) for part in parts]
        lists = [place for place, role in enumerate(roles) if role == "classes"]
        takers = [place for place, role in enumerate(roles) if role == "annotation"]
        chosen = next((place for place in takers if recognises(parts[place], path, data)), None)
        for place in [*lists, *(takers[:1] if chosen is None else [chosen])]:
            shares[place].append((path, data))
    return shares
