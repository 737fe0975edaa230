"""What counts as a valid record of coal: analyses, repeated determinations, sampling, blind codes.

One model per table. An *error* quarantines a record: it is impossible, physically or by definition. A
*warning* is reported and keeps it: it is unusual, or the limit is not certain enough to discard data. A plant
subclasses a model::

    class Ours(CoalAnalysis):
        proximate_closure = CoalAnalysis.proximate_closure.but(tolerance=0.5)  # fixed carbon is measured
        A_ad_unusual = CoalAnalysis.A_ad_unusual.but(low=5, high=15)

Rules keep their names and sentences. Units are in coal.yaml. A record that lacks a value breaks no rule on
it, and rules do not apply to a table that lacks one of their columns. Bases are ad (air dried),
ar (as received), d (dry) and daf (dry ash free).
"""
# ruff: noqa: RUF001  (Chinese sentences have Chinese commas)

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pandera.polars as pa
import polars as pl

from tundish.domain.coal import bases, calorific, rank, sampling
from tundish.domain.laboratory import replicates
from tundish.rules import (
    BITS,
    Rule,
    across,
    adds_up,
    agrees,
    at_least,
    error,
    keeps,
    later,
    name_of,
    number,
    optional,
    over_table,
    percent,
    positive,
    rules,
    usual,
    warning,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Rule]

__all__ = ["BlindCode", "CoalAnalysis", "CoalQuality", "Determination", "SamplingRecord"]

Time = Annotated[pl.Datetime, "us", "UTC"]

DETERMINATION = ("sample_id", "item", "value", "number")
WASHED, SUPPLIED, FINAL = (
    pl.any_horizontal(pl.col("^washed$").fill_null(value=False)),
    pl.any_horizontal(pl.col("^supplier$").is_not_null()),
    pl.any_horizontal(pl.col("^final$").fill_null(value=False)),
)
"""False also in a table without the column."""
LAYER = pl.coalesce(pl.col("^Y_mm$"), pl.lit(None, pl.Float64))
"""The plastic layer decides the class of a coal only above G 85; many tables do not have it."""


def _heat(column: str, english: str, chinese: str) -> Any:
    return number(column, english, chinese, ge=0, le=40)


def _closure(name: str, english: str, chinese: str, columns: str, tolerance: float) -> Any:
    rule = error(name, f"{english} do not add up to 100 %", f"{chinese}之和不等于 100 %")
    return adds_up(rule, 100, *columns.split(), tolerance=tolerance)


def _order(rule: Rule, larger: str, smaller: str, tolerance: float = 0.01) -> Any:
    """The tolerance is for the rounding of both."""
    return at_least(rule, larger, smaller, tolerance, called="tolerance")


def _drier(dry: str, wet: str, english: str, chinese: str) -> Any:
    return _order(error(f"{dry}_order", english, chinese), dry, wet)


def _wetter(received: str, dried: str, english: str, chinese: str) -> Any:
    """Applies where the coal was received at least as wet as it was analysed."""
    drier, less = pl.col("Mt") < pl.col("Mad"), pl.col(dried) - pl.col(received)
    rule = error(f"{received}_order", english, chinese)
    return across(rule, dried, received, "Mt", "Mad", tolerance=0.01)(
        lambda _, tolerance: drier | (less >= -tolerance - BITS)
    )


def _rebased(
    given: str, source: str, target: bases.Basis, english: str, chinese: str, make: Make = warning
) -> Any:
    """A value on another base is that of the air dried coal, converted."""
    sentence = f"the {english} does not follow from the air dried value"
    rule = make(f"{given}_recomputed", sentence, f"{chinese}与由空干基换算的值不符")
    mt, mad, ash = (pl.col(column) for column in ("Mt", "Mad", "A_ad"))
    computed = bases.rebase(pl.col(source), "ad", target, mt=mt, mad=mad, ash=ash)
    return agrees(rule, given, computed, tolerance=0.02)


def _form(column: str, english: str, chinese: str) -> Any:
    """No form of sulphur exceeds their total."""
    rule = error(f"{column}_order", f"there is more {english} than total sulphur", f"{chinese}大于全硫")
    return _order(rule, f"S_t_{column.split('_')[2]}", column, tolerance=0.02)


