"""What `tundish add` finds beside the labels of a source: given splits, originals of derived pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.recipe.given import Given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Beside"]


@dataclass(frozen=True)
class Beside:
    """What the recipe says of a source beside its format.

    Attributes:
        given: The source's ``given``: what states the split of its images, where folders are not all.
        keep: Whether its images came with a split that is worth keeping.
        keys: The source's ``keys``, by which its images are grouped.
        targets: The source's ``targets``: columns with numbers for its images.
        names: Names of classes by the code that label files have for them.
        facts: On what evidence, a sentence each.
    """

    given: Mapping[str, object] = field(default_factory=dict)
    keep: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    facts: Sequence[str] = ()

    @property
    def files(self) -> frozenset[str]:
        """The files that the recipe reads for this."""
        given = Given.model_validate(dict(self.given))
        return given.files | {str(target["table"]) for target in self.targets.values()}
