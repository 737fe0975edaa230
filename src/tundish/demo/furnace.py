"""A blast-furnace log that no shipped model knows: a row of units, and states of the historian."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from tundish.demo.tables_out import Draft, accepted, csv_file, quarantined, skipped

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.demo.tables_out import Cell
    from tundish.demo.truth import PlantedRow, TableTruth

__all__ = ["FURNACE", "write_furnace"]

FURNACE = "raw/furnace.csv"
HEADER = ("铁次", "时间", "风量", "热风温度", "顶压", "富氧", "铁水温度", "[Si]", "喷煤比", "炉况")
UNITS = ("", "", "万m3/h", "℃", "kPa", "%", "℃", "%", "kg/t", "")
HOURS = 120
_START = datetime(2026, 3, 1)  # noqa: DTZ001  (the plant's clock, which tells no zone)
_BLAST, _TOP, _SILICON, _COAL = 3, 4, 7, 8
"""The places of columns that have faults."""


def write_furnace(folder: Path, seed: int) -> TableTruth:
    """Write furnace.csv into ``raw`` of the folder of a dataset; no recipe reads it until it is added."""
    rng = np.random.default_rng([seed, 7001])
    draft = Draft(header_lines=2)
    for hour in range(HOURS):
        cells, planted = _planted(hour, _sound(hour, rng))
        draft.add(cells, planted)
    empty = [""] * len(HEADER)
    draft.add(("平均", "", "28.1", "1180", *empty[4:]), skipped("subtotal_row"))
    draft.add(tuple(empty), skipped("blank_row"))
    draft.add(("注:3月3日计划检修", *empty[1:]), skipped("note_row"))
    text = csv_file(draft, HEADER, "gb18030")
    first, rest = text.split(b"\r\n", 1)
    units = ",".join(UNITS).encode("gb18030")
    (folder / FURNACE).parent.mkdir(parents=True, exist_ok=True)
    (folder / FURNACE).write_bytes(b"\r\n".join((first, units, rest)))
    return draft.truth("furnace", FURNACE)


def _sound(hour: int, rng: np.random.Generator) -> list[Cell]:
    time = _START + timedelta(hours=hour)
    draw = np.clip(rng.normal(size=7), -2.5, 2.5)
    return [
        f"F{hour + 1:04d}",
        f"{time.year}/{time.month}/{time.day} {time.hour}:00",
        f"{28 + draw[0] / 2:.2f}",
        f"{1180 + 12 * draw[1]:.0f}",
        f"{220 + 3 * draw[2]:.1f}",
        f"{3.2 + draw[3] / 5:.2f}",
        f"{1498 + 9 * draw[4]:.0f}",
        f"{0.42 + draw[5] / 20:.3f}",
        f"{152 + 4 * draw[6]:.1f}",
        "顺行" if hour % 9 else "波动",
    ]


def _planted(hour: int, cells: list[Cell]) -> tuple[tuple[Cell, ...], PlantedRow | None]:
    """The row of an hour with the fault that is planted in it, if any."""
    changes: dict[int, tuple[int, Cell, PlantedRow]] = {
        11: (_BLAST, "Bad Input", accepted("bad_input", note="bad value")),
        12: (_BLAST, "I/O Timeout", accepted("io_timeout", note="bad value")),
        23: (_TOP, "No Data", accepted("no_data", note="no data")),
        34: (_BLAST, "9999", accepted("sentinel", "hot_blast_temperature_unusual")),
        45: (_COAL, "Scan Off", accepted("scan_off", note="not running")),
        52: (_TOP, "22.1", accepted("slipped_decimal", "top_pressure_unusual")),
        61: (_TOP, f"{cells[_TOP]}?", accepted("questionable", note="questionable")),
        70: (_SILICON, "待化验", accepted("not_analysed", note="not tested")),
        83: (1, "2026/3/4 25:00", quarantined("no_such_hour", "not_a_time")),
        97: (_COAL, "检修停煤", quarantined("text_for_number", "not_a_number")),
    }
    if hour not in changes:
        return tuple(cells), None
    place, value, planted = changes[hour]
    cells[place] = value
    return tuple(cells), planted
