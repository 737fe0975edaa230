"""The laboratory table of the coal belt: one sample per sequence of pictures, exported in GBK."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from tundish.demo.tables_out import Draft, accepted, csv_file, quarantined, skipped

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.demo.truth import PlantedRow, TableTruth

__all__ = ["sequence_start", "write_lab"]

PATH = "raw/lab.csv"
HEADER = (
    "化验编号",
    "采样时间",
    "化验时间",
    "全水(Mt)%",
    "Mad(%)",
    "灰分Aad(%)",
    "挥发分Vad(%)",
    "FCad(%)",
    "St,ad(%)",
    "Had(%)",
    "Qgr,ad(kcal/kg)",
    "Qnet,ar(MJ/kg)",
    "灰熔融性ST(℃)",
    "化验员",
)
DAYS, SAMPLES = 3, 12
SHOT_DAY = 1
"""The belt was photographed on the second of the days."""

_FIRST_DAY = datetime(2026, 3, 4)  # noqa: DTZ001  (the plant's clock, which tells no zone)
_CALORIE = 4.1868


@dataclass(frozen=True)
class _Analysis:
    """One analysed sample. Shares are in hundredths of a percent, so that they add up exactly."""

    number: str
    sampled: datetime
    tested: datetime
    total_moisture: int
    moisture: int
    ash: int
    volatile: int
    sulphur: int
    softening: int
    analyst: str

    @property
    def combustible(self) -> float:
        """Share of the dry, ash-free coal in the air-dried sample."""
        return (10_000 - self.moisture - self.ash) / 10_000

    @property
    def hydrogen(self) -> int:
        """Hydrogen, estimated from the volatile matter by a laboratory that does not measure it."""
        volatile_daf = self.volatile / 100 / self.combustible
        return round((0.074 * volatile_daf + 2.16) * self.combustible * 100)

    @property
    def gross(self) -> int:
        """Gross calorific value, air dried, kcal/kg: higher with less volatile matter."""
        volatile_daf = self.volatile / 100 / self.combustible
        return round((36.2 - 0.06 * volatile_daf) * self.combustible * 1000 / _CALORIE)

    @property
    def net(self) -> float:
        """Net calorific value as received, MJ/kg (GB/T 213), from the values as written."""
        dry = (10_000 - self.total_moisture) / (10_000 - self.moisture)
        joules = (self.gross * _CALORIE - 206 * self.hydrogen / 100) * dry - 23 * self.total_moisture / 100
        return joules / 1000

    def cells(self) -> tuple[str, ...]:
        """The row as the laboratory writes it."""
        fixed = 10_000 - self.moisture - self.ash - self.volatile
        shares = (self.total_moisture, self.moisture, self.ash, self.volatile, fixed, self.sulphur)
        return (
            self.number,
            _time(self.sampled),
            f"{self.tested:%Y-%m-%d %H:%M}",
            *(_share(share) for share in (*shares, self.hydrogen)),
            str(self.gross),
            f"{self.net:.2f}",
            str(self.softening),
            self.analyst,
        )


def sequence_start(seed: int, sequence: int) -> datetime:
    """The time of the first picture of a sequence, by the clock of the plant."""
    late = int(np.random.default_rng([seed, 700, sequence]).integers(0, 180))
    # The last sequence is taken shortly before midnight.
    return _FIRST_DAY + timedelta(days=SHOT_DAY, hours=2 * sequence + 1, minutes=53, seconds=late)


def write_lab(folder: Path, seed: int) -> TableTruth:
    """Write ``raw/lab.csv`` into a dataset's folder: GBK, CRLF, two units of energy, faults."""
    analyses = [
        _analysis(seed, day, place, f"{_FIRST_DAY + timedelta(days=day):0%y%m%d}{place + 1:02d}")
        for day in range(DAYS)
        for place in range(SAMPLES)
    ]
    draft = Draft()
    for number, analysis in enumerate(analyses):
        day, place = divmod(number, SAMPLES)
        if place == 0 and day > 0:
            draft.add(("",) * len(HEADER), skipped("blank_row"))
        _add(draft, analysis, day, place)
    mass = ("合计", *("",) * (len(HEADER) - 1))
    total = _share(sum(one.total_moisture for one in analyses))
    draft.add(_with(mass, "全水(Mt)%", total), skipped("subtotal_row"))
    (folder / PATH).parent.mkdir(parents=True, exist_ok=True)
    (folder / PATH).write_bytes(csv_file(draft, HEADER, "gbk"))
    return draft.truth("lab", PATH, unmatched=("seq09",))


