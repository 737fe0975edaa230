"""Read columns of numbers, times, flags and text: most cells at once with Polars, the rest one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.text import clean
from tundish.tabular.values.clock import SAMPLE, fill_times, guess_format, in_order, local_times
from tundish.tabular.values.conventions import AMBIGUOUS
from tundish.tabular.values.marks import Fault, is_pattern, missing_reason, same_marker
from tundish.tabular.values.numbers import Marks, parse_number, sentinels
from tundish.tabular.values.reading import ODD, Odd, Reading, resolve, unread
from tundish.tabular.values.times import FORMATS, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tundish.tabular.plan import DateOrder, Plan, Planned, ReadOptions

__all__ = ["as_real", "convert", "finish", "marks_of", "odd_texts", "read_fast"]

_FLAGS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "y", "t", "是", "有", "√"), True),
    **dict.fromkeys(("0", "0.0", "false", "no", "n", "f", "否", "无", "\u00d7"), False),
}
_SIGNS = ("-", "--", "---", "——", "—", "\u2013", "/", "//", "\\", "*", "**", "...", "…")
_WORDS = (
    *("null", "none", "n/a", "nan", "缺", "空", "缺失"),
    *("未检", "未测", "未化验", "待检", "待测", "待化验", "未检测", "未检验", "未做"),
)
_MARKERS = sorted({*_SIGNS, "NaN", *(form for word in _WORDS for form in (word, word.upper(), word.title()))})
"""What may mean a missing value in a column of text: searched at once, as a million identifiers differ."""

_CHANGED_BY_NFKC = r"[\u00a0-\u00be\u2000-\u218f\u2460-\u24ff\u3000\u3200-\u33ff\uf900-\ufaff\ufb00-\uffef]"
_DAMAGED = r"^\d(?:\.\d+)?[Ee]\+\d{2,}$"
_AS_TEXT = r"^=\"([^\"]*)\"$|^'(\d.*)$"
"""How spreadsheets mark a text of digits: ="0012" in a CSV file, '0012 in the cell."""


