"""What counts as a valid record of coal: analyses, repeated determinations, sampling, blind codes.

One model a table. An *error* takes a record out: it is impossible, physically or by definition. A *warning*
is told and keeps it: it is unusual, or the limit is not sure enough to throw data away. A plant makes its own
model of one::

    class Ours(CoalAnalysis):
        proximate_closure = CoalAnalysis.proximate_closure.but(tolerance=0.5)  # fixed carbon is measured
        A_ad_unusual = CoalAnalysis.A_ad_unusual.but(low=5, high=15)

Rules keep their names and sentences. Units are in coal.yaml. A record that lacks a value breaks no rule on
it, and a table that lacks a column is not held against the rules that read it. Bases are ad (air dried),
ar (as received), d (dry) and daf (dry ash free).
"""
# ruff: noqa: RUF001  (Chinese sentences have Chinese commas)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pandera.polars as pa
import polars as pl

from tundish.across import across, over_table
from tundish.domain import bases, calorific, coal_rank, duplicates, sampling
from tundish.rules import Rule, error, rules, warning

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Rule]

__all__ = ["BlindCode", "CoalAnalysis", "CoalQuality", "Determination", "SamplingRecord"]

Time = Annotated[pl.Datetime, "us", "UTC"]

BITS = 1e-9
"""Sums of decimal numbers miss a limit by their last bits."""
DETERMINATION = ("sample_id", "item", "value", "number")
WASHED, SUPPLIED, FINAL = (
    pl.any_horizontal(pl.col("^washed$").fill_null(value=False)),
    pl.any_horizontal(pl.col("^supplier$").is_not_null()),
    pl.any_horizontal(pl.col("^final$").fill_null(value=False)),
)
"""False in a table without the column too."""
LAYER = pl.coalesce(pl.col("^Y_mm$"), pl.lit(None, pl.Float64))
"""Its plastic layer decides a coal's class above G 85 alone; many tables have none."""


# How columns and rules are written below.


def _text() -> Any:
    return pa.Field(nullable=True)


def _name_of(column: str, english: str, chinese: str) -> Any:
    """What names the record: it must be there."""
    rule = error(f"{column}_missing", f"the {english} is missing", f"缺少{chinese}")
    return pa.Field(metadata=rules(missing=rule))


def _number(column: str, english: str, chinese: str, **limits: Any) -> Any:
    """A number or nothing. Outside the limits is impossible, not only unusual."""
    rule = error(f"{column}_range", f"the {english} cannot have this value", f"{chinese}不可能为此值")
    return pa.Field(nullable=True, metadata=rules(below=rule, above=rule), **limits)


def _share(column: str, english: str, chinese: str) -> Any:
    return _number(column, english, chinese, ge=0, le=100)


def _heat(column: str, english: str, chinese: str) -> Any:
    return _number(column, english, chinese, ge=0, le=40)


def _usual(column: str, english: str, chinese: str, low: float, high: float) -> Any:
    """A warning outside of what is common; the limits are any plant's to change."""
    rule = warning(f"{column}_unusual", f"the {english} is unusual", f"{chinese}超出常见范围")
    return across(rule, column, low=low, high=high)(lambda _, low, high: pl.col(column).is_between(low, high))


def _total(columns: str, name: str, english: str, chinese: str, tolerance: float) -> Any:
    """The columns add up to 100 %."""
    rule = error(name, f"{english} do not add up to 100 %", f"{chinese}之和不等于 100 %")
    total = pl.sum_horizontal(columns.split(), ignore_nulls=False)
    return across(rule, *columns.split(), tolerance=tolerance)(
        lambda _, tolerance: (total - 100).abs() <= tolerance + BITS
    )


def _order(
    larger: str,
    smaller: str,
    name: str,
    english: str,
    chinese: str,
    make: Make = error,
    tolerance: float = 0.01,
) -> Any:
    """`larger` is at least `smaller`, but for the rounding of both."""
    return across(make(name, english, chinese), larger, smaller, tolerance=tolerance)(
        lambda _, tolerance: pl.col(larger) - pl.col(smaller) >= -tolerance - BITS
    )


