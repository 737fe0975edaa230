"""The kind of each column, from a sample of its cells: number, time, flag or text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.plan import Plan, Planned
from tundish.tabular.text import clean
from tundish.tabular.values.cells import read_cells

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tundish.tabular.plan import Kind, ReadOptions

__all__ = ["faulty", "guess_kinds", "names_identifier", "names_time"]

_FAULTY, _FAULTY_MEASURED = 0.05, 0.3

_LOOK = 2000
"""Cells of a column that are examined: the first ones."""

_IDENTIFIER = re.compile(
    r"(?:号|炉次|铁次|号码|编号|编码|代码|代号|条码|牌号|钢种|规格|名称?|班组|班次|班别|备注|说明|状态)$"
    r"|(?<![a-z])(?:no|nr|id|ids|code|key|serial|barcode|uuid|guid|name|grade|heat|coil|slab|batch|tag)$"
)
_TIME = re.compile(
    r"日期|时间|时刻|年月|(?<![a-z])(?:date|time|datetime|timestamp|zeit|datum|day|month|at|ts)(?![a-z])"
)
_NUMBER_LIKE = r"^\s*[<>≤≥~(]?\s*[+\-\u2212]?\s*[\d.,\u00a0 '\uff10-\uff19]*[\d\uff10-\uff19]"
_TIME_LIKE = r"^\s*(?:\d{4}\s*[-/.年]\s*\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}[-/ .][A-Za-z]{3})"
_PACKED = r"^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d[0-5]\d(?:[0-5]\d)?)?$"
_FLAGS = ("true", "false", "yes", "no", "y", "n", "是", "否", "√", "\u00d7")


def faulty(*, measured: bool) -> float:
    """The largest share of filled cells that may be unread: beyond it the column is text.

    Args:
        measured: Whether the header names a unit, so that the column is one of numbers whatever went wrong.
    """
    return _FAULTY_MEASURED if measured else _FAULTY


def names_identifier(name: str) -> bool:
    """Whether a header, without its unit, is that of an identifier: 炉号, coil_no, 'Heat ID'."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean(name)).lower()
    return _IDENTIFIER.search(words.strip(" .#_")) is not None


