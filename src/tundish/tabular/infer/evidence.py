"""Evidence on the columns of a table, gathered piece by piece, so that memory stays flat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.tabular.plan import Kind

__all__ = ["Evidence", "Gauge"]

_SAMPLE = 5_000
"""Values of a piece that the percentiles are computed from; a piece of fewer rows is taken whole."""

_WHOLE = 20_000
_CATEGORIES = 12
_EXAMPLES = 3
_KEYS = 8
"""Columns that may be keys after the first piece, the first ones: a wide table needs little memory."""


@dataclass(frozen=True)
class Evidence:
    """What the values of one column show.

    Attributes:
        filled: The number of values.
        missing: The number of records without one.
        unread: The number of cells among those that cannot be read as the kind of the column.
        least: The least value; None for text and flags.
        most: The greatest value.
        examples: The first values that differ, up to three.
        categories: All values, sorted, where they are few and recur; empty otherwise.
        unique: Whether no value is missing and none occurs twice.
        whole: Whether all values are whole numbers.
        usual: The limits outside which a value is unusual, from robust percentiles; None where there are not
            enough values, or all are alike.
    """

    filled: int
    missing: int
    unread: int = 0
    least: Any = None
    most: Any = None
    examples: tuple[Any, ...] = ()
    categories: tuple[Any, ...] = ()
    unique: bool = False
    whole: bool = False
    usual: tuple[float, float] | None = None


@dataclass
class Gauge:
    """Gathers the evidence on the columns `kinds` of the frames that are added."""

    kinds: Mapping[str, Kind]
    rows: int = 0
    _filled: dict[str, int] = field(default_factory=dict)
    _unread: dict[str, int] = field(default_factory=dict)
    _ends: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _fraction: set[str] = field(default_factory=set)
    _examples: dict[str, list[Any]] = field(default_factory=dict)
    _values: dict[str, set[Any] | None] = field(default_factory=dict)
    _hashes: dict[str, list[pl.Series]] | None = None
    _samples: list[pl.DataFrame] = field(default_factory=list)

    def add(self, frame: pl.DataFrame, unread: Mapping[str, int]) -> None:
        """Add a piece: its records, and how many cells of each column could not be read."""
        if not frame.height:
            return
        self.rows += frame.height
        for name, count in unread.items():
            self._unread[name] = self._unread.get(name, 0) + count
        self._add_counts(frame)
        self._add_values(frame)
        self._add_keys(frame)
        numbers = [name for name, kind in self.kinds.items() if kind in {"real", "integer"}]
        step = 1 if frame.height <= _WHOLE else frame.height // _SAMPLE
        self._samples.append(frame.select(numbers).gather_every(step))

    def _add_counts(self, frame: pl.DataFrame) -> None:
        wanted = []
        for name, kind in self.kinds.items():
            column = pl.col(name)
            wanted.append(column.count().alias(f"{name} n"))
            if kind in {"real", "integer", "time"}:
                wanted += [column.min().alias(f"{name} <"), column.max().alias(f"{name} >")]
            if kind == "real" and name not in self._fraction:
                wanted.append((column != column.floor()).any().alias(f"{name} ."))
        found = frame.select(wanted).row(0, named=True)
        for name in self.kinds:
            if found.get(f"{name} ."):
                self._fraction.add(name)
            self._filled[name] = self._filled.get(name, 0) + found[f"{name} n"]
            low, high = found.get(f"{name} <"), found.get(f"{name} >")
            if low is not None:
                before = self._ends.get(name, (low, high))
                self._ends[name] = min(low, before[0]), max(high, before[1])

    def _add_values(self, frame: pl.DataFrame) -> None:
        """Examples of all columns, and the values of those that may have few."""
        for name, kind in self.kinds.items():
            shown = self._examples.setdefault(name, [])
            if len(shown) < _EXAMPLES:
                first = _first(frame[name]).unique(maintain_order=True).to_list()
                shown += [one for one in first if one not in shown][: _EXAMPLES - len(shown)]
            known = self._values.setdefault(name, set())
            if known is None or kind in {"time", "flag"} or name in self._fraction:
                self._values[name] = None
                continue
            if len(known | set(frame[name].head(500).drop_nulls())) <= _CATEGORIES:
                known |= set(frame[name].drop_nulls().unique())
            else:
                known = None
            self._values[name] = known if known is not None and len(known) <= _CATEGORIES else None

    def _add_keys(self, frame: pl.DataFrame) -> None:
        """Hashes of the columns in which no value was missing or occurred twice so far."""
        if self._hashes is None:
            names = [name for name, kind in self.kinds.items() if kind != "flag"]
            names = [name for name in names if name not in self._fraction]
            self._hashes = {name: [] for name in names}
        for name in list(self._hashes):
            column = frame[name]
            if column.null_count() or column.head(1000).n_unique() < min(1000, len(column)):
                del self._hashes[name]
                continue
            if _is_distinct(column) and (self._hashes[name] or self._room()):
                self._hashes[name].append(column.hash())
            else:
                del self._hashes[name]

    def _room(self) -> bool:
        return sum(bool(one) for one in (self._hashes or {}).values()) < _KEYS

    def result(self) -> dict[str, Evidence]:
        """The evidence on each column."""
        samples = pl.concat(self._samples) if self._samples else pl.DataFrame()
        unique = {name for name, parts in (self._hashes or {}).items() if parts and _distinct(parts)}
        return {name: self._evidence(name, samples, unique) for name in self.kinds}

    def _evidence(self, name: str, samples: pl.DataFrame, unique: set[str]) -> Evidence:
        kind, filled = self.kinds[name], self._filled.get(name, 0)
        values = self._values.get(name) or set()
        few = bool(values) and filled >= max(20, 4 * len(values))
        numeric = kind in {"real", "integer"}
        least, most = self._ends.get(name, (None, None))
        return Evidence(
            filled,
            self.rows - filled,
            self._unread.get(name, 0),
            least,
            most,
            tuple(self._examples.get(name, ())),
            tuple(sorted(values)) if few else (),
            name in unique,
            kind == "integer" or (kind == "real" and filled > 0 and name not in self._fraction),
            _usual(samples[name]) if numeric and name in samples.columns else None,
        )


def _first(column: pl.Series) -> pl.Series:
    """The first values: of the first cells, or of all where these are empty."""
    filled = column.head(200).drop_nulls()
    return filled if len(filled) else column.drop_nulls().head(200)


def _is_distinct(column: pl.Series) -> bool:
    """Whether no value occurs twice; times and numbers that only rise need no comparison."""
    if not isinstance(column.dtype, pl.String):
        later = column.slice(1)
        if len(column) < 2 or (later > column.slice(0, len(later))).all():
            return True
    return column.n_unique() == len(column)


def _distinct(parts: Sequence[pl.Series]) -> bool:
    if len(parts) == 1:
        return True
    every = pl.concat(parts).to_numpy()
    return len(np.unique(every)) == len(every)


def _usual(sample: pl.Series) -> tuple[float, float] | None:
    """The 5th and the 95th percentile, each moved outwards by their distance, rounded outwards."""
    values = sample.drop_nulls().cast(pl.Float64)
    if len(values) < 20:
        return None
    low, high = values.quantile(0.05), values.quantile(0.95)
    assert low is not None
    assert high is not None
    spread = high - low
    if not spread or not np.isfinite(spread):
        return None
    places = 1 - int(np.floor(np.log10(spread)))
    step = 10.0**-places
    below = round(float(np.floor((low - spread) / step)) * step, max(places, 0))
    above = round(float(np.ceil((high + spread) / step)) * step, max(places, 0))
    if values.min() >= 0 > below:  # type: ignore[operator]
        below = 0.0
    return below, above
