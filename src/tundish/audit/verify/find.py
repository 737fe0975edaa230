"""All leaks between the splits of an export."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.audit.verify.names import find_family_ties, find_key_ties
from tundish.audit.verify.pixels import find_pixel_ties
from tundish.audit.verify.result import LEAKS, WARNINGS, Leak, LeakExample
from tundish.audit.verify.sequences import find_near_frames
from tundish.audit.verify.ties import count_leak
from tundish.errors import UsageError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection, Mapping

    from tundish.audit.verify.measured import Measured

__all__ = ["Families", "Leaks", "find_leaks"]

_ORDER = ("train", "val", "test")


@dataclass(frozen=True)
class Families:
    """What names say of pictures that were made from others.

    Attributes:
        name: Name of the pattern's group.
        pattern: Finds the original in the name of a file.
        versions: Paths of derived children; other pictures of a pattern are tiles.
    """

    name: str
    pattern: re.Pattern[str]
    versions: Collection[str]


@dataclass
class Leaks:
    """What the splits of an export share.

    Attributes:
        leaks: The closest kind first.
        warnings: What they probably share.
        keys: By the name of a key, how many images have a value.
        leaking: Images of each split that any leak touches.
    """

    leaks: list[Leak] = field(default_factory=list)
    warnings: list[Leak] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    leaking: Mapping[str, int] = field(default_factory=dict)


def find_leaks(
    measured: Measured,
    read: Callable[[str], bytes],
    *,
    several: Mapping[str, Collection[str]],
    families: Families | None,
    keys: Mapping[str, re.Pattern[str]],
    within: float,
    thorough: bool,
    progress: Callable[[str, int, int], None],
) -> Leaks:
    """Find what the splits share.

    Args:
        measured: The images.
        read: Reads an image once more.
        several: By path the splits of images that lists name several times.
        families: What names say of derived pictures.
        keys: Patterns of keys by their names.
        within: Seconds up to which two frames of one camera are near.
        thorough: Find images that show the same in part, too.
        progress: Called as (step, done, total).

    Raises:
        UsageError: A key matches no image.
    """
    pictures = measured.pictures
    found = Leaks()
    keyed: list[tuple[Leak, set[int]] | None] = []
    for name, pattern in keys.items():
        tied, found.keys[name] = find_key_ties(pictures, name, pattern)
        if not found.keys[name]:
            raise _no_match(name, pattern.pattern, measured)
        keyed.append(count_leak("same key", tied, pictures, name))
    ties = find_pixel_ties(pictures, measured.kept, read, thorough=thorough, progress=progress)
    if families is not None:
        ties |= find_family_ties(pictures, families.name, families.pattern, families.versions)
    ties["near frame"] = find_near_frames(pictures, within)
    counted = [count_leak(kind, ties.get(kind, ()), pictures) for kind in LEAKS]
    leaking = set(several)
    found.leaks = [_in_several(several)] if several else []
    for leak, touched in filter(None, [*counted, *keyed]):
        found.leaks.append(leak)
        leaking |= {pictures[number].path for number in touched}
    found.leaking = Counter(measured.splits[path] for path in leaking)
    doubtful = (count_leak(kind, ties.get(kind, ()), pictures) for kind in WARNINGS)
    found.warnings = [leak for leak, _ in filter(None, doubtful)]
    return found


def _no_match(name: str, pattern: str, measured: Measured) -> UsageError:
    example = f", such as '{measured.pictures[0].path}'" if measured.pictures else ""
    return UsageError(
        f"the key '{name}' matches none of the {len(measured.pictures):,} images{example}",
        where=pattern,
        fix="fix the pattern: it is for file names, or for paths where it has a slash",
    )


def _in_several(several: Mapping[str, Collection[str]]) -> Leak:
    """Images that lists name in more than one split."""
    between: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    examples = []
    for path, splits in sorted(several.items()):
        ordered = sorted(splits, key=_ORDER.index)
        between[" and ".join(ordered)] += 1
        kept[ordered[-1]] += 1
        examples.append(LeakExample(path, path, (ordered[0], ordered[-1])))
    return Leak(
        "in several splits",
        "",
        len(several),
        len(several),
        dict(kept),
        dict(between),
        None,
        tuple(examples[:3]),
    )
