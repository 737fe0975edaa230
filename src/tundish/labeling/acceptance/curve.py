"""Draw the operating characteristic of a plan as SVG, with the agreed limit and the result of the review."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from tundish.labeling.acceptance.characteristic import (
    acceptance_probability_in_batch,
    outgoing_quality_limit,
    quality_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tundish.labeling.acceptance.plans import SamplingPlan
    from tundish.labeling.acceptance.verdict import Verdict

__all__ = ["draw_oc_curve"]

_WIDTH, _HEIGHT = 760, 550
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 734, 62, 404
_KEY_X, _KEY_Y = (_LEFT, 480), 476
_KEY_LINE = 20

_CURVE, _LIMIT, _FOUND = "#1f4e79", "#b3261e", "#2e7d32"
_CONSUMERS_RISK = 0.10
_SMALL_RISK = 0.01
_POINTS = 240
_DOTS = 40


def draw_oc_curve(verdicts: Mapping[str, Verdict]) -> str:
    """Draw the probability of acceptance over the share of nonconforming images in the batch, as SVG text.

    Marked are the AQL (or LQ) with the probability of the worst batch that keeps it, the consumer's point
    (10 %), the average outgoing quality limit, and the share found with its 95 % interval. The batch is
    finite: the curve is hypergeometric, with a dot for each possible batch where there is room for dots. It
    assumes reviewers who overlook nothing.

    Args:
        verdicts: The verdicts by name of the AQL, '' for all classes of nonconformities; a panel for each,
            one below the other. An incomplete one has no interval to show.
    """
    panels = [_panel(one, name) for name, one in verdicts.items()]
    return _svg("; ".join(_about(one.plan) for one in verdicts.values()), panels)


def _svg(about: str, panels: list[list[str]]) -> str:
    height = _HEIGHT * len(panels)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    font = 'font-family="sans-serif" font-size="13" fill="#222"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f"<title>Operating characteristic: {about}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for i, panel in enumerate(panels):
        lines += [f'<g transform="translate(0 {_HEIGHT * i})">', *panel, "</g>"] if i else panel
    return "\n".join([*lines, "</svg>", ""])


def _panel(verdict: Verdict, name: str) -> list[str]:
    plan = verdict.plan
    largest = _largest(plan, verdict)
    marks, key = _limit(plan, largest)
    sure = ", if nothing is overlooked" if verdict.miss_rate else ""
    key.insert(0, (_CURVE, f"probability of acceptance, n {plan.n}, Ac {plan.ac}{sure}"))
    key.append(("", _consumers_point(plan)))
    if not plan.inspect_all:
        key.append(("", _outgoing(plan)))
    band, found, beside = _result(verdict, largest)
    lines = [*_head(plan, name), *_frame(plan, largest), *band, *_curve(plan, largest), *marks, *found]
    return [*lines, *_key(key, 0), *_key(beside, 1)]


def _limit(plan: SamplingPlan, largest: float) -> tuple[list[str], list[tuple[str, str]]]:
    """The line and dot of the agreed limit, and their caption."""
    limit = plan.aql if plan.aql is not None else plan.lq
    assert limit is not None, "a plan has an AQL or an LQ"
    exact = round(limit * plan.lot_size / 100, 9)
    # Items are whole: a batch at the AQL has no more than that, a batch at the LQ no fewer.
    name, defective = ("AQL", math.floor(exact)) if plan.aql is not None else ("LQ", math.ceil(exact))
    chance = acceptance_probability_in_batch(defective, plan.lot_size, plan.n, plan.ac)
    x = _x(100 * defective / plan.lot_size, largest)
    dot = f'<circle cx="{x:.1f}" cy="{_y(chance):.1f}" r="4.5" fill="{_LIMIT}"/>'
    words = f"{name} {limit:g} % ({defective} of {plan.lot_size}): accepted with {100 * chance:.1f} %"
    return [_upright(limit, largest, _LIMIT, ' stroke-dasharray="6 4"'), dot], [(_LIMIT, words)]


def _consumers_point(plan: SamplingPlan) -> str:
    """The best batch that is accepted with a probability of at most 10 %, in words."""
    defective = bisect_left(
        range(plan.lot_size + 1),
        -_CONSUMERS_RISK,
        key=lambda d: -acceptance_probability_in_batch(d, plan.lot_size, plan.n, plan.ac),
    )
    share = 100 * defective / plan.lot_size
    return f"{share:.2f} % or more ({defective} of {plan.lot_size}): accepted with at most 10 %"


def _outgoing(plan: SamplingPlan) -> str:
    worst = outgoing_quality_limit(plan.lot_size, plan.n, plan.ac)
    share, quality = (f"{100 * one:.2g}" for one in worst)
    return f"AOQL {share} % (at {quality} %), if rejected batches are corrected in full"


def _largest(plan: SamplingPlan, verdict: Verdict) -> float:
    """Right end of the axis in percent: the curve is flat there, and all marks lie before it."""
    shares = [100 * quality_at(_SMALL_RISK, plan.n, plan.ac)]
    shares += [1.25 * limit for limit in (plan.aql, plan.lq) if limit is not None]
    if verdict.interval is not None:
        shares.append(105 * max(verdict.interval.high, verdict.rate or 0.0))
    step = _step(min(100.0, max(shares)))
    return min(100.0, step * math.ceil(max(shares) / step))


def _step(largest: float) -> float:
    """The distance of grid lines: 1, 2 or 5 times a power of ten, so that there are at most ten lines."""
    power = 10.0 ** math.floor(math.log10(largest / 10))
    return next(factor * power for factor in (1, 2, 5, 10) if largest <= 10 * factor * power * (1 + 1e-9))


def _x(percent: float, largest: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * percent / largest


def _y(chance: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * chance


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text}</text>'


def _line(x: tuple[float, float], y: tuple[float, float], colour: str, more: str = "") -> str:
    ends = f'x1="{x[0]:.1f}" y1="{y[0]:.1f}" x2="{x[1]:.1f}" y2="{y[1]:.1f}"'
    return f'<line {ends} stroke="{colour}"{more}/>'


def _about(plan: SamplingPlan) -> str:
    about = f"batch of {plan.lot_size} images, sample of {plan.n}, Ac {plan.ac}, Re {plan.re}"
    return f"{about} · {plan.terms}"


def _head(plan: SamplingPlan, name: str) -> list[str]:
    title = f"Operating characteristic: {name} nonconformities" if name else "Operating characteristic"
    return [
        _text(_LEFT, 24, title, ' font-size="17" font-weight="bold"'),
        _text(_LEFT, 46, _about(plan)),
    ]


def _frame(plan: SamplingPlan, largest: float) -> Iterator[str]:
    """Grid, axes and their captions."""
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        yield _line((_LEFT, _RIGHT), (y, y), "#222" if tenth == 0 else "#ddd")
        yield _text(_LEFT - 8, y + 4.5, str(10 * tenth), ' text-anchor="end"')
    step = _step(largest)
    for i in range(math.floor(largest / step * (1 + 1e-9)) + 1):
        x = _x(i * step, largest)
        yield _line((x, x), (_TOP, _BOTTOM), "#222" if i == 0 else "#ddd")
        yield _text(x, _BOTTOM + 19, f"{i * step:g}", ' text-anchor="middle"')
    middle = (_LEFT + _RIGHT) / 2
    yield _text(
        middle,
        _BOTTOM + 46,
        f"nonconforming images in the batch of {plan.lot_size}, %",
        ' text-anchor="middle"',
    )
    height = (_TOP + _BOTTOM) / 2
    turned = f' text-anchor="middle" transform="rotate(-90 24 {height:.1f})"'
    yield _text(24, height, "probability of acceptance, %", turned)


def _curve(plan: SamplingPlan, largest: float) -> Iterator[str]:
    most = math.floor(largest / 100 * plan.lot_size + 1e-9)
    numbers = np.unique(np.linspace(0, most, min(most + 1, _POINTS)).round().astype(int)).tolist()
    places = [
        (
            _x(100 * d / plan.lot_size, largest),
            _y(acceptance_probability_in_batch(d, plan.lot_size, plan.n, plan.ac)),
        )
        for d in numbers
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    # No batch lies between two dots: there the line only guides the eye.
    dots = places if len(places) <= _DOTS else []
    pen = 'stroke-width="1" stroke-opacity="0.45"' if dots else 'stroke-width="2.2"'
    yield f'<polyline points="{points}" fill="none" stroke="{_CURVE}" {pen}/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{_CURVE}"/>' for x, y in dots)


def _upright(percent: float, largest: float, colour: str, more: str = "") -> str:
    x = _x(percent, largest)
    return _line((x, x), (_TOP, _BOTTOM), colour, f' stroke-width="1.6"{more}')


def _result(verdict: Verdict, largest: float) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """The band of the interval, the line of the share found, and their captions."""
    if verdict.interval is None or verdict.rate is None:
        return [], [], []
    left, right = (_x(100 * share, largest) for share in verdict.interval)
    size = f'x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" height="{_BOTTOM - _TOP}"'
    band = f'<rect {size} fill="{_FOUND}" fill-opacity="0.13"/>'
    low, high = (f"{100 * share:.2f}" for share in verdict.interval)
    word = "accepted" if verdict.accepted else "not accepted"
    share = f"{100 * verdict.rate:.2f} % nonconforming"
    share += f", {100 * verdict.miss_rate:.3g} % overlooked" if verdict.miss_rate else ""
    words = [(_FOUND, f"{verdict.defects} of {verdict.inspected} found: {word}"), ("", share)]
    words += [("", f"95 % interval {low} to {high} %")] if low != high else []
    return [band], [_upright(100 * verdict.rate, largest, _FOUND)], words


def _key(entries: list[tuple[str, str]], column: int) -> Iterator[str]:
    """The meaning of the colours, below the axes, where no curve is."""
    left = _KEY_X[column]
    for i, (colour, text) in enumerate(entries):
        y = _KEY_Y + _KEY_LINE * i
        if colour:
            yield _line((left, left + 22), (y - 4.5, y - 4.5), colour, ' stroke-width="2.4"')
        yield _text(left + 30, y, text)
