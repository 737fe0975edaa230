"""What a schema of records turned out to be."""

from __future__ import annotations

from dataclasses import dataclass

from tundish.results import Result

__all__ = ["SchemaState"]


@dataclass(frozen=True)
class SchemaState(Result):
    """A schema of records as it is.

    Attributes:
        schema: The model as recipes name it, or its file where that cannot be read.
        columns: The columns of the model, in its order.
        required: Those that a file must have.
        key: Those that name a record.
        rules: The number of its rules.
        problem: What is wrong, in a sentence; None where nothing is.
        notes: What is worth a look, a sentence each.
    """

    schema: str
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    rules: int = 0
    problem: str | None = None
    notes: tuple[str, ...] = ()
