"""Rank of a coal: GB/T 5751, ASTM D388, and by the reflectance of vitrinite.

Every function gives null where a deciding value is missing: a rank is never guessed. Limits marked GK are
general knowledge; the others come from public tables of GB 5751-86 and in USGS Circular 891.
"""

from __future__ import annotations

from types import MappingProxyType

import polars as pl

__all__ = ["CHINESE_CLASSES", "astm_d388", "ece_rank", "gbt5751_class", "gbt5751_code", "iso11760_rank"]

CHINESE_CLASSES = MappingProxyType(
    {
        "WY": ("无烟煤", "anthracite", ("01", "02", "03")),
        "PM": ("贫煤", "meagre coal", ("11",)),
        "PS": ("贫瘦煤", "meagre lean coal", ("12",)),
        "SM": ("瘦煤", "lean coal", ("13", "14")),
        "JM": ("焦煤", "coking coal", ("15", "24", "25")),
        "FM": ("肥煤", "fat coal", ("16", "26", "36")),
        "1/3JM": ("1/3焦煤", "1/3 coking coal", ("35",)),
        "QF": ("气肥煤", "gas fat coal", ("46",)),
        "QM": ("气煤", "gas coal", ("34", "43", "44", "45")),
        "1/2ZN": ("1/2中粘煤", "1/2 medium caking coal", ("23", "33")),
        "RN": ("弱粘煤", "weakly caking coal", ("22", "32")),
        "BN": ("不粘煤", "non-caking coal", ("21", "31")),
        "CY": ("长焰煤", "long flame coal", ("41", "42")),
        "HM": ("褐煤", "lignite", ("51", "52")),
    }
)
"""The 14 classes of GB/T 5751 by symbol: Chinese name, English name, codes (29 subclasses)."""

_NOTHING = pl.lit(None, pl.Float64)


def gbt5751_code(
    v_daf: pl.Expr,
    g: pl.Expr,
    *,
    y: pl.Expr = _NOTHING,
    b: pl.Expr = _NOTHING,
    pm: pl.Expr = _NOTHING,
    gross_maf: pl.Expr = _NOTHING,
) -> pl.Expr:
    """Code of GB/T 5751 as text, such as "35": tens from the volatile matter, units from the caking power.

    Args:
        v_daf: Volatile matter, % daf.
        g: Caking index.
        y: Plastic layer, mm; needed above G 85, where `b` is not measured.
        b: Audibert-Arnu dilatation, %; counts where `y` is not measured.
        pm: Light transmittance, %; distinguishes lignite above 37 % daf, needed there up to G 5.
        gross_maf: Gross calorific value, moist ash free, MJ/kg; needed for PM above 30 to 50.
    """
    above = v_daf > 37
    # GK; the standard also uses hydrogen, which decides where the two differ.
    old = (
        pl.when(v_daf <= 3.5).then(pl.lit("01")).when(v_daf <= 6.5).then(pl.lit("02")).otherwise(pl.lit("03"))
    )
    band = pl.when(v_daf <= 20).then(1).when(v_daf <= 28).then(2).when(v_daf <= 37).then(3).otherwise(4)
    return (
        pl.when(v_daf <= 10)
        .then(old)
        .when(above & (pm <= 30))
        .then(pl.lit("51"))
        .when(above & (pm <= 50) & (gross_maf <= 24))
        .then(pl.lit("52"))
        .when(above & (((pm <= 50) & gross_maf.is_null()) | (pm.is_null() & (g <= 5))))
        .then(None)
        .when(v_daf > 10)
        .then(pl.concat_str(band, _caking(band, v_daf, g, y, b)))
    )


