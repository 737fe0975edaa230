"""What counts as a valid record of steel: chemistry, slabs, coils, tests, inspections, genealogy.

One model per table. An *error* quarantines a record: it is impossible, physically or by definition. A
*warning* is reported and keeps it: it is unusual, and each plant has its own usual values. A plant subclasses
a model, and the rules keep their names and sentences::

    class Ours(HotStripCoil):
        T_finish: float | None = pa.Field(ge=700, le=1000, nullable=True)
        T_coil_unusual = HotStripCoil.T_coil_unusual.but(low=20, high=450)

Units are in steel.yaml. A record that lacks a value breaks no rule on it, and rules do not apply to a
table that lacks one of their columns.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tundish.domain.steel import chemistry, coil, genealogy, rolling, tensile
from tundish.rules import (
    BITS,
    Rule,
    across,
    agrees,
    at_least,
    between,
    choice,
    error,
    keeps,
    later,
    name_of,
    near,
    number,
    optional,
    over_table,
    percent,
    positive,
    usual,
    warning,
)

__all__ = [
    "Coil",
    "ColdCoil",
    "Genealogy",
    "HeatChemistry",
    "HotStripCoil",
    "RollingPass",
    "Slab",
    "SteelPlates",
    "SurfaceInspection",
    "TensileTest",
]

Time = Annotated[pl.Datetime, "us", "UTC"]

MELTING = 1538.0
"""Melting point of pure iron, degrees Celsius: nothing hotter is a strip or a slab."""
CEMENTITE = 6.7
"""Carbon in Fe3C, %: 12.011 of 12.011 + 3 x 55.845."""
ELEMENTS = "C,Si,Mn,P,S,Alt,Cr,Ni,Cu,Mo,N,Nb,V,Ti,B,O,H,Fe".split(",")  # noqa: SIM905  (one line)
SIDES = ("top", "bottom", "上表", "下表", "上表面", "下表面", "正面", "反面")

SLAB = ("h_slab", "b_slab", "L_slab")
STRIP = ("h", "b", "L")


def _degrees(column: str, english: str, chinese: str) -> Any:
    return number(column, english, chinese, ge=0, le=MELTING)


def _aim_order(column: str, english: str, chinese: str) -> Any:
    sentence = f"the target of the {english} is not between its limits", f"{chinese}目标值不在上下限之间"
    rule = error(f"{column}_aim_order", *sentence)
    return between(rule, f"{column}_aim", f"{column}_min", f"{column}_max")


def _mean_order(column: str, english: str, chinese: str) -> Any:
    sentence = (
        f"the {english} is not between its lowest and highest value",
        f"{chinese}平均值不在最小值与最大值之间",
    )
    rule = error(f"{column}_mean_order", *sentence)
    return between(rule, column, f"{column}_lowest", f"{column}_highest")


def _weighed(rule: Rule, size: tuple[str, str, str], tolerance: float) -> Any:
    thickness, width, length = (pl.col(name) for name in size)
    return near(rule, "mass", coil.strip_mass(thickness, width, length), tolerance=tolerance)


# Density and both tolerances are general knowledge, so that neither rule is an error.
MASS_OFF = warning(
    "mass_against_dimensions", "the mass is not that of the dimensions", "重量与尺寸计算值不符"
)
MASS_FAR_OFF = warning(
    "mass_far_from_dimensions", "the mass is far from that of the dimensions", "重量与尺寸计算值相差很大"
)


def _weighable(size: tuple[str, str, str]) -> Any:
    """No material is twice as dense as steel: a unit is wrong, kg for t or m for mm."""
    rule = error("mass_impossible", "mass and dimensions cannot both be right", "重量与尺寸不可能同时正确")
    thickness, width, length = (pl.col(name) for name in size)

    @across(rule, "mass", *size, factor=2.0)
    def possible(_cls: type[pa.DataFrameModel], factor: float) -> pl.Expr:
        share = pl.col("mass") / coil.strip_mass(thickness, width, length)
        return share.is_between(1 / factor, factor)

    return possible


def _wound() -> Any:
    rule = warning(
        "mass_against_diameters", "the mass is not that of the coil's diameters", "重量与卷径计算值不符"
    )
    outer, inner, width = (pl.col(name) for name in ("outer_diameter", "inner_diameter", "b"))

    @across(rule, "mass", "outer_diameter", "inner_diameter", "b", least_fill=0.97, tolerance=0.03)
    def wound(_cls: type[pa.DataFrameModel], least_fill: float, tolerance: float) -> pl.Expr:
        share = pl.col("mass") / coil.coil_mass(outer, inner, width)
        return share.is_between(least_fill * (1 - tolerance), 1 + tolerance)

    return wound


def _reduced(h_in: str, h_out: str) -> Any:
    rule = warning("reduction_mismatch", "the reduction is not that of the thicknesses", "压下率与厚度不符")
    computed = 100 * rolling.reduction(pl.col(h_in), pl.col(h_out))
    return agrees(rule, "reduction", computed, tolerance=0.5)


def _constant_volume(h_in: str, v_in: str, h_out: str, v_out: str) -> Any:
    sentence = "thickness times speed changes in rolling", "轧制前后秒流量不相等"
    speed = rolling.speed_at(pl.col(h_out), pl.col(h_in), pl.col(v_in))
    return near(warning("volume_not_constant", *sentence), v_out, speed, tolerance=0.05)


def _cast_limit(column: str, english: str, chinese: str) -> Any:
    limits = chemistry.EN_10130_CAST
    sentence = f"there is more {english} than the grade allows", f"{chinese}含量超过该牌号上限"
    rule = warning(f"{column}_over_en_10130", *sentence, standard=limits.name)
    most = limits.at_most(column, tensile.dc_grade(pl.col("steel_grade")))
    return keeps(rule, pl.col(column) <= most + BITS)


EN_10130 = tensile.EN_10130_1999


def _over(column: str, english: str, chinese: str, most: pl.Expr) -> Any:
    sentence = f"the {english} is above what the grade allows", f"{chinese}高于该牌号上限"
    rule = warning(f"{column}_over_en_10130", *sentence, standard=EN_10130.name)
    return keeps(rule, pl.col(column) <= most)


def _under(column: str, english: str, chinese: str, least: pl.Expr) -> Any:
    sentence = f"the {english} is below what the grade requires", f"{chinese}低于该牌号下限"
    rule = warning(f"{column}_under_en_10130", *sentence, standard=EN_10130.name)
    return keeps(rule, pl.col(column) >= least)


FAULTS = ("Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults")


def _identity(column: str, english: str, computed: pl.Expr) -> Any:
    """A rule for the UCI plates, whose values are rounded to four decimals."""
    rule = error(f"{column}_mismatch", f"{column} is not {english}", f"{column}与计算值不符")
    return agrees(rule, column, computed, tolerance=6e-5)


def _flag(column: str, english: str, chinese: str) -> Any:
    return choice(column, f"flag of {english}", f"{chinese}缺陷标志", (0, 1))


class HeatChemistry(pa.DataFrameModel):
    """The analysis of one heat; contents in wt %."""

    heat_no: str = name_of("heat_no", "heat number", "炉次号")
    stage: str | None = optional()
    grade_code: str | None = optional()
    steel_grade: str | None = optional()
    tapped_at: Time | None = optional()
    analysed_at: Time | None = optional()
    C: float | None = number("C", "carbon content", "碳含量", ge=0, le=CEMENTITE)
    Si: float | None = percent("Si", "silicon content", "硅含量")
    Mn: float | None = percent("Mn", "manganese content", "锰含量")
    P: float | None = percent("P", "phosphorus content", "磷含量")
    S: float | None = percent("S", "sulphur content", "硫含量")
    Als: float | None = percent("Als", "content of acid-soluble aluminium", "酸溶铝含量")
    Alt: float | None = percent("Alt", "content of total aluminium", "全铝含量")
    Cr: float | None = percent("Cr", "chromium content", "铬含量")
    Ni: float | None = percent("Ni", "nickel content", "镍含量")
    Cu: float | None = percent("Cu", "copper content", "铜含量")
    Mo: float | None = percent("Mo", "molybdenum content", "钼含量")
    N: float | None = percent("N", "nitrogen content", "氮含量")
    Nb: float | None = percent("Nb", "niobium content", "铌含量")
    V: float | None = percent("V", "vanadium content", "钒含量")
    Ti: float | None = percent("Ti", "titanium content", "钛含量")
    B: float | None = percent("B", "boron content", "硼含量")
    O: float | None = percent("O", "oxygen content", "氧含量")  # noqa: E741  (its symbol)
    H: float | None = percent("H", "hydrogen content", "氢含量")
    Fe: float | None = percent("Fe", "iron content", "铁含量")
    CEV: float | None = percent("CEV", "carbon equivalent CEV", "碳当量CEV")
    CET: float | None = percent("CET", "carbon equivalent CET", "碳当量CET")
    Pcm: float | None = percent("Pcm", "crack parameter Pcm", "焊接裂纹敏感性指数Pcm")

    # Flat carbon steel; electrical, stainless and high-manganese steel need a model with other limits.
    C_unusual = usual("C", "carbon content", "碳含量", 0.0005, 1.2)
    Si_unusual = usual("Si", "silicon content", "硅含量", 0, 0.6)
    Mn_unusual = usual("Mn", "manganese content", "锰含量", 0.05, 2.5)
    P_unusual = usual("P", "phosphorus content", "磷含量", 0.003, 0.12)
    S_unusual = usual("S", "sulphur content", "硫含量", 0.0005, 0.05)
    Als_unusual = usual("Als", "content of acid-soluble aluminium", "酸溶铝含量", 0, 0.08)
    Cr_unusual = usual("Cr", "chromium content", "铬含量", 0, 0.3)
    Ni_unusual = usual("Ni", "nickel content", "镍含量", 0, 0.3)
    Cu_unusual = usual("Cu", "copper content", "铜含量", 0, 0.3)
    Mo_unusual = usual("Mo", "molybdenum content", "钼含量", 0, 0.08)
    N_unusual = usual("N", "nitrogen content", "氮含量", 0.0015, 0.012)
    Nb_unusual = usual("Nb", "niobium content", "铌含量", 0, 0.10)
    V_unusual = usual("V", "vanadium content", "钒含量", 0, 0.20)
    Ti_unusual = usual("Ti", "titanium content", "钛含量", 0, 0.30)

    Als_above_Alt = at_least(
        error("Als_above_Alt", "there is more acid-soluble than total aluminium", "酸溶铝高于全铝"),
        "Alt",
        "Als",
        slack=1e-6,
    )
    CEV_mismatch = agrees(
        warning("CEV_mismatch", "CEV is not that of the analysis", "CEV与成分计算值不符"),
        "CEV",
        chemistry.cev({name: pl.col(name) for name in chemistry.CEV}),
        tolerance=0.01,
    )
    CET_mismatch = agrees(
        warning("CET_mismatch", "CET is not that of the analysis", "CET与成分计算值不符"),
        "CET",
        chemistry.cet({name: pl.col(name) for name in chemistry.CET}),
        tolerance=0.01,
    )
    Pcm_mismatch = agrees(
        warning("Pcm_mismatch", "Pcm is not that of the analysis", "Pcm与成分计算值不符"),
        "Pcm",
        chemistry.pcm({name: pl.col(name) for name in chemistry.PCM}),
        tolerance=0.01,
    )
    C_over_en_10130 = _cast_limit("C", "carbon", "碳")
    Mn_over_en_10130 = _cast_limit("Mn", "manganese", "锰")
    P_over_en_10130 = _cast_limit("P", "phosphorus", "磷")
    S_over_en_10130 = _cast_limit("S", "sulphur", "硫")
    Ti_over_en_10130 = _cast_limit("Ti", "titanium", "钛")
    time_order_analysis = later(
        error(
            "time_order_analysis", "the heat was analysed before it was tapped", "成分分析时间早于出钢时间"
        ),
        "analysed_at",
        "tapped_at",
    )

    @across(
        error("elements_over_100", "the elements add up to more than 100 %", "各元素含量之和超过100%"),
        "C",
        "Mn",
        tolerance=0.02,
    )
    def elements_over_100(cls, tolerance: float) -> pl.Expr:
        """The sum of the elements in the table; what was not analysed adds nothing."""
        return pl.sum_horizontal(cs.by_name(ELEMENTS, require_all=False)) <= 100 + tolerance

    class Config:
        """Settings of the table: the key of a record, and which of two counts."""

        # A heat is analysed at several stages: converter, ladle furnace, caster.
        metadata: ClassVar = {"key": ("heat_no",), "key_also": ("stage",), "latest_by": "analysed_at"}


class Slab(pa.DataFrameModel):
    """One slab: cast, cut, charged into the furnace and discharged."""

    slab_no: str = name_of("slab_no", "slab number", "板坯号")
    heat_no: str | None = optional()
    grade_code: str | None = optional()
    steel_grade: str | None = optional()
    h_slab: float | None = positive("h_slab", "slab thickness", "板坯厚度")
    b_slab: float | None = positive("b_slab", "slab width", "板坯宽度")
    L_slab: float | None = positive("L_slab", "slab length", "板坯长度")
    mass: float | None = positive("mass", "mass", "重量")
    superheat: float | None = optional()
    casting_speed: float | None = number("casting_speed", "casting speed", "拉速", ge=0)
    furnace_no: str | None = optional()
    T_discharge: float | None = _degrees("T_discharge", "discharge temperature", "出炉温度")
    cast_at: Time | None = optional()
    charged_at: Time | None = optional()
    discharged_at: Time | None = optional()

    h_slab_unusual = usual("h_slab", "slab thickness", "板坯厚度", 51, 254)
    b_slab_unusual = usual("b_slab", "slab width", "板坯宽度", 900, 2100)
    L_slab_unusual = usual("L_slab", "slab length", "板坯长度", 5, 12)
    superheat_unusual = usual("superheat", "superheat in the tundish", "中间包过热度", 15, 35)
    casting_speed_unusual = usual("casting_speed", "casting speed", "拉速", 0.8, 7)
    T_discharge_unusual = usual("T_discharge", "discharge temperature", "出炉温度", 1150, 1280)
    mass_against_dimensions = _weighed(MASS_OFF, SLAB, 0.03)
    mass_far_from_dimensions = _weighed(MASS_FAR_OFF, SLAB, 0.10)
    mass_impossible = _weighable(SLAB)
    time_order_charging = later(
        error("time_order_charging", "the slab was charged before it was cast", "装炉时间早于浇铸时间"),
        "charged_at",
        "cast_at",
    )
    time_order_discharge = later(
        error(
            "time_order_discharge", "the slab was discharged before it was charged", "出炉时间早于装炉时间"
        ),
        "discharged_at",
        "charged_at",
    )

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("slab_no",)}


class Coil(pa.DataFrameModel):
    """The columns of every coil. ``_aim``, ``_min`` and ``_max`` come from its order."""

    coil_no: str = name_of("coil_no", "coil number", "钢卷号")
    slab_no: str | None = optional()
    heat_no: str | None = optional()
    grade_code: str | None = optional()
    steel_grade: str | None = optional()
    h: float | None = positive("h", "strip thickness", "带钢厚度")
    h_aim: float | None = positive("h_aim", "aim of the strip thickness", "目标厚度")
    h_min: float | None = positive("h_min", "lower limit of the strip thickness", "厚度下限")
    h_max: float | None = positive("h_max", "upper limit of the strip thickness", "厚度上限")
    b: float | None = positive("b", "strip width", "带钢宽度")
    b_aim: float | None = positive("b_aim", "aim of the strip width", "目标宽度")
    L: float | None = positive("L", "strip length", "带钢长度")
    mass: float | None = positive("mass", "mass", "重量")
    outer_diameter: float | None = positive("outer_diameter", "outer diameter", "卷外径")
    inner_diameter: float | None = positive("inner_diameter", "inner diameter", "卷内径")
    v_entry: float | None = number("v_entry", "entry speed", "入口速度", ge=0)
    v_exit: float | None = number("v_exit", "exit speed", "出口速度", ge=0)
    coiled_at: Time | None = optional()

    b_unusual = usual("b", "strip width", "带钢宽度", 600, 2150)
    mass_unusual = usual("mass", "mass", "重量", 0, 45)
    outer_diameter_unusual = usual("outer_diameter", "outer diameter", "卷外径", 0, 2200)
    inner_diameter_unusual = usual("inner_diameter", "inner diameter", "卷内径", 508, 762)
    h_aim_order = _aim_order("h", "strip thickness", "厚度")
    mass_against_dimensions = _weighed(MASS_OFF, STRIP, 0.03)
    mass_far_from_dimensions = _weighed(MASS_FAR_OFF, STRIP, 0.10)
    mass_impossible = _weighable(STRIP)
    mass_against_diameters = _wound()
    diameter_order = keeps(
        error("diameter_order", "the coil is no larger outside than inside", "卷外径不大于卷内径"),
        pl.col("outer_diameter") > pl.col("inner_diameter"),
    )

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("coil_no",)}


class HotStripCoil(Coil):
    """One coil of the hot strip mill. ``_lowest`` and ``_highest`` were measured along it."""

    h_slab: float | None = positive("h_slab", "slab thickness", "板坯厚度")
    h_bar: float | None = positive("h_bar", "thickness of the transfer bar", "中间坯厚度")
    h_lowest: float | None = positive("h_lowest", "lowest strip thickness", "厚度最小值")
    h_highest: float | None = positive("h_highest", "highest strip thickness", "厚度最大值")
    reduction: float | None = percent("reduction", "reduction from slab to strip", "总压下率")
    furnace_no: str | None = optional()
    T_discharge: float | None = _degrees("T_discharge", "discharge temperature", "出炉温度")
    T_discharge_aim: float | None = _degrees(
        "T_discharge_aim", "aim of the discharge temperature", "目标出炉温度"
    )
    T_rough_entry: float | None = _degrees("T_rough_entry", "temperature before roughing", "粗轧入口温度")
    T_rough_exit: float | None = _degrees("T_rough_exit", "temperature after roughing", "粗轧出口温度")
    T_finish_entry: float | None = _degrees("T_finish_entry", "finishing entry temperature", "精轧入口温度")
    T_finish: float | None = _degrees("T_finish", "finishing temperature", "终轧温度")
    T_finish_aim: float | None = _degrees("T_finish_aim", "aim of the finishing temperature", "终轧目标温度")
    T_finish_min: float | None = _degrees(
        "T_finish_min", "lower limit of the finishing temperature", "终轧温度下限"
    )
    T_finish_max: float | None = _degrees(
        "T_finish_max", "upper limit of the finishing temperature", "终轧温度上限"
    )
    T_finish_lowest: float | None = _degrees(
        "T_finish_lowest", "lowest finishing temperature", "终轧温度最小值"
    )
    T_finish_highest: float | None = _degrees(
        "T_finish_highest", "highest finishing temperature", "终轧温度最大值"
    )
    T_coil: float | None = _degrees("T_coil", "coiling temperature", "卷取温度")
    T_coil_aim: float | None = _degrees("T_coil_aim", "aim of the coiling temperature", "卷取目标温度")
    T_coil_min: float | None = _degrees(
        "T_coil_min", "lower limit of the coiling temperature", "卷取温度下限"
    )
    T_coil_max: float | None = _degrees(
        "T_coil_max", "upper limit of the coiling temperature", "卷取温度上限"
    )
    T_coil_lowest: float | None = _degrees("T_coil_lowest", "lowest coiling temperature", "卷取温度最小值")
    T_coil_highest: float | None = _degrees("T_coil_highest", "highest coiling temperature", "卷取温度最大值")
    charged_at: Time | None = optional()
    discharged_at: Time | None = optional()
    started_at: Time | None = optional()

    h_bar_unusual = usual("h_bar", "thickness of the transfer bar", "中间坯厚度", 19, 60)
    h_unusual = usual("h", "strip thickness", "带钢厚度", 1.4, 25)
    v_exit_unusual = usual("v_exit", "exit speed", "出口速度", 0, 20)
    T_discharge_unusual = usual("T_discharge", "discharge temperature", "出炉温度", 1150, 1280)
    T_finish_entry_unusual = usual("T_finish_entry", "finishing entry temperature", "精轧入口温度", 980, 1060)
    T_finish_unusual = usual("T_finish", "finishing temperature", "终轧温度", 780, 920)
    T_coil_unusual = usual("T_coil", "coiling temperature", "卷取温度", 500, 750)

    T_finish_aim_order = _aim_order("T_finish", "finishing temperature", "终轧温度")
    T_coil_aim_order = _aim_order("T_coil", "coiling temperature", "卷取温度")
    h_mean_order = _mean_order("h", "strip thickness", "厚度")
    T_finish_mean_order = _mean_order("T_finish", "finishing temperature", "终轧温度")
    T_coil_mean_order = _mean_order("T_coil", "coiling temperature", "卷取温度")
    temperature_order = keeps(
        error(
            "temperature_order",
            "the strip was not hotter at finishing than at coiling",
            "终轧温度不高于卷取温度",
        ),
        pl.col("T_finish") > pl.col("T_coil"),
    )
    temperature_order_furnace = keeps(
        error(
            "temperature_order_furnace",
            "the slab was not hotter at discharge than the strip at finishing",
            "出炉温度不高于终轧温度",
        ),
        pl.col("T_discharge") > pl.col("T_finish"),
    )
    # Heaters between the stands and scale under a pyrometer can reverse these.
    temperature_order_roughing = at_least(
        warning(
            "temperature_order_roughing",
            "hotter after roughing than at discharge",
            "粗轧出口温度高于出炉温度",
        ),
        "T_discharge",
        "T_rough_exit",
    )
    temperature_order_entry = at_least(
        warning(
            "temperature_order_entry",
            "hotter before finishing than after roughing",
            "精轧入口温度高于粗轧出口温度",
        ),
        "T_rough_exit",
        "T_finish_entry",
    )
    temperature_order_finishing = at_least(
        warning(
            "temperature_order_finishing", "hotter after finishing than before", "终轧温度高于精轧入口温度"
        ),
        "T_finish_entry",
        "T_finish",
    )
    thickness_order = at_least(
        error("thickness_order", "the strip is thicker than its slab", "带钢厚度大于板坯厚度"), "h_slab", "h"
    )
    thickness_order_roughing = at_least(
        error(
            "thickness_order_roughing", "the transfer bar is thicker than its slab", "中间坯厚度大于板坯厚度"
        ),
        "h_slab",
        "h_bar",
    )
    thickness_order_finishing = at_least(
        error(
            "thickness_order_finishing",
            "the strip is thicker than the transfer bar",
            "带钢厚度大于中间坯厚度",
        ),
        "h_bar",
        "h",
    )
    reduction_mismatch = _reduced("h_slab", "h")
    volume_not_constant = _constant_volume("h_bar", "v_entry", "h", "v_exit")
    time_order_discharge = later(
        error(
            "time_order_discharge", "the slab was discharged before it was charged", "出炉时间早于装炉时间"
        ),
        "discharged_at",
        "charged_at",
    )
    time_order_rolling = later(
        error("time_order_rolling", "rolling began before the slab was discharged", "开轧时间早于出炉时间"),
        "started_at",
        "discharged_at",
    )
    time_order_coiling = later(
        error("time_order_coiling", "the coil was coiled before its rolling began", "卷取时间早于开轧时间"),
        "coiled_at",
        "started_at",
    )
    time_order_mill = later(
        error(
            "time_order_mill", "the coil was coiled before its slab was discharged", "卷取时间早于出炉时间"
        ),
        "coiled_at",
        "discharged_at",
    )


class ColdCoil(Coil):
    """One coil after pickling, cold rolling, annealing, coating or temper rolling."""

    hot_coil_no: str | None = optional()
    h_entry: float | None = positive("h_entry", "entry thickness", "来料厚度")
    reduction: float | None = percent("reduction", "cold reduction", "冷轧压下率")
    elongation: float | None = number("elongation", "elongation in temper rolling", "平整延伸率", ge=0)
    T_pickling: float | None = number("T_pickling", "temperature of the acid", "酸液温度", ge=0)
    T_soak: float | None = _degrees("T_soak", "soaking temperature", "均热温度")
    T_zinc: float | None = _degrees("T_zinc", "temperature of the zinc pot", "锌锅温度")
    T_galvanneal: float | None = _degrees("T_galvanneal", "galvannealing temperature", "合金化温度")
    coating_mass: float | None = number("coating_mass", "mass of the coating", "镀层重量", ge=0)
    rolled_at: Time | None = optional()
    annealed_at: Time | None = optional()

    h_entry_unusual = usual("h_entry", "entry thickness", "来料厚度", 1.5, 6)
    h_unusual = usual("h", "strip thickness", "带钢厚度", 0.2, 3)
    reduction_unusual = usual("reduction", "cold reduction", "冷轧压下率", 60, 80)
    elongation_unusual = usual("elongation", "elongation in temper rolling", "平整延伸率", 0.3, 2)
    v_exit_unusual = usual("v_exit", "exit speed", "出口速度", 0, 33.4)
    T_pickling_unusual = usual("T_pickling", "temperature of the acid", "酸液温度", 70, 90)
    T_soak_unusual = usual("T_soak", "soaking temperature", "均热温度", 650, 880)
    T_zinc_unusual = usual("T_zinc", "temperature of the zinc pot", "锌锅温度", 450, 465)
    T_galvanneal_unusual = usual("T_galvanneal", "galvannealing temperature", "合金化温度", 482, 524)
    coating_mass_unusual = usual("coating_mass", "mass of the coating", "镀层重量", 100, 600)

    thickness_order = at_least(
        error("thickness_order", "the strip is thicker than at entry", "带钢厚度大于来料厚度"),
        "h_entry",
        "h",
    )
    reduction_mismatch = _reduced("h_entry", "h")
    volume_not_constant = _constant_volume("h_entry", "v_entry", "h", "v_exit")
    time_order_rolling = later(
        error(
            "time_order_rolling",
            "the coil was cold rolled before it was hot rolled",
            "冷轧时间早于热轧卷取时间",
        ),
        "rolled_at",
        "coiled_at",
    )
    time_order_annealing = later(
        error("time_order_annealing", "the coil was annealed before it was rolled", "退火时间早于冷轧时间"),
        "annealed_at",
        "rolled_at",
    )


class RollingPass(pa.DataFrameModel):
    """One coil in one stand of a mill, hot or cold."""

    coil_no: str = name_of("coil_no", "coil number", "钢卷号")
    stand: str = name_of("stand", "number of the stand", "机架号")
    h_in: float | None = positive("h_in", "thickness before the stand", "机架入口厚度")
    h_out: float | None = positive("h_out", "thickness after the stand", "机架出口厚度")
    v_in: float | None = number("v_in", "speed before the stand", "机架入口速度", ge=0)
    v_out: float | None = number("v_out", "speed after the stand", "机架出口速度", ge=0)
    reduction: float | None = percent("reduction", "reduction of the pass", "道次压下率")
    force: float | None = number("force", "rolling force", "轧制力", ge=0)
    bending: float | None = optional()
    tension: float | None = number("tension", "strip tension", "单位张力", ge=0)
    tension_force: float | None = number("tension_force", "whole tension", "总张力", ge=0)

    force_unusual = usual("force", "rolling force", "轧制力", 5_000, 25_000)
    tension_unusual = usual("tension", "strip tension", "单位张力", 50, 250)
    thickness_order = at_least(
        error(
            "thickness_order", "the strip is thicker after the stand than before", "机架出口厚度大于入口厚度"
        ),
        "h_in",
        "h_out",
    )
    reduction_mismatch = _reduced("h_in", "h_out")
    volume_not_constant = _constant_volume("h_in", "v_in", "h_out", "v_out")

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("coil_no", "stand")}


class TensileTest(pa.DataFrameModel):
    """One specimen. A80, A50 and A (5.65) are different quantities and never compared."""

    coil_no: str = name_of("coil_no", "coil number", "钢卷号")
    sample_id: str | None = optional()
    heat_no: str | None = optional()
    grade_code: str | None = optional()
    steel_grade: str | None = optional()
    direction: str | None = optional()
    position: str | None = optional()
    tested_at: Time | None = optional()
    h: float | None = positive("h", "thickness", "厚度")
    ReH: float | None = positive("ReH", "upper yield strength ReH", "上屈服强度ReH")
    ReL: float | None = positive("ReL", "lower yield strength ReL", "下屈服强度ReL")
    Rp02: float | None = positive("Rp02", "proof strength Rp0.2", "规定塑性延伸强度Rp0.2")
    Rm: float | None = positive("Rm", "tensile strength Rm", "抗拉强度Rm")
    A80: float | None = percent("A80", "elongation A80", "断后伸长率A80")
    A50: float | None = percent("A50", "elongation A50", "断后伸长率A50")
    A: float | None = percent("A", "elongation A", "断后伸长率A")
    Ag: float | None = percent("Ag", "uniform elongation Ag", "最大力塑性延伸率Ag")
    Agt: float | None = percent("Agt", "total uniform elongation Agt", "最大力总延伸率Agt")
    At: float | None = percent("At", "total elongation At", "断裂总延伸率At")
    r90: float | None = number("r90", "plastic strain ratio r90", "塑性应变比r90", ge=0)
    n90: float | None = number("n90", "hardening exponent n90", "应变硬化指数n90", ge=0)
    HV: float | None = positive("HV", "Vickers hardness", "维氏硬度")
    HRB: float | None = optional()

    yield_order = at_least(
        error("yield_order", "the lower yield strength is above the upper", "下屈服强度高于上屈服强度"),
        "ReH",
        "ReL",
    )
    # ISO 6892-1 measures Rm after yielding, so that ReH of a sharply yielding steel may exceed it.
    ReH_above_Rm = at_least(
        warning(
            "ReH_above_Rm", "the upper yield strength is above the tensile strength", "上屈服强度高于抗拉强度"
        ),
        "Rm",
        "ReH",
    )
    Rp02_above_Rm = at_least(
        error(
            "Rp02_above_Rm",
            "the proof strength is above the tensile strength",
            "规定塑性延伸强度高于抗拉强度",
        ),
        "Rm",
        "Rp02",
    )
    Ag_above_Agt = at_least(
        error("Ag_above_Agt", "the plastic part of the uniform elongation is above the whole", "Ag大于Agt"),
        "Agt",
        "Ag",
    )
    Agt_above_At = at_least(
        error("Agt_above_At", "the elongation at the largest force is above that at fracture", "Agt大于At"),
        "At",
        "Agt",
    )
    Ag_above_A80 = at_least(
        warning("Ag_above_A80", "the uniform elongation is above that after fracture", "Ag大于A80"),
        "A80",
        "Ag",
    )

    @across(
        warning("Rm_against_HV", "tensile strength and hardness do not match", "抗拉强度与维氏硬度不匹配"),
        "Rm",
        "HV",
        low=3.2,
        high=3.4,
        tolerance=0.1,
    )
    def Rm_against_HV(cls, low: float, high: float, tolerance: float) -> pl.Expr:  # noqa: N802  (the symbols)
        """MPa per unit of hardness; carbon steel."""
        return (pl.col("Rm") / pl.col("HV")).is_between(low * (1 - tolerance), high * (1 + tolerance))

    _grade = tensile.dc_grade(pl.col("steel_grade"))
    _most_yield = tensile.most_yield(EN_10130, _grade, pl.col("h"))
    _least_elongation = tensile.least_elongation(EN_10130, _grade, pl.col("h"))
    _least_r = tensile.least_r(EN_10130, _grade, pl.col("h"))
    ReL_over_en_10130 = _over("ReL", "yield strength", "下屈服强度", _most_yield)
    Rp02_over_en_10130 = _over("Rp02", "proof strength", "规定塑性延伸强度", _most_yield)
    A80_under_en_10130 = _under("A80", "elongation A80", "断后伸长率A80", _least_elongation)
    r90_under_en_10130 = _under("r90", "plastic strain ratio r90", "塑性应变比r90", _least_r)
    n90_under_en_10130 = _under(
        "n90", "hardening exponent n90", "应变硬化指数n90", EN_10130.at_least("n90", _grade)
    )
    Rm_outside_en_10130 = keeps(
        warning(
            "Rm_outside_en_10130",
            "the tensile strength is outside the limits of the grade",
            "抗拉强度不在该牌号范围内",
            standard=EN_10130.name,
        ),
        pl.col("Rm").is_between(EN_10130.at_least("Rm", _grade), EN_10130.at_most("Rm", _grade)),
    )

    class Config:
        """Settings of the table: the key of a record, and which of two counts."""

        metadata: ClassVar = {"key": ("coil_no", "sample_id"), "latest_by": "tested_at"}


class SurfaceInspection(pa.DataFrameModel):
    """One defect that the surface inspection found, `pos_m` from the head of the strip."""

    coil_no: str = name_of("coil_no", "coil number", "钢卷号")
    side: str | None = choice("side", "side of the strip", "表面", SIDES)
    defect_id: str | None = optional()
    defect_raw: str | None = optional()
    defect_code: str | None = optional()
    catalogue: str | None = optional()
    found_at: Time | None = optional()
    pos_m: float | None = number("pos_m", "position from the head", "距带头位置", ge=0)
    cross_mm: float | None = optional()
    cross_datum: str | None = choice(
        "cross_datum", "datum of the position across", "横向基准", ("operator_side", "drive_side", "centre")
    )
    L: float | None = positive("L", "strip length", "带钢长度")
    b: float | None = positive("b", "strip width", "带钢宽度")
    length_mm: float | None = positive("length_mm", "length of the defect", "缺陷长度")
    width_mm: float | None = positive("width_mm", "width of the defect", "缺陷宽度")
    area_mm2: float | None = positive("area_mm2", "area of the defect", "缺陷面积")
    confidence: float | None = number("confidence", "confidence", "置信度", ge=0, le=1)
    image_ref: str | None = optional()
    image_w: pl.Int64 | None = positive("image_w", "width of the image", "图像宽度")
    image_h: pl.Int64 | None = positive("image_h", "height of the image", "图像高度")
    roi_x: pl.Int64 | None = number("roi_x", "left edge of the defect in the image", "缺陷左边界", ge=0)
    roi_y: pl.Int64 | None = number("roi_y", "upper edge of the defect in the image", "缺陷上边界", ge=0)
    roi_w: pl.Int64 | None = positive("roi_w", "width of the defect in the image", "缺陷图像宽度")
    roi_h: pl.Int64 | None = positive("roi_h", "height of the defect in the image", "缺陷图像高度")
    px_per_mm_x: float | None = positive("px_per_mm_x", "scale across the strip", "横向分辨率")
    px_per_mm_y: float | None = positive("px_per_mm_y", "scale along the strip", "纵向分辨率")
    periodic: bool | None = optional()
    period_mm: float | None = positive("period_mm", "period of the defect", "缺陷周期")
    roll_diameter: float | None = positive("roll_diameter", "diameter of the roll", "辊径")
    reduction_after: float | None = percent(
        "reduction_after", "reduction after that roll", "该辊之后的压下率"
    )

    roi_outside_x = keeps(
        error("roi_outside_x", "the defect is outside its image, left or right", "缺陷左右超出图像"),
        pl.col("roi_x") + pl.col("roi_w") <= pl.col("image_w"),
    )
    roi_outside_y = keeps(
        error("roi_outside_y", "the defect is outside its image, above or below", "缺陷上下超出图像"),
        pl.col("roi_y") + pl.col("roi_h") <= pl.col("image_h"),
    )
    period_mismatch = near(
        warning("period_mismatch", "the period is not that of the roll", "缺陷周期与辊径不符"),
        "period_mm",
        rolling.stretched(rolling.roll_period(pl.col("roll_diameter")), pl.col("reduction_after") / 100),
        tolerance=0.02,
    )

    @across(
        error("beyond_strip", "the defect is beyond the end of the strip", "缺陷位置超出带钢长度"),
        *("pos_m", "L"),
        slip=0.01,
    )
    def beyond_strip(cls, slip: float) -> pl.Expr:
        """The tolerance is for the slip of encoders."""
        return pl.col("pos_m") <= pl.col("L") * (1 + slip)

    @across(
        error("beside_strip", "the defect is beside the strip", "缺陷位置超出带钢宽度"),
        *("cross_mm", "b", "cross_datum"),
        slack_mm=0.0,
    )
    def beside_strip(cls, slack_mm: float) -> pl.Expr:
        """From an edge 0 to the width; from the centre half the width to either side."""
        from_centre = pl.col("cross_mm").abs() <= pl.col("b") / 2 + slack_mm
        from_edge = pl.col("cross_mm").is_between(-slack_mm, pl.col("b") + slack_mm)
        return pl.when(pl.col("cross_datum") == "centre").then(from_centre).otherwise(from_edge)

    @across(
        error("area_too_large", "the area is larger than length times width", "缺陷面积大于长宽之积"),
        *("area_mm2", "length_mm", "width_mm"),
        tolerance=0.001,
    )
    def area_too_large(cls, tolerance: float) -> pl.Expr:
        """The tolerance, a share, is for rounding."""
        return pl.col("area_mm2") <= pl.col("length_mm") * pl.col("width_mm") * (1 + tolerance)

    @across(
        warning(
            "roi_width_mismatch", "the width in the image is not that on the strip", "图像宽度与缺陷宽度不符"
        ),
        *("roi_w", "width_mm", "px_per_mm_x"),
        tolerance=0.05,
        pixels=1.0,
    )
    def roi_width_mismatch(cls, tolerance: float, pixels: float) -> pl.Expr:
        """Small defects are a few whole pixels wide, so that one more or less means nothing."""
        wide = pl.col("width_mm") * pl.col("px_per_mm_x")
        return (pl.col("roi_w") - wide).abs() <= pl.max_horizontal(tolerance * wide, pl.lit(pixels))

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("coil_no", "side", "defect_id")}


class Genealogy(pa.DataFrameModel):
    """The genealogy: one row per child and the interval of the parent from which it was made.

    Heats, slabs, coils and their parts in one table. `reversed`: head and tail are swapped, as by each
    recoiling; `turned`: top and bottom are swapped; `made_at`: when the child was made.
    """

    parent_id: str = name_of("parent_id", "number of the parent", "母件号")
    child_id: str = name_of("child_id", "number of the child", "子件号")
    parent_from_m: float | None = number("parent_from_m", "begin on the parent", "母件起点", ge=0)
    parent_to_m: float | None = number("parent_to_m", "end on the parent", "母件终点", ge=0)
    child_from_m: float | None = number("child_from_m", "begin on the child", "子件起点", ge=0)
    child_to_m: float | None = number("child_to_m", "end on the child", "子件终点", ge=0)
    reversed: bool | None = optional()
    turned: bool | None = optional()
    parent_length_m: float | None = positive("parent_length_m", "length of the parent", "母件长度")
    parent_mass_t: float | None = positive("parent_mass_t", "mass of the parent", "母件重量")
    child_mass_t: float | None = positive("child_mass_t", "mass of the child", "子件重量")
    made_at: Time | None = optional()

    parent_interval = at_least(
        error("parent_interval", "the interval on the parent ends before it begins", "母件终点小于起点"),
        *("parent_to_m", "parent_from_m"),
    )
    child_interval = at_least(
        error("child_interval", "the interval on the child ends before it begins", "子件终点小于起点"),
        *("child_to_m", "child_from_m"),
    )

    @over_table(error("cycle", "the piece descends from itself", "谱系成环"), "parent_id", "child_id")
    def cycle(cls, frame: pl.DataFrame) -> pl.Series:
        """Welding and slitting do not make cycles."""
        return ~genealogy.on_cycle(frame)

    @over_table(
        error("overlap", "the piece begins before another piece of its parent ends", "同一母件的区间重叠"),
        *("parent_id", "parent_from_m", "parent_to_m"),
        tolerance=0.01,
    )
    def overlap(cls, frame: pl.DataFrame, tolerance: float) -> pl.Series:
        """The tolerance is in metres. Strips slit side by side have the same interval and do not overlap."""
        return ~genealogy.overlapping(frame, tolerance)

    @over_table(
        error("beyond_parent", "the parent is shorter than the pieces made from it", "区间超出母件长度"),
        *("parent_from_m", "parent_to_m", "parent_length_m"),
        tolerance=0.0,
    )
    def beyond_parent(cls, frame: pl.DataFrame, tolerance: float) -> pl.Series:
        """The tolerance is a share of the parent's length."""
        return ~genealogy.beyond_length(frame, tolerance)

    @over_table(
        warning("over_mass", "the children weigh more than their parents", "子件重量之和超过母件重量"),
        *("parent_id", "child_id", "parent_mass_t", "child_mass_t"),
        tolerance=0.005,
    )
    def over_mass(cls, frame: pl.DataFrame, tolerance: float) -> pl.Series:
        """The tolerance is a share of the parents' mass, for the accuracy of scales."""
        return ~genealogy.over_mass(frame, tolerance)

    @over_table(
        error("time_order", "the piece was made before its parent was", "子件生产时间早于母件"),
        *("parent_id", "child_id", "made_at"),
    )
    def time_order(cls, frame: pl.DataFrame) -> pl.Series:
        """Compares the times at which the pieces were made."""
        return ~genealogy.before_parent(frame)

    class Config:
        """Settings of the table: the key of a record."""

        metadata: ClassVar = {"key": ("parent_id", "child_id", "parent_from_m")}


