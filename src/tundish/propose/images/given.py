"""Finds the split that images came with, and which pictures are in several of its parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from tundish.audit.leaks import Leak
from tundish.engine import each
from tundish.formats.base import suffix_of
from tundish.formats.given.splits import GivenSplits, list_split, split_column
from tundish.formats.reading.sniffing import counted
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode
from tundish.imaging.measure import pixel_hash
from tundish.recipe.given import SPLIT_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tundish.formats.base import Catalog, Listing
    from tundish.formats.csv.table import Table

__all__ = ["Found", "SplitColumns", "find_given", "judge_given"]

_HALF = 0.5
"""Share of a list's lines that must name images here."""

_MOST_DECODED = 3000
_MOST_BYTES = 400 << 20
"""Images and bytes up to which pixels are compared; the run compares all of them."""

_MOST_READ = 1 << 30
"""Bytes up to which files of equal size are compared."""

_MOST_LOST = 0.5
"""Share of train that may be left out where a split is kept."""

_MAX_PIXELS = 200_000_000
_EXAMPLES = 2


@dataclass(frozen=True)
class Found:
    """A split that images came with.

    Attributes:
        given: The source's ``given`` in the recipe.
        splits: The split of each image by its path.
        by: What states it: the beginning of a sentence.
        lists: The lists among it.
        several: By the path of an image that is given several splits, those.
    """

    given: Mapping[str, object]
    splits: Mapping[str, str]
    by: str
    lists: Sequence[str] = ()
    several: Mapping[str, set[str]] = field(default_factory=dict)


