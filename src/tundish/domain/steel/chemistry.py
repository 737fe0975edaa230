"""Chemical composition of steel: carbon equivalents, sums, limits of the cast analysis. All in wt %."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import polars as pl

from tundish.domain.laboratory.specification import Specification

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CET",
    "CEV",
    "EN_10130_CAST",
    "PCM",
    "Content",
    "cet",
    "cev",
    "pcm",
]

Content = TypeVar("Content", float, pl.Expr)

CEV = {"C": 1, "Mn": 1 / 6, "Cr": 1 / 5, "Mo": 1 / 5, "V": 1 / 5, "Ni": 1 / 15, "Cu": 1 / 15}
"""Weights of the carbon equivalent of the International Institute of Welding (EN 1011-2, method A)."""

CET = {"C": 1, "Mn": 1 / 10, "Mo": 1 / 10, "Cr": 1 / 20, "Cu": 1 / 20, "Ni": 1 / 40}
"""Weights of the carbon equivalent CET (EN 1011-2, method B)."""

PCM = {
    "C": 1,
    "Si": 1 / 30,
    "Mn": 1 / 20,
    "Cu": 1 / 20,
    "Cr": 1 / 20,
    "Ni": 1 / 60,
    "Mo": 1 / 15,
    "V": 1 / 10,
    "B": 5,
}
"""Weights of the crack parameter Pcm of low-carbon steel."""

# The tables the grades were taken from name no edition.
EN_10130_CAST = Specification(
    standard="EN 10130",
    edition="",
    least={},
    most={
        "DC01": {"C": 0.12, "Mn": 0.60, "P": 0.045, "S": 0.045},
        "DC03": {"C": 0.10, "Mn": 0.45, "P": 0.035, "S": 0.035},
        "DC04": {"C": 0.08, "Mn": 0.40, "P": 0.030, "S": 0.030},
        "DC05": {"C": 0.06, "Mn": 0.35, "P": 0.025, "S": 0.025},
        "DC06": {"C": 0.02, "Mn": 0.25, "P": 0.020, "S": 0.020, "Ti": 0.30},
    },
)
"""Largest contents in the cast analysis of cold rolled low carbon flat products."""


def cev(contents: Mapping[str, Content], *, residual: bool = False) -> Content:
    """Carbon equivalent CEV (IIW), %.

    Args:
        contents: Contents by symbol, %. A null or NaN makes the result null or NaN.
        residual: Whether elements that were not analysed are residual: they count as zero.

    Raises:
        KeyError: A symbol is not in `contents` and not residual.
    """
    return _weigh(CEV, contents, residual)


def cet(contents: Mapping[str, Content], *, residual: bool = False) -> Content:
    """Carbon equivalent CET, %; arguments as of `cev`."""
    return _weigh(CET, contents, residual)


def pcm(contents: Mapping[str, Content], *, residual: bool = False) -> Content:
    """Crack parameter Pcm, %; arguments as of `cev`."""
    return _weigh(PCM, contents, residual)


def _weigh(weights: Mapping[str, float], contents: Mapping[str, Content], residual: bool) -> Content:
    present = [name for name in weights if name in contents or not residual]
    first, *rest = [_known(contents[name], residual) * weights[name] for name in present]
    total = first
    for part in rest:
        total = total + part
    return total


def _known(content: Content, residual: bool) -> Content:
    # mypy checks numbers and expressions one at a time, and sees no alternative.
    return content.fill_null(0.0) if residual and isinstance(content, pl.Expr) else content  # type: ignore[redundant-expr]
