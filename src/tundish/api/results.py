"""What the functions of the API return has this in common: notebooks show it as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["Progress", "Result"]

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total) while a function works; `total` is 0 where it is not known yet."""


class Result:
    """A frozen dataclass that a notebook shows as a table, a row for each field."""

    def _repr_html_(self) -> str:
        assert is_dataclass(self)
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(field.name.replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{_html(getattr(self, field.name))}</td></tr>"
            for field in fields(self)
            if field.repr
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


def _html(value: Any) -> str:
    if hasattr(value, "_repr_html_"):
        return str(value._repr_html_())
    if isinstance(value, Mapping):
        return ", ".join(f"{escape(str(key))} {_html(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return "<br>".join(_html(one) for one in value) or "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(value.as_posix() if isinstance(value, Path) else str(value))
