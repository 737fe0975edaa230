"""One column of a schema that is written as a start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tundish.tabular.infer.kinds import names_identifier

if TYPE_CHECKING:
    from tundish.tabular.infer.survey import Surveyed

__all__ = ["StartColumn"]

_NUMBERED = re.compile(
    r"(?:号|编号|编码|序号|备注|说明|意见)$"
    r"|(?<![a-z])(?:no|nr|id|ids|serial|key|uuid|guid|barcode|remarks?|notes?|comments?)$"
)
"""Headers of numbers and of free text: a new value of these says nothing."""


@dataclass(frozen=True)
class StartColumn:
    """One column of the schema.

    Attributes:
        name: Its name in the model.
        found: What the file shows.
        names: The headers that mean it, in the alias table.
    """

    name: str
    found: Surveyed
    names: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[Any, ...]:
        """The values that it may have; empty where a new one is nothing to report, as of a coil's number."""
        found = self.found
        if found.kind not in {"text", "integer"} or _NUMBERED.search(found.unit.name.strip().lower()):
            return ()
        if found.kind == "integer" and names_identifier(found.unit.name) and found.evidence.unique:
            return ()
        return found.evidence.categories if len(found.evidence.categories) > 1 else ()

    @property
    def limits(self) -> tuple[float, float] | None:
        """Limits outside which a value is reported; None where there are too few values to say."""
        found = self.found
        if found.evidence.usual is None or self.categories or found.kind not in {"real", "integer"}:
            return None
        if found.evidence.unique and found.kind == "integer":  # a counter goes on
            return None
        low, high = found.evidence.usual
        share = found.unit.unit == "%" and found.evidence.most <= 100
        return low, min(high, 100.0) if share else high