def _forms(base: str) -> Any:
    english = "sulphate, pyritic and organic sulphur do not add up to the total"
    rule = error(f"sulphur_closure_{base}", english, "硫酸盐硫、硫铁矿硫与有机硫之和不等于全硫")
    parts = f"S_s_{base}", f"S_p_{base}", f"S_o_{base}"
    total = pl.sum_horizontal(parts, ignore_nulls=False)
    return agrees(rule, f"S_t_{base}", total, tolerance=0.02)


def _net(base: str, english: str, chinese: str) -> Any:
    """Burning turns hydrogen into water, whose evaporation consumes heat."""
    sentence = f"the net calorific value is not below the gross one ({english})"
    rule = error(f"net_below_gross_{base}", sentence, f"{chinese}低位发热量不小于高位")
    net, gross = f"Q_net_{base}", f"Q_gr_{base}"
    return keeps(rule, pl.col(net) < pl.col(gross))


def _melts(later: str, earlier: str, english: str, chinese: str) -> Any:
    """Equal temperatures are valid: beyond the limit of the furnace all read the same."""
    rule = error(f"{later}_below_{earlier}", f"the ash {english}", chinese)
    return _order(rule, f"T_{later}", f"T_{earlier}", tolerance=0)


def _due(verdict: str, name: str, english: str, chinese: str) -> Any:
    """Determinations with this verdict."""
    return over_table(warning(name, english, chinese, standard="GB/T 483"), *DETERMINATION)(
        lambda _, frame: (replicates.standing(frame) != verdict).fill_null(value=True)
    )


def _rank(called: pl.Expr) -> pl.Expr:
    """Whether the stated class is that of the analysis; null where either is not certain."""
    symbols = {name: symbol for symbol, (name, *_) in rank.CHINESE_CLASSES.items()}
    symbols |= {symbol: symbol for symbol in rank.CHINESE_CLASSES}
    code = rank.gbt5751_code(pl.col("V_daf"), pl.col("G_index"), y=LAYER)
    return called.replace_strict(symbols, default=None, return_dtype=pl.String) == rank.gbt5751_class(code)


