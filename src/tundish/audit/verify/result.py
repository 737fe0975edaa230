"""What `tundish verify` finds, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field

from tundish.results import Result

__all__ = ["LEAKS", "WARNINGS", "Fault", "Leak", "LeakExample", "Verification"]

LEAKS = (
    "in several splits",
    "equal bytes",
    "equal pixels",
    "same picture",
    "mirrored or turned",
    "overlapping",
    "derived child",
    "tile sibling",
    "near frame",
    "same key",
)
"""Kinds of leaks, the closest first."""

WARNINGS = ("probably same picture", "probably overlapping", "probably derived child")
"""What a person should look at: it is reported, and the export counts as clean all the same."""


@dataclass(frozen=True)
class LeakExample(Result):
    """Two images of different splits that should be in one.

    Attributes:
        first: Path of one image; of train, where one of the two is.
        second: Path of the other.
        splits: Their splits.
        score: How well their pixels agree, up to 1; None where names or times tie them.
        note: What they share beside it, such as the coil; empty where the kind says all.
    """

    first: str
    second: str
    splits: tuple[str, str]
    score: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Leak(Result):
    """All pairs of one kind between images of different splits.

    Attributes:
        kind: One of `LEAKS` or `WARNINGS`.
        key: Name of the key, for images that share one.
        pairs: How many pairs.
        images: How many images are in one of them.
        by_split: These images by their split.
        between: Pairs by the two splits, such as 'train and val'.
        closest: Score of the closest pair; None where names or times tie them.
        examples: The closest three.
    """

    kind: str
    key: str
    pairs: int
    images: int
    by_split: dict[str, int]
    between: dict[str, int]
    closest: float | None
    examples: tuple[LeakExample, ...]


@dataclass(frozen=True)
class Fault(Result):
    """Something that is wrong with the files or labels of an export.

    Attributes:
        kind: What, in a few words.
        count: How many labels or files.
        examples: Three of them, with what is wrong with each.
    """

    kind: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Verification(Result):
    """What an export holds, and which leaks there are between its splits.

    Attributes:
        path: The export.
        formats: Formats that its labels are in.
        stated_by: What states the split of its images.
        level: What was compared, in a sentence.
        images: Images by split; '' counts those without one.
        labels: Labels by split.
        classes: Labels of each class by split.
        missing_classes: Class and split, where a split has no label of a class that another has.
        keys: By the name of a key, how many images have a value.
        leaking: Images of each split that any leak touches.
        leaks: What the splits share, the closest kind first.
        warnings: What they probably share.
        faults: Labels and files that are wrong.
        notes: What else a person should know, a sentence each.
    """

    path: str
    formats: tuple[str, ...]
    stated_by: str
    level: str
    images: dict[str, int]
    labels: dict[str, int]
    classes: dict[str, dict[str, int]]
    missing_classes: tuple[tuple[str, str], ...]
    keys: dict[str, int] = field(default_factory=dict)
    leaking: dict[str, int] = field(default_factory=dict)
    leaks: tuple[Leak, ...] = ()
    warnings: tuple[Leak, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether there is no leak; warnings and faults do not count."""
        return not self.leaks
