"""Rounding of laboratory values: half to even, on the decimal number that was written (GB/T 8170).

A float such as 10.245 lies beside the decimal number that it stands for, so Python's own `round` decides by
the float's last bits. Here the shortest decimal text that gives the float is rounded.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl

__all__ = ["round_half_even", "rounded"]

_DECIMAL = pl.Decimal(38, 20)


def round_half_even(value: float | str | Decimal, places: int) -> Decimal:
    """A number to so many decimals (negative: tens, hundreds), halves to the even digit.

    Args:
        value: A decimal number, its text, or a float, which stands for its shortest text.
        places: Decimals that stay.
    """
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def rounded(value: pl.Expr, places: int) -> pl.Expr:
    """A column of floats rounded as `round_half_even` does. What is too large for decimals stays as it is.

    Args:
        value: Float64.
        places: Decimals that stay, up to 15; negative for tens and hundreds.
    """
    # A quotient by 10 of what has fewer than 16 digits has the right shortest text again.
    scale = 10.0 ** max(-places, 0)
    exact = (value / scale).cast(pl.String).cast(_DECIMAL, strict=False)
    near = exact.round(max(places, 0), mode="half_to_even").cast(pl.Float64) * scale
    return pl.coalesce(near, value)