class SteelPlates(pa.DataFrameModel):
    """One fault of the UCI set Steel Plates Faults; pixels, luminosities 0 to 255. Its rows have no key."""

    X_Minimum: pl.Int64 = optional()
    X_Maximum: pl.Int64 = optional()
    Y_Minimum: pl.Int64 = optional()
    Y_Maximum: pl.Int64 = optional()
    Pixels_Areas: pl.Int64 = positive("Pixels_Areas", "area", "面积")
    X_Perimeter: pl.Int64 = optional()
    Y_Perimeter: pl.Int64 = optional()
    Sum_of_Luminosity: pl.Int64 = optional()
    Minimum_of_Luminosity: pl.Int64 = optional()
    Maximum_of_Luminosity: pl.Int64 = optional()
    Length_of_Conveyer: pl.Int64 = positive("Length_of_Conveyer", "length of the conveyer", "输送带长度")
    TypeOfSteel_A300: pl.Int64 = optional()
    TypeOfSteel_A400: pl.Int64 = optional()
    Steel_Plate_Thickness: pl.Int64 = positive("Steel_Plate_Thickness", "thickness of the plate", "钢板厚度")
    Edges_Index: float = optional()
    Empty_Index: float = optional()
    Square_Index: float = optional()
    Outside_X_Index: float = optional()
    Edges_X_Index: float = optional()
    Edges_Y_Index: float = optional()
    Outside_Global_Index: float = optional()
    LogOfAreas: float = optional()
    Log_X_Index: float = optional()
    Log_Y_Index: float = optional()
    Orientation_Index: float = optional()
    Luminosity_Index: float = optional()
    SigmoidOfAreas: float = optional()
    Pastry: pl.Int64 | None = _flag("Pastry", "the fault Pastry", "Pastry")
    Z_Scratch: pl.Int64 | None = _flag("Z_Scratch", "the fault Z_Scratch", "Z_Scratch")
    K_Scatch: pl.Int64 | None = _flag("K_Scatch", "the fault K_Scatch", "K_Scatch")
    Stains: pl.Int64 | None = _flag("Stains", "the fault Stains", "Stains")
    Dirtiness: pl.Int64 | None = _flag("Dirtiness", "the fault Dirtiness", "Dirtiness")
    Bumps: pl.Int64 | None = _flag("Bumps", "the fault Bumps", "Bumps")
    Other_Faults: pl.Int64 | None = _flag("Other_Faults", "other faults", "其他")

    _dx = pl.col("X_Maximum") - pl.col("X_Minimum")
    _dy = pl.col("Y_Maximum") - pl.col("Y_Minimum")
    _area = pl.col("Pixels_Areas")
    _conveyer = pl.col("Length_of_Conveyer")
    _longer = pl.max_horizontal(_dx, _dy)

    x_order = keeps(error("x_order", "the fault has no width", "缺陷X方向最大值不大于最小值"), _dx > 0)
    y_order = keeps(error("y_order", "the fault has no length", "缺陷Y方向最大值不大于最小值"), _dy > 0)
    beside_conveyer = at_least(
        error("beside_conveyer", "the fault is beside the conveyer", "缺陷超出输送带"),
        *("Length_of_Conveyer", "X_Maximum"),
    )
    area_above_box = keeps(
        error("area_above_box", "the area is larger than its box", "缺陷面积大于外接矩形"), _area <= _dx * _dy
    )
    x_perimeter_too_short = keeps(
        error("x_perimeter_too_short", "the X perimeter is shorter than the box", "X周长小于外接矩形宽度"),
        pl.col("X_Perimeter") >= _dx,
    )
    y_perimeter_too_short = keeps(
        error("y_perimeter_too_short", "the Y perimeter is shorter than the box", "Y周长小于外接矩形高度"),
        pl.col("Y_Perimeter") >= _dy,
    )
    luminosity_order = at_least(
        error("luminosity_order", "the smallest luminosity is above the largest", "最小亮度大于最大亮度"),
        *("Maximum_of_Luminosity", "Minimum_of_Luminosity"),
    )
    mean_luminosity = keeps(
        error(
            "mean_luminosity",
            "the mean luminosity is not between the smallest and the largest",
            "平均亮度不在最小与最大亮度之间",
        ),
        (pl.col("Sum_of_Luminosity") / _area).is_between(
            pl.col("Minimum_of_Luminosity"), pl.col("Maximum_of_Luminosity")
        ),
    )
    one_steel = keeps(
        error("one_steel", "the steel is not exactly one of A300 and A400", "钢种标志不唯一"),
        pl.col("TypeOfSteel_A300") + pl.col("TypeOfSteel_A400") == 1,
    )
    one_fault = keeps(
        error("one_fault", "the fault is not exactly one of the seven", "缺陷类别不唯一"),
        pl.sum_horizontal(FAULTS, ignore_nulls=False) == 1,
    )
    LogOfAreas_mismatch = _identity("LogOfAreas", "log10 of the area", _area.log10())
    Log_X_Index_mismatch = _identity("Log_X_Index", "log10 of the box's width", _dx.log10())
    Log_Y_Index_mismatch = _identity("Log_Y_Index", "log10 of the box's length", _dy.log10())
    Empty_Index_mismatch = _identity(
        "Empty_Index", "the share of the box outside the fault", 1 - _area / (_dx * _dy)
    )
    Edges_X_Index_mismatch = _identity("Edges_X_Index", "width by X perimeter", _dx / pl.col("X_Perimeter"))
    Edges_Y_Index_mismatch = _identity("Edges_Y_Index", "length by Y perimeter", _dy / pl.col("Y_Perimeter"))
    Outside_X_Index_mismatch = _identity(
        "Outside_X_Index", "width by length of the conveyer", _dx / _conveyer
    )
    Square_Index_mismatch = _identity(
        "Square_Index", "shorter by longer side of the box", pl.min_horizontal(_dx, _dy) / _longer
    )
    Orientation_Index_mismatch = _identity(
        "Orientation_Index", "length minus width by the longer of them", (_dy - _dx) / _longer
    )
    Outside_Global_Index_mismatch = _identity(
        "Outside_Global_Index",
        "1 where the box is longer than wide, 0.5 where it is square, else 0",
        (_dy > _dx).cast(pl.Float64) + (_dy == _dx) * 0.5,
    )
    Edges_Index_mismatch = _identity(
        "Edges_Index",
        "twice the distance to the nearer edge by the length of the conveyer",
        2 * pl.min_horizontal(pl.col("X_Minimum"), _conveyer - pl.col("X_Maximum")) / _conveyer,
    )
    Luminosity_Index_mismatch = _identity(
        "Luminosity_Index",
        "the mean luminosity by 128, minus 1",
        pl.col("Sum_of_Luminosity") / (128 * _area) - 1,
    )
    SigmoidOfAreas_mismatch = _identity(
        "SigmoidOfAreas", "the sigmoid of the box's area", 1 / (1 + (2.015 - _dx * _dy / 150).exp())
    )
    orientation_against_square = agrees(
        error(
            "orientation_against_square",
            "Orientation_Index and Square_Index do not add up to 1",
            "Orientation_Index绝对值与Square_Index之和不为1",
        ),
        "Square_Index",
        1 - pl.col("Orientation_Index").abs(),
        tolerance=1.2e-4,  # both are rounded
    )
