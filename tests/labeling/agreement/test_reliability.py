"""Reliability of annotators: Dawid and Skene's model recovers simulated annotators."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.labeling.frames import answers, box, labels, sizes

from tundish.errors import UsageError
from tundish.labeling.agreement.clusters import NOTHING, collect_units
from tundish.labeling.agreement.overlaps import find_overlaps
from tundish.labeling.agreement.reliability import annotator_quality, fit_dawid_skene

Array = NDArray[Any]

CLASSES = ("crack", "pit", "scale", "scratch")


def tables(*accuracies: float) -> Array:
    """For each annotator, how often it says what of which truth: errors are spread evenly."""
    size = len(CLASSES)
    return np.array(
        [np.where(np.eye(size), right, (1 - right) / (size - 1)) for right in accuracies], np.float64
    )


def simulated(said: Array, count: int, seed: int, seen: float = 1.0) -> tuple[pl.DataFrame, Array]:
    """Votes of annotators with these tables on a share of the things, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(CLASSES), count, p=[0.4, 0.3, 0.2, 0.1])
    frames = []
    for place, table in enumerate(said):
        answer = (rng.random(count)[:, None] > table[truth].cumsum(axis=1)).sum(axis=1)
        votes = pl.DataFrame(
            {
                "unit": np.arange(count),
                "author": [f"a{place}"] * count,
                "label": np.array(CLASSES)[answer.clip(max=len(CLASSES) - 1)],
            }
        )
        frames.append(votes.filter(pl.Series(rng.random(count) < seen)))
    return pl.concat(frames), truth


@pytest.mark.parametrize("seed", range(6))
def test_the_error_rates_of_simulated_annotators_are_recovered(seed: int) -> None:
    said = tables(0.95, 0.85, 0.75, 0.6)
    votes, truth = simulated(said, 2000, seed)
    found = fit_dawid_skene(votes, CLASSES)
    assert found.converged
    assert found.note == ""
    seen = 2000 * np.array([0.4, 0.3, 0.2, 0.1])[:, None]
    error = np.sqrt(said * (1 - said) / seen)  # of a share counted with the truth at hand
    assert (np.abs(found.answer_rates - said) < 5 * error).all()
    assert np.abs(found.answer_rates - said).mean() < 0.02
    assert np.abs(found.prevalence - [0.4, 0.3, 0.2, 0.1]).max() < 0.03
    accuracy = annotator_quality(found)["accuracy"].to_numpy()
    assert np.abs(accuracy - [0.95, 0.85, 0.75, 0.6]).max() < 0.025
    right = (found.posterior.argmax(axis=1) == truth).mean()
    majority = (fit_dawid_skene(votes, CLASSES, rounds=1).posterior.argmax(axis=1) == truth).mean()
    assert right > 0.96
    assert right >= majority - 0.002


@pytest.mark.parametrize("seed", range(3))
def test_confusions_that_go_one_way_are_recovered_where_not_all_see_all(seed: int) -> None:
    said = tables(0.9, 0.8, 0.8, 0.8, 0.7)
    said[4, 0] = [0.5, 0.5, 0.0, 0.0]  # calls half of the cracks pits
    found = fit_dawid_skene(simulated(said, 4000, seed, seen=0.7)[0], CLASSES)
    assert np.abs(found.answer_rates - said).max() < 0.08
    worst = annotator_quality(found).row(4, named=True)
    assert (worst["worst_truth"], worst["worst_answer"]) == ("crack", "pit")
    assert worst["worst_rate"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("smoothing", [0.0, 0.01, 1.0])
def test_the_likelihood_never_falls(smoothing: float) -> None:
    for seed in range(5):
        votes, _ = simulated(tables(0.9, 0.6, 0.5), 300, seed, seen=0.8)
        history = fit_dawid_skene(votes, smoothing=smoothing, tolerance=1e-12).history
        assert len(history) > 3
        assert (np.diff(history) >= -1e-9 * np.abs(history[:-1])).all()


few_votes = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.sampled_from(CLASSES)),
    min_size=1, max_size=18, unique_by=lambda vote: vote[:2],
).map(lambda rows: pl.DataFrame(rows, schema=["unit", "author", "label"], orient="row"))  # fmt: skip