def _wetter(dried: str, received: str, name: str, english: str, chinese: str) -> Any:
    """As received is at most air dried, where the coal came in at least as wet as it was analysed."""
    drier = pl.col("Mt") < pl.col("Mad")
    return across(error(name, english, chinese), dried, received, "Mt", "Mad", tolerance=0.01)(
        lambda _, tolerance: drier | (pl.col(dried) - pl.col(received) >= -tolerance - BITS)
    )


def _agrees(rule: Rule, given: str, computed: pl.Expr, others: str, tolerance: float) -> Any:
    """A value that the file gives is the one that others make, within `tolerance` of its own unit."""
    return across(rule, given, *others.split(), tolerance=tolerance)(
        lambda _, tolerance: (pl.col(given) - computed).abs() <= tolerance + BITS
    )


def _rebased(
    given: str, source: str, target: bases.Basis, english: str, chinese: str, make: Make = warning
) -> Any:
    """A value on another base is that of the air dried coal, converted."""
    name, sentence = f"{given}_recomputed", f"the {english} is not what the air dried value gives"
    others = {"ar": "Mt Mad", "d": "Mad", "daf": "Mad A_ad"}[target]
    mt, mad, ash = (pl.col(column) for column in ("Mt", "Mad", "A_ad"))
    computed = bases.rebase(pl.col(source), "ad", target, mt=mt, mad=mad, ash=ash)
    rule = make(name, sentence, f"{chinese}与由空干基换算的值不符")
    return _agrees(rule, given, computed, f"{source} {others}", tolerance=0.02)


def _form(column: str, english: str, chinese: str) -> Any:
    """No form of sulphur is more than all of them."""
    total, name = f"S_t_{column.split('_')[2]}", f"{column}_order"
    sentence = f"there is more {english} than total sulphur"
    return _order(total, column, name, sentence, f"{chinese}大于全硫", tolerance=0.02)


def _forms(base: str) -> Any:
    english = "sulphate, pyritic and organic sulphur do not add up to the total"
    rule = error(f"sulphur_closure_{base}", english, "硫酸盐硫、硫铁矿硫与有机硫之和不等于全硫")
    parts = f"S_s_{base} S_p_{base} S_o_{base}"
    total = pl.sum_horizontal(parts.split(), ignore_nulls=False)
    return _agrees(rule, f"S_t_{base}", total, parts, tolerance=0.02)


def _below(net: str, gross: pl.Expr, others: str, name: str, english: str, chinese: str) -> Any:
    """Burning makes water of the hydrogen, and water takes heat away."""
    rule = error(name, f"the net calorific value is not below the gross one ({english})", chinese)
    return across(rule, net, *others.split())(lambda _: pl.col(net) < gross)


def _melts(later: str, earlier: str, english: str, chinese: str) -> Any:
    """Equal temperatures are in order: beyond the furnace's end all read the same."""
    name = f"{later}_below_{earlier}"
    return _order(f"T_{later}", f"T_{earlier}", name, f"the ash {english}", chinese, tolerance=0)


def _due(verdict: str, name: str, english: str, chinese: str) -> Any:
    """Determinations that stand at `verdict`."""
    return over_table(warning(name, english, chinese, standard="GB/T 483"), *DETERMINATION)(
        lambda _, frame: (duplicates.standing(frame) != verdict).fill_null(value=True)
    )


def _rank(called: pl.Expr) -> pl.Expr:
    """Whether a coal is called by its class; null where either is not sure."""
    symbols = {name: symbol for symbol, (name, *_) in coal_rank.CHINESE_CLASSES.items()}
    symbols |= {symbol: symbol for symbol in coal_rank.CHINESE_CLASSES}
    code = coal_rank.gbt5751_code(pl.col("V_daf"), pl.col("G_index"), y=LAYER)
    return called.replace_strict(symbols, default=None, return_dtype=pl.String) == coal_rank.gbt5751_class(
        code
    )


