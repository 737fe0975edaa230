"""Read the YAML file of an alias table; errors name the line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import yaml

from tundish.errors import SchemaError
from tundish.tabular.units import UnitError, canonical_unit, convert, known_units, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["AliasTable", "Column", "parse_alias_text", "read_alias_file"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where the library has it: a table of 2,000 columns is a long file."""


@dataclass(frozen=True)
class Column:
    """A canonical column.

    Attributes:
        name: The name of the column in the schema.
        unit: The canonical unit; None for a column without a unit.
        names: The headers that mean this column.
        about: A description of the column.
        magnitudes: The range of plausible values by unit, where values distinguish the units.
        repeat: The largest difference, in `unit`, of two determinations that agree.
    """

    name: str
    unit: str | None = None
    names: tuple[str, ...] = ()
    about: str = ""
    magnitudes: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    repeat: float | None = None

    @property
    def every_name(self) -> tuple[str, ...]:
        """The name of the column and its other names."""
        return (self.name, *self.names)


class AliasTable(NamedTuple):
    """An alias file.

    Attributes:
        columns: The columns by name.
        ambiguous: Ambiguous headers with the columns they may mean.
        units: The units that the file defines.
    """

    columns: dict[str, Column]
    ambiguous: dict[str, tuple[str, ...]]
    units: dict[str, tuple[float, str]]


def read_alias_file(path: Path) -> AliasTable:
    """Read an alias file.

    Raises:
        SchemaError: The file is missing, or is not a valid alias table.
    """
    try:
        return parse_alias_text(path.read_text(encoding="utf-8-sig"), str(path))
    except FileNotFoundError:
        raise SchemaError(
            "there is no alias table beside the schema", where=str(path), fix="write one: 'columns: {}'"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SchemaError(f"the alias table cannot be read ({error})", where=str(path)) from error


def parse_alias_text(text: str, where: str) -> AliasTable:
    """Read the text of an alias file; `where` names it in errors.

    Raises:
        SchemaError: It is not a valid alias table.
    """
    try:
        node = _compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        problem = getattr(error, "problem", None) or "unreadable"
        raise SchemaError(f"this is not YAML: {problem}", where=place, fix="fix the line") from error
    return _Reader(where).table(node)


def _compose(text: str) -> yaml.Node | None:
    """The nodes of a YAML text; errors come from the loader in Python, which names the line."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    return node


class _Reader:
    """Walks the nodes rather than the values: they know their lines, and 'NO' remains text."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.units: dict[str, tuple[float, str]] = {}

    def table(self, node: yaml.Node | None) -> AliasTable:
        parts = dict(self._pairs(node, "an alias table", ("units", "columns", "ambiguous")))
        for name, value in self._pairs(parts.get("units"), "units"):
            self.units[spelled(name)] = self._own_unit(spelled(name), value)
        columns = {
            name: self._column(name, value) for name, value in self._pairs(parts.get("columns"), "columns")
        }
        ambiguous = {}
        for header, value in self._pairs(parts.get("ambiguous"), "ambiguous"):
            ambiguous[header] = self._texts(value, f"ambiguous '{header}'")
            for name in ambiguous[header]:
                if name not in columns:
                    raise self._error(value, f"the ambiguous header '{header}' names '{name}'", columns)
        return AliasTable(columns, ambiguous, self.units)

    def _own_unit(self, name: str, node: yaml.Node) -> tuple[float, str]:
        """A unit of the file's own: nothing, or a multiple of a unit that is known before it."""
        written = "" if node.tag.endswith(":null") else self._text(node, f"unit '{name}'").strip()
        if not written:
            return 1.0, name
        factor, _, rest = written.partition(" ")
        of = canonical_unit(rest, self.units)
        try:
            size = float(factor)
        except ValueError:
            size = 0.0
        if of is None or not size > 0 or size == float("inf"):
            raise self._error(node, f"the unit '{name}' is a multiple of a known unit, such as '10000 m3/h'")
        more, base = self.units.get(of, (1.0, of))
        return size * more, base

    def _column(self, name: str, node: yaml.Node) -> Column:
        what = f"column '{name}'"
        parts = dict(self._pairs(node, what, ("unit", "names", "about", "magnitudes", "repeat")))
        unit = self._unit(parts.get("unit"), what)
        return Column(
            name,
            unit,
            self._texts(parts["names"], what) if "names" in parts else (),
            self._text(parts["about"], what) if "about" in parts else "",
            self._magnitudes(parts.get("magnitudes"), what, unit),
            self._number(parts["repeat"], what) if "repeat" in parts else None,
        )

    def _magnitudes(
        self, node: yaml.Node | None, what: str, unit: str | None
    ) -> dict[str, tuple[float, float]]:
        found = {}
        for written, value in self._pairs(node, f"magnitudes of {what}"):
            try:
                convert(written, unit or "", own=self.units)
            except UnitError as error:
                raise self._error(value, f"magnitudes of {what}: {error}") from None
            limits = [self._number(item, what) for item in self._items(value, f"magnitudes of {what}")]
            if len(limits) != 2 or limits[0] >= limits[1]:
                raise self._error(value, f"{what}: the magnitude of {written} is a range such as [10, 35]")
            found[str(canonical_unit(written, self.units))] = (limits[0], limits[1])
        return found

    def _unit(self, node: yaml.Node | None, what: str) -> str | None:
        if node is None or node.tag.endswith(":null"):
            return None
        written = self._text(node, what)
        unit = canonical_unit(written, self.units)
        if unit is None:
            names = (*self.units, *known_units())
            raise self._error(node, f"{what} has the unit '{written}', define it under 'units'", names)
        return unit

    def _pairs(
        self, node: yaml.Node | None, what: str, allowed: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, yaml.Node]]:
        if node is None or node.tag.endswith(":null"):
            return
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{what} is a mapping of names")
        seen = set()
        for key, value in node.value:
            name = self._text(key, what)
            if name in seen:
                raise self._error(key, f"'{name}' is in {what} twice")
            if allowed and name not in allowed:
                raise self._error(key, f"{what} has the key '{name}'", allowed)
            seen.add(name)
            yield name, value

    def _items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"{what} is a list: [one, another]")
        return list(node.value)

    def _texts(self, node: yaml.Node, what: str) -> tuple[str, ...]:
        return tuple(self._text(item, what) for item in self._items(node, f"the list of names of {what}"))

    def _text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"{what} has a list or mapping where a text belongs")
        return str(node.value)

    def _number(self, node: yaml.Node, what: str) -> float:
        try:
            return float(self._text(node, what))
        except ValueError:
            raise self._error(node, f"{what} has '{node.value}' where a number belongs") from None

    def _error(self, node: yaml.Node, what: str, allowed: Iterable[str] = ()) -> SchemaError:
        names = list(allowed)
        word = what.rpartition("'")[0].rpartition("'")[2]
        close = difflib.get_close_matches(word, names, n=1)
        fix = (
            f"did you mean '{close[0]}'?"
            if close
            else f"allowed: {', '.join(names)}"
            if names
            else "fix the line"
        )
        where = f"{self.path}:{node.start_mark.line + 1}"
        return SchemaError(f"{what}, which is unknown" if names else what, where=where, fix=fix)
