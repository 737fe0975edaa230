"""Images that belong together by their names: of one key, of one original."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.audit.verify.ties import Tie
from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tundish.audit.verify.pictures import Picture

__all__ = ["find_family_ties", "find_key_ties", "key_pattern"]


def key_pattern(name: str, pattern: str) -> re.Pattern[str]:
    """The regular expression of a key; its group is called `name`.

    Args:
        name: Name of the key.
        pattern: A regular expression with a group of that name, or with one group.

    Raises:
        UsageError: It is not a regular expression, or has no such group.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"the pattern of the key '{name}' is not a regular expression ({error})",
            where=pattern,
            fix=f"write one such as '(?P<{name}>C[0-9]+)_'",
        ) from error
    if name in compiled.groupindex or compiled.groups == 1:
        return compiled
    raise UsageError(
        f"the pattern of the key '{name}' has no group (?P<{name}>...)",
        where=pattern,
        fix="put the part that is the key into such a group",
    )


def _value(name: str, pattern: re.Pattern[str], path: str) -> str | None:
    """The value of a key: from the name of a file, or from its path where the pattern contains folders."""
    match = pattern.search(path if "/" in pattern.pattern else path.rpartition("/")[2])
    return match.group(name if name in pattern.groupindex else 1) if match else None


def find_key_ties(pictures: Sequence[Picture], name: str, pattern: re.Pattern[str]) -> tuple[list[Tie], int]:
    """The images of each value of a key, and how many images have a value.

    Args:
        pictures: The images.
        name: Name of the key.
        pattern: As of `key_pattern`.
    """
    values: dict[str, list[int]] = {}
    for number, picture in enumerate(pictures):
        if value := _value(name, pattern, picture.path):
            values.setdefault(value, []).append(number)
    ties = [Tie(tuple(numbers), tuple(numbers), note=f"{name} {value}") for value, numbers in values.items()]
    return ties, sum(map(len, values.values()))


def find_family_ties(
    pictures: Sequence[Picture], name: str, pattern: re.Pattern[str], versions: Collection[str]
) -> dict[str, list[Tie]]:
    """The pictures of one folder that were made from one original, as derived children or as tiles.

    Args:
        pictures: The images.
        name: Name of the pattern's group.
        pattern: Finds the original in the name of a file.
        versions: Paths of images that are derived children; others of a pattern are tiles.
    """
    families: dict[tuple[str, str], list[int]] = {}
    for number, picture in enumerate(pictures):
        if value := _value(name, pattern, picture.path):
            families.setdefault((picture.camera, value), []).append(number)
    ties: dict[str, list[Tie]] = {}
    for (_, original), numbers in families.items():
        files = [pictures[number].path.rpartition("/")[2] for number in numbers]
        if len(set(files)) < len(files):
            continue  # names begin again in each split: equal ones say nothing
        kind = _family_kind([pictures[number].path for number in numbers], versions)
        tie = Tie(tuple(numbers), tuple(numbers), note=f"of {original}")
        ties.setdefault(kind, []).append(tie)
    return ties


def _family_kind(paths: Collection[str], versions: Collection[str]) -> str:
    """What pictures of one original are: a word such as _copy1 may mean nothing where no original is here."""
    derived = [path for path in paths if path in versions]
    if not derived:
        return "tile sibling"
    sure = len(derived) < len(paths) or any(".rf." in path for path in derived)
    return "derived child" if sure else "probably derived child"
