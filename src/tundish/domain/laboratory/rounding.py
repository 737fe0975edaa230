"""Rounding of laboratory values: half to even, on the decimal number that was written (GB/T 8170).

A float such as 10.245 differs slightly from the decimal number that it represents, so Python's `round`
decides by its last bits. Here the shortest decimal text that gives the float is rounded.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

__all__ = ["round_half_even", "rounded"]

_DECIMAL = pl.Decimal(38, 20)


def round_half_even(value: float | str | Decimal, places: int) -> Decimal:
    """Round a number to this many decimals (negative: tens, hundreds), halves to the even digit.

    Args:
        value: A decimal number, its text, or a float, which is read as its shortest text.
        places: The number of decimals to keep.
    """
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def rounded(value: pl.Expr, places: int) -> pl.Expr:
    """Round a column of floats as `round_half_even` does; what is too large for decimals stays unchanged.

    Args:
        value: A column of type Float64.
        places: The number of decimals to keep, up to 15; negative for tens and hundreds.
    """
    # A quotient by 10 of a number with fewer than 16 digits has the correct shortest text again.
    scale = 10.0 ** max(-places, 0)
    exact = (value / scale).cast(pl.String).cast(_DECIMAL, strict=False)
    near = exact.round(max(places, 0), mode="half_to_even").cast(pl.Float64) * scale
    return pl.coalesce(near, value)
