"""What one column of a file of records would become."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RecordColumn"]


@dataclass(frozen=True)
class RecordColumn:
    """What one column of the file would become.

    Attributes:
        header: The header as the file writes it.
        column: The column of the schema; None where it stays text, or nothing is settled.
        read_as: Unit and conversion, or what has to be decided.
        examples: Values of the first records, as the table would hold them.
        candidates: Columns it may mean, where only a person can tell.
    """

    header: str
    column: str | None
    read_as: str
    examples: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()

    def __str__(self) -> str:
        values = f": {', '.join(self.examples)}" if self.examples else ""
        return f"{self.header} -> {self.means} ({self.read_as}){values}"

    @property
    def means(self) -> str:
        """The column, or those that it may mean, or a dash."""
        return self.column or (" or ".join(self.candidates) + "?" if self.candidates else "-")