class CoalAnalysis(pa.DataFrameModel):
    """A laboratory analysis of one sample, on the reported bases: proximate, ultimate, heat, coking.

    Shares are %, calorific values MJ/kg, temperatures °C. Hydrogen and oxygen are without those of the
    moisture. `supplier` is here only for the rule `supplier_with_blind_code`: analyses have the blind code,
    and the supplier is in a separate table (`BlindCode`) until the result is final.
    """

    sample_id: str = name_of("sample_id", "sample's number", "样品编号")
    coal_type: str | None = optional()
    blind_code: str | None = optional()
    supplier: str | None = optional()
    final: bool | None = optional()
    sampled_at: Time | None = optional()
    tested_at: Time | None = optional()

    Mt: float | None = percent("Mt", "total moisture", "全水分")
    Mad: float | None = percent("Mad", "moisture of the analysis sample", "空干基水分")
    A_ad: float | None = percent("A_ad", "ash (air dried)", "空干基灰分")
    A_ar: float | None = percent("A_ar", "ash (as received)", "收到基灰分")
    A_d: float | None = percent("A_d", "ash (dry)", "干燥基灰分")
    V_ad: float | None = percent("V_ad", "volatile matter (air dried)", "空干基挥发分")
    V_d: float | None = percent("V_d", "volatile matter (dry)", "干燥基挥发分")
    V_daf: float | None = percent("V_daf", "volatile matter (dry ash free)", "干燥无灰基挥发分")
    FC_ad: float | None = percent("FC_ad", "fixed carbon (air dried)", "空干基固定碳")
    FC_d: float | None = percent("FC_d", "fixed carbon (dry)", "干燥基固定碳")
    S_t_ad: float | None = percent("S_t_ad", "total sulphur (air dried)", "空干基全硫")
    S_t_d: float | None = percent("S_t_d", "total sulphur (dry)", "干燥基全硫")
    S_t_daf: float | None = percent("S_t_daf", "total sulphur (dry ash free)", "干燥无灰基全硫")
    S_s_ad: float | None = percent("S_s_ad", "sulphate sulphur (air dried)", "空干基硫酸盐硫")
    S_p_ad: float | None = percent("S_p_ad", "pyritic sulphur (air dried)", "空干基硫铁矿硫")
    S_o_ad: float | None = percent("S_o_ad", "organic sulphur (air dried)", "空干基有机硫")
    S_s_d: float | None = percent("S_s_d", "sulphate sulphur (dry)", "干燥基硫酸盐硫")
    S_p_d: float | None = percent("S_p_d", "pyritic sulphur (dry)", "干燥基硫铁矿硫")
    S_o_d: float | None = percent("S_o_d", "organic sulphur (dry)", "干燥基有机硫")
    C_ad: float | None = percent("C_ad", "carbon (air dried)", "空干基碳")
    H_ad: float | None = percent("H_ad", "hydrogen (air dried)", "空干基氢")
    N_ad: float | None = percent("N_ad", "nitrogen (air dried)", "空干基氮")
    O_ad: float | None = percent("O_ad", "oxygen (air dried)", "空干基氧")
    C_daf: float | None = percent("C_daf", "carbon (dry ash free)", "干燥无灰基碳")
    H_daf: float | None = percent("H_daf", "hydrogen (dry ash free)", "干燥无灰基氢")
    N_daf: float | None = percent("N_daf", "nitrogen (dry ash free)", "干燥无灰基氮")
    O_daf: float | None = percent("O_daf", "oxygen (dry ash free)", "干燥无灰基氧")
    H_source: str | None = pa.Field(
        isin=calorific.HYDROGEN_SOURCES,
        nullable=True,
        metadata=rules(
            other=error(
                "H_source_unknown", "unknown source of the hydrogen content", "氢值来源应为实测、估算或常数"
            )
        ),
    )
    Q_b_ad: float | None = _heat("Q_b_ad", "bomb calorific value", "弹筒发热量")
    Q_gr_ad: float | None = _heat("Q_gr_ad", "gross calorific value (air dried)", "空干基高位发热量")
    Q_gr_ar: float | None = _heat("Q_gr_ar", "gross calorific value (as received)", "收到基高位发热量")
    Q_gr_d: float | None = _heat("Q_gr_d", "gross calorific value (dry)", "干燥基高位发热量")
    Q_net_ad: float | None = _heat("Q_net_ad", "net calorific value (air dried)", "空干基低位发热量")
    Q_net_ar: float | None = _heat("Q_net_ar", "net calorific value (as received)", "收到基低位发热量")
    T_DT: float | None = positive("T_DT", "deformation temperature", "变形温度")
    T_ST: float | None = positive("T_ST", "softening temperature", "软化温度")
    T_HT: float | None = positive("T_HT", "hemisphere temperature", "半球温度")
    T_FT: float | None = positive("T_FT", "flow temperature", "流动温度")
    G_index: float | None = number("G_index", "caking index", "粘结指数", ge=0)
    Y_mm: float | None = number("Y_mm", "plastic layer", "胶质层厚度", ge=0)
    X_mm: float | None = optional()
    HGI: float | None = positive("HGI", "grindability", "哈氏可磨指数")
    CRI: float | None = percent("CRI", "coke reactivity", "焦炭反应性")
    CSR: float | None = percent("CSR", "coke strength after reaction", "反应后强度")
    recovery: float | None = percent("recovery", "recovery", "回收率")

    proximate_closure = _closure(
        "proximate_closure",
        "moisture, ash, volatile matter and fixed carbon (air dried)",
        "空干基水分、灰分、挥发分、固定碳",
        "Mad A_ad V_ad FC_ad",
        tolerance=0.02,
    )
    proximate_closure_d = _closure(
        "proximate_closure_d",
        "ash, volatile matter and fixed carbon (dry)",
        "干燥基灰分、挥发分、固定碳",
        "A_d V_d FC_d",
        tolerance=0.02,
    )
    ultimate_closure = _closure(
        "ultimate_closure",
        "carbon, hydrogen, nitrogen, sulphur, oxygen, ash and moisture (air dried)",
        "空干基碳、氢、氮、硫、氧、灰分、水分",
        "C_ad H_ad N_ad S_t_ad O_ad A_ad Mad",
        tolerance=0.05,
    )
    ultimate_closure_daf = _closure(
        "ultimate_closure_daf",
        "carbon, hydrogen, nitrogen, sulphur and oxygen (dry ash free)",
        "干燥无灰基碳、氢、氮、硫、氧",
        "C_daf H_daf N_daf S_t_daf O_daf",
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
        warning(
            "total_moisture_order", "the coal as received is drier than its sample", "全水分小于空干基水分"
        ),
        *("Mt", "Mad"),
    )
    A_d_order = _drier("A_d", "A_ad", "dry coal has less ash", "干燥基灰分小于空干基")
    A_ar_order = _wetter("A_ar", "A_ad", "wetter coal has more ash", "收到基灰分大于空干基")
    V_d_order = _drier("V_d", "V_ad", "dry coal has less volatile matter", "干燥基挥发分小于空干基")
    V_daf_order = _drier(
        "V_daf", "V_d", "coal without ash has less volatile matter", "无灰基挥发分小于干燥基"
    )
    V_daf_ad_order = _order(
        error("V_daf_ad_order", "coal without ash has less volatile matter", "无灰基挥发分小于空干基"),
        *("V_daf", "V_ad"),
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
        error("bomb_below_gross", "the bomb gives less than gross", "弹筒发热量小于高位"),
        *("Q_b_ad", "Q_gr_ad"),
        tolerance=0,
    )
    Q_gr_d_order = _drier("Q_gr_d", "Q_gr_ad", "dry coal has less gross heat", "干燥基高位发热量小于空干基")
    Q_gr_ar_order = _wetter(
        "Q_gr_ar", "Q_gr_ad", "wetter coal has more gross heat", "收到基高位发热量大于空干基"
    )
    net_below_gross_ad = _net("ad", "air dried", "空干基")
    net_below_gross_ar = _net("ar", "as received", "收到基")
    # The two values that trade uses are on different bases.
    net_below_gross = keeps(
        error(
            "net_below_gross",
            "the net calorific value is not below the gross one (converted to as received)",
            "收到基低位发热量不小于换算的高位",
        ),
        pl.col("Q_net_ar") < bases.rebase(pl.col("Q_gr_ad"), "ad", "ar", mt=pl.col("Mt"), mad=pl.col("Mad")),
    )
    Q_gr_ad_recomputed = agrees(
        warning(
            "Q_gr_ad_recomputed",
            "the gross calorific value does not follow from bomb and sulphur",
            "高位发热量与由弹筒发热量、全硫计算的值不符",
            standard="GB/T 213",
        ),
        "Q_gr_ad",
        calorific.gross_from_bomb(pl.col("Q_b_ad"), pl.col("S_t_ad")),
        tolerance=0.02,
    )
    Q_net_ar_recomputed = agrees(
        warning(
            "Q_net_ar_recomputed",
            "the net calorific value does not follow from gross, hydrogen and moisture",
            "低位发热量与由高位发热量、氢、水分计算的值不符",
            standard="GB/T 213",
        ),
        "Q_net_ar",
        calorific.net(pl.col("Q_gr_ad"), pl.col("H_ad"), mt=pl.col("Mt"), mad=pl.col("Mad")),
        tolerance=0.05,  # total moisture is often given to a tenth: 0.05 % of it are 0.014 MJ/kg
    )

    ST_below_DT = _melts("ST", "DT", "softens before it deforms", "软化温度低于变形温度")
    HT_below_ST = _melts("HT", "ST", "is a hemisphere before it softens", "半球温度低于软化温度")
    FT_below_HT = _melts("FT", "HT", "flows before it is a hemisphere", "流动温度低于半球温度")
    FT_below_ST = _melts("FT", "ST", "flows before it softens", "流动温度低于软化温度")

    Mt_unusual = usual("Mt", "total moisture", "全水分", 8, 15)
    Mad_unusual = usual("Mad", "moisture of the analysis sample", "空干基水分", 1, 3)
    A_ad_unusual = usual("A_ad", "ash (air dried)", "空干基灰分", 10, 40)
    S_t_d_unusual = usual("S_t_d", "total sulphur (dry)", "干燥基全硫", 0, 1)
    C_daf_unusual = usual("C_daf", "carbon (dry ash free)", "干燥无灰基碳", 65, 98)
    H_ad_unusual = usual("H_ad", "hydrogen (air dried)", "空干基氢", 2, 5)
    T_DT_unusual = usual("T_DT", "deformation temperature", "变形温度", 900, 1700)
    T_ST_unusual = usual("T_ST", "softening temperature", "软化温度", 900, 1700)
    T_HT_unusual = usual("T_HT", "hemisphere temperature", "半球温度", 900, 1700)
    T_FT_unusual = usual("T_FT", "flow temperature", "流动温度", 900, 1700)
    G_index_unusual = usual("G_index", "caking index", "粘结指数", 0, 105)
    Y_mm_unusual = usual("Y_mm", "plastic layer", "胶质层厚度", 0, 60)
    HGI_unusual = usual("HGI", "grindability", "哈氏可磨指数", 20, 120)
    coke_unusual = within(
        warning("coke_unusual", "reactivity and strength do not match", "反应性与强度不匹配"),
        pl.col("CRI") + pl.col("CSR"),
        low=70,
        high=95,
    )
    coal_type_differs = keeps(
        warning(
            "coal_type_differs",
            "the stated class is not that of the analysis",
            "煤种与按化验值划分的煤类不符",
            standard="GB/T 5751",
        ),
        _rank(pl.col("coal_type")),
        *("coal_type", "V_daf", "G_index"),
    )
    tested_before_sampled = later(
        warning("tested_before_sampled", "the sample was tested before it was taken", "化验时间早于采样时间"),
        *("tested_at", "sampled_at"),
        slack=24,  # many laboratories write only the day
        unit="h",
    )
    # The rule reads only the code, so that no message names the supplier.
    supplier_with_blind_code = keeps(
        error(
            "supplier_with_blind_code",
            "the row names the supplier of the blind code, but the result is not final",
            "结果未确认为最终，盲码与供应商不得同时出现",
        ),
        pl.col("blind_code").is_null() | ~SUPPLIED | FINAL,
        "blind_code",
    )

    class Config:
        """Settings of the table: the key of a record, and which of two is later."""

        metadata: ClassVar = {"key": ("sample_id",), "latest_by": "tested_at"}