def names_time(name: str) -> bool:
    """Whether a header is that of a time: 生产日期, TAP_TIME, 'Date'."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean(name)).lower()
    return _TIME.search(words.replace("_", " ")) is not None


@dataclass(frozen=True)
class _Look:
    """The shares of the filled cells of a column that look like something."""

    filled: int
    number: int = 0
    plain: int = 0
    like: int = 0
    time: int = 0
    packed: int = 0
    flag: int = 0
    padded: int = 0
    long: int = 0


def guess_kinds(
    cells: pl.DataFrame,
    names: Mapping[int, str],
    units: Mapping[int, str],
    options: ReadOptions,
    *,
    typed: bool = False,
) -> dict[int, Kind]:
    """Guess the kinds of columns; one without a single value is not in the answer.

    A guess is proved by reading: of the cells examined at least 95 of 100 can be read as that kind.

    Args:
        cells: The cells of a piece: PLACE, then c0, c1, ...
        names: The headers of the columns, without their units, by their places.
        units: The unit of a column by its place, where its header names one: no time has a unit.
        options: What the recipe states about the columns.
        typed: Whether numbers are typed in the file.
    """
    guesses: dict[int, Kind] = {}
    sample = cells.head(_LOOK)
    late = [index for index in names if sample[f"c{index}"].null_count() == sample.height]
    guesses |= _proved(sample, {i: name for i, name in names.items() if i not in late}, units, options, typed)
    for index in late if cells.height > _LOOK else ():
        at = cells[f"c{index}"].is_not_null().arg_true().head(_LOOK)
        if len(at):
            guesses |= _proved(cells[at], {index: names[index]}, units, options, typed)
    return guesses


def _proved(
    sample: pl.DataFrame,
    names: Mapping[int, str],
    units: Mapping[int, str],
    options: ReadOptions,
    typed: bool,
) -> dict[int, Kind]:
    guesses = _first_guesses(sample, names, units)
    doubtful = [index for index, kind in guesses.items() if kind != "text" and _is_text(sample, index)]
    for index in _refuted(sample, doubtful, guesses, units, options, typed):
        guesses[index] = "text"
    return guesses


def _is_text(cells: pl.DataFrame, index: int) -> bool:
    return cells[f"c{index}"].dtype == pl.String


def _first_guesses(
    sample: pl.DataFrame, names: Mapping[int, str], units: Mapping[int, str]
) -> dict[int, Kind]:
    looks = _looks(sample, [f"c{index}" for index in names])
    guesses: dict[int, Kind] = {}
    for index, name in names.items():
        column = sample[f"c{index}"]
        if f"c{index}" in looks:
            kind = _guess(looks[f"c{index}"], name, measured=index in units)
        else:
            kind = _typed(column) if column.null_count() < len(column) else None
        if kind is not None:
            guesses[index] = kind
    return guesses


def _typed(column: pl.Series) -> Kind:
    """The kind of a column whose type the file itself says."""
    kind = column.dtype
    if kind == pl.Boolean:
        return "flag"
    if isinstance(kind, pl.Datetime) or kind == pl.Date:
        return "time"
    if kind.is_integer():
        return "integer"
    return "real" if kind.is_numeric() else "text"


def _looks(sample: pl.DataFrame, columns: Sequence[str]) -> dict[str, _Look]:
    """What the cells of all columns of text look like, in one pass."""
    texts = [name for name in columns if sample[name].dtype == pl.String]
    wanted = []
    for name in texts:
        text = pl.col(name).str.strip_chars()
        number = text.cast(pl.Float64, strict=False)
        found = {
            "filled": text.str.len_bytes() > 0,
            "number": number.is_finite(),
            "plain": text.str.contains(r"^\d+$"),
            "like": text.str.contains(_NUMBER_LIKE),
            "time": text.str.contains(_TIME_LIKE),
            "packed": text.str.contains(_PACKED),
            "flag": text.str.to_lowercase().is_in(_FLAGS),
            "padded": text.str.contains(r"^0\d+$"),
            "long": text.str.contains(r"^\d{16,}$"),
        }
        wanted += [what.sum().alias(f"{name} {fact}") for fact, what in found.items()]
    counts = sample.select(wanted).row(0, named=True) if wanted else {}
    facts = list(_Look.__dataclass_fields__)
    return {name: _Look(**{fact: counts[f"{name} {fact}"] or 0 for fact in facts}) for name in texts}


def _guess(look: _Look, name: str, *, measured: bool) -> Kind | None:
    if not look.filled:
        return None
    if look.flag > 0.9 * look.filled:
        return "flag"
    half, digits = look.filled / 2, look.plain > 0.9 * look.filled
    if measured:
        return "real" if look.like > half else "text"
    # An identifier of digits is text: 0012345 is not 12345, and nobody adds heat numbers up.
    if look.long or (digits and look.padded) or (names_identifier(name) and not _is_measure(look)):
        return "text"
    packed = look.packed > 0.9 * look.filled and digits
    if look.time > half or packed or (names_time(name) and look.number > half):
        return "time"
    return "real" if look.number > half or look.like > half else "text"


def _is_measure(look: _Look) -> bool:
    """Whether most numbers have a fraction or a sign, as those of an identifier do not."""
    return look.number > look.filled / 2 and look.plain < look.number / 2


def _refuted(
    sample: pl.DataFrame,
    columns: Collection[int],
    guesses: dict[int, Kind],
    units: Mapping[int, str],
    options: ReadOptions,
    typed: bool,
) -> list[int]:
    """The columns of which too many cells cannot be read as what they were guessed to be.

    A time that is not one may be a number: a duration, or a day of the month.
    """
    if not columns:
        return []
    found = _unread(sample, columns, guesses, units, options, typed)
    again = [index for index in found if guesses[index] == "time"]
    if again:
        numbers: dict[int, Kind] = dict.fromkeys(again, "real")
        wrong = set(_unread(sample, again, numbers, units, options, typed))
        guesses.update({index: "real" for index in again if index not in wrong})
        found = [index for index in found if index not in again or index in wrong]
    return found


def _unread(
    sample: pl.DataFrame,
    columns: Collection[int],
    kinds: Mapping[int, Kind],
    units: Mapping[int, str],
    options: ReadOptions,
    typed: bool,
) -> list[int]:
    planned = tuple(
        Planned(f"c{index}", kinds[index], f"c{index}", index, unit=units.get(index)) for index in columns
    )
    headers = tuple(sample.columns[2:])
    read = read_cells(sample, Plan(planned, (), (), headers, options, "", numbers_typed=typed))
    faults = dict(read.faults["column"].value_counts().iter_rows())
    values = read.frame.select(pl.col(column.name).count() for column in planned).row(0, named=True)
    wrong = []
    for index in columns:
        bad, good = faults.get(f"c{index}", 0), values[f"c{index}"]
        if bad > faulty(measured=index in units) * (bad + good) or not good:
            wrong.append(index)
    return wrong
