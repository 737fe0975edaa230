"""Which column of values a column of units belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tundish.tabular.infer.unit_columns import find_unit_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = ["MPa", "ksi", "kgf/mm2"] * 10
STRESS = [510.0, 74.0, 52.0] * 10
HEATS = [1001.0 + at * 37 for at in range(30)]


def pairs(**columns: Sequence[object]) -> dict[str, str]:
    cells = pl.DataFrame(
        {f"c{at}": [str(cell) for cell in column] for at, column in enumerate(columns.values())}
    )
    found = find_unit_columns(list(columns), cells)
    return {one.value_header: one.unit_header for one in found}


@pytest.mark.parametrize("name", ["Rm_unit", "Rm unit", "unit_Rm", "Rm单位", "Unit of Rm", "RM_UOM"])
def test_a_name_says_it_wherever_the_column_is(name: str) -> None:
    assert pairs(Rm=[*STRESS], A=[*HEATS], B=[*HEATS], **{name: [*UNITS]}) == {"Rm": name}


def test_the_only_numbers_beside_it_are_meant() -> None:
    assert pairs(id=["a"] * 30, value=[*STRESS], unit=[*UNITS]) == {"value": "unit"}
    assert pairs(id=["a"] * 30, unit=[*UNITS], value=[*STRESS]) == {"value": "unit"}


def test_between_two_columns_of_numbers_the_conversion_decides() -> None:
    assert pairs(load=[*HEATS], unit=[*UNITS], Rm=[*STRESS]) == {"Rm": "unit"}
    assert pairs(Rm=[*STRESS], unit=[*UNITS], load=[*HEATS]) == {"Rm": "unit"}
    assert pairs(load=[*HEATS], unit=[*UNITS], other=[*HEATS]) == {}


def test_an_identifier_has_no_unit() -> None:
    assert pairs(coil_no=[*HEATS], unit=[*UNITS]) == {}


def test_units_of_another_quantity_than_the_header_s_are_not_its() -> None:
    assert pairs(**{"Rm(mm)": STRESS}, unit=UNITS) == {}


def test_units_that_do_not_become_one_another_are_left() -> None:
    assert pairs(value=[*STRESS], unit=["MPa", "%", "mm"] * 10) == {}


def test_a_slip_among_the_units_hides_nothing() -> None:
    assert pairs(value=[*STRESS], unit=["bogus", *UNITS[1:]]) == {"value": "unit"}