class CoalQuality(pa.DataFrameModel):
    """Proximate and ultimate analysis with gross calorific value, as in public collections.

    All % as received, so that hydrogen and oxygen include those of the moisture; MJ/kg. There is no key.
    """

    Moisture: float | None = percent("Moisture", "moisture", "水分")
    Volatile_matter: float | None = percent("Volatile_matter", "volatile matter", "挥发分")
    Fixed_Carbon: float | None = percent("Fixed_Carbon", "fixed carbon", "固定碳")
    Ash: float | None = percent("Ash", "ash", "灰分")
    Hydrogen: float | None = percent("Hydrogen", "hydrogen", "氢")
    Carbon: float | None = percent("Carbon", "carbon", "碳")
    Nitrogen: float | None = percent("Nitrogen", "nitrogen", "氮")
    Oxygen: float | None = percent("Oxygen", "oxygen", "氧")
    Sulfur: float | None = percent("Sulfur", "sulphur", "硫")
    GCV: float | None = _heat("GCV", "gross calorific value", "高位发热量")

    proximate_closure = _closure(
        "proximate_closure",
        "moisture, ash, volatile matter and fixed carbon",
        "水分、灰分、挥发分、固定碳",
        "Moisture Volatile_matter Fixed_Carbon Ash",
        tolerance=0.02,
    )
    ultimate_closure = _closure(
        "ultimate_closure",
        "hydrogen, carbon, nitrogen, oxygen, sulphur and ash",
        "氢、碳、氮、氧、硫、灰分",
        "Hydrogen Carbon Nitrogen Oxygen Sulfur Ash",
        tolerance=0.05,
    )