class CoalAnalysis(pa.DataFrameModel):
    """A laboratory's analysis of one sample, on the bases that it reports: proximate, ultimate, heat, coking.

    Shares are %, calorific values MJ/kg, temperatures °C. Hydrogen and oxygen are without those of the
    moisture. `supplier` is here only so that `supplier_with_blind_code` sees it: analyses carry the blind
    code, and whose sample it is stands in a table of its own (`BlindCode`) until the result is final.
    """

    sample_id: str = _name_of("sample_id", "sample's number", "样品编号")
    coal_type: str | None = _text()
    blind_code: str | None = _text()
    supplier: str | None = _text()
    final: bool | None = _text()
    sampled_at: Time | None = _text()
    tested_at: Time | None = _text()

    Mt: float | None = _share("Mt", "total moisture", "全水分")
    Mad: float | None = _share("Mad", "moisture of the analysis sample", "空干基水分")
    A_ad: float | None = _share("A_ad", "ash (air dried)", "空干基灰分")
    A_ar: float | None = _share("A_ar", "ash (as received)", "收到基灰分")
    A_d: float | None = _share("A_d", "ash (dry)", "干燥基灰分")
    V_ad: float | None = _share("V_ad", "volatile matter (air dried)", "空干基挥发分")
    V_d: float | None = _share("V_d", "volatile matter (dry)", "干燥基挥发分")
    V_daf: float | None = _share("V_daf", "volatile matter (dry ash free)", "干燥无灰基挥发分")
    FC_ad: float | None = _share("FC_ad", "fixed carbon (air dried)", "空干基固定碳")
    FC_d: float | None = _share("FC_d", "fixed carbon (dry)", "干燥基固定碳")
    S_t_ad: float | None = _share("S_t_ad", "total sulphur (air dried)", "空干基全硫")
    S_t_d: float | None = _share("S_t_d", "total sulphur (dry)", "干燥基全硫")
    S_t_daf: float | None = _share("S_t_daf", "total sulphur (dry ash free)", "干燥无灰基全硫")
    S_s_ad: float | None = _share("S_s_ad", "sulphate sulphur (air dried)", "空干基硫酸盐硫")
    S_p_ad: float | None = _share("S_p_ad", "pyritic sulphur (air dried)", "空干基硫铁矿硫")
    S_o_ad: float | None = _share("S_o_ad", "organic sulphur (air dried)", "空干基有机硫")
    S_s_d: float | None = _share("S_s_d", "sulphate sulphur (dry)", "干燥基硫酸盐硫")
    S_p_d: float | None = _share("S_p_d", "pyritic sulphur (dry)", "干燥基硫铁矿硫")
    S_o_d: float | None = _share("S_o_d", "organic sulphur (dry)", "干燥基有机硫")
    C_ad: float | None = _share("C_ad", "carbon (air dried)", "空干基碳")
    H_ad: float | None = _share("H_ad", "hydrogen (air dried)", "空干基氢")
    N_ad: float | None = _share("N_ad", "nitrogen (air dried)", "空干基氮")
    O_ad: float | None = _share("O_ad", "oxygen (air dried)", "空干基氧")
    C_daf: float | None = _share("C_daf", "carbon (dry ash free)", "干燥无灰基碳")
    H_daf: float | None = _share("H_daf", "hydrogen (dry ash free)", "干燥无灰基氢")
    N_daf: float | None = _share("N_daf", "nitrogen (dry ash free)", "干燥无灰基氮")
    O_daf: float | None = _share("O_daf", "oxygen (dry ash free)", "干燥无灰基氧")
    H_source: str | None = pa.Field(
        isin=calorific.HYDROGEN_SOURCES,
        nullable=True,
        metadata=rules(
            other=error("H_source_unknown", "hydrogen has no such source", "氢值来源应为实测、估算或常数")
        ),
    )
    Q_b_ad: float | None = _heat("Q_b_ad", "bomb calorific value", "弹筒发热量")
    Q_gr_ad: float | None = _heat("Q_gr_ad", "gross calorific value (air dried)", "空干基高位发热量")
    Q_gr_ar: float | None = _heat("Q_gr_ar", "gross calorific value (as received)", "收到基高位发热量")
    Q_gr_d: float | None = _heat("Q_gr_d", "gross calorific value (dry)", "干燥基高位发热量")
    Q_net_ad: float | None = _heat("Q_net_ad", "net calorific value (air dried)", "空干基低位发热量")
    Q_net_ar: float | None = _heat("Q_net_ar", "net calorific value (as received)", "收到基低位发热量")
    T_DT: float | None = _number("T_DT", "deformation temperature", "变形温度", gt=0)
    T_ST: float | None = _number("T_ST", "softening temperature", "软化温度", gt=0)
    T_HT: float | None = _number("T_HT", "hemisphere temperature", "半球温度", gt=0)
    T_FT: float | None = _number("T_FT", "flow temperature", "流动温度", gt=0)
    G_index: float | None = _number("G_index", "caking index", "粘结指数", ge=0)
    Y_mm: float | None = _number("Y_mm", "plastic layer", "胶质层厚度", ge=0)
    X_mm: float | None = _text()
    HGI: float | None = _number("HGI", "grindability", "哈氏可磨指数", gt=0)
    CRI: float | None = _share("CRI", "coke reactivity", "焦炭反应性")
    CSR: float | None = _share("CSR", "coke strength after reaction", "反应后强度")
    recovery: float | None = _share("recovery", "recovery", "回收率")

    proximate_closure = _total(
        "Mad A_ad V_ad FC_ad",
        "proximate_closure",
        "moisture, ash, volatile matter and fixed carbon (air dried)",
        "空干基水分、灰分、挥发分、固定碳",
        tolerance=0.02,
    )
    proximate_closure_d = _total(
        "A_d V_d FC_d",
        "proximate_closure_d",
        "ash, volatile matter and fixed carbon (dry)",
        "干燥基灰分、挥发分、固定碳",
        tolerance=0.02,
    )
    ultimate_closure = _total(
        "C_ad H_ad N_ad S_t_ad O_ad A_ad Mad",
        "ultimate_closure",
        "carbon, hydrogen, nitrogen, sulphur, oxygen, ash and moisture (air dried)",
        "空干基碳、氢、氮、硫、氧、灰分、水分",
        tolerance=0.05,
    )
    ultimate_closure_daf = _total(
        "C_daf H_daf N_daf S_t_daf O_daf",
        "ultimate_closure_daf",
        "carbon, hydrogen, nitrogen, sulphur and oxygen (dry ash free)",
        "干燥无灰基碳、氢、氮、硫、氧",
        tolerance=0.05,
    )
    sulphur_closure_ad, sulphur_closure_d = _forms("ad"), _forms("d")
    S_s_ad_order = _form("S_s_ad", "sulphate sulphur", "硫酸盐硫")
    S_p_ad_order = _form("S_p_ad", "pyritic sulphur", "硫铁矿硫")
    S_o_ad_order = _form("S_o_ad", "organic sulphur", "有机硫")
    S_s_d_order = _form("S_s_d", "sulphate sulphur", "硫酸盐硫")
    S_p_d_order = _form("S_p_d", "pyritic sulphur", "硫铁矿硫")
    S_o_d_order = _form("S_o_d", "organic sulphur", "有机硫")

    total_moisture_order = _order(
        "Mt",
        "Mad",
        "total_moisture_order",
        "the coal came in drier than its sample",
        "全水分小于空干基水分",
        warning,
    )
    A_d_order = _order("A_d", "A_ad", "A_d_order", "dry coal has less ash", "干燥基灰分小于空干基")
    A_ar_order = _wetter("A_ad", "A_ar", "A_ar_order", "wetter coal has more ash", "收到基灰分大于空干基")
    V_d_order = _order(
        "V_d", "V_ad", "V_d_order", "dry coal has less volatile matter", "干燥基挥发分小于空干基"
    )
    V_daf_order = _order(
        "V_daf", "V_d", "V_daf_order", "coal without ash has less volatile matter", "无灰基挥发分小于干燥基"
    )
    V_daf_ad_order = _order(
        "V_daf",
        "V_ad",
        "V_daf_ad_order",
        "coal without ash has less volatile matter",
        "无灰基挥发分小于空干基",
    )
    V_daf_recomputed = _rebased(
        "V_daf", "V_ad", "daf", "volatile matter (dry ash free)", "干燥无灰基挥发分", error
    )
    V_d_recomputed = _rebased("V_d", "V_ad", "d", "volatile matter (dry)", "干燥基挥发分")
    A_ar_recomputed = _rebased("A_ar", "A_ad", "ar", "ash (as received)", "收到基灰分")
    A_d_recomputed = _rebased("A_d", "A_ad", "d", "ash (dry)", "干燥基灰分")
    S_t_d_recomputed = _rebased("S_t_d", "S_t_ad", "d", "total sulphur (dry)", "干燥基全硫")
    Q_gr_d_recomputed = _rebased("Q_gr_d", "Q_gr_ad", "d", "gross calorific value (dry)", "干燥基高位发热量")

    bomb_below_gross = _order(
        "Q_b_ad",
        "Q_gr_ad",
        "bomb_below_gross",
        "the bomb gives less than gross",
        "弹筒发热量小于高位",
        tolerance=0,
    )
    Q_gr_d_order = _order(
        "Q_gr_d", "Q_gr_ad", "Q_gr_d_order", "dry coal has less gross heat", "干燥基高位发热量小于空干基"
    )
    Q_gr_ar_order = _wetter(
        "Q_gr_ad", "Q_gr_ar", "Q_gr_ar_order", "wetter coal has more gross heat", "收到基高位发热量大于空干基"
    )
    net_below_gross_ad = _below(
        "Q_net_ad",
        pl.col("Q_gr_ad"),
        "Q_gr_ad",
        "net_below_gross_ad",
        "air dried",
        "空干基低位发热量不小于高位",
    )
    net_below_gross_ar = _below(
        "Q_net_ar",
        pl.col("Q_gr_ar"),
        "Q_gr_ar",
        "net_below_gross_ar",
        "as received",
        "收到基低位发热量不小于高位",
    )
    # The two that trade asks for stand on different bases.
    net_below_gross = _below(
        "Q_net_ar",
        bases.rebase(pl.col("Q_gr_ad"), "ad", "ar", mt=pl.col("Mt"), mad=pl.col("Mad")),
        "Q_gr_ad Mt Mad",
        "net_below_gross",
        "converted to as received",
        "收到基低位发热量不小于换算的高位",
    )
    Q_gr_ad_recomputed = _agrees(
        warning(
            "Q_gr_ad_recomputed",
            "the gross calorific value is not what bomb and sulphur give",
            "高位发热量与由弹筒发热量、全硫计算的值不符",
            standard="GB/T 213",
        ),
        "Q_gr_ad",
        calorific.gross_from_bomb(pl.col("Q_b_ad"), pl.col("S_t_ad")),
        "Q_b_ad S_t_ad",
        tolerance=0.02,
    )
    Q_net_ar_recomputed = _agrees(
        warning(
            "Q_net_ar_recomputed",
            "the net calorific value is not what gross, hydrogen and moisture give",
            "低位发热量与由高位发热量、氢、水分计算的值不符",
            standard="GB/T 213",
        ),
        "Q_net_ar",
        calorific.net(pl.col("Q_gr_ad"), pl.col("H_ad"), mt=pl.col("Mt"), mad=pl.col("Mad")),
        "Q_gr_ad H_ad Mt Mad",
        # Total moisture is often told to a tenth: 0.05 % of it are 0.014 MJ/kg.
        tolerance=0.05,
    )

    ST_below_DT = _melts("ST", "DT", "softens before it deforms", "软化温度低于变形温度")
    HT_below_ST = _melts("HT", "ST", "is a hemisphere before it softens", "半球温度低于软化温度")
    FT_below_HT = _melts("FT", "HT", "flows before it is a hemisphere", "流动温度低于半球温度")
    FT_below_ST = _melts("FT", "ST", "flows before it softens", "流动温度低于软化温度")

    Mt_unusual = _usual("Mt", "total moisture", "全水分", 8, 15)
    Mad_unusual = _usual("Mad", "moisture of the analysis sample", "空干基水分", 1, 3)
    A_ad_unusual = _usual("A_ad", "ash (air dried)", "空干基灰分", 10, 40)
    S_t_d_unusual = _usual("S_t_d", "total sulphur (dry)", "干燥基全硫", 0, 1)
    C_daf_unusual = _usual("C_daf", "carbon (dry ash free)", "干燥无灰基碳", 65, 98)
    H_ad_unusual = _usual("H_ad", "hydrogen (air dried)", "空干基氢", 2, 5)
    T_DT_unusual = _usual("T_DT", "deformation temperature", "变形温度", 900, 1700)
    T_ST_unusual = _usual("T_ST", "softening temperature", "软化温度", 900, 1700)
    T_HT_unusual = _usual("T_HT", "hemisphere temperature", "半球温度", 900, 1700)
    T_FT_unusual = _usual("T_FT", "flow temperature", "流动温度", 900, 1700)
    G_index_unusual = _usual("G_index", "caking index", "粘结指数", 0, 105)
    Y_mm_unusual = _usual("Y_mm", "plastic layer", "胶质层厚度", 0, 60)
    HGI_unusual = _usual("HGI", "grindability", "哈氏可磨指数", 20, 120)
    coke_unusual = across(
        warning("coke_unusual", "reactivity and strength do not go together", "反应性与强度不匹配"),
        "CRI",
        "CSR",
        low=70,
        high=95,
    )(lambda _, low, high: (pl.col("CRI") + pl.col("CSR")).is_between(low, high))
    coal_type_differs = across(
        warning(
            "coal_type_differs",
            "the coal is called by another class than its analysis gives",
            "煤种与按化验值划分的煤类不符",
            standard="GB/T 5751",
        ),
        "coal_type",
        "V_daf",
        "G_index",
    )(lambda _: _rank(pl.col("coal_type")))
    # A day's slack: many laboratories write the day alone.
    tested_before_sampled = across(
        warning("tested_before_sampled", "the sample was tested before it was taken", "化验时间早于采样时间"),
        "tested_at",
        "sampled_at",
        slack_h=24,
    )(
        lambda _, slack_h: (
            (pl.col("tested_at") - pl.col("sampled_at")).dt.total_hours(fractional=True) >= -slack_h
        )
    )
    # The rule names the code alone, so that no message says whose it is.
    supplier_with_blind_code = across(
        error(
            "supplier_with_blind_code",
            "the row says whose sample the blind code is, and not that the result is final",
            "结果未确认为最终，盲码与供应商不得同时出现",
        ),
        "blind_code",
    )(lambda _: pl.col("blind_code").is_null() | ~SUPPLIED | FINAL)

    class Config:
        """Of the table: what names a record, what tells the later of two."""

        metadata = {"key": ("sample_id",), "latest_by": "tested_at"}  # noqa: RUF012


