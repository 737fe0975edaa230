"""What the results of the API have in common: frozen dataclasses that a notebook shows as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from html import escape
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Result", "Results"]


class Result:
    """A frozen dataclass that a notebook shows as a table, a row for each field."""

    def _repr_html_(self) -> str:
        assert is_dataclass(self)
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(field.name.replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{_html(getattr(self, field.name))}</td></tr>"
            for field in fields(self)
            if field.repr and getattr(self, field.name) is not None
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


T = TypeVar("T")


class Results(tuple[T, ...]):
    """The results of several datasets, in their order; a notebook shows one below the other."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return "".join(_html(one) for one in self) or "none"


def _html(value: Any) -> str:
    if hasattr(value, "_repr_html_"):
        return str(value._repr_html_())
    if isinstance(value, Mapping):
        between = "<br>" if any(isinstance(one, Mapping | Result) for one in value.values()) else ", "
        return between.join(f"{escape(str(key))} {_html(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return "<br>".join(_html(one) for one in value) or "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(value.as_posix() if isinstance(value, Path) else str(value))