@given(few_votes, st.sampled_from([0.0, 0.01]))
def test_few_votes_do_no_harm(votes: pl.DataFrame, smoothing: float) -> None:
    found = fit_dawid_skene(votes, smoothing=smoothing)
    assert np.isfinite(found.history).all()
    assert (np.diff(found.history) >= -1e-9).all()
    assert found.posterior.sum(axis=1) == pytest.approx(1)
    assert found.prevalence.sum() == pytest.approx(1)
    rows = found.answer_rates.sum(axis=2)
    assert rows[~np.isnan(rows)] == pytest.approx(1)
    assert annotator_quality(found)["accuracy"].is_between(0, 1 + 1e-12).all()


@given(few_votes, st.integers(0, 2**31))
def test_the_order_of_votes_does_not_matter(votes: pl.DataFrame, seed: int) -> None:
    one, other = fit_dawid_skene(votes), fit_dawid_skene(votes.sample(fraction=1, shuffle=True, seed=seed))
    assert one.history[-1] == pytest.approx(other.history[-1], rel=1e-6, abs=1e-6)
    places = [other.units.to_list().index(unit) for unit in one.units]
    assert one.posterior == pytest.approx(other.posterior[places], abs=1e-4)


def test_the_same_votes_give_the_same_numbers() -> None:
    votes, _ = simulated(tables(0.9, 0.7, 0.6), 500, 7)
    one, other = fit_dawid_skene(votes), fit_dawid_skene(votes)
    assert (one.answer_rates == other.answer_rates).all()
    assert (one.history == other.history).all()


def test_annotators_who_always_agree_are_never_wrong() -> None:
    rows = [(unit, author, CLASSES[unit % 2]) for unit in range(20) for author in "abc"]
    found = fit_dawid_skene(pl.DataFrame(rows, schema=["unit", "author", "label"], orient="row"), smoothing=0)
    table = annotator_quality(found)
    assert table["accuracy"].to_list() == pytest.approx([1, 1, 1])
    assert table["informed"].to_list() == pytest.approx([1, 1, 1])
    assert table["worst_rate"].to_list() == [None, None, None]


def test_who_always_gives_the_same_answer_is_not_informed() -> None:
    said = tables(0.9, 0.9, 0.9, 0.25)
    said[3] = [0, 1, 0, 0]
    found = fit_dawid_skene(simulated(said, 1000, 1)[0])
    assert annotator_quality(found)["informed"].to_list()[3] < 0.001


def test_it_says_when_it_cannot_know() -> None:
    two, _ = simulated(tables(0.9, 0.6), 100, 0)
    unknown = "no object was judged by three annotators: where two differ, nobody knows who errs"
    assert fit_dawid_skene(two).note == unknown
    three, _ = simulated(tables(0.9, 0.6, 0.5), 100, 0)
    cut = fit_dawid_skene(three, rounds=2)
    assert (cut.converged, cut.note) == (False, "the estimate had not converged after the last round")
    assert len(cut.history) == 2


def test_a_class_that_never_occurs_has_no_rates() -> None:
    votes, _ = simulated(tables(0.9, 0.8, 0.7), 200, 0)
    found = fit_dawid_skene(votes, [*CLASSES, "zebra"], smoothing=0)
    assert np.isnan(found.answer_rates[:, 4]).all()
    assert found.prevalence[4] == 0
    assert annotator_quality(found)["accuracy"].is_finite().all()


def test_votes_come_from_labels() -> None:
    rows = [
        box(author, 0, 0, 10, 10, "pit" if author != "c" or image != "i" else "crack", image_id=image)
        for image in "ij"
        for author in "abc"
    ]
    seen = answers(("i", "d"), ("j", "d"))
    votes = collect_units(find_overlaps(labels(*rows), sizes()), seen)
    found = fit_dawid_skene(votes)
    assert found.names == [NOTHING, "crack", "pit"]
    table = annotator_quality(found)
    assert table["votes"].to_list() == [2, 2, 2, 2]
    assert table.row(3, named=True)["worst_answer"] == NOTHING
    assert found.posterior.argmax(axis=1).tolist() == [2, 2]


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([], "there are no votes"),
        ([(1, None, "pit")], "a vote has no author"),
        ([(1, "a", None)], "a vote has no label"),
        ([(1, "a", "zebra")], "a vote has the unknown class 'zebra'"),
    ],
)
def test_incomplete_votes_are_refused(votes: list[tuple[object, ...]], message: str) -> None:
    schema = {"unit": pl.Int64, "author": pl.String, "label": pl.String}
    with pytest.raises(UsageError, match=message):
        fit_dawid_skene(pl.DataFrame(votes, schema=schema, orient="row"), CLASSES)
