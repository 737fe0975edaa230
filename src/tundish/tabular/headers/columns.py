"""The alias table of a schema: which headers mean which column, in which unit."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tundish.tabular.headers.alias_file import read_alias_file
from tundish.tabular.text import base_of, clean, compare, qualified, separates_d, split_unit, squeeze
from tundish.tabular.units import OwnUnits, UnitError, convert, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from tundish.tabular.headers.alias_file import Column

__all__ = ["ColumnTable", "Match", "load_columns"]

_SYMBOLS = frozenset({"ad", "ar", "d", "daf"})
_AIR_DRIED = re.compile(
    r"(?<![A-Za-z])(?:M|A|V|FC|Fc|S[tpos]?|Q|C|H|N|O)(?:[.,_\s]{0,2}(?:gr|net|b))?[.,_\s]{0,2}ad(?![A-Za-z])"
)
"""A symbol with the basis of air-dried coal, written as the standard has it."""

_BRACKET = re.compile(r"(?P<name>.+?)\s*[(\[【](?P<unit>[^()\[\]【】]+)[)\]】]", re.DOTALL)
_STRANGE_UNIT = re.compile(r"(?P<name>.+?)\s*[(\[](?P<unit>[A-Za-z%°/·.0-9*^-]+)[)\]]")


@dataclass(frozen=True)
class Match:
    """The meaning of a header.

    Attributes:
        column: The column, where it is certain.
        candidates: The columns it may mean, where it is not.
        unit: The canonical unit that the header names.
        strange: The text in the place of a unit that is not a known unit.
    """

    column: str | None = None
    candidates: tuple[str, ...] = ()
    unit: str | None = None
    strange: str | None = None


@dataclass(frozen=True)
class ColumnTable:
    """Columns by canonical name, ambiguous headers with the columns they may mean, and units of its own."""

    columns: Mapping[str, Column]
    ambiguous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: OwnUnits = field(default_factory=dict)
    bases_written: bool = False

    def beside(self, headers: Iterable[str]) -> ColumnTable:
        """The table for a file with these headers: 'Ad' is the ash of dry coal where others are 'Mad', 'Aad'.

        Alone it may as well be the ash of air-dried coal whose subscript lost its first letter.
        """
        return replace(self, bases_written=any(_AIR_DRIED.search(clean(header)) for header in headers))

    def only(self, wanted: Collection[str]) -> ColumnTable:
        """The table for the columns of one model: a name that two models share is unambiguous within one."""
        ambiguous = {
            header: tuple(name for name in names if name in wanted)
            for header, names in self.ambiguous.items()
        }
        return ColumnTable(
            {name: column for name, column in self.columns.items() if name in wanted},
            {header: names for header, names in ambiguous.items() if names},
            self.units,
            self.bases_written,
        )

    def lookup(self, header: str, *, joined: bool = True) -> Match:
        """Look up the meaning of a header.

        Args:
            header: The header as written in the file, its unit included.
            joined: Whether it may be two rows joined by '_', so that its last part alone is tried too.
        """
        name, unit = self._own_unit(header) or split_unit(header)
        found = self._whole(header)
        if found is not None:
            return replace(found, unit=unit if self._fits(found.column, unit) else None)
        found = self._whole(name)
        if found is not None:
            return replace(found, unit=unit)
        if joined and "_" in name:
            found = self._last_part(name)
            if found is not None:
                return replace(found, unit=unit or split_unit(name.rpartition("_")[0])[1])
        strange = _STRANGE_UNIT.fullmatch(name)
        found = self._whole(strange["name"]) if strange else None
        if strange and found and found.column and self.columns[found.column].unit:
            return Match(candidates=(found.column,), strange=strange["unit"])
        return Match(unit=unit)

    def _own_unit(self, header: str) -> tuple[str, str] | None:
        """The header split into its name and a unit that the alias file defines; None where it names none."""
        if not self.units:
            return None
        text = clean(header)
        bracket = _BRACKET.fullmatch(text)
        if bracket and (unit := spelled(bracket["unit"])) in self.units:
            return bracket["name"].rstrip("/_, "), unit
        ends = (unit for unit in sorted(self.units, key=len, reverse=True) if text.endswith(unit))
        name = text.removesuffix(next(ends, ""))
        if name != text and re.search(r"[\u3400-\u9fff\s/_,]$", name) and name.strip("/_, "):
            return name.strip("/_, "), text[len(name) :]
        return None

    def _fits(self, column: str | None, unit: str | None) -> bool:
        """Whether a unit at the end of a known name is a unit: '灰熔融性FT' is not a length in feet."""
        kept = None if column is None else self.columns[column].unit
        if unit is None or kept is None:
            return True
        try:
            convert(unit, kept, 4.1868, self.units)
        except UnitError:
            return False
        return True

    def about(self, name: str) -> str:
        """The description of a column; empty where the table has none."""
        return self.columns[name].about if name in self.columns else ""

    def unit(self, name: str) -> str | None:
        """The canonical unit of a column."""
        return self.columns[name].unit if name in self.columns else None

    def spellings(self) -> tuple[str, ...]:
        """Every name that any column may have."""
        names = [name for column in self.columns.values() for name in column.every_name]
        return (*dict.fromkeys([*names, *self.ambiguous]),)

    def close(self, column: str, headers: Iterable[str]) -> tuple[str, ...]:
        """The headers that resemble a name of a column."""
        names = {compare(name) for name in self.columns[column].every_name}
        by_form = {compare(split_unit(header)[0]): header for header in headers}
        found = {
            by_form[form]
            for name in names
            for form in difflib.get_close_matches(name, by_form, n=2, cutoff=0.6)
        }
        found |= {header for form, header in by_form.items() if any(len(n) > 1 and n in form for n in names)}
        return tuple(sorted(found))

    def _whole(self, text: str) -> Match | None:
        form = compare(text)
        if form in self._ambiguous:
            return Match(candidates=self._ambiguous[form])
        columns = self._written.get(_written(text)) or self._compared.get(form)
        if columns:
            if form in _SYMBOLS:
                return self._symbol(text, columns)
            return Match(columns[0]) if len(columns) == 1 else Match(candidates=columns)
        return self._squeezed_match(text)

    def _symbol(self, text: str, columns: tuple[str, ...]) -> Match:
        """What a header means that may be the name of a basis: 'AD', or 'Ad', the ash of dry coal."""
        moist = tuple(name for name in (f"{column[:-1]}ad" for column in columns) if name in self.columns)
        named = _written(text) in self._written and not text.islower()
        settled = named and (self.bases_written or not moist)
        return Match(columns[0]) if settled and len(columns) == 1 else Match(candidates=(*columns, *moist))

    def _squeezed_match(self, text: str) -> Match | None:
        form = squeeze(text)
        columns = () if form in _SYMBOLS else self._squeezed.get(form, ())
        if not columns:
            return None
        names = [name for column in columns for name in self.columns[column].every_name]
        unclear = form.endswith("d") and not form.endswith("ad") and not separates_d(text)
        if unclear and any(separates_d(name) for name in names):
            # 'Std': the comma of 'St,d' is missing, or the a of 'Stad'.
            return Match(candidates=(*columns, *self._squeezed.get(f"{form[:-1]}ad", ())))
        return Match(columns[0]) if len(columns) == 1 else Match(candidates=columns)

    def _last_part(self, name: str) -> Match | None:
        group, _, last = name.rpartition("_")
        if compare(last) in _SYMBOLS:
            return None
        found = self._whole(last)
        if found is None:
            return None
        base = base_of(group)
        if found.column is None:
            fitting = [column for column in found.candidates if base and column.endswith(f"_{base}")]
            return Match(fitting[0]) if len(fitting) == 1 else found
        other_base = base and found.column.rpartition("_")[2] in _SYMBOLS - {base}
        if other_base or qualified(group):  # '目标_终轧温度' is not the temperature that was measured
            return Match(candidates=(found.column,))
        return found

    @cached_property
    def _ambiguous(self) -> dict[str, tuple[str, ...]]:
        return {compare(split_unit(header)[0]): names for header, names in self.ambiguous.items()}

    @cached_property
    def _written(self) -> dict[str, tuple[str, ...]]:
        return self._index(lambda name: (_written(name), _written(split_unit(name)[0])))

    @cached_property
    def _compared(self) -> dict[str, tuple[str, ...]]:
        return self._index(lambda name: (compare(name), compare(split_unit(name)[0])))

    @cached_property
    def _squeezed(self) -> dict[str, tuple[str, ...]]:
        return self._index(lambda name: (squeeze(split_unit(name)[0]),))

    def _index(self, forms: Callable[[str], tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for column in self.columns.values():
            for name in column.every_name:
                for form in forms(name):
                    found.setdefault(form, {})[column.name] = None
        return {form: tuple(names) for form, names in found.items()}


def _written(text: str) -> str:
    """The form that keeps case, which distinguishes 'H' (hydrogen) from 'h' (thickness)."""
    return re.sub(r"[()\[\]\s]", "", clean(text))


def load_columns(path: Path) -> ColumnTable:
    """Read an alias table.

    Raises:
        SchemaError: The file is missing, or is not a valid alias table.
    """
    try:
        facts = path.stat()
    except OSError:
        return ColumnTable(*read_alias_file(path))
    return _loaded(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=32)
def _loaded(path: Path, _changed: int, _size: int) -> ColumnTable:
    """The table as it is since its last change: many models share one."""
    return ColumnTable(*read_alias_file(path))