class CoalQuality(pa.DataFrameModel):
    """Proximate and ultimate analysis with gross calorific value, as public collections publish it.

    All % as received, so that hydrogen and oxygen contain those of the moisture; MJ/kg. There is no key.
    """

    Moisture: float | None = _share("Moisture", "moisture", "水分")
    Volatile_matter: float | None = _share("Volatile_matter", "volatile matter", "挥发分")
    Fixed_Carbon: float | None = _share("Fixed_Carbon", "fixed carbon", "固定碳")
    Ash: float | None = _share("Ash", "ash", "灰分")
    Hydrogen: float | None = _share("Hydrogen", "hydrogen", "氢")
    Carbon: float | None = _share("Carbon", "carbon", "碳")
    Nitrogen: float | None = _share("Nitrogen", "nitrogen", "氮")
    Oxygen: float | None = _share("Oxygen", "oxygen", "氧")
    Sulfur: float | None = _share("Sulfur", "sulphur", "硫")
    GCV: float | None = _heat("GCV", "gross calorific value", "高位发热量")

    proximate_closure = _total(
        "Moisture Volatile_matter Fixed_Carbon Ash",
        "proximate_closure",
        "moisture, ash, volatile matter and fixed carbon",
        "水分、灰分、挥发分、固定碳",
        tolerance=0.02,
    )
    ultimate_closure = _total(
        "Hydrogen Carbon Nitrogen Oxygen Sulfur Ash",
        "ultimate_closure",
        "hydrogen, carbon, nitrogen, oxygen, sulphur and ash",
        "氢、碳、氮、氧、硫、灰分",
        tolerance=0.05,
    )