class Determination(pa.DataFrameModel):
    """One determination of one item of one sample; two of them agree, or a third and a fourth are made.

    Items have the names and units of the columns of `CoalAnalysis`. The limits are in
    `tundish.domain.laboratory.repeatability` with their sources; they were not taken from the standards,
    so all rules on them are warnings. A plant that has checked them writes
    ``third_due = Determination.third_due.but(rule=error(...))``.
    """

    sample_id: str = name_of("sample_id", "sample's number", "样品编号")
    item: str = name_of("item", "item", "化验项目")
    number: pl.Int64 = pa.Field(
        ge=1,
        le=4,
        metadata=rules(
            below=error("number_low", "determinations are counted from one", "测定次序应从一开始"),
            above=error("number_high", "there are at most four determinations", "测定次数不应超过四次"),
            missing=error("number_missing", "the number of the determination is missing", "缺少测定次序"),
        ),
    )
    value: float | None = optional()
    tested_at: Time | None = optional()

    second_due = _due("2", "second_due", "one determination alone: make a second", "缺少第二次测定")
    third_due = _due("3", "third_due", "two differ too much: make a third", "两次测定超差，应做第三次")
    fourth_due = _due("4", "fourth_due", "three differ too much: make a fourth", "三次测定超差，应做第四次")
    all_void = _due("rejected", "all_void", "four do not agree: all are void", "四次测定均超差，全部作废")
    pairs_too_equal = over_table(
        warning(
            "pairs_too_equal",
            "far more pairs are exactly equal than by chance: was the second one made",
            "平行样完全相同的比例远高于随机水平，请核实第二次测定",
        ),
        *DETERMINATION,
        pairs=20,
    )(lambda _, frame, pairs: ~replicates.equal_pairs(frame, pairs))
    pairs_too_close = over_table(
        warning(
            "pairs_too_close",
            "pairs are closer than the method allows: was the second one made",
            "平行样差值远小于方法精密度，请核实第二次测定",
        ),
        *DETERMINATION,
        pairs=20,
    )(lambda _, frame, pairs: ~replicates.tight_pairs(frame, pairs))
    item_without_limit = keeps(
        warning("item_without_limit", "this item has no repeatability limit", "该项目无重复性限"),
        replicates.repeatable(pl.col("item")),
    )

    class Config:
        """Settings of the table: the key of a record, and which of two is later."""

        metadata: ClassVar = {"key": ("sample_id", "item", "number"), "latest_by": "tested_at"}


