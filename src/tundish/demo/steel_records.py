"""The tables of the strip pictures: heats of the laboratory, coils of the mill, and their genealogy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tundish.demo.steel_plan import ELEMENTS, SLAB_LENGTH, Coil, Heat, campaign, photographed
from tundish.demo.tables_out import Cell, Draft, accepted, csv_file, quarantined, skipped, workbook
from tundish.demo.truth import PlantedRow, TableTruth

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_steel"]

HEATS, COILS, GENEALOGY = "raw/heats.xlsx", "raw/coils.csv", "raw/genealogy.csv"
SHEET = "炉次成分"
TITLE = "炼钢厂 2026年3月5日 炉次成分报表"
HEAT_HEADER = (
    ("炉号", ()),
    ("钢种", ()),
    ("化学成分(%)", (*(f"{name}(ppm)" if name == "N" else name for name in ELEMENTS), "CEV")),
    ("出钢时间", ()),
    ("班组", ()),
)
COIL_HEADER = (
    "钢卷号",
    "板坯号",
    "钢种",
    "出炉温度(℃)",
    "终轧温度(℃)",
    "卷取温度(℃)",
    "板坯厚度(m)",
    "厚度(mm)",
    "宽度(mm)",
    "长度(m)",
    "重量(t)",
    "出炉时间",
    "卷取时间",
    "备注",
)
EDGE_HEADER = (
    "母件号",
    "子件号",
    "母件起点(m)",
    "母件终点(m)",
    "子件起点(m)",
    "子件终点(m)",
    "调头",
    "子件生产时间",
)

_Row = tuple[tuple[Cell, ...] | bytes, PlantedRow | None]
_SERIAL_DAY = datetime(1899, 12, 30)  # noqa: DTZ001  (Excel's day 0)


def write_steel(folder: Path, seed: int) -> tuple[TableTruth, ...]:
    """Write heats.xlsx, coils.csv and genealogy.csv with faults into ``raw`` of the folder of a dataset."""
    heats, coils = campaign(seed)
    shown = photographed(coils)
    (folder / HEATS).parent.mkdir(parents=True, exist_ok=True)
    heat_rows = _heat_rows(heats)
    (folder / HEATS).write_bytes(workbook(heat_rows, SHEET, TITLE, HEAT_HEADER))
    coil_rows = _coil_rows(coils)
    (folder / COILS).write_bytes(csv_file(coil_rows, COIL_HEADER, "utf-8-sig"))
    edges = _edges(heats, coils)
    (folder / GENEALOGY).write_bytes(csv_file(edges, EDGE_HEADER, "utf-8", "\n"))
    without_heat = tuple(coil.number for coil in shown if coil.heat.number == heats[6].number)
    return (
        heat_rows.truth("heats", HEATS, SHEET, without_heat),
        coil_rows.truth("coils", COILS, unmatched=("A1015", "A1019")),
        edges.truth("genealogy", GENEALOGY),
    )


def _heat_rows(heats: list[Heat]) -> Draft:
    draft = Draft(header_lines=3)
    for number, heat in enumerate(heats):
        cells = _heat_cells(heat, number)
        for row, planted in _heat_faults(number, heat, cells):
            draft.add(row, planted)
        if number in {7, 15}:
            part = heats[number - 7 : number + 1]
            means = {name: sum(each.chemistry[name] for each in part) / 8 for name in ELEMENTS}
            average = ("平均", None, *(round(share, 4) for share in means.values()), None, None, None)
            draft.add(average, skipped("subtotal_row"))
    return draft


def _heat_cells(heat: Heat, number: int) -> tuple[Cell, ...]:
    shares: list[Cell] = [heat.chemistry[name] for name in ELEMENTS]
    # One of the analysers types its numbers as text.
    if number % 3 == 1:
        shares = [f"{heat.chemistry[name]:g}" for name in ELEMENTS]
    tapped: Cell = heat.tapped
    # Some times have lost their format: days since 1900.
    if number % 4 == 2:
        tapped = round((heat.tapped - _SERIAL_DAY) / timedelta(days=1), 10)
    return (heat.number, heat.grade, *shares, round(heat.carbon_equivalent, 3), tapped, "甲乙丙"[number % 3])


def _heat_faults(number: int, heat: Heat, cells: tuple[Cell, ...]) -> list[_Row]:
    """The rows of one heat: mostly one, unchanged."""
    part = heat.chemistry
    if number == 1:
        other = _put(cells, {"C": round(part["C"] + 0.06, 3), "Mn": round(part["Mn"] + 0.2, 3)})
        return [(cells, quarantined("conflicting_record")), (other, quarantined("conflicting_record"))]
    if number == 2:
        return [(cells, None), (cells, skipped("repeated_row"))]
    changes: dict[int, tuple[dict[str, Cell], PlantedRow]] = {
        3: ({"Nb": "<0.001"}, accepted("censored", note="<")),
        4: ({"Nb": "未检"}, accepted("not_tested", note="not tested")),
        5: ({"Ti": "-"}, accepted("not_given", note="missing")),
        6: (
            {"Alt": part["Als"], "Als": part["Alt"]},
            quarantined("soluble_above_total", "Als_above_Alt"),
        ),
        9: ({"CEV": "#DIV/0!"}, accepted("error_cell", note="error")),
        # The decimal point is lost.
        11: ({"C": round(1000 * part["C"])}, quarantined("carbon_out_of_bounds", "C_range")),
    }
    change, planted = changes.get(number, ({}, None))
    return [(_put(cells, change), planted)]


def _put(cells: tuple[Cell, ...], changes: dict[str, Cell]) -> tuple[Cell, ...]:
    names = ("", "", *ELEMENTS, "CEV", "", "")
    return tuple(changes.get(name, cell) for name, cell in zip(names, cells, strict=True))


def _coil_rows(coils: list[Coil]) -> Draft:
    draft = Draft()
    for coil in coils:
        for row, planted in _coil_faults(coil, _coil_cells(coil)):
            draft.add(row, planted)
    return draft


def _coil_cells(coil: Coil) -> tuple[str, ...]:
    return (
        coil.number,
        coil.slab,
        coil.heat.grade,
        str(coil.discharge),
        str(coil.finish),
        str(coil.coiling),
        f"{coil.slab_thickness / 1000:.3f}",
        f"{coil.thickness:.2f}",
        str(coil.width),
        f"{coil.length:.1f}",
        f"{coil.mass:.2f}",
        f"{coil.discharged:%Y-%m-%d %H:%M:%S}",
        f"{coil.coiled:%Y-%m-%d %H:%M:%S}",
        "",
    )


def _coil_faults(coil: Coil, cells: tuple[str, ...]) -> list[_Row]:
    """The rows of one coil: mostly one, unchanged."""
    line = ",".join(cells)
    whole: dict[str, list[_Row]] = {
        "A0996": [(cells, None), (cells, skipped("repeated_row"))],
        # Nobody wrote it down.
        "A1019": [],
        "A1039": [(line.replace(",", ',"', 1).encode(), quarantined("broken_quote"))],
        "A1042": [(",".join(cells[:6]).encode(), quarantined("field_count"))],
    }
    if coil.number in whole:
        return whole[coil.number]
    change, planted = _coil_changes(coil).get(coil.number, ({}, None))
    return [(tuple(change.get(name, cell) for name, cell in zip(COIL_HEADER, cells, strict=True)), planted)]


def _coil_changes(coil: Coil) -> dict[str, tuple[dict[str, str], PlantedRow]]:
    """By coil, the cells that are wrong, or correct but odd."""
    thickness = f"{coil.thickness:.2f}"
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in thickness)
    return {
        "A0984": ({"厚度(mm)": wide}, accepted("full_width_digits")),
        "A0987": ({"厚度(mm)": f"{thickness}(复检)"}, accepted("remark", note="remark")),
        "A0990": ({"厚度(mm)": f"{thickness} {coil.thickness + 0.02:.2f}"}, quarantined("two_values")),
        "A0993": ({"备注": "带尾折叠,\n已切除"}, accepted("line_break")),
        "A1015": (
            {"终轧温度(℃)": str(coil.coiling), "卷取温度(℃)": str(coil.finish)},
            quarantined("finish_below_coiling", "temperature_order"),
        ),
        "A1030": (
            {"重量(t)": f"{1.05 * coil.mass:.2f}"},
            accepted("mass_a_little_off", "mass_against_dimensions"),
        ),
        "A1033": (
            {"厚度(mm)": "250.00", "重量(t)": "/"},
            quarantined("thicker_than_its_slab", "thickness_order"),
        ),
        "A1036": ({"钢卷号": "1.23457E+17"}, quarantined("damaged_identifier")),
        "A1044": ({"板坯号": "26E031699"}, quarantined("unknown_slab", "unknown_reference")),
        "A1045": (
            {"重量(t)": f"{1000 * coil.mass:.0f}"},
            quarantined("kilograms_in_tonnes", "mass_impossible"),
        ),
    }


def _edges(heats: list[Heat], coils: list[Coil]) -> Draft:
    """Heat to slab, slab to coil, and where a coil was cut, slab to hot coil to its parts."""
    draft = Draft()
    for number, heat in enumerate(heats):
        cast = heat.tapped + timedelta(minutes=50)
        # The row of the heat is quarantined, so that its slabs are reported as without a valid parent.
        planted = accepted("heat_taken_out", "reference_taken_out") if number in {1, 6, 11} else None
        for slab in range(1, 5):
            draft.add(_edge(heat.number, f"{heat.number}{slab:02d}", cast), planted)
        for coil in (each for each in coils if each.heat.number == heat.number):
            whole = (0.0, SLAB_LENGTH)
            if coil.mother is None:
                draft.add(_edge(coil.slab, coil.number, coil.coiled, whole, coil.length))
                continue
            if coil.begin == 0:
                draft.add(_edge(coil.slab, coil.mother, coil.coiled, whole, 2 * coil.length))
            _add_part(draft, coil, coil.mother)
    stranger = _edge("26E0399", "26E039901", heats[-1].tapped)
    draft.add(stranger, quarantined("unknown_parent", "unknown_reference"))
    return draft


def _add_part(draft: Draft, coil: Coil, mother: str) -> None:
    """Add a part of a hot coil that was recoiled: its head is the tail that the mill rolled."""
    begin = coil.begin
    planted = None
    if coil.number == "A0997":
        planted = quarantined("overlap")
        begin -= 40
    if coil.number == "A1048":
        planted = quarantined("cycle")
        draft.add(_edge(coil.number, mother, coil.coiled), planted)
    span = (begin, begin + coil.length)
    draft.add(_edge(mother, coil.number, coil.inspected, span, coil.length, turned="是"), planted)


def _edge(
    parent: str,
    child: str,
    made: datetime,
    span: tuple[float, float] | None = None,
    length: float | None = None,
    turned: str = "否",
) -> tuple[str, ...]:
    metres = ("", "") if span is None else (f"{span[0]:g}", f"{span[1]:.1f}")
    own = ("", "") if length is None else ("0", f"{length:.1f}")
    return (parent, child, *metres, *own, turned, f"{made:%Y-%m-%d %H:%M}")