class SplitColumns:
    """The columns of tables that state a split.

    Args:
        catalog: The images of the source.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._given = GivenSplits(catalog)
        self._tables: dict[str, str] = {}

    def take(self, table: Table) -> None:
        """Take a table, where one of its columns states a split of images that are here."""
        column = split_column(table)
        if column is not None and self._given.take_table(table, column):
            self._tables[table.path] = column

    @property
    def found(self) -> Found | None:
        """What they state together; None where there is no such column."""
        if not self._tables:
            return None
        by = "; ".join(f"the column '{column}' of {path} states" for path, column in self._tables.items())
        given = self._given
        return Found({"folders": False, "tables": self._tables}, given.splits, by, several=given.several)


def find_given(listing: Listing, catalog: Catalog, columns: SplitColumns) -> tuple[Found | None, list[str]]:
    """Find what states a split of the images: folders, lists, or a column of a table.

    Args:
        listing: The files of the source.
        catalog: The images of the source.
        columns: What its tables state.

    Returns:
        The evidence that covers most images, None where no two splits are stated; and a sentence on lists
        that state a split and are not read.
    """
    ways = [_by_folders(catalog), _by_lists(listing, catalog), columns.found]
    # Of equal coverage the first: it needs no more files.
    found = [way for way in ways if way is not None and len(set(way.splits.values())) > 1]
    best = max(found, key=lambda way: len(way.splits), default=None)
    lists = [path for way in ways if way is not None and way is not best for path in way.lists]
    # Files of labels are read as such.
    unread = [path for path in lists if suffix_of(path) != ".json"]
    return best, [f"lists state a split and are not read: {', '.join(unread[:6])}"] if unread else []


def _by_folders(catalog: Catalog) -> Found:
    given = GivenSplits(catalog)
    given.take_folders()
    return Found({}, given.splits, "its folders state")


def _by_lists(listing: Listing, catalog: Catalog) -> Found | None:
    given = GivenSplits(catalog)
    lists = {}
    for path in listing.paths:
        split = list_split(path)
        if not split:
            continue
        one = GivenSplits(catalog)
        here = one.take_list(path, data := listing.read(path), split)
        if here and here >= _HALF * (here + sum(map(len, one.unknown.values()))):
            given.take_list(path, data, split)
            lists[path] = split
    if not lists:
        return None
    by = f"{', '.join(list(lists)[:6])} state"
    if given.several:
        by = f"{by[:-6]}, which share {counted(len(given.several), 'image')}, state"
    return Found({"folders": False, "lists": lists}, given.splits, by, tuple(lists), given.several)


def judge_given(
    found: Found, images: Sequence[str], sizes: Mapping[str, int], read: Callable[[str], bytes]
) -> tuple[bool, list[str]]:
    """Whether to propose to keep a split, and what a person should know of it.

    Pictures in several parts are found by equal bytes, and by equal pixels in sets that are not large.

    Args:
        found: The split.
        images: Paths of all images.
        sizes: Bytes of each file by its path.
        read: Reads a file.

    Returns:
        False where most of train would be left out, as it came in val or test as well; and the sentences:
        counts, and pictures that are in several parts.
    """
    splits = found.splits
    counts = Counter(splits.values())
    shown = ", ".join(f"{name} {counts[name]}" for name in SPLIT_NAMES if counts[name])
    rest = len(images) - len(splits)
    others = f"; {counted(rest, 'image')} without one" if rest else ""
    small = len(splits) <= _MOST_DECODED and sum(sizes[path] for path in splits) <= _MOST_BYTES
    pictures = _pictures(splits, sizes, read, small=small)
    shared = [[splits[path] for path, _ in files] for files in pictures.values()]
    lost = sum(parts.count("train") for parts in shared if {"val", "test"} & set(parts))
    keep = lost <= _MOST_LOST * counts["train"]
    why = (
        "kept, as 'split.given: keep' in the recipe says"
        if keep
        else f"not kept, as {lost} of the {counts['train']} images of train came in val or test as well"
    )
    facts = [f"{found.by} a split ({shown}{others}): {why}"]
    facts += [str(leak) for pair in combinations(SPLIT_NAMES, 2) for leak in _between(pair, splits, pictures)]
    if not small:
        facts.append(
            "its parts are large: they were searched for equal bytes at most; the run finds all copies"
        )
    return keep, facts


def _pictures(
    splits: Mapping[str, str], sizes: Mapping[str, int], read: Callable[[str], bytes], *, small: bool
) -> dict[str, list[tuple[str, str]]]:
    """Files of the same picture, each with the digest of its bytes."""

    def digests(file: tuple[str, bytes]) -> tuple[str, str, str]:
        path, data = file
        digest = hashlib.sha256(data).hexdigest()
        return path, digest, (_pixels(data) if small else "") or digest

    pictures: dict[str, list[tuple[str, str]]] = {}
    wanted = sorted(splits) if small else _of_shared_size(splits, sizes)
    if sum(sizes[path] for path in wanted) > _MOST_READ:
        return {}
    # Read one after the other: not every archive takes several readers.
    for path, digest, pixels in each(digests, ((path, read(path)) for path in wanted)):
        pictures.setdefault(pixels, []).append((path, digest))
    return pictures


def _of_shared_size(splits: Mapping[str, str], sizes: Mapping[str, int]) -> list[str]:
    """Images that have as many bytes as one of another split."""
    by_size: dict[int, set[str]] = {}
    for path, split in splits.items():
        by_size.setdefault(sizes[path], set()).add(split)
    return sorted(path for path in splits if len(by_size[sizes[path]]) > 1)


def _pixels(data: bytes) -> str:
    try:
        return pixel_hash(decode(data, max_pixels=_MAX_PIXELS)).hex()
    except BadImage:
        return ""


def _between(
    pair: tuple[str, str], splits: Mapping[str, str], pictures: Mapping[str, list[tuple[str, str]]]
) -> Iterable[Leak]:
    relations: Counter[str] = Counter()
    examples = []
    for files in pictures.values():
        one, other = ([file for file in files if splits[file[0]] == split] for split in pair)
        if one and other:
            equal = {digest for _, digest in one} & {digest for _, digest in other}
            relations["identical bytes" if equal else "identical pixels"] += 1
            examples.append((one[0][0], other[0][0]))
    if examples:
        yield Leak(pair, len(examples), dict(relations), tuple(sorted(examples)[:_EXAMPLES]))
