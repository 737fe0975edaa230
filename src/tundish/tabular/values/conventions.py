"""Decide for a whole file how it writes numbers and days: decimal mark, and the order of day and month.

A file was written by one program with one setting. What some of its cells leave open ('2,498', '03/04/2023')
others settle ('0,17', '31/12/2023'); what nothing settles stays open, and such cells are faults.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.tabular.plan import DateOrder, Plan

__all__ = ["AMBIGUOUS", "decide"]

_LEFT, _RIGHT = r"(?:^|[^\d.,])", r"(?:[^\d.,]|$)"
_SURE = (
    r"(?:\d+{d}\d{{1,2}}|\d*{d}\d{{4,}}|0+{d}\d{{3}}|\d{{4,}}{d}\d{{3}}"
    r"|\d{{1,3}}(?:{t}\d{{3}})+{d}\d+|\d{{1,3}}(?:{t}\d{{3}}){{2,}})"
)
_COMMA = _LEFT + _SURE.format(d=",", t=r"\.") + _RIGHT
_POINT = _LEFT + _SURE.format(d=r"\.", t=",") + _RIGHT
AMBIGUOUS = {",": r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*%?\s*$", ".": r"^\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*%?\s*$"}
"""Numbers by the mark in them that may separate decimals as well as thousands: 2,498 and 2.498."""

_GROUPS = r"\d\.\d{3}\.\d{3}"
_DAY = r"^\s*{}[-/.]{}[-/.]\d{{4}}(?:\D|$)"
_OVER_12, _ANY = r"(?:1[3-9]|2\d|3[01])", r"\d{1,2}"
_UNCLEAR = _DAY.format(_ANY, _ANY)
_DAY_FIRST, _MONTH_FIRST = _DAY.format(_OVER_12, _ANY), _DAY.format(_ANY, _OVER_12)
_DOTTED = r"^\s*\d{1,2}\.\d{1,2}\.\d{4}"
_HEAD = 200


@dataclass
class _Evidence:
    """How many cells say something, and the first of them with its line."""

    count: int = 0
    first: str = ""

    def add(self, found: pl.DataFrame) -> None:
        if found.height and not self.first:
            self.first = f"'{found['text'][0].strip()}' in line {found['line'][0]}"
        self.count += found.height

    def __str__(self) -> str:
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        return self.first + more


@dataclass
class _Numbers:
    comma: _Evidence = field(default_factory=_Evidence)
    point: _Evidence = field(default_factory=_Evidence)
    open_comma: _Evidence = field(default_factory=_Evidence)
    open_point: _Evidence = field(default_factory=_Evidence)

    def look(self, column: pl.DataFrame, plan: Plan) -> None:
        """Look at the texts of one column of numbers."""
        text = pl.col("text")
        commas = column.filter(text.str.contains(",", literal=True))
        semicolons = plan.separator == ";"
        if not commas.height and not semicolons:
            column = column.head(_HEAD)
        self.comma.add(commas.filter(text.str.contains(_COMMA)))
        self.comma.add(column.filter(text.str.contains(_GROUPS)))
        self.open_comma.add(commas.filter(text.str.contains(AMBIGUOUS[","])))
        # Numbers of a workbook are written with a point whatever the person writes in cells of text.
        pointed = commas if plan.numbers_typed else column
        self.point.add(pointed.filter(text.str.contains(_POINT)))
        if semicolons:
            self.open_point.add(column.filter(text.str.contains(AMBIGUOUS["."])))

    def telling(self, cells: pl.DataFrame, places: Sequence[int], plan: Plan) -> list[int]:
        """The columns to look at: one with a point where no cell has a comma; the others are counted."""
        if plan.separator == ";":
            return list(places)
        head = cells.head(_HEAD)
        if _found(cells, places, ",") or _found(head, places, _GROUPS):
            return list(places)
        pointed = {} if plan.numbers_typed else _found(head, places, _POINT)
        first = min(pointed) if pointed and not self.point.count else None
        self.point.count += sum(count for place, count in pointed.items() if place != first)
        return [] if first is None else [first]

    @property
    def open(self) -> bool:
        """Whether cells can be read in two ways, and nothing has settled it yet."""
        return bool(self.open_comma.count or self.open_point.count) and not (
            self.comma.count or self.point.count
        )

    def unseen(self, plan: Plan) -> bool:
        """Whether no number has shown its mark yet, in a file whose separator leaves the comma free."""
        return plan.separator not in {None, ","} and not (self.comma.count or self.point.count)

    def settled(self, plan: Plan) -> Plan:
        """The plan with the decimal mark of the file."""
        comma, point = self.comma.count, self.point.count
        mark: Literal[".", ","]
        if comma and point:
            mark, unclear = ("," if comma > point else "."), ".,"
            why = f"both marks occur: {self.comma} have a decimal comma, {self.point} a decimal point"
        elif comma:
            mark, unclear, why = ",", "", f"decimal comma: {self.comma}"
        elif point or plan.separator == ",":
            mark, unclear, why = ".", "", ""
        elif plan.separator == ";" and self.open_comma.count and not self.open_point.count:
            mark, unclear = ",", ""
            why = f"decimal comma: semicolons separate the fields, {self.open_comma}"
        else:
            mark, unclear, why = ".", ".," if plan.separator == ";" else ",", ""
            if self.open:
                seen = self.open_comma if self.open_comma.count else self.open_point
                why = f"decimal mark unknown: {seen} can be read in two ways"
        options = replace(plan.options, decimal=mark, unclear=unclear)
        return replace(plan, options=options, evidence=(*plan.evidence, *([why] if why else [])))


@dataclass
class _Days:
    day_first: _Evidence = field(default_factory=_Evidence)
    month_first: _Evidence = field(default_factory=_Evidence)
    unclear: _Evidence = field(default_factory=_Evidence)
    dotted: bool = True

    def look(self, column: pl.DataFrame) -> None:
        """Look at the texts of one column of times."""
        text = pl.col("text")
        unclear = column.filter(text.str.contains(_UNCLEAR))
        if not unclear.height:
            return
        self.unclear.add(unclear)
        self.day_first.add(unclear.filter(text.str.contains(_DAY_FIRST)))
        self.month_first.add(unclear.filter(text.str.contains(_MONTH_FIRST)))
        self.dotted &= bool(unclear["text"].str.contains(_DOTTED).all())

    @property
    def open(self) -> bool:
        """Whether days can be read in two ways, and nothing has settled it yet."""
        return bool(self.unclear.count) and not (self.day_first.count or self.month_first.count)

    def settled(self, plan: Plan) -> Plan:
        """The plan with the order of day and month, where the file settles it."""
        first, second = self.day_first.count, self.month_first.count
        order: DateOrder | None = None
        if not self.unclear.count:
            return plan
        if first and second:
            why = f"day and month in both orders: {self.day_first}, but {self.month_first}"
        elif first or second:
            order = "dmy4" if first else "mdy4"
            why = f"{'day' if first else 'month'} first: {self.day_first if first else self.month_first}"
        elif self.dotted and plan.options.decimal == "," and not plan.options.unclear:
            order, why = "dmy4", f"day first: points in {self.unclear}, as decimal commas go with"
        else:
            why = f"order of day and month unknown: {self.unclear} can be read in two ways"
        return replace(plan, options=replace(plan.options, dates=order), evidence=(*plan.evidence, why))


def decide(plan: Plan, pieces: Iterable[pl.DataFrame]) -> Plan:
    """Decide what the recipe leaves open about the numbers and days of a file.

    Args:
        plan: The plan of the file.
        pieces: The cells of its pieces; only as many are taken as it takes to decide.

    Returns:
        The plan with the decimal mark, the order of day and month, and the evidence for them.
    """
    texts = [column for column in plan.columns if column.kind in {"real", "integer"}]
    times = [column for column in plan.columns if column.kind == "time"]
    find_decimal, find_order = plan.options.decimal is None, plan.options.dates is None
    numbers, days = _Numbers(), _Days()
    for cells in pieces:
        if find_decimal:
            places = numbers.telling(cells, [column.index for column in texts], plan)
            for column in _columns(cells, places):
                numbers.look(column, plan)
        if find_order:
            for column in _columns(cells, list(_found(cells, [column.index for column in times], _UNCLEAR))):
                days.look(column)
        if not (numbers.open or days.open or (find_decimal and numbers.unseen(plan))):
            break
    plan = numbers.settled(plan) if find_decimal else plan
    return days.settled(plan) if find_order else plan


def _found(cells: pl.DataFrame, places: Sequence[int], pattern: str) -> dict[int, int]:
    """How many cells have the pattern, by the columns of text that have one: all in one pass."""
    kinds = cells.schema
    texts = [place for place in places if kinds[f"c{place}"] == pl.String]
    wanted = [pl.col(f"c{place}").str.contains(pattern).sum().alias(str(place)) for place in texts]
    found = cells.select(wanted).row(0, named=True) if wanted else {}
    return {place: found[str(place)] for place in texts if found[str(place)]}


def _columns(cells: pl.DataFrame, places: Sequence[int]) -> Iterable[pl.DataFrame]:
    """The texts of each column that is text, with their lines."""
    for place in places:
        written = cells[f"c{place}"]
        if written.dtype == pl.String:
            yield pl.DataFrame({"line": cells["line"], "text": written}).filter(pl.col("text").is_not_null())
