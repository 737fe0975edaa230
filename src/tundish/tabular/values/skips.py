"""Find rows that are not records: blank ones, titles, notes, statistics, headers repeated on each page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.tabular.plan import Plan

__all__ = ["skipped_rows"]

_LEADING = 4
_ROUGH = 12
_NARROW = 3
"""Columns from which on a row with one text is not a record."""


def _spellings(words: Sequence[str]) -> list[str]:
    """The spellings of words: stretched by blanks, upper and lower case, with a colon."""
    found = set(words)
    for word in words:
        if word.isascii():
            found |= {word.title(), word.capitalize(), word.upper()}
        elif len(word) == 2:
            found |= {blanks.join(word) for blanks in (" ", "  ", "   ", "    ", "　", "　　")}
    return sorted(found | {word + colon for word in found for colon in (":", "\uff1a")})


_TOTALS = _spellings(
    ["小计", "合计", "总计", "累计", "总合计", "total", "subtotal", "sub-total", "grand total", "sum"]
)
_MEANS = _spellings(
    [
        *("平均", "均值", "平均值", "加权平均", "总平均", "average", "mean", "avg", "weighted average"),
        *("最大", "最小", "最大值", "最小值", "极差", "标准差", "标准偏差", "方差", "合格率", "中位数"),
        *("maximum", "minimum", "stdev", "std dev", "standard deviation", "median", "count"),
    ]
)
_NOTE = (
    r"(?i)^\s*(?:制\s*表|审\s*核|备\s*注|注|说\s*明|批\s*准|校\s*核|复\s*核|填\s*表|打\s*印|导\s*出|化验员|班\s*长"
    r"|note|notes|remark|remarks|source|prepared|checked|approved|printed|exported|legend)[^:\uff1a]{0,12}[:\uff1a]"
)
"""How a note under a table begins, or the line for signatures."""


def skipped_rows(cells: pl.DataFrame, fast: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Find the rows that are not records: places (`at`, from 0 in these cells), each once, with the reason.

    The word for a total fills a cell in one of the leading columns, before the first number. The word for a
    mean counts only in the first filled cell: after an identifier, 'mean' may be the name of a row of
    statistics.

    Args:
        cells: The cells of a piece.
        fast: Its mapped columns as far as they could be read: a cell that was read is not a marker.
        plan: The plan of the columns.
    """
    empty = _without_numbers(cells, fast)
    blank = _blank(cells, empty)
    found = [
        (blank, "blank_row"),
        *_without_values(cells, empty, plan),
        (_summary(cells, fast, plan), "subtotal_row"),
        (_header(cells, plan), "repeated_header"),
    ]
    frames = [
        pl.DataFrame({"at": at.cast(pl.UInt32)}).with_columns(reason=pl.lit(reason)) for at, reason in found
    ]
    return pl.concat(frames).unique("at", keep="first", maintain_order=True).sort("at")


def _nothing(values: pl.Series) -> pl.Series:
    """Whether there is no value, or only blanks."""
    if values.dtype != pl.String:
        return values.is_null()
    return values.is_null() | (values.str.strip_chars() == "").fill_null(value=False)


def _without_numbers(cells: pl.DataFrame, fast: pl.DataFrame) -> pl.Series:
    """The rows in which nothing but texts was read."""
    # Values that were read are quicker to check than texts, and most rows have one.
    read = [column.is_null() for column in fast if column.dtype != pl.String]
    empty: pl.Series = pl.repeat(value=True, n=cells.height, dtype=pl.Boolean, eager=True)
    for missing in read:
        empty &= missing
    return empty.arg_true()


def _blank(cells: pl.DataFrame, at: pl.Series) -> pl.Series:
    for name in cells.columns[2:]:
        if at.is_empty():
            break
        at = at.filter(_nothing(cells[name].gather(at)))
    return at


def _without_values(cells: pl.DataFrame, at: pl.Series, plan: Plan) -> list[tuple[pl.Series, str]]:
    """Rows of one text: a title, a note, or a key with nothing behind it; and lines for signatures.

    A cell that is merged over several columns repeats its text in each of them.
    """
    texts = [name for name, kind in cells.schema.items() if name.startswith("c") and kind == pl.String]
    if at.is_empty() or len(plan.headers) < _NARROW or len(texts) < len(plan.headers):
        return []
    # Most rows have several texts in the first columns already.
    rough = _texts_of(cells, at, texts[:_ROUGH])
    notes = at.filter(rough["first"].str.contains(_NOTE).fill_null(value=False))
    single = at.filter(rough["count"] < 2)
    whole = _texts_of(cells, single, texts) if len(texts) > _ROUGH else rough.filter(pl.col("count") < 2)
    return [(notes, "note_row"), (single.filter(whole["count"] == 1), "no_values")]


