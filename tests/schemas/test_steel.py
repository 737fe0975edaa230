"""Steel records: a case on each side of every rule, the UCI plates, what a plant changes, the alias table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tundish.domain.steel.chemistry import cet, cev, pcm
from tundish.rules.check import check, describe
from tundish.rules.models import load_model
from tundish.tabular.headers.columns import load_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandera.polars as pa

    Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
FILE = "schemas/steel.py"
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@cache
def model(name: str) -> type[pa.DataFrameModel]:
    return load_model(ROOT, f"{FILE}:{name}")


def frame(name: str, *rows: Row) -> pl.DataFrame:
    types = {
        column: facts.dtype.type
        for column, facts in model(name).to_schema().columns.items()
        if column in rows[0]
    }
    return pl.DataFrame(rows, schema=types)


def found(name: str, *rows: Row) -> set[str]:
    return set(check(model(name), frame(name, *rows))["check"])


ANALYSIS: Row = {
    "C": 0.03, "Si": 0.01, "Mn": 0.20, "P": 0.010, "S": 0.008, "Als": 0.035, "Alt": 0.038, "Cr": 0.02,
    "Ni": 0.02, "Cu": 0.02, "Mo": 0.005, "N": 0.003, "Nb": 0.001, "V": 0.002, "Ti": 0.05, "B": 0.0002,
    "O": 0.002, "H": 0.0002, "Fe": 99.5,
}  # fmt: skip
COIL: Row = {
    "coil_no": "A1001", "slab_no": "26E030101", "heat_no": "26E0301", "grade_code": "X1",
    "steel_grade": "DC04",
    "h": 3.0, "h_aim": 3.0, "h_min": 2.9, "h_max": 3.1, "b": 1500.0, "b_aim": 1500.0, "L": 766.7,
    "mass": 27.08,
    "outer_diameter": 1885.0, "inner_diameter": 762.0, "v_entry": 1.2, "v_exit": 12.0, "coiled_at": at(8),
}  # fmt: skip
SOUND: dict[str, Row] = {
    "HeatChemistry": {
        "heat_no": "26E0301", "stage": "LF", "grade_code": "X1", "steel_grade": "DC04", "tapped_at": at(0),
        "analysed_at": at(20),
        **ANALYSIS, "CEV": round(cev(ANALYSIS), 2), "CET": round(cet(ANALYSIS), 2),
        "Pcm": round(pcm(ANALYSIS), 2),
    },
    "Slab": {
        "slab_no": "26E030101", "heat_no": "26E0301", "grade_code": "X1", "steel_grade": "DC04",
        "h_slab": 230.0,
        "b_slab": 1500.0, "L_slab": 10.0, "mass": 27.08, "superheat": 25.0, "casting_speed": 1.2,
        "furnace_no": "2",
        "T_discharge": 1220.0, "cast_at": at(0), "charged_at": at(90), "discharged_at": at(270),
    },
    "Coil": COIL,
    "HotStripCoil": {
        **COIL, "h_slab": 230.0, "h_bar": 30.0, "h_lowest": 2.95, "h_highest": 3.05, "reduction": 98.7,
        "furnace_no": "2", "T_discharge": 1220.0, "T_discharge_aim": 1220.0, "T_rough_entry": 1180.0,
        "T_rough_exit": 1080.0, "T_finish_entry": 1020.0, "T_finish": 870.0, "T_finish_aim": 870.0,
        "T_finish_min": 850.0, "T_finish_max": 890.0, "T_finish_lowest": 855.0, "T_finish_highest": 885.0,
        "T_coil": 600.0, "T_coil_aim": 600.0, "T_coil_min": 580.0, "T_coil_max": 620.0,
        "T_coil_lowest": 585.0,
        "T_coil_highest": 615.0, "charged_at": at(-180), "discharged_at": at(0), "started_at": at(3),
    },
    "ColdCoil": {
        **COIL, "hot_coil_no": "A1001", "h": 0.7, "h_aim": 0.7, "h_min": 0.65, "h_max": 0.75, "h_entry": 3.0,
        "b": 1200.0, "L": 2500.0, "mass": 16.485, "outer_diameter": 1686.0,
        "inner_diameter": 762.0, "reduction": 76.67, "elongation": 0.8, "v_entry": 4.667, "v_exit": 20.0,
        "T_pickling": 80.0, "T_soak": 790.0, "T_zinc": 460.0, "T_galvanneal": 500.0, "coating_mass": 140.0,
        "rolled_at": at(3000), "annealed_at": at(5000),
    },
    "RollingPass": {
        "coil_no": "A1001", "stand": "F1", "h_in": 3.0, "h_out": 2.1, "v_in": 4.667, "v_out": 6.667,
        "reduction": 30.0, "force": 12_000.0, "bending": 800.0, "tension": 150.0, "tension_force": 470.0,
    },
    "TensileTest": {
        "coil_no": "A1001", "sample_id": "T7", "heat_no": "26E0301", "grade_code": "X1",
        "steel_grade": "DC04",
        "direction": "90", "position": "head", "tested_at": at(0), "h": 1.0, "ReH": 205.0, "ReL": 195.0,
        "Rp02": 190.0, "Rm": 310.0, "A80": 42.0, "A50": 45.0, "A": 44.0, "Ag": 22.0, "Agt": 22.5, "At": 43.0,
        "r90": 1.9, "n90": 0.21, "HV": 95.0, "HRB": 45.0,
    },
    "SurfaceInspection": {
        "coil_no": "A1001", "side": "top", "defect_id": "17", "defect_raw": "划伤", "defect_code": "12",
        "catalogue": "v3", "found_at": at(0), "pos_m": 120.0, "cross_mm": 400.0,
        "cross_datum": "operator_side",
        "L": 766.7, "b": 1500.0, "length_mm": 40.0, "width_mm": 50.0, "area_mm2": 900.0, "confidence": 0.9,
        "image_ref": "a.jpg", "image_w": 640, "image_h": 256, "roi_x": 10, "roi_y": 20,
        "roi_w": 100, "roi_h": 80,
        "px_per_mm_x": 2.0, "px_per_mm_y": 2.0, "periodic": True, "period_mm": 1885.0, "roll_diameter": 600.0,
        "reduction_after": 0.0,
    },
    "Genealogy": {
        "parent_id": "M1", "child_id": "A1", "parent_from_m": 0.0, "parent_to_m": 400.0, "child_from_m": 0.0,
        "child_to_m": 400.0, "reversed": True, "turned": False, "parent_length_m": 800.0,
        "parent_mass_t": 28.0, "child_mass_t": 14.0, "made_at": at(60),
    },
    # The set's first row.
    "SteelPlates": {
        "X_Minimum": 42, "X_Maximum": 50, "Y_Minimum": 270_900, "Y_Maximum": 270_944, "Pixels_Areas": 267,
        "X_Perimeter": 17, "Y_Perimeter": 44, "Sum_of_Luminosity": 24_220, "Minimum_of_Luminosity": 76,
        "Maximum_of_Luminosity": 108, "Length_of_Conveyer": 1687, "TypeOfSteel_A300": 1,
        "TypeOfSteel_A400": 0,
        "Steel_Plate_Thickness": 80, "Edges_Index": 0.0498, "Empty_Index": 0.2415, "Square_Index": 0.1818,
        "Outside_X_Index": 0.0047, "Edges_X_Index": 0.4706, "Edges_Y_Index": 1.0, "Outside_Global_Index": 1.0,
        "LogOfAreas": 2.4265, "Log_X_Index": 0.9031, "Log_Y_Index": 1.6435, "Orientation_Index": 0.8182,
        "Luminosity_Index": -0.2913, "SigmoidOfAreas": 0.5822, "Pastry": 1, "Z_Scratch": 0, "K_Scatch": 0,
        "Stains": 0, "Dirtiness": 0, "Bumps": 0, "Other_Faults": 0,
    },
}  # fmt: skip

NAMES = {
    "HeatChemistry": "heat_no",
    "Slab": "slab_no",
    "Coil": "coil_no",
    "HotStripCoil": "coil_no",
    "ColdCoil": "coil_no",
    "RollingPass": "coil_no stand",
    "TensileTest": "coil_no",
    "SurfaceInspection": "coil_no",
    "Genealogy": "parent_id child_id",
    "SteelPlates": "",
}

PERCENT, DEGREES, SHARE = (0.0, 100.0), (0.0, 1538.0), (0.0, 1.0)
ABOVE_ZERO, FROM_ZERO = (None, 0.0), (0.0, None)
"""The first allowed value is above zero; zero is allowed."""

SIZES = "h h_aim h_min h_max b b_aim L mass outer_diameter inner_diameter"
BOUNDS: dict[str, list[tuple[tuple[float | None, float | None], str]]] = {
    "HeatChemistry": [
        ((0.0, 6.7), "C"),
        (PERCENT, "Si Mn P S Als Alt Cr Ni Cu Mo N Nb V Ti B O H Fe CEV CET Pcm"),
    ],
    "Slab": [
        (ABOVE_ZERO, "h_slab b_slab L_slab mass"),
        (FROM_ZERO, "casting_speed"),
        (DEGREES, "T_discharge"),
    ],
    "Coil": [(ABOVE_ZERO, SIZES), (FROM_ZERO, "v_entry v_exit")],
    "HotStripCoil": [
        (ABOVE_ZERO, f"{SIZES} h_slab h_bar h_lowest h_highest"),
        (FROM_ZERO, "v_entry v_exit"),
        (PERCENT, "reduction"),
        (
            DEGREES,
            "T_discharge T_discharge_aim T_rough_entry T_rough_exit T_finish_entry T_finish T_finish_aim",
        ),
        (DEGREES, "T_finish_min T_finish_max T_finish_lowest T_finish_highest T_coil T_coil_aim T_coil_min"),
        (DEGREES, "T_coil_max T_coil_lowest T_coil_highest"),
    ],
    "ColdCoil": [
        (ABOVE_ZERO, f"{SIZES} h_entry"),
        (FROM_ZERO, "v_entry v_exit elongation T_pickling coating_mass"),
        (PERCENT, "reduction"),
        (DEGREES, "T_soak T_zinc T_galvanneal"),
    ],
    "RollingPass": [
        (ABOVE_ZERO, "h_in h_out"),
        (FROM_ZERO, "v_in v_out force tension tension_force"),
        (PERCENT, "reduction"),
    ],
    "TensileTest": [
        (ABOVE_ZERO, "h ReH ReL Rp02 Rm HV"),
        (PERCENT, "A80 A50 A Ag Agt At"),
        (FROM_ZERO, "r90 n90"),
    ],
    "SurfaceInspection": [
        (ABOVE_ZERO, "L b length_mm width_mm area_mm2 image_w image_h roi_w roi_h px_per_mm_x px_per_mm_y"),
        (ABOVE_ZERO, "period_mm roll_diameter"),
        (FROM_ZERO, "pos_m roi_x roi_y"),
        (SHARE, "confidence"),
        (PERCENT, "reduction_after"),
    ],
    "Genealogy": [
        (FROM_ZERO, "parent_from_m parent_to_m child_from_m child_to_m"),
        (ABOVE_ZERO, "parent_length_m parent_mass_t child_mass_t"),
    ],
    "SteelPlates": [(ABOVE_ZERO, "Pixels_Areas Length_of_Conveyer Steel_Plate_Thickness")],
}

COIL_USUAL: dict[str, tuple[float, float]] = {
    "b": (600, 2150), "mass": (0, 45), "outer_diameter": (0, 2200), "inner_diameter": (508, 762),
}  # fmt: skip
USUAL: dict[str, dict[str, tuple[float, float]]] = {
    "HeatChemistry": {
        "C": (0.0005, 1.2), "Si": (0, 0.6), "Mn": (0.05, 2.5), "P": (0.003, 0.12), "S": (0.0005, 0.05),
        "Als": (0, 0.08), "Cr": (0, 0.3), "Ni": (0, 0.3), "Cu": (0, 0.3), "Mo": (0, 0.08),
        "N": (0.0015, 0.012), "Nb": (0, 0.1), "V": (0, 0.2), "Ti": (0, 0.3),
    },
    "Slab": {
        "h_slab": (51, 254), "b_slab": (900, 2100), "L_slab": (5, 12), "superheat": (15, 35),
        "casting_speed": (0.8, 7), "T_discharge": (1150, 1280),
    },
    "Coil": COIL_USUAL,
    "HotStripCoil": COIL_USUAL | {
        "h": (1.4, 25), "h_bar": (19, 60), "v_exit": (0, 20), "T_discharge": (1150, 1280),
        "T_finish_entry": (980, 1060), "T_finish": (780, 920), "T_coil": (500, 750),
    },
    "ColdCoil": COIL_USUAL | {
        "h": (0.2, 3), "h_entry": (1.5, 6), "reduction": (60, 80), "elongation": (0.3, 2),
        "v_exit": (0, 33.4),
        "T_pickling": (70, 90), "T_soak": (650, 880), "T_zinc": (450, 465), "T_galvanneal": (482, 524),
        "coating_mass": (100, 600),
    },
    "RollingPass": {"force": (5_000, 25_000), "tension": (50, 250)},
}  # fmt: skip

CHOICES: dict[str, dict[str, tuple[object, object]]] = {
    "SurfaceInspection": {"side": ("下表", "left"), "cross_datum": ("centre", "somewhere")},
    "SteelPlates": dict.fromkeys(
        ("Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults"), (0, 2)
    ),
}

# 766.7 m of 3.0 x 1500 mm weigh 27.084 t, and fill 0.985 of what lies between 762 and 1885 mm.
COIL_RULES: dict[str, tuple[Row, Row]] = {
    "h_aim_order": ({"h_aim": 2.9}, {"h_aim": 2.89}),
    "mass_against_dimensions": ({"mass": 27.084 * 1.029}, {"mass": 27.084 * 1.031}),
    "mass_far_from_dimensions": ({"mass": 27.084 * 0.901}, {"mass": 27.084 * 0.899}),
    "mass_impossible": ({"mass": 27.084 * 1.99}, {"mass": 27_084.0}),
    "mass_against_diameters": ({"outer_diameter": 1900.0}, {"outer_diameter": 1800.0}),
    "diameter_order": ({"outer_diameter": 762.1}, {"outer_diameter": 762.0}),
}
IDENTITIES: dict[str, tuple[Row, Row]] = {
    f"{column}_mismatch": (
        {column: SOUND["SteelPlates"][column] + 1e-6},
        {column: SOUND["SteelPlates"][column] + 1.2e-4},
    )
    for column in (
        "LogOfAreas", "Log_X_Index", "Log_Y_Index", "Empty_Index", "Edges_X_Index", "Edges_Y_Index",
        "Outside_X_Index", "Square_Index", "Outside_Global_Index", "Edges_Index", "Luminosity_Index",
        "SigmoidOfAreas",
    )
}  # fmt: skip
ACROSS: dict[str, dict[str, tuple[Row, Row]]] = {
    "HeatChemistry": {
        "Als_above_Alt": ({"Als": 0.038}, {"Als": 0.039}),
        "CEV_mismatch": ({"CEV": cev(ANALYSIS) + 0.009}, {"CEV": cev(ANALYSIS) - 0.011}),
        "CET_mismatch": ({"CET": cet(ANALYSIS) + 0.009}, {"CET": cet(ANALYSIS) - 0.011}),
        "Pcm_mismatch": ({"Pcm": pcm(ANALYSIS) + 0.009}, {"Pcm": pcm(ANALYSIS) - 0.011}),
        "C_over_en_10130": ({"C": 0.08}, {"C": 0.081}),
        "Mn_over_en_10130": ({"Mn": 0.40}, {"Mn": 0.41}),
        "P_over_en_10130": ({"P": 0.030}, {"P": 0.031}),
        "S_over_en_10130": ({"S": 0.030}, {"S": 0.031}),
        "Ti_over_en_10130": ({"Ti": 0.31}, {"steel_grade": "DC06", "Ti": 0.31}),
        "time_order_analysis": ({"analysed_at": at(0)}, {"analysed_at": at(-0.1)}),
        "elements_over_100": ({"Fe": 99.55}, {"Fe": 99.62}),
    },
    "Slab": {
        "mass_against_dimensions": ({"mass": 27.0825 * 0.971}, {"mass": 27.0825 * 0.969}),
        "mass_far_from_dimensions": ({"mass": 27.0825 * 1.099}, {"mass": 27.0825 * 1.101}),
        "mass_impossible": ({"mass": 27.0825 * 0.51}, {"h_slab": 0.23}),
        "time_order_charging": ({"charged_at": at(0)}, {"charged_at": at(-1)}),
        "time_order_discharge": ({"discharged_at": at(90)}, {"discharged_at": at(89)}),
    },
    "Coil": COIL_RULES,
    "HotStripCoil": COIL_RULES
    | {
        "T_finish_aim_order": ({"T_finish_aim": 890.0}, {"T_finish_aim": 891.0}),
        "T_coil_aim_order": ({"T_coil_aim": 580.0}, {"T_coil_aim": 579.0}),
        "h_mean_order": ({"h": 3.05}, {"h": 3.06}),
        "T_finish_mean_order": ({"T_finish": 855.0}, {"T_finish": 854.0}),
        "T_coil_mean_order": ({"T_coil": 615.0}, {"T_coil": 616.0}),
        "temperature_order": ({"T_coil": 869.9}, {"T_coil": 870.0}),
        "temperature_order_furnace": ({"T_finish": 1219.9}, {"T_finish": 1220.0}),
        "temperature_order_roughing": ({"T_rough_exit": 1220.0}, {"T_rough_exit": 1220.1}),
        "temperature_order_entry": ({"T_finish_entry": 1080.0}, {"T_finish_entry": 1080.1}),
        "temperature_order_finishing": ({"T_finish": 1020.0}, {"T_finish": 1020.1}),
        "thickness_order": ({"h": 230.0}, {"h": 230.1}),
        "thickness_order_roughing": ({"h_bar": 230.0}, {"h_bar": 230.1}),
        "thickness_order_finishing": ({"h": 30.0}, {"h": 30.1}),
        "reduction_mismatch": ({"reduction": 99.19}, {"reduction": 99.2}),
        "volume_not_constant": ({"v_exit": 12.59}, {"v_exit": 12.61}),
        "time_order_discharge": ({"discharged_at": at(-180)}, {"discharged_at": at(-181)}),
        "time_order_rolling": ({"started_at": at(0)}, {"started_at": at(-1)}),
        "time_order_coiling": ({"coiled_at": at(3)}, {"coiled_at": at(2)}),
        "time_order_mill": ({"coiled_at": at(0)}, {"coiled_at": at(-1)}),
    },
    "ColdCoil": {
        "h_aim_order": ({"h_aim": 0.75}, {"h_aim": 0.76}),
        "thickness_order": ({"h": 3.0}, {"h": 3.01}),
        "reduction_mismatch": ({"reduction": 76.2}, {"reduction": 76.1}),
        "volume_not_constant": ({"v_exit": 19.1}, {"v_exit": 18.9}),
        "mass_against_dimensions": ({"mass": 16.485 * 0.971}, {"mass": 16.485 * 0.969}),
        "mass_far_from_dimensions": ({"mass": 16.485 * 1.099}, {"mass": 16.485 * 1.101}),
        "mass_impossible": ({"mass": 16.485 * 0.51}, {"mass": 16.485 * 0.49}),
        "mass_against_diameters": ({"inner_diameter": 770.0}, {"inner_diameter": 508.0}),
        "diameter_order": ({"inner_diameter": 1685.0}, {"inner_diameter": 1686.0}),
        "time_order_rolling": ({"rolled_at": at(8)}, {"rolled_at": at(7)}),
        "time_order_annealing": ({"annealed_at": at(3000)}, {"annealed_at": at(2999)}),
    },
    "RollingPass": {
        "thickness_order": ({"h_out": 3.0}, {"h_out": 3.01}),
        "reduction_mismatch": ({"reduction": 30.4}, {"reduction": 30.6}),
        "volume_not_constant": ({"v_out": 6.99}, {"v_out": 7.01}),
    },
    "TensileTest": {
        "yield_order": ({"ReL": 205.0}, {"ReL": 205.1}),
        "ReH_above_Rm": ({"ReH": 310.0}, {"ReH": 310.1}),
        "Rp02_above_Rm": ({"Rp02": 310.0}, {"Rp02": 310.1}),
        "Ag_above_Agt": ({"Ag": 22.5}, {"Ag": 22.6}),
        "Agt_above_At": ({"Agt": 43.0}, {"Agt": 43.1}),
        "Ag_above_A80": ({"Ag": 42.0}, {"Ag": 42.1}),
        "Rm_against_HV": ({"HV": 107.0}, {"HV": 108.0}),
        "ReL_over_en_10130": ({"h": 0.7, "ReL": 230.0}, {"h": 0.71, "ReL": 230.0}),
        "Rp02_over_en_10130": ({"Rp02": 210.0}, {"Rp02": 210.1}),
        "Rm_outside_en_10130": ({"Rm": 350.0}, {"Rm": 350.1}),
        "A80_under_en_10130": ({"h": 0.5, "A80": 34.0}, {"h": 0.51, "A80": 34.0}),
        "r90_under_en_10130": ({"h": 2.1, "r90": 1.4}, {"h": 2.0, "r90": 1.4}),
        "n90_under_en_10130": ({"n90": 0.18}, {"n90": 0.179}),
    },
    "SurfaceInspection": {
        "roi_outside_x": ({"roi_x": 540}, {"roi_x": 541}),
        "roi_outside_y": ({"roi_y": 176}, {"roi_y": 177}),
        "period_mismatch": (
            {"reduction_after": 30.0, "period_mm": 2693.0},
            {"reduction_after": 30.0, "period_mm": 1885.0},
        ),
        "beyond_strip": ({"pos_m": 774.3}, {"pos_m": 774.4}),
        "beside_strip": ({"cross_mm": 1500.0}, {"cross_mm": 1500.1}),
        "area_too_large": ({"area_mm2": 2000.0}, {"area_mm2": 2003.0}),
        "roi_width_mismatch": ({"roi_w": 105}, {"roi_w": 106}),
    },
    "Genealogy": {
        "parent_interval": ({"parent_to_m": 0.0}, {"parent_from_m": 401.0}),
        "child_interval": ({"child_to_m": 0.0}, {"child_from_m": 401.0}),
        "beyond_parent": ({"parent_to_m": 800.0}, {"parent_to_m": 800.1}),
        "over_mass": ({"child_mass_t": 28.13}, {"child_mass_t": 28.15}),
        "cycle": ({"child_id": "M2"}, {"child_id": "M1"}),
    },
    "SteelPlates": IDENTITIES
    | {
        "x_order": ({"X_Maximum": 43}, {"X_Maximum": 42}),
        "y_order": ({"Y_Maximum": 270_901}, {"Y_Maximum": 270_900}),
        "beside_conveyer": ({"Length_of_Conveyer": 50}, {"Length_of_Conveyer": 49}),
        "area_above_box": ({"Pixels_Areas": 352}, {"Pixels_Areas": 353}),
        "x_perimeter_too_short": ({"X_Perimeter": 8}, {"X_Perimeter": 7}),
        "y_perimeter_too_short": ({"Y_Perimeter": 44}, {"Y_Perimeter": 43}),
        "luminosity_order": ({"Minimum_of_Luminosity": 108}, {"Minimum_of_Luminosity": 109}),
        "mean_luminosity": ({"Minimum_of_Luminosity": 90}, {"Minimum_of_Luminosity": 91}),
        "one_steel": ({"TypeOfSteel_A300": 0, "TypeOfSteel_A400": 1}, {"TypeOfSteel_A400": 1}),
        "one_fault": ({"Pastry": 0, "Bumps": 1}, {"Bumps": 1}),
        "Orientation_Index_mismatch": ({"Orientation_Index": 0.81823}, {"Orientation_Index": 0.8183}),
        "orientation_against_square": ({"Square_Index": 0.1819}, {"Square_Index": 0.1820}),
    },
}  # fmt: skip


def second(**change: object) -> Row:
    """Another edge, behind the sound one on the same parent."""
    row = SOUND["Genealogy"] | {"child_id": "A2", "parent_from_m": 400.0, "parent_to_m": 800.0}
    return row | change


TABLES: dict[str, dict[str, tuple[list[Row], list[Row]]]] = {
    "Genealogy": {
        "cycle": ([second(child_id="B1")], [second(parent_id="A1", child_id="M1")]),
        "overlap": ([second()], [second(parent_from_m=399.0)]),
        "over_mass": ([second()], [second(child_mass_t=14.2)]),
        "time_order": (
            [second(parent_id="A1", made_at=at(60))],
            [second(parent_id="A1", made_at=at(59))],
        ),
    }
}


def bounds() -> Iterator[tuple[str, str, Row, Row]]:
    for name, groups in BOUNDS.items():
        for (low, high), columns in groups:
            for column in columns.split():
                whole = isinstance(SOUND[name][column], int)
                step = 1 if whole else 1e-6
                if low is None:
                    yield name, f"{column}_range", {column: step}, {column: 0 if whole else 0.0}
                elif high is None:
                    zero = 0 if whole else 0.0
                    yield name, f"{column}_range", {column: zero}, {column: zero - step}
                else:
                    yield name, f"{column}_range", {column: low}, {column: low - 1e-6}
                    yield name, f"{column}_range", {column: high}, {column: high + 1e-6}


def usual() -> Iterator[tuple[str, str, Row, Row]]:
    for name, columns in USUAL.items():
        for column, (low, high) in columns.items():
            yield name, f"{column}_unusual", {column: float(low)}, {column: low - 1e-6}
            yield name, f"{column}_unusual", {column: float(high)}, {column: high + 1e-6}


def cases() -> Iterator[tuple[str, str, Row, Row]]:
    """Model, rule, what may be changed in the sound row, what may not."""
    yield from bounds()
    yield from usual()
    for name, columns in NAMES.items():
        for column in columns.split():
            yield name, f"{column}_missing", {column: "x"}, {column: None}
    for name, choices in CHOICES.items():
        for column, (inside, outside) in choices.items():
            yield name, f"{column}_unknown", {column: inside}, {column: outside}
    for name, rules in ACROSS.items():
        for rule, (inside_row, outside_row) in rules.items():
            yield name, rule, inside_row, outside_row


CASES = list(cases())
MODELS = list(SOUND)


@pytest.mark.parametrize("name", MODELS)
def test_sound_rows_break_nothing(name: str) -> None:
    sound = SOUND[name]
    assert set(sound) == set(model(name).to_schema().columns)
    assert found(name, sound) == set()


@cache
def broken(name: str) -> list[set[str]]:
    """What each case of a model breaks, two a case; in one table where no rule looks at other rows."""
    rows = [SOUND[name] | change for of, _, *both in CASES if of == name for change in both]
    if name in TABLES:
        return [found(name, row) for row in rows]
    failures = check(model(name), frame(name, *rows))
    return [set(failures.filter(pl.col("row") == row)["check"]) for row in range(len(rows))]


@pytest.mark.parametrize("name", MODELS)
def test_rules__a_case_on_each_side(name: str) -> None:
    told = iter(broken(name))
    for of, rule, inside, outside in CASES:
        if of == name:
            assert rule not in next(told), inside
            assert rule in next(told), (rule, outside)


@pytest.mark.parametrize("rule", TABLES["Genealogy"])
def test_rules_over_a_table__a_case_on_each_side(rule: str) -> None:
    sound, broken = TABLES["Genealogy"][rule]
    assert found("Genealogy", SOUND["Genealogy"], *sound) == set()
    assert found("Genealogy", SOUND["Genealogy"], *broken) == {rule}


@pytest.mark.parametrize("name", MODELS)
def test_every_rule_has_a_case(name: str) -> None:
    tested = {rule for of, rule, _, _ in CASES if of == name} | set(TABLES.get(name, ()))
    assert {rule.name for rule, _, _ in describe(model(name))} == tested


@pytest.mark.parametrize("name", MODELS)
def test_every_rule_has_one_name_and_two_languages(name: str) -> None:
    owners: dict[str, set[str]] = {}
    for rule, columns, _ in describe(model(name)):
        owners.setdefault(rule.name, set()).add(columns)
        assert rule.sentence.isascii()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in rule.chinese), rule.name
        # So that a plant finds it: Model.rule.but(...).
        if not rule.name.endswith(("_range", "_missing", "_unknown")):
            assert hasattr(model(name), rule.name)
    assert all(len(columns) == 1 for columns in owners.values())


@pytest.mark.parametrize("name", MODELS)
def test_limits_that_nobody_vouches_for_are_warnings(name: str) -> None:
    for rule, _, _ in describe(model(name)):
        if (
            rule.name.endswith("_unusual")
            or rule.standard
            or rule.name.startswith(("mass_against", "mass_far"))
        ):
            assert rule.severity == "warning", rule.name


@pytest.mark.parametrize("name", MODELS)
def test_what_is_missing_breaks_nothing(name: str) -> None:
    names = NAMES[name].split()
    nothing = {column: SOUND[name][column] if column in names else None for column in SOUND[name]}
    assert found(name, nothing) == set()
    if names:
        assert found(name, {column: SOUND[name][column] for column in names}) == set()


def test_rules__name_their_standard() -> None:
    standards = {rule.name: rule.standard for rule, _, _ in describe(model("TensileTest")) if rule.standard}
    assert len(standards) == 6
    assert set(standards.values()) == {"EN 10130:1999"}


def test_elements__those_that_the_table_has_add_up() -> None:
    row = {"heat_no": "1", "C": 0.1, "Mn": 1.0, "Fe": 99.5}
    assert found("HeatChemistry", row) == {"elements_over_100"}
    assert found("HeatChemistry", row | {"Fe": None}) == set()


def test_cev__needs_every_element() -> None:
    assert "CEV_mismatch" not in found("HeatChemistry", SOUND["HeatChemistry"] | {"CEV": 0.5, "V": None})


def test_cross_position__by_its_datum() -> None:
    sound = SOUND["SurfaceInspection"]
    centred = sound | {"cross_datum": "centre", "cross_mm": -750.0}
    assert found("SurfaceInspection", centred) == set()
    assert found("SurfaceInspection", centred | {"cross_mm": -750.1}) == {"beside_strip"}


def test_small_defects__may_be_a_pixel_off() -> None:
    small = SOUND["SurfaceInspection"] | {"width_mm": 2.0, "length_mm": 450.0, "roi_w": 5}
    assert found("SurfaceInspection", small) == set()
    assert found("SurfaceInspection", small | {"roi_w": 6}) == {"roi_width_mismatch"}


@pytest.mark.parametrize("name", MODELS)
def test_types__are_those_that_records_have(name: str) -> None:
    kinds = {pl.String(), pl.Float64(), pl.Int64(), pl.Boolean(), pl.Datetime("us", "UTC")}
    columns = model(name).to_schema().columns
    assert {facts.dtype.type for facts in columns.values()} <= kinds
    metadata = model(name).Config.metadata or {}
    assert set(metadata.get("key", ())) <= set(columns)
    assert metadata.get("latest_by", next(iter(columns))) in columns


PLANT = """