def _caking(band: pl.Expr, v_daf: pl.Expr, g: pl.Expr, y: pl.Expr, b: pl.Expr) -> pl.Expr:
    """The units: 1 to 5 from G, 6 for a thick plastic layer. Null where G, or Y above G 85, is missing."""
    # The band of 20 to 50 is narrower where it separates classes: 30 (RN, 1/2ZN), 35 (CY, QM).
    weak = pl.when(band == 1).then(20).when(band == 4).then(35).otherwise(30)
    swells = pl.coalesce(y > 25, b > pl.when(v_daf <= 28).then(150).otherwise(220))
    return (
        pl.when(swells)
        .then(6)
        .when((g > 85) & swells.is_null())
        .then(None)
        .when(g <= 5)
        .then(1)
        .when(g <= weak)
        .then(2)
        .when(g <= 50)
        .then(3)
        .when(g <= 65)
        .then(4)
        .when(g > 65)
        .then(5)
    )


def gbt5751_class(code: pl.Expr) -> pl.Expr:
    """Symbol of the class, such as "JM", from the code of GB/T 5751."""
    symbols = {code: symbol for symbol, (_, _, codes) in CHINESE_CLASSES.items() for code in codes}
    return code.replace_strict(symbols, default=None, return_dtype=pl.String)


def astm_d388(fixed_carbon: pl.Expr, btu: pl.Expr, agglomerating: pl.Expr) -> pl.Expr:
    """Group of ASTM D388 by name. Each group includes its lower limit.

    Args:
        fixed_carbon: % dry mineral-matter free (`tundish.domain.coal.bases.fixed_carbon_dmmf`).
        btu: Gross calorific value, Btu/lb moist mineral-matter free (`btu_mmmf`); decides below 69 %.
        agglomerating: Decides from 10,500 to 11,500 Btu/lb.
    """
    by_carbon = (
        (98, "meta-anthracite"),
        (92, "anthracite"),
        (86, "semianthracite"),
        (78, "low volatile bituminous"),
        (69, "medium volatile bituminous"),
    )
    by_heat = (
        (14_000, "high volatile A bituminous"),
        (13_000, "high volatile B bituminous"),
        (11_500, "high volatile C bituminous"),
    )
    soft = ((9_500, "subbituminous B"), (8_300, "subbituminous C"), (6_300, "lignite A"), (0, "lignite B"))
    # 1e-6: a value that was converted from MJ/kg may miss a limit by its last bit.
    heat = btu + 1e-6
    between = (pl.when(agglomerating).then(pl.lit("high volatile C bituminous")).when(~agglomerating)).then(
        pl.lit("subbituminous A")
    )
    below_69 = pl.coalesce(
        *(pl.when(heat >= limit).then(pl.lit(name)) for limit, name in by_heat),
        pl.when(heat >= 10_500).then(pl.coalesce(between, pl.lit(""))),
        *(pl.when(heat >= limit).then(pl.lit(name)) for limit, name in soft),
    ).replace("", None)
    hard = [pl.when(fixed_carbon >= limit).then(pl.lit(name)) for limit, name in by_carbon]
    return pl.coalesce(*hard, pl.when(fixed_carbon < 69).then(below_69))


def ece_rank(reflectance: pl.Expr, gross: pl.Expr) -> pl.Expr:
    """Low, medium or high rank after the ECE, by vitrinite reflectance (%) and gross calorific value (MJ/kg).

    Low is below 0.6 % and below 24 MJ/kg, high above 2.0 %.
    """
    low = (reflectance < 0.6) & (gross < 24)
    medium = (reflectance <= 2.0) & low.not_()
    return (
        pl.when(low)
        .then(pl.lit("low"))
        .when(medium)
        .then(pl.lit("medium"))
        .when(reflectance > 2.0)
        .then(pl.lit("high"))
    )


def iso11760_rank(reflectance: pl.Expr) -> pl.Expr:
    """Lignite, low, medium or high rank after ISO 11760, by vitrinite reflectance in % (limits GK).

    Lignite is below 0.4 %, low below 0.5 %, medium below 2.0 %.
    """
    return (
        pl.when(reflectance < 0.4)
        .then(pl.lit("lignite"))
        .when(reflectance < 0.5)
        .then(pl.lit("low"))
        .when(reflectance < 2.0)
        .then(pl.lit("medium"))
        .when(reflectance >= 2.0)
        .then(pl.lit("high"))
    )