def read_fast(cells: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Read all columns under their names, as far as Polars can; null for the rest. Text is stripped."""
    marks = marks_of(plan)
    return cells.select(
        _quick(column, cells[f"c{column.index}"], marks, plan.options.dates)
        for column in (*plan.columns, *plan.typed)
    )


def marks_of(plan: Plan) -> Marks:
    """How the file separates decimals and thousands."""
    options = plan.options
    return Marks(options.decimal or ".", options.thousands, options.unclear, plan.numbers_typed)


def odd_texts(fast: pl.DataFrame, columns: Sequence[Planned]) -> pl.DataFrame:
    """Find where columns of text contain markers, full-width characters or broken identifiers."""
    texts = [column.name for column in columns if column.kind == "text"]
    wide = fast.select((pl.col(name).str.len_bytes() != pl.col(name).str.len_chars()).any() for name in texts)
    return fast.select(_odd_text(pl.col(name), wide=bool(wide[name][0])) for name in texts)


def _odd_text(text: pl.Expr, *, wide: bool) -> pl.Expr:
    odd = text.is_in(_MARKERS) | text.str.contains("^[#=']") | (text == "") | text.str.contains("[Ee]\\+\\d")
    return (odd | text.str.contains(_CHANGED_BY_NFKC) if wide else odd).fill_null(value=False)


def _quick(column: Planned, written: pl.Series, marks: Marks, order: DateOrder | None) -> pl.Expr:
    cell, kind = pl.col(written.name), written.dtype
    match column.kind:
        case "real":
            read = as_real(cell, kind, marks)
        case "integer":
            whole = pl.when(cell == cell.floor()).then(cell) if kind.is_float() else _plain(cell, kind)
            read = whole.cast(pl.Int64, strict=False)
        case "time":
            read = _time_as_written(cell, written, order)
        case "flag":
            text = cell.cast(pl.String)
            read = (
                cell
                if kind == pl.Boolean
                else text.replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
            )
        case "text":
            read = _identifier(cell, kind)
    return read.alias(column.name)


def as_real(cell: pl.Expr, kind: pl.DataType, marks: Marks) -> pl.Expr:
    """A column as numbers as far as Polars can, with the marks of the file; null for the rest."""
    plain = _plain(cell, kind).cast(pl.Float64, strict=False)
    if kind != pl.String or marks == Marks(typed=marks.typed):
        return plain
    if marks.decimal == ",":
        grouped = cell.str.contains(r"^\s*[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?\s*$")
        bare = (
            pl.when(grouped)
            .then(cell.str.replace_all(".", "", literal=True))
            .when(~cell.str.contains(".", literal=True))
            .then(cell)
        )
        commas = bare.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        plain = pl.coalesce(plain, commas) if marks.typed else commas
    for mark in marks.unclear:
        plain = pl.when(~cell.str.contains(AMBIGUOUS[mark])).then(plain)
    return plain


def _plain(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """A number or a text: a date would be cast to its number of days."""
    return cell if kind.is_numeric() or kind in {pl.String, pl.Boolean} else cell.cast(pl.String)


def _time_as_written(cell: pl.Expr, written: pl.Series, order: DateOrder | None) -> pl.Expr:
    kind = written.dtype
    if isinstance(kind, pl.Datetime):
        return cell.cast(pl.Datetime("us", kind.time_zone))
    if kind == pl.Date:
        return cell.cast(pl.Datetime("us"))
    form = guess_format(in_order(written.head(SAMPLE), order)) if kind == pl.String else None
    return local_times(in_order(cell.cast(pl.String), order), form or FORMATS[0][1])


def _identifier(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if not kind.is_float():
        return cell.cast(pl.String).str.strip_chars()
    # Typed files store 12345.0 for 12345; beyond 15 digits the number is not what was written.
    whole = (cell == cell.floor()) & (cell.abs() < 1e15)
    return (
        pl.when(whole).then(cell.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell.cast(pl.String))
    )


def finish(
    column: Planned, written: pl.Series, fast: pl.Series, odd: pl.Series | None, plan: Plan
) -> Reading:
    """Finish reading a column: numbers in their canonical unit, times in UTC.

    Args:
        column: The plan of the column.
        written: The column as written in the file.
        fast: The result of `read_fast` for the column.
        odd: The result of `odd_texts` for a column of text.
        plan: The plan of the file.
    """
    options = plan.options
    match column.kind:
        case "real" | "integer":
            return convert(column, written, _numbers(column, written, fast, plan))
        case "time":
            values = fill_times(written, fast, options)
            return _resolve(written, values, partial(_time, options=options), options)
        case "flag":
            return _resolve(written, fast, _flag, options)
        case "text":
            assert odd is not None
            return _text(written, fast, odd, options)


def _numbers(column: Planned, written: pl.Series, values: pl.Series, plan: Plan) -> Reading:
    if values.dtype == pl.Float64 and not values.is_finite().all():
        values = values.set(~values.is_finite(), None)
    at = unread(written, values)
    marks = marks_of(plan)
    if written.dtype == pl.String and len(at):
        values = _read_padded(column, written, values, at, marks)
    reading = resolve(written, values, partial(_number, column=column, options=plan.options, marks=marks))
    if numbers := sentinels(plan.options.missing):
        own = pl.Series(numbers, dtype=pl.Float64).cast(values.dtype, strict=False).drop_nulls()
        at = reading.values.is_in(own.implode()).fill_null(value=False).arg_true()
        reading = reading.emptied(at, written, note="missing")
    return reading


def _read_padded(
    column: Planned, written: pl.Series, values: pl.Series, at: pl.Series, marks: Marks
) -> pl.Series:
    """Read at these places what only blanks, a '%' or the '.0' of a whole number kept from being read."""
    text = written.gather(at).str.strip_chars()
    if "%" in {column.unit_read, column.unit if column.unit_read is None else None}:
        text = text.str.strip_suffix("%").str.strip_chars_end()
    more = text.to_frame("t").select(as_real(pl.col("t"), text.dtype, marks)).to_series()
    good = more.is_finite()
    if values.dtype == pl.Int64:
        good &= (more == more.floor()) & (more.abs() < 2**53)
    good = good.fill_null(value=False)
    if not good.any():
        return values
    return values.clone().scatter(at.filter(good), more.filter(good).cast(values.dtype))


def _number(text: str, column: Planned, options: ReadOptions, marks: Marks) -> Odd:
    found = parse_number(text, column.unit_read or column.unit, options.missing, marks)
    if isinstance(found, Fault):
        return Odd(None, fault=found)
    if column.kind == "integer" and found.value is not None:
        if found.value != int(found.value) or abs(found.value) >= 2**53:
            return Odd(None, fault=Fault("not_an_integer", f"'{text}' is not a whole number"))
        return Odd(int(found.value), found.note)
    return Odd(found.value, found.note)


def convert(column: Planned, written: pl.Series, reading: Reading) -> Reading:
    """Convert numbers that were read into the unit of their column.

    Args:
        column: The plan of the column.
        written: The column as written in the file.
        reading: The numbers as they are in the file.
    """
    values = reading.values
    if column.undecided:
        fault = Fault(
            "unit_not_told", f"the unit of '{column.header}' is unknown; name it in the recipe's units"
        )
        return reading.emptied(values.is_not_null().arg_true(), written, fault=fault)
    if (column.factor, column.offset) == (1.0, 0.0):
        return reading
    inverse = round(1 / column.factor)
    # 1234 kg is exactly 1.234 t when divided by 1000, but not when multiplied by 0.001.
    scaled = values / inverse if inverse > 1 and 1 / inverse == column.factor else values * column.factor
    scaled = scaled + column.offset if column.offset else scaled
    if column.kind == "real":
        return Reading(scaled, reading.odd)
    whole = scaled.round()
    broken = ((scaled - whole).abs() > 1e-9 * whole.abs()).fill_null(value=False)
    fault = Fault("not_an_integer", f"this is not a whole number of {column.unit}")
    return Reading(whole.cast(pl.Int64), reading.odd).emptied(broken.arg_true(), written, fault=fault)


def _resolve(
    written: pl.Series, values: pl.Series, parse: Callable[[str], Odd], options: ReadOptions
) -> Reading:
    """Resolve cells as `resolve` does, after removing the plant's own markers and the common ones."""

    def parse_text(text: str) -> Odd:
        reason = missing_reason(text)
        return parse(text) if reason is None or text.strip() in _FLAGS else Odd(None, reason)

    reading = resolve(written, values, parse_text)
    if not options.missing:
        return reading
    own = _is_own(written.cast(pl.String).str.strip_chars(), options)
    return reading.emptied(own.arg_true(), written, note="missing")


def _is_own(texts: pl.Series, options: ReadOptions) -> pl.Series:
    """Which texts are the plant's own markers for a missing value."""
    own = texts.is_in([marker for marker in options.missing if not is_pattern(marker)])
    for marker in filter(is_pattern, options.missing):
        own |= texts.str.contains(f"^(?:{marker[1:-1]})$")
    return own.fill_null(value=False)


def _time(text: str, options: ReadOptions) -> Odd:
    if not text.strip():
        return Odd(None)
    found = parse_time(
        text,
        options.zone,
        date1904=options.date1904,
        order=options.dates,
        ambiguous_hour=options.ambiguous_hour,
    )
    return Odd(None, fault=found) if isinstance(found, Fault) else Odd(found)


def _flag(text: str) -> Odd:
    word = clean(text).lower()
    if not word:
        return Odd(None)
    fault = None if word in _FLAGS else Fault("not_a_flag", f"'{text}' is neither yes nor no; write 1 or 0")
    return Odd(_FLAGS.get(word), fault=fault)


def _text(written: pl.Series, values: pl.Series, odd: pl.Series, options: ReadOptions) -> Reading:
    if options.missing:
        odd |= _is_own(values, options)
    reading = Reading(values, ODD.to_frame())
    fault = Fault(
        "damaged_identifier",
        "a spreadsheet rounded this identifier; take it from its origin, as text",
    )
    if odd.any():
        at = odd.arg_true()
        texts = values.gather(at).str.normalize("NFKC").str.replace_all("\u2044", "/", literal=True)
        # Invisible characters would split one key into two.
        texts = texts.str.replace_all("[\u200b\ufeff]", "").str.strip_chars()
        texts = texts.str.replace(_AS_TEXT, "$1$2")
        texts = texts.set(texts == "", None)
        reading = Reading(values.clone().scatter(at, texts), ODD.to_frame())
        reading = _without_markers(reading, written, at, texts, options)
        reading = reading.emptied(
            at.filter(texts.str.contains(_DAMAGED).fill_null(value=False)), written, fault=fault
        )
    if written.dtype.is_float():
        at = (written.abs() >= 1e15).fill_null(value=False).arg_true()
        reading = reading.emptied(at, written, fault=fault)
    return reading


def _without_markers(
    reading: Reading, written: pl.Series, at: pl.Series, texts: pl.Series, options: ReadOptions
) -> Reading:
    """Empty the cells at these places whose text says why there is no value."""
    reasons = {
        text: "missing" if same_marker(text, options.missing) else missing_reason(text, words=True)
        for text in texts.drop_nulls().unique(maintain_order=True)
    }
    for reason in sorted({reason for reason in reasons.values() if reason is not None}):
        here = texts.is_in([text for text, one in reasons.items() if one == reason]).fill_null(value=False)
        reading = reading.emptied(at.filter(here), written, note=reason)
    return reading
