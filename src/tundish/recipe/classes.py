"""The spellings of classes: which labels mean the same."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["normalise", "spellings"]


def normalise(label: str) -> str:
    """Normalise a label for comparison: NFKC, case folded, spaces trimmed."""
    return unicodedata.normalize("NFKC", label).strip().casefold()


def spellings(classes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Class by the normalised spellings of its name and its aliases."""
    return {normalise(one): name for name, aliases in classes.items() for one in (name, *aliases)}
