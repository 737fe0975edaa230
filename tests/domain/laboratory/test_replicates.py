"""Tables of determinations: answers stay with their rows, whatever the order of the rows."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.laboratory.replicates import equal_pairs, repeatable, standing, tight_pairs

MADE = {
    ("s1", "A_ad"): ([10.0, 10.2], "settled"),
    ("s2", "A_ad"): ([10.0, 10.21], "3"),
    ("s2", "Mad"): ([2.0], "2"),
    ("s3", "A_ad"): ([10.0, 10.21, 10.25], "4"),
    ("s4", "A_ad"): ([10.0, 10.3, 10.6, 10.9], "rejected"),
    # The band goes by the mean of both: 14.9 and 15.15 are at 15.025, where T is 0.3.
    ("s5", "A_ad"): ([14.9, 15.15], "settled"),
    ("s6", "colour"): ([1.0, 5.0], None),
}
ROWS = [
    (sample, item, value, number, said)
    for (sample, item), (values, said) in MADE.items()
    for number, value in enumerate(values, start=1)
]


@given(st.permutations(ROWS))
def test_the_outcome_of_each_sample(rows: list[tuple[str, str, float, int, str | None]]) -> None:
    names = ["sample_id", "item", "value", "number", "said"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    assert standing(frame.drop("said")).to_list() == frame["said"].to_list()


def test_nothing_to_say() -> None:
    schema = {"sample_id": pl.String, "item": pl.String, "value": pl.Float64, "number": pl.Int64}
    empty = pl.DataFrame(schema=schema)
    assert standing(empty).len() == equal_pairs(empty, 20).len() == 0
    holes = pl.DataFrame([("s1", "A_ad", None, 1), (None, "A_ad", 1.0, 1)], schema=schema, orient="row")
    assert standing(holes).to_list() == [None, None]
    assert tight_pairs(holes, 20).to_list() == equal_pairs(holes, 20).to_list() == [False, False]


def test_only_the_equal_pairs_of_that_item_are_reported() -> None:
    ash = [
        (f"s{n}", "A_ad", 10 + n / 7 + (0.13 if n >= 20 and k == 2 else 0), k)
        for n in range(40)
        for k in (1, 2)
    ]
    moisture = [(f"s{n}", "Mad", 2 + n / 70 + (0.11 if k == 2 else 0), k) for n in range(40) for k in (1, 2)]
    frame = pl.DataFrame(ash + moisture, schema=["sample_id", "item", "value", "number"], orient="row")
    told = frame.filter(equal_pairs(frame, 20))
    assert set(told["item"]) == {"A_ad"}
    assert set(told["sample_id"]) == {f"s{n}" for n in range(20)}
    assert not equal_pairs(frame, 41).any()


def test_items_that_can_be_held_against_a_limit() -> None:
    items = pl.Series(["A_ad", "A_d", "灰分", None])
    assert pl.select(repeatable(pl.lit(items))).to_series().to_list() == [True, False, False, None]
