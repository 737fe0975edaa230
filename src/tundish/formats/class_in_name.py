r"""The class of an image in the name of its file: ``crazing_12.jpg``, ``good-001.png``.

Option ``pattern``: a regular expression with a group ``class``, searched in the name of the file, or in its
path where the expression has a slash: ``^(?P<class>[a-z]+)_\d+``. `tundish add` proposes it where one part of
the names takes few values that come again, with numbers beside them, and where nothing else labels the
images. An image whose name has no class is unlabelled, and reported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import Evidence, Format, Label, Options, Problem, Reading, parts_of, suffix_of
from tundish.formats.name_patterns import PATTERNS, class_of_name, propose_pattern
from tundish.formats.reading.sniffing import counted, is_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.formats.base import Catalog, Listing, Role
    from tundish.formats.name_patterns import NamePattern

__all__ = ["FORMAT", "ClassInName"]

_MAY_LABEL = frozenset({".xml", ".json", ".txt", ".mat", ".h5", ".npy", ".yaml", ".yml"})
"""Suffixes of files that may label the image of the same name."""

_SHOWN = 8


@dataclass(frozen=True)
class ClassInName:
    """Classes of whole images, in the names of their files. Option: ``pattern``."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """Images are all there is."""
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """Label every image with the class in its name; an image without one stays unlabelled."""
        pattern = _pattern(options)
        reading = Reading()
        for image in catalog.images:
            name = class_of_name(pattern, image.path)
            if name:
                label = Label(image, name, "class", 0.0, 0.0, image.width, image.height, image.path, 0)
                reading.labels.append(label)
                reading.covered.add(image.path)
            else:
                message = "the name of the file has no class by options.pattern: the image is unlabelled"
                problem = Problem(
                    image.path, None, "no_class_in_name", "path", image.path, message, "warning"
                )
                reading.problems.append(problem)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """Names with a part that can be a class, where no file beside an image may be its label."""
        images = [path for path in listing.paths if is_image(path)]
        stems = {parts_of(path)[2].casefold() for path in images}
        if any(
            suffix_of(path) in _MAY_LABEL and parts_of(path)[2].casefold() in stems for path in listing.paths
        ):
            return None
        found = propose_pattern(images)
        if found is None:
            return None
        facts = _facts(found, len(images))
        # Less than any label file, and than folders: names may mean anything.
        return Evidence(0, facts, sorted(found.counts), extra={"pattern": found.pattern})


def _pattern(options: Options) -> re.Pattern[str]:
    """The recipe's expression; without one, the words that a name begins with, before a number.

    Raises:
        SourceError: It is not a regular expression with a group ``class``.
    """
    text = options.extra.get("pattern", "") or PATTERNS["first"]
    where = "format class-in-name"
    fix = r"write options: {pattern: '^(?P<class>[A-Za-z]+)_\d+'}, with what the class is in your names"
    try:
        pattern = re.compile(text)
    except re.error as error:
        problem = f"the option 'pattern' is not a regular expression: {error}"
        raise SourceError(problem, where=where, fix=fix) from error
    if "class" not in pattern.groupindex:
        raise SourceError("the option 'pattern' has no group (?P<class>...)", where=where, fix=fix)
    return pattern


def _facts(found: NamePattern, images: int) -> list[str]:
    named = counted(len(found.counts), "class")
    facts = [f"the names of {found.counts.total()} of {counted(images, 'image')} hold one of {named}"]
    shown = [f"{name} {count}{_range(found, name)}" for name, count in found.counts.most_common(_SHOWN)]
    more = len(found.counts) - len(shown)
    facts.append(f"{', '.join(shown)}{f' and {more} more' if more else ''}")
    facts.append(f"read by the expression {found.pattern}: if these are not classes, write 'format: images'")
    if found.without:
        facts.append(f"{counted(found.without, 'image')} without a class in the name: unlabelled")
    return facts


def _range(found: NamePattern, name: str) -> str:
    numbers: Sequence[int] | None = found.numbers.get(name)
    return f" (numbers {numbers[0]} to {numbers[1]})" if numbers else ""


FORMAT = Format(
    "class-in-name",
    "the class in the name of each image file",
    reader=ClassInName(),
    options={"pattern": "regular expression with a group `class`, searched in the file's name"},
    evidence="no label file; one part of the names takes few values that come again, with numbers beside "
    "it, and is not a word for pictures, splits, cameras or times",
    reads="the class of the whole image, by the expression `pattern`",
    reports="classes with counts and numbers; names without a class",
)
