"""The tables of the sample data through the pipeline: planted rows are reported, valid ones accepted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tundish.demo.steel_plan import campaign

if TYPE_CHECKING:
    from tests.painted import Ran

    from tundish.demo import TableTruth

ROOT = Path(__file__).resolve().parents[2]
TABLES = [
    ("steel-surface", "heats"),
    ("steel-surface", "coils"),
    ("steel-surface", "genealogy"),
    ("coal-belt", "lab"),
]


@pytest.mark.parametrize(("dataset", "table"), TABLES)
def test_every_row_comes_to_what_its_truth_says(ran: dict[str, Ran], dataset: str, table: str) -> None:
    one = ran[dataset]
    truth = one.truth.table(table)
    rows = one.records(table)
    assert rows["row"].to_list() == list(range(truth.rows))
    planted = {each.row: each for each in truth.planted}
    for row, line, outcome, reason in rows.select("row", "line", "outcome", "reason").iter_rows():
        each = planted.get(row)
        assert outcome == (each.outcome if each else "accepted"), (row, reason, each)
        if each:
            assert line == each.line
            assert outcome != "skipped" or reason == each.check
    counts = rows["outcome"].to_list()
    assert counts.count("accepted") == truth.accepted
    assert counts.count("quarantined") == truth.quarantined
    assert counts.count("skipped") == truth.skipped


@pytest.mark.parametrize(("dataset", "table"), TABLES)
def test_every_planted_fault_is_reported_under_its_name(
    ran: dict[str, Ran], dataset: str, table: str
) -> None:
    one = ran[dataset]
    truth = one.truth.table(table)
    found = told(one, truth)
    wanted = {(each.row, each.check) for each in truth.planted if each.outcome != "skipped" and each.check}
    assert wanted <= found
    odd = {each.row for each in truth.planted}
    assert {(row, check) for row, check in found if row not in odd} == set()


@pytest.mark.parametrize(("dataset", "table"), TABLES)
def test_notes_are_on_the_planted_cells_alone(ran: dict[str, Ran], dataset: str, table: str) -> None:
    one = ran[dataset]
    notes = one.records(table).select("row", "outcome", "notes").explode("notes").unnest("notes")
    found = notes.filter((pl.col("outcome") == "accepted") & pl.col("note").is_not_null())
    planted = {(each.row, each.note) for each in one.truth.table(table).planted if each.note}
    assert set(found.select("row", "note").iter_rows()) == planted


def told(one: Ran, truth: TableTruth) -> set[tuple[int, str]]:
    faults = one.table("quarantine").filter(kind="record", source=truth.table)
    return set(faults.select("row", "check").iter_rows())


@pytest.mark.parametrize(
    ("dataset", "table", "key"),
    [
        ("steel-surface", "coils", "coil_id"),
        ("steel-surface", "heats", "coil_id"),
        ("coal-belt", "lab", "sequence"),
    ],
)
def test_images_find_their_records_but_for_those_that_have_none(
    ran: dict[str, Ran], dataset: str, table: str, key: str
) -> None:
    one = ran[dataset]
    links = one.table("links").filter(pl.col("table") == table)
    without = links.group_by("image_id").agg(bare=pl.col("record_id").is_null().all()).filter("bare")
    images = one.table("images").filter(pl.col("image_id").is_in(without["image_id"].implode()))
    assert set(images[key].unique()) == set(one.truth.table(table).unmatched)


def test_images_get_the_coil_and_the_heat_that_they_were_rolled_from(ran: dict[str, Ran]) -> None:
    one = ran["steel-surface"]
    _, coils = campaign(one.truth.seed)
    made = {coil.number: coil for coil in coils}
    for coil_id, finish, coiling in linked(one, "coils", "coil_id", "T_finish", "T_coil"):
        assert (finish, coiling) == (made[coil_id].finish, made[coil_id].coiling)
    for coil_id, via, carbon, nitrogen in linked(one, "heats", "coil_id", "via", "C", "N"):
        heat = made[coil_id].heat
        assert carbon == pytest.approx(float(heat.chemistry["C"]))
        assert nitrogen == pytest.approx(heat.chemistry["N"] / 10_000)
        mother = made[coil_id].mother
        way = [coil_id, *([mother] if mother else []), made[coil_id].slab, heat.number]
        assert via == " > ".join(way)


def test_photos_get_the_sample_that_was_drawn_while_they_were_taken(ran: dict[str, Ran]) -> None:
    rows = linked(ran["coal-belt"], "lab", "sequence", "sample_id", "Q_gr_ad", "Q_net_ar")
    assert len(rows) == 110
    for sequence, sample_id, gross, net in rows:
        assert sample_id == f"0260305{sequence.removeprefix('seq')}"
        assert 18 < net < gross < 32  # MJ/kg, both


def linked(one: Ran, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of each image, its link and its record, for the images that have one."""
    found = one.table("links").filter(pl.col("table") == table, pl.col("record_id").is_not_null())
    records = one.records(table).drop("path")
    return found.join(one.table("images"), on="image_id").join(records, on="record_id").select(columns).rows()