class Ours(HotStripCoil):
    T_finish: float | None = pa.Field(ge=700, le=1000, nullable=True)
    T_coil_unusual = HotStripCoil.T_coil_unusual.but(low=20, high=450)
    mass_against_dimensions = HotStripCoil.mass_against_dimensions.but(tolerance=0.2)
"""


def test_a_plant_changes_limits_and_rules_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "steel.py").write_text((ROOT / FILE).read_text(encoding="utf-8") + PLANT, encoding="utf-8")
    ours = load_model(tmp_path, "steel.py:Ours")
    row = SOUND["HotStripCoil"] | {"T_coil": 300.0, "mass": 24.0}
    theirs = check(model("HotStripCoil"), frame("HotStripCoil", row))
    assert set(theirs["check"]) >= {"T_coil_unusual", "mass_against_dimensions"}
    bounded = {"T_coil_lowest": None, "T_finish_lowest": None, "T_finish": 699.0}
    told = check(ours, frame("HotStripCoil", row | bounded))
    finish = told.filter(pl.col("check") == "T_finish_range")
    assert finish["severity"].to_list() == ["error"]
    assert "cannot have this value / 终轧温度不可能为此值: T_finish is 699.0" in finish["message"][0]
    assert "at least 700" in finish["message"][0]
    assert not {"T_coil_unusual", "mass_against_dimensions"} & set(told["check"])
    assert {rule.name for rule, _, _ in describe(ours)} == {
        rule.name for rule, _, _ in describe(model("HotStripCoil"))
    }


@pytest.mark.parametrize("name", MODELS)
def test_alias_table__every_name_means_its_own_column(name: str) -> None:
    table = load_columns(ROOT / "schemas/steel.yaml")
    columns = model(name).to_schema().columns
    assert set(columns) <= set(table.columns)
    narrow = table.only(columns)
    # Of the defect or of the strip: asked.
    shared = {"长度", "宽度"} if name == "SurfaceInspection" else set()
    for column in columns:
        for header in table.columns[column].every_name:
            if header not in shared:
                assert narrow.lookup(header).column == column, header
    for header in shared:
        assert narrow.lookup(header).column is None


def test_alias_table__holds_no_column_that_no_model_has() -> None:
    table = load_columns(ROOT / "schemas/steel.yaml")
    assert set(table.columns) == {column for name in MODELS for column in model(name).to_schema().columns}
    assert all(column.about for column in table.columns.values())


@pytest.mark.parametrize(
    ("header", "name", "column", "unit"),
    [
        ("炉 号", "HeatChemistry", "heat_no", None),
        ("[C]", "HeatChemistry", "C", None),
        ("C(%)", "HeatChemistry", "C", "%"),
        ("[N]ppm", "HeatChemistry", "N", "ppm"),
        ("化学成分(%)_Si", "HeatChemistry", "Si", None),
        ("B", "HeatChemistry", "B", None),
        ("B", "HotStripCoil", "b", None),
        ("Al", "HeatChemistry", None, None),
        ("终轧温度 [oC]", "HotStripCoil", "T_finish", "°C"),
        ("FDT(℃)", "HotStripCoil", "T_finish", "°C"),
        ("DESIGN_FM_TEMP_MIN", "HotStripCoil", "T_finish_min", None),
        ("FDT_MIN", "HotStripCoil", None, None),
        ("卷取温度", "HotStripCoil", "T_coil", None),
        ("温度", "HotStripCoil", None, None),
        ("板坯厚度(m)", "HotStripCoil", "h_slab", "m"),
        ("厚度\uff08mm\uff09", "HotStripCoil", "h", "mm"),
        ("长度", "HotStripCoil", "L", None),
        ("净重(kg)", "HotStripCoil", "mass", "kg"),
        ("延伸率", "ColdCoil", None, None),
        ("延伸率(%)", "TensileTest", None, None),
        ("平整延伸率%", "ColdCoil", "elongation", "%"),
        ("轧制力(t)", "RollingPass", "force", "t"),
        ("Rp0.2(MPa)", "TensileTest", "Rp02", "MPa"),
        ("屈服强度", "TensileTest", None, None),
        ("母件起(m)", "Genealogy", "parent_from_m", "m"),
        ("调头", "Genealogy", "reversed", None),
        ("K_Scatch_Fault", "SteelPlates", "K_Scatch", None),
    ],
)
def test_alias_table__headers_of_plants(header: str, name: str, column: str | None, unit: str | None) -> None:
    match = load_columns(ROOT / "schemas/steel.yaml").only(model(name).to_schema().columns).lookup(header)
    assert match.column == column
    if column is None:
        assert match.candidates
    elif unit is not None:
        assert match.unit == unit


def plates(shared_data: Path) -> pl.DataFrame:
    raw = pl.read_csv(shared_data / "steel_plates_faults/SteelPlatesFaults_Clean.csv", infer_schema=False)
    table = load_columns(ROOT / "schemas/steel.yaml").only(SOUND["SteelPlates"])
    columns = model("SteelPlates").to_schema().columns
    named = raw.rename({header: str(table.lookup(header).column) for header in raw.columns})
    numbers = named.cast(pl.Float64)
    return numbers.select(pl.col(name).cast(facts.dtype.type) for name, facts in columns.items())


@pytest.mark.shared
def test_uci_plates__two_rows_fail_and_only_by_their_mean_luminosity(shared_data: Path) -> None:
    rows = plates(shared_data)
    assert rows.shape == (1941, 34)
    failures = check(model("SteelPlates"), rows)
    assert failures.select("row", "check", "severity").rows() == [
        (518, "mean_luminosity", "error"),
        (591, "mean_luminosity", "error"),
    ]
    assert "Sum_of_Luminosity=764" in failures["value"][0]


@pytest.mark.shared
def test_uci_plates__facts_of_the_set(shared_data: Path) -> None:
    rows = plates(shared_data)
    faults = ["Pastry", "Z_Scratch", "K_Scatch", "Stains", "Dirtiness", "Bumps", "Other_Faults"]
    assert rows.select(pl.col(faults).sum()).row(0) == (158, 190, 391, 72, 55, 402, 673)
    assert rows["TypeOfSteel_A300"].sum() == 777
    assert rows["Outside_Global_Index"].value_counts().sort("Outside_Global_Index")["count"].to_list() == [
        778, 91, 1072,
    ]  # fmt: skip
    assert rows.is_unique().all()
    assert rows.row(0, named=True) == SOUND["SteelPlates"]