def _analysis(seed: int, day: int, place: int, number: str) -> _Analysis:
    rng = np.random.default_rng([seed, 701, day, place])
    if day == SHOT_DAY:
        drawn = sequence_start(seed, place) + timedelta(minutes=int(rng.integers(-3, 5)))
        sampled = drawn.replace(second=0)
    else:
        sampled = _FIRST_DAY + timedelta(days=day, hours=2 * place + 1, minutes=int(rng.integers(0, 60)))
    # The last sample of a day is booked for the end of the day.
    if place == SAMPLES - 1:
        sampled = _FIRST_DAY + timedelta(days=day + 1)
    return _Analysis(
        number=number,
        sampled=sampled,
        tested=sampled.replace(second=0) + timedelta(hours=6, minutes=int(rng.integers(0, 90))),
        total_moisture=int(rng.integers(850, 1300)),
        moisture=int(rng.integers(120, 280)),
        ash=int(rng.integers(1500, 2900)),
        volatile=int(rng.integers(2500, 3100)),
        sulphur=int(rng.integers(35, 95)),
        softening=10 * int(rng.integers(125, 151)),
        analyst=str(rng.choice(["甲", "乙", "丙", "丁"])),
    )


def _add(draft: Draft, analysis: _Analysis, day: int, place: int) -> None:
    """Add one sample, unchanged or with the fault that is planted at this place."""
    cells = analysis.cells()
    match day, place:
        case 0, 6:
            first = replace(analysis, ash=analysis.ash + 12, tested=analysis.tested - timedelta(hours=2))
            draft.add(first.cells(), skipped("superseded_by_retest"))
            draft.add(cells, accepted("retest"))
        case 2, 2:
            other = replace(analysis, ash=analysis.ash + 310, volatile=analysis.volatile - 90)
            draft.add(cells, quarantined("conflicting_record"))
            draft.add(other.cells(), quarantined("conflicting_record"))
        case 2, 5:
            draft.add(",".join(cells).encode(), quarantined("mixed_encoding"))
        case 2, 9:
            dry = replace(analysis, total_moisture=analysis.moisture - 30)
            draft.add(dry.cells(), accepted("drier_than_its_sample", "total_moisture_order"))
        case _:
            draft.add(*_one_cell(analysis, cells, day, place))


def _one_cell(
    analysis: _Analysis, cells: tuple[str, ...], day: int, place: int
) -> tuple[tuple[str, ...], PlantedRow | None]:
    """The row with one cell that is wrong, or correct but odd."""
    hour = f"{analysis.sampled.hour % 12}:{analysis.sampled:%M}"
    eve = _date(analysis.sampled - timedelta(days=1))
    fixed = float(cells[HEADER.index("FCad(%)")])
    changes = {
        (0, 0): ("灰熔融性ST(℃)", ">1500", accepted("censored", note=">")),
        (0, 1): ("挥发分Vad(%)", "abc", quarantined("unreadable_cell", "not_a_number")),
        (0, 3): ("灰分Aad(%)", "124.30", quarantined("ash_above_100", "A_ad_range")),
        (0, 4): ("灰熔融性ST(℃)", "未检", accepted("not_tested", note="not tested")),
        (0, 8): (
            "Qgr,ad(kcal/kg)",
            f"{analysis.gross * _CALORIE / 1000:.2f}",
            quarantined("other_unit", "net_below_gross"),
        ),
        (0, 10): ("采样时间", f"2026年3月4日 下午{hour}", accepted("written_out_time")),
        (1, 3): ("灰熔融性ST(℃)", ">1500", accepted("censored", note=">")),
        (1, 8): ("FCad(%)", f"{fixed + 3:.2f}", quarantined("closure_broken", "proximate_closure")),
        (1, 11): ("采样时间", f"{eve} 24:00", accepted("end_of_day")),
    }
    if (day, place) in changes:
        column, value, planted = changes[day, place]
        return _with(cells, column, value), planted
    return cells, None


def _with(cells: tuple[str, ...], column: str, value: str) -> tuple[str, ...]:
    place = HEADER.index(column)
    return (*cells[:place], value, *cells[place + 1 :])


def _share(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


def _time(time: datetime) -> str:
    return f"{_date(time)} {time.hour}:{time:%M}"


def _date(time: datetime) -> str:
    return f"{time.year}/{time.month}/{time.day}"
