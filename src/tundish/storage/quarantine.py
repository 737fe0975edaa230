"""One way to write a quarantine row."""

from __future__ import annotations

from typing import Literal

__all__ = ["quarantine_row"]


def quarantine_row(
    kind: Literal["file", "image", "annotation", "record"],
    check: str,
    message: str,
    *,
    source: str,
    path: str,
    thing: str | None = None,
    row: int | None = None,
    place: str | None = None,
    column: str = "",
    value: str = "",
    severity: str = "error",
    count: int = 1,
) -> dict[str, object]:
    """A row of the quarantine table; `thing` is the id, where it has one."""
    return {
        "kind": kind,
        "id": thing,
        "source": source,
        "path": path,
        "row": row,
        "place": place,
        "check": check,
        "column": column,
        "value": value,
        "message": message,
        "severity": severity,
        "count": count,
    }
