"""An export as anybody may have written it: its pictures, the split that each came with, its labels."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import Listing
from tundish.formats.given.splits import folder_without_splits
from tundish.formats.reading.sniffing import catalog_of, counted
from tundish.formats.registry import look
from tundish.formats.several.parts import LABELS, role_among
from tundish.formats.several.read import read_together
from tundish.propose.images.derived import find_derived
from tundish.propose.images.given import SplitColumns, find_given
from tundish.propose.images.look import read_member, unread_kinds
from tundish.propose.images.several import combine, parts_of_formats
from tundish.propose.images.tables import tables_of
from tundish.recipe.classes import normalise
from tundish.sources.files import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Catalog, Reading
    from tundish.formats.several.parts import Part
    from tundish.propose.images.derived import Derived
    from tundish.sources.entry import Entry

__all__ = ["Export", "open_export"]


@dataclass(frozen=True)
class Export:
    """An export while it is open.

    Attributes:
        images: Paths of its pictures, sorted.
        splits: By path the split that a picture came with; those without one are left out.
        cameras: By path the folder of a picture without what only says its split.
        several: By path the splits of a picture that several lists name.
        stated_by: What states the splits: the beginning of a sentence.
        derived: Pictures that were made from others by their names; None where no name says so.
        read: Reads a file by its path.
        facts: What else a person should know, a sentence each.
    """

    images: Sequence[str]
    splits: Mapping[str, str]
    cameras: Mapping[str, str]
    several: Mapping[str, set[str]]
    stated_by: str
    derived: Derived | None
    read: Callable[[str], bytes]
    facts: Sequence[str]
    _parts: Sequence[Part] = field(repr=False)
    _files: Sequence[str] = field(repr=False)

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the formats that its labels are in."""
        return tuple(part.format for part in self._parts)

    def labels(self, catalog: Catalog) -> Reading:
        """What its label files say.

        Args:
            catalog: Its pictures with their sizes.
        """
        paths = [path for path in self._files if role_among(self._parts, path) in LABELS]
        files = ((path, self.read(path)) for path in paths)
        return read_together(self._parts, files, catalog, normalise).reading


@contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """Open an export: a folder or an archive of images, or Parquet files with pictures.

    Args:
        path: The export.

    Raises:
        SourceError: It cannot be opened, holds no images, or does not say which split they are in.
    """
    with open_source(path) as entries:
        members, passed = _sorted_out(entries)

        def read(name: str) -> bytes:
            return read_member(members[name], path)

        listing = Listing(sorted(members), read)
        looked = look(listing)
        if not looked.found:
            raise SourceError("there is no image in it", where=str(path), fix="name the folder of an export")
        combined = combine(looked.found, listing)
        images = sorted(combined.images)
        catalog = catalog_of(images)
        columns = SplitColumns(catalog)
        for table in tables_of(listing, catalog):
            columns.take(table)
        given, facts = find_given(listing, catalog, columns)
        if given is None:
            raise SourceError(
                "nothing says that its images are in two splits or more",
                where=str(path),
                fix="name the folder that holds all splits, as folders or lists called train, val or test",
            )
        facts += [*passed, *unread_kinds(listing), *map(str, combined.unread)]
        yield Export(
            images,
            given.splits,
            {image: folder_without_splits(image) for image in images},
            given.several,
            given.by,
            find_derived(images, read),
            read,
            facts,
            parts_of_formats(combined.chosen),
            listing.paths,
        )


def _sorted_out(entries: Iterable[Entry]) -> tuple[dict[str, Entry], list[str]]:
    """The files that can be read by their paths, and a sentence for each reason why others cannot."""
    members: dict[str, Entry] = {}
    others: dict[str, list[str]] = {}
    for entry in entries:
        if entry.fault is None:
            members[entry.path] = entry
        elif entry.fault.reason != "system_file":
            others.setdefault(entry.fault.message, []).append(entry.path)
    return members, [
        f"{counted(len(paths), 'file')} not looked at, such as {paths[0]}: {why}"
        for why, paths in others.items()
    ]