class SamplingRecord(pa.DataFrameModel):
    """How one unit of coal was sampled. It has the blind code, never the supplier.

    Numbers and masses of the standards are general knowledge, so their rules are warnings; `n_required` is
    the number that the plant itself requires.
    """

    sampling_unit: str = name_of("sampling_unit", "sampling unit", "采样单元编码")
    blind_code: str | None = optional()
    sampled_at: Time | None = optional()
    lot_mass: float | None = positive("lot_mass", "mass of the lot", "采样单元煤量")
    n_trucks: pl.Int64 | None = number("n_trucks", "number of trucks", "车数", ge=0)
    n_increments: pl.Int64 | None = number("n_increments", "number of increments", "子样数", ge=1)
    n_required: pl.Int64 | None = number("n_required", "number of increments asked for", "应采子样数", ge=1)
    increment_mass: float | None = positive("increment_mass", "mass of an increment", "初级子样质量")
    sample_mass: float | None = positive("sample_mass", "mass of the sample", "总样质量")
    top_size: float | None = positive("top_size", "top size", "标称最大粒度")
    washed: bool | None = optional()
    A_d: float | None = percent("A_d", "ash (dry)", "干燥基灰分")
    bucket_full: bool | None = optional()

    increments_missing = _order(
        error("increments_missing", "fewer increments than the plant requires", "子样数少于规定数"),
        *("n_increments", "n_required"),
        tolerance=0,
    )

    @across(
        warning("increments_few", "few increments for this lot", "子样数偏少", standard="GB/T 475-2008"),
        *("n_increments", "lot_mass", "A_d"),
        minimum=10,
    )
    def increments_few(cls, minimum: int) -> pl.Expr:
        """Many tables do not state whether the coal was washed."""
        base = sampling.base_increments(pl.col("A_d"), WASHED)
        return pl.col("n_increments") >= sampling.increments(pl.col("lot_mass"), base, minimum=minimum)

    increment_light = keeps(
        warning("increment_light", "light increments for the size", "子样质量偏小", standard="GB/T 475-2008"),
        pl.col("increment_mass") >= sampling.increment_mass(pl.col("top_size")) - BITS,
    )
    sample_light = keeps(
        warning("sample_light", "a light sample for the size", "总样质量偏小", standard="GB 474"),
        pl.col("sample_mass") >= sampling.sample_mass(pl.col("top_size")),
    )

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("sampling_unit",)}


class BlindCode(pa.DataFrameModel):
    """The sample and supplier behind a blind code: a separate table, for those who hold the key.

    Analyses and sampling records have only the code. Joining this table to them before the results are final
    defeats the purpose of the codes.
    """

    blind_code: str = name_of("blind_code", "blind code", "盲码")
    sample_id: str | None = optional()
    supplier: str | None = optional()
    coal_type: str | None = optional()
    sampled_at: Time | None = optional()

    code_tells_sample = keeps(
        warning("code_tells_sample", "the blind code contains the sample's number", "盲码中含有样品编号"),
        ~pl.col("blind_code").str.contains(pl.col("sample_id"), literal=True),
    )
    code_tells_supplier = keeps(
        error("code_tells_supplier", "the blind code contains the supplier's name", "盲码中含有供应商名称"),
        ~pl.col("blind_code").str.contains(pl.col("supplier"), literal=True),
    )

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("blind_code",)}
