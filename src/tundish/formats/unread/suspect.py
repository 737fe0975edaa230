"""What is said of a file that may be labels and is not read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TABLE", "Suspect"]

TABLE = "tables of this kind are not read as labels; where it holds records, add it by its own path"
"""Why a workbook or a columnar file is not read."""


class Suspect(NamedTuple):
    """A file that may be labels.

    Attributes:
        kind: What kind of file it is, for people, such as 'JSON'.
        why: Why it may be labels and is not read, as the end of a sentence.
        beside: True where that is only so for a file that has the name of a picture.
    """

    kind: str
    why: str
    beside: bool = False
