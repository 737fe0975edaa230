"""The picture of the operating characteristic: well formed, inside its frame, with the right numbers."""

from __future__ import annotations

import re

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from tundish.labeling.acceptance.characteristic import acceptance_probability_in_batch
from tundish.labeling.acceptance.curve import draw_oc_curve
from tundish.labeling.acceptance.plans import (
    AQLS,
    LEVELS,
    SEVERITIES,
    SamplingPlan,
    compute_isolated_plan,
    look_up_plan,
)
from tundish.labeling.acceptance.verdict import Verdict, judge_counts

SVG = "{http://www.w3.org/2000/svg}"


def words(picture: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def curve(picture: str) -> list[tuple[float, float]]:
    (line,) = ElementTree.fromstring(picture).iter(f"{SVG}polyline")
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.attrib["points"].split())]


def drawn(of: SamplingPlan) -> str:
    """The picture before anything was reviewed."""
    return draw_oc_curve({"": judge_counts(of, 0, 0)})


def test_a_plan_with_its_verdict() -> None:
    of = look_up_plan(1000)
    picture = draw_oc_curve({"": judge_counts(of, 2, 80)})
    said = words(picture)
    assert "batch of 1000 images, sample of 80, Ac 2, Re 3 · AQL 1 %, level II, normal" in said
    assert "AQL 1 % (10 of 1000): accepted with 96.1 %" in said
    assert "2 of 80 found: accepted" in said
    assert "95 % interval 0.30 to 8.74 %" in said
    assert (
        acceptance_probability_in_batch(63, 1000, 80, 2)
        > 0.10
        >= acceptance_probability_in_batch(64, 1000, 80, 2)
    )
    assert "6.40 % or more (64 of 1000): accepted with at most 10 %" in said
    assert "AOQL 1.6 % (at 2.8 %), if rejected batches are corrected in full" in said
    assert draw_oc_curve({"": judge_counts(of, 2, 80)}) == picture


def test_the_curve_is_the_operating_characteristic() -> None:
    """On the axis from 0 to 12 %, 76 to 734 px; 0 to 100 % at 404 to 62 px."""
    places = curve(drawn(look_up_plan(1000)))
    assert len(places) > 90
    for x, y in places:
        share = (x - 76) / (734 - 76) * 0.12
        chance = acceptance_probability_in_batch(round(share * 1000), 1000, 80, 2)
        assert (404 - y) / (404 - 62) == pytest.approx(chance, abs=2e-3)
    assert [y for _, y in places] == sorted(y for _, y in places)


def test_half_of_a_review() -> None:
    of = look_up_plan(1000)
    assert draw_oc_curve({"": judge_counts(of, 1, 20)}) == drawn(of)
    assert not any("found" in text for text in words(drawn(of)))


def test_a_batch_inspected_in_full_and_a_batch_of_one() -> None:
    of = look_up_plan(8, "II", 1.0)
    said = words(draw_oc_curve({"": judge_counts(of, 1, 8)}))
    assert "1 of 8 found: not accepted" in said
    assert "12.50 % nonconforming" in said
    assert not any("interval" in text or "AOQL" in text for text in said)
    assert "100.00 % or more (1 of 1): accepted with at most 10 %" in words(drawn(look_up_plan(1)))


def test_a_panel_for_each_class() -> None:
    plans = {"critical": look_up_plan(1000, "II", 1.0), "major": look_up_plan(1000, "II", 2.5)}
    verdicts = {name: judge_counts(of, 2, of.n, miss_rate=0.1) for name, of in plans.items()}
    root = ElementTree.fromstring(draw_oc_curve(verdicts))
    assert root.attrib["viewBox"] == "0 0 760 1100"
    panel = root.find(f"{SVG}g")
    assert panel is not None
    assert panel.attrib["transform"] == "translate(0 550)"
    said = words(draw_oc_curve(verdicts))
    assert "Operating characteristic: critical nonconformities" in said
    chance = acceptance_probability_in_batch(25, 1000, 80, 5)
    assert f"AQL 2.5 % (25 of 1000): accepted with {100 * chance:.1f} %" in said
    assert said.count("2.78 % nonconforming, 10 % overlooked") == 2


def test_the_plan_of_an_isolated_batch() -> None:
    said = words(drawn(compute_isolated_plan(5000, 5, 3)))
    assert "LQ 5 % (250 of 5000): accepted with 9.9 %" in said


def inside(found: Verdict) -> None:
    picture = draw_oc_curve({"": found})
    root = ElementTree.fromstring(picture)
    assert root.attrib["viewBox"] == "0 0 760 550"
    for name, largest in (
        ("x", 760),
        ("x1", 760),
        ("x2", 760),
        ("cx", 760),
        ("y", 550),
        ("y1", 550),
        ("cy", 550),
    ):
        for node in root.iter():
            if name in node.attrib:
                assert 0 <= float(node.attrib[name]) <= largest
    for x, y in curve(picture):
        assert 76 <= x <= 734
        assert 62 <= y <= 404
    assert "nan" not in picture
    ticks = re.findall(r'y="423.0" text-anchor="middle">([^<]+)<', picture)
    assert 4 <= len(ticks) <= 11
    assert [float(tick) for tick in ticks] == sorted({float(tick) for tick in ticks})


@settings(max_examples=40)
@given(
    st.integers(1, 2_000_000),
    st.sampled_from(LEVELS),
    st.sampled_from(AQLS),
    st.sampled_from(SEVERITIES),
    st.floats(0.0, 1.0),
)
def test_any_plan_can_be_drawn(lot: int, level: str, aql: float, severity: str, share: float) -> None:
    of = look_up_plan(lot, level, aql, severity)
    inside(judge_counts(of, 0, 0))
    inside(judge_counts(of, round(share * of.n), of.n))
    inside(judge_counts(of, round(share * of.n), of.n, miss_rate=0.3))