class Determination(pa.DataFrameModel):
    """One determination of one item of one sample; two of them agree, or a third and a fourth are made.

    Items are called as the columns of `CoalAnalysis` and have their units. The limits are in
    `tundish.domain.repeatability` with their sources; they were not read in the standards, so all rules on
    them are warnings. A plant that has checked them writes
    ``third_due = Determination.third_due.but(rule=error(...))``.
    """

    sample_id: str = _name_of("sample_id", "sample's number", "样品编号")
    item: str = _name_of("item", "item", "化验项目")
    number: pl.Int64 = pa.Field(
        ge=1,
        le=4,
        metadata=rules(
            below=error("number_low", "determinations are counted from one", "测定次序应从一开始"),
            above=error("number_high", "there are at most four determinations", "测定次数不应超过四次"),
            missing=error("number_missing", "nobody knows which determination it is", "缺少测定次序"),
        ),
    )
    value: float | None = _text()
    tested_at: Time | None = _text()

    second_due = _due("2", "second_due", "one determination alone: make a second", "缺少第二次测定")
    third_due = _due("3", "third_due", "two differ too much: make a third", "两次测定超差，应做第三次")
    fourth_due = _due("4", "fourth_due", "three differ too much: make a fourth", "三次测定超差，应做第四次")
    all_void = _due("rejected", "all_void", "four do not agree: all are void", "四次测定均超差，全部作废")
    pairs_too_equal = over_table(
        warning(
            "pairs_too_equal",
            "far more pairs are exactly equal than chance allows: was the second one made",
            "平行样完全相同的比例远高于随机水平，请核实第二次测定",
        ),
        *DETERMINATION,
        pairs=20,
    )(lambda _, frame, pairs: ~duplicates.equal_pairs(frame, pairs))
    pairs_too_close = over_table(
        warning(
            "pairs_too_close",
            "pairs lie closer together than the method can do: was the second one made",
            "平行样差值远小于方法精密度，请核实第二次测定",
        ),
        *DETERMINATION,
        pairs=20,
    )(lambda _, frame, pairs: ~duplicates.tight_pairs(frame, pairs))
    item_without_limit = across(
        warning("item_without_limit", "this item has no limit of repeatability", "该项目无重复性限"), "item"
    )(lambda _: duplicates.repeatable(pl.col("item")))

    class Config:
        """Of the table: what names a record, what tells the later of two."""

        metadata = {"key": ("sample_id", "item", "number"), "latest_by": "tested_at"}  # noqa: RUF012