def _texts_of(cells: pl.DataFrame, at: pl.Series, names: list[str]) -> pl.DataFrame:
    """How many different texts these rows have, and the first."""
    filled = [pl.col(name).str.strip_chars().replace("", None) for name in names]
    return (
        cells.select(names)[at]
        .select(filled)
        .select(count=pl.concat_list(pl.all()).list.drop_nulls().list.n_unique(), first=pl.coalesce(pl.all()))
    )


def _summary(cells: pl.DataFrame, fast: pl.DataFrame, plan: Plan) -> pl.Series:
    numbers = [column.index for column in plan.columns if column.kind in {"real", "integer"}]
    count = min(max(min(numbers, default=_LEADING), 1), _LEADING, len(plan.headers))
    found = [pl.Series([], dtype=pl.UInt32)]
    before: list[pl.Series] = []
    for index in range(count):
        text = cells[f"c{index}"]
        at, words = _words(text, _read(fast, plan, index))
        found.append(at.filter(words.is_in(_TOTALS)))
        means = at.filter(words.is_in(_MEANS))
        for other in before:
            means = means.filter(_nothing(other.gather(means)))
        found.append(means)
        before.append(text)
    return pl.concat(found)


def _read(fast: pl.DataFrame, plan: Plan, index: int) -> pl.Series | None:
    return next((fast[column.name] for column in plan.columns if column.index == index), None)


def _words(text: pl.Series, read: pl.Series | None) -> tuple[pl.Series, pl.Series]:
    """The places where a leading column may contain a marker, and the texts there."""
    if text.dtype != pl.String:
        return pl.Series([], dtype=pl.UInt32), pl.Series([], dtype=pl.String)
    if read is None or read.dtype == pl.String:
        words = text.str.strip_chars() if read is None else read
        at = words.is_in([*_TOTALS, *_MEANS]).fill_null(value=False).arg_true()
        return at, words.gather(at)
    at = (text.is_not_null() & read.is_null()).arg_true()
    return at, text.gather(at).str.strip_chars()


def _header(cells: pl.DataFrame, plan: Plan) -> pl.Series:
    """Whether every filled cell repeats the header of its column, or one of the rows it was joined from."""
    headers = {f"c{index}": _parts(header) for index, header in enumerate(plan.headers)}
    schema = cells.schema
    texts = [name for name in headers if schema[name] == pl.String]
    if len(texts) < len(headers) or len(texts) < 2:
        return pl.Series([], dtype=pl.UInt32)
    first, second = (cells[name].is_in(headers[name]).fill_null(value=False) for name in texts[:2])
    at = (first | second).arg_true()
    _refuse_other_order(cells, plan, texts)
    if at.is_empty():
        return at
    rows = cells[at]
    same = rows.select(
        pl.all_horizontal(
            pl.col(name).is_null() | pl.col(name).str.strip_chars().is_in(["", *headers[name]])
            for name in texts
        )
        & (pl.sum_horizontal(pl.col(name).is_not_null() for name in texts) > 1)
    ).to_series()
    return at.filter(same)


def _refuse_other_order(cells: pl.DataFrame, plan: Plan, texts: list[str]) -> None:
    """Refuse a file whose header comes again with its columns in another order.

    Raises:
        SourceError: It does: what follows would be read into the wrong columns.
    """
    names = list({header for header in plan.headers if len(header) > 1 or not header.isascii()})
    moved = cells.filter(
        pl.all_horizontal(
            pl.col(texts[at]).is_in(names).fill_null(value=False) & (pl.col(texts[at]) != plan.headers[at])
            for at in range(2)
        )
    )
    if len(names) > 1 and moved.height:
        raise SourceError(
            f"in line {moved['line'][0]} the header comes again with its columns in another order",
            where=plan.where,
            fix="split the file there, or limit it with 'rows' in the recipe",
        )


def _parts(header: str) -> list[str]:
    return list(dict.fromkeys([header, *header.split("_")]))
