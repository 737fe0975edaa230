"""Read a source that holds labels of several formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.formats.base import Problem, Reading
from tundish.formats.reading.sniffing import counted
from tundish.formats.several.merge import merge
from tundish.formats.several.parts import share_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tundish.formats.base import Catalog, Label
    from tundish.formats.several.merge import Merged
    from tundish.formats.several.parts import Part

__all__ = ["Together", "read_together"]


@dataclass
class Together:
    """What the formats of a source say together.

    Attributes:
        reading: The labels, equal ones once, with the problems of all formats.
        mentioned: The pictures that each format mentions, by its place among the parts.
        shared: What became of the labels of each picture that several formats mention.
    """

    reading: Reading = field(default_factory=Reading)
    mentioned: list[set[str]] = field(default_factory=list)
    shared: dict[str, Merged] = field(default_factory=dict)

    @property
    def repeated(self) -> int:
        """How many labels say what one of another format says."""
        return sum(len(one.repeated) for one in self.shared.values())

    def facts(self, parts: Sequence[Part]) -> list[str]:
        """Sentences on which pictures have labels of which format, and how they are combined."""
        names = [part.format for part in parts]
        each = ", ".join(
            f"{counted(len(found), 'picture')} with {name}"
            for name, found in zip(names, self.mentioned, strict=True)
        )
        if not self.shared:
            return [f"{each}, none with several formats: all are read"]
        once = f"equal labels count once ({self.repeated}), the others stay"
        facts = [f"{each}; {len(self.shared)} with several: {once}"]
        differ = [path for path, one in self.shared.items() if one.disagree]
        if differ:
            said = self.shared[differ[0]].sentence()
            facts.append(
                f"the formats contradict each other on {counted(len(differ), 'picture')}, such as"
                f" {differ[0]} ({said}): `tundish run` reports each"
            )
        return facts


def read_together(
    parts: Sequence[Part],
    files: Iterable[tuple[str, bytes]],
    catalog: Catalog,
    name_of: Callable[[str], str],
) -> Together:
    """Read the label files of a source, each with its format.

    Args:
        parts: The formats, in the recipe's order.
        files: Label files and lists of classes, in path order.
        catalog: The pictures.
        name_of: The class that a label's name means: labels of equal class and place count once.
    """
    if len(parts) == 1:
        reading = parts[0].reader.read(files, catalog, parts[0].options)
        return Together(reading, [reading.covered | reading.refused])
    readings = [
        part.reader.read(share, catalog, part.options)
        for part, share in zip(parts, share_out(parts, files), strict=True)
    ]
    together = Together(mentioned=[reading.covered | reading.refused for reading in readings])
    whole = together.reading
    for reading in readings:
        whole.problems += reading.problems
        whole.covered |= reading.covered
        whole.refused |= reading.refused
        whole.judgements += reading.judgements
    labels = [_by_picture(reading) for reading in readings]
    for path in sorted({path for found in together.mentioned for path in found}):
        said = [
            (part.format, found.get(path, []))
            for part, found, mentioned in zip(parts, labels, together.mentioned, strict=True)
            if path in mentioned
        ]
        if len(said) == 1:
            whole.labels += said[0][1]
            continue
        merged = merge(said, name_of)
        together.shared[path] = merged
        whole.labels += merged.kept
        whole.problems += _problems(path, merged)
    return together


def _by_picture(reading: Reading) -> dict[str, list[Label]]:
    found: dict[str, list[Label]] = {}
    for label in reading.labels:
        found.setdefault(label.image.path, []).append(label)
    return found


def _problems(path: str, merged: Merged) -> list[Problem]:
    """The labels that count once, and what the formats say differently."""
    problems = [
        Problem(
            label.label_path,
            label.label_row,
            "same_in_two_formats",
            "label",
            label.raw_label,
            f"the label is in the {other} labels of {path} too, which were taken",
            labels=1,
        )
        for label, other in merged.repeated
    ]
    if merged.disagree:
        message = f"the label formats contradict each other on {path}: {merged.sentence()}; all were kept"
        if merged.otherwise:
            message = message.replace("all were kept", "of what is drawn differently one is kept")
        problems.append(Problem(path, None, "formats_disagree", "image", path, message, "warning"))
    return problems