class SamplingRecord(pa.DataFrameModel):
    """How one unit of coal was sampled. It carries the blind code, never the supplier.

    Numbers and masses of the standards are general knowledge, so their rules are warnings; `n_required` is
    what the plant itself asks for.
    """

    sampling_unit: str = _name_of("sampling_unit", "sampling unit", "采样单元编码")
    blind_code: str | None = _text()
    sampled_at: Time | None = _text()
    lot_mass: float | None = _number("lot_mass", "mass of the lot", "采样单元煤量", gt=0)
    n_trucks: pl.Int64 | None = _number("n_trucks", "number of trucks", "车数", ge=0)
    n_increments: pl.Int64 | None = _number("n_increments", "number of increments", "子样数", ge=1)
    n_required: pl.Int64 | None = _number("n_required", "number of increments asked for", "应采子样数", ge=1)
    increment_mass: float | None = _number("increment_mass", "mass of an increment", "初级子样质量", gt=0)
    sample_mass: float | None = _number("sample_mass", "mass of the sample", "总样质量", gt=0)
    top_size: float | None = _number("top_size", "top size", "标称最大粒度", gt=0)
    washed: bool | None = _text()
    A_d: float | None = _share("A_d", "ash (dry)", "干燥基灰分")
    bucket_full: bool | None = _text()

    increments_missing = _order(
        "n_increments",
        "n_required",
        "increments_missing",
        "fewer increments than the plant asks for",
        "子样数少于规定数",
        tolerance=0,
    )
    increments_few = across(
        warning("increments_few", "few increments for this lot", "子样数偏少", standard="GB/T 475-2008"),
        "n_increments",
        "lot_mass",
        "A_d",
        minimum=10,
    )(
        lambda _, minimum: (
            pl.col("n_increments")
            >= sampling.increments(
                pl.col("lot_mass"), sampling.base_increments(pl.col("A_d"), WASHED), minimum=minimum
            )
        )
    )
    increment_light = across(
        warning("increment_light", "light increments for the size", "子样质量偏小", standard="GB/T 475-2008"),
        "increment_mass",
        "top_size",
    )(lambda _: pl.col("increment_mass") >= sampling.increment_mass(pl.col("top_size")) - BITS)
    sample_light = across(
        warning("sample_light", "a light sample for the size", "总样质量偏小", standard="GB 474"),
        "sample_mass",
        "top_size",
    )(lambda _: pl.col("sample_mass") >= sampling.sample_mass(pl.col("top_size")))

    class Config:
        """Of the table: what names a record."""

        metadata = {"key": ("sampling_unit",)}  # noqa: RUF012


class BlindCode(pa.DataFrameModel):
    """Whose sample a blind code stands for: a table of its own, for those who hold the key.

    Analyses and sampling records carry the code alone. Who joins this table to them before the results are
    final breaks what the codes are for.
    """

    blind_code: str = _name_of("blind_code", "blind code", "盲码")
    sample_id: str | None = _text()
    supplier: str | None = _text()
    coal_type: str | None = _text()
    sampled_at: Time | None = _text()

    code_tells_sample = across(
        warning("code_tells_sample", "the blind code contains the sample's number", "盲码中含有样品编号"),
        "blind_code",
        "sample_id",
    )(lambda _: ~pl.col("blind_code").str.contains(pl.col("sample_id"), literal=True))
    code_tells_supplier = across(
        error("code_tells_supplier", "the blind code contains the supplier's name", "盲码中含有供应商名称"),
        "blind_code",
        "supplier",
    )(lambda _: ~pl.col("blind_code").str.contains(pl.col("supplier"), literal=True))

    class Config:
        """Of the table: what names a record."""

        metadata = {"key": ("blind_code",)}  # noqa: RUF012
