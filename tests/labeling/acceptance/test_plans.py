"""Sampling plans: every cell of Table 1 and of the master tables, their structure, and what is refused.

The cells are written here as an inspector reads them, arrows followed; the module holds them with arrows.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import UsageError
from tundish.labeling.acceptance.characteristic import (
    acceptance_probability,
    acceptance_probability_in_batch,
    quality_at,
)
from tundish.labeling.acceptance.plans import (
    AQLS,
    LETTERS,
    LEVELS,
    SAMPLE_SIZES,
    SEVERITIES,
    ac_one_step_tighter,
    code_letter,
    compute_isolated_plan,
    look_up_plan,
)

TABLE_1 = """
        2        8 A A A A A A B
        9       15 A A A A A B C
       16       25 A A B B B C D
       26       50 A B B C C D E
       51       90 B B C C C E F
       91      150 B B C D D F G
      151      280 B C D E E G H
      281      500 B C D E F H J
      501     1200 C C E F G J K
     1201     3200 C D E G H K L
     3201    10000 C D F G J L M
    10001    35000 C D F H K M N
    35001   150000 D E G J L N P
   150001   500000 D E G J M P Q
   500001 90000000 D E H K N Q R
"""

RESOLVED = {
    "normal": """
        A L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 A0 C1
        B L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 A0 C1
        C L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 D1 C1
        D L0 K0 J0 H0 G0 F0 E0 D0 C0 E1 D1 D2
        E L0 K0 J0 H0 G0 F0 E0 D0 F1 E1 E2 E3
        F L0 K0 J0 H0 G0 F0 E0 G1 F1 F2 F3 F5
        G L0 K0 J0 H0 G0 F0 H1 G1 G2 G3 G5 G7
        H L0 K0 J0 H0 G0 J1 H1 H2 H3 H5 H7 H10
        J L0 K0 J0 H0 K1 J1 J2 J3 J5 J7 J10 J14
        K L0 K0 J0 L1 K1 K2 K3 K5 K7 K10 K14 K21
        L L0 K0 M1 L1 L2 L3 L5 L7 L10 L14 L21 K21
        M L0 N1 M1 M2 M3 M5 M7 M10 M14 M21 L21 K21
        N P1 N1 N2 N3 N5 N7 N10 N14 N21 M21 L21 K21
        P P1 P2 P3 P5 P7 P10 P14 P21 N21 M21 L21 K21
        Q Q2 Q3 Q5 Q7 Q10 Q14 Q21 P21 N21 M21 L21 K21
        R R3 R5 R7 R10 R14 R21 Q21 P21 N21 M21 L21 K21
    """,
    "tightened": """
        A M0 L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 A0
        B M0 L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 D1
        C M0 L0 K0 J0 H0 G0 F0 E0 D0 C0 E1 D1
        D M0 L0 K0 J0 H0 G0 F0 E0 D0 F1 E1 D1
        E M0 L0 K0 J0 H0 G0 F0 E0 G1 F1 E1 E2
        F M0 L0 K0 J0 H0 G0 F0 H1 G1 F1 F2 F3
        G M0 L0 K0 J0 H0 G0 J1 H1 G1 G2 G3 G5
        H M0 L0 K0 J0 H0 K1 J1 H1 H2 H3 H5 H8
        J M0 L0 K0 J0 L1 K1 J1 J2 J3 J5 J8 J12
        K M0 L0 K0 M1 L1 K1 K2 K3 K5 K8 K12 K18
        L M0 L0 N1 M1 L1 L2 L3 L5 L8 L12 L18 K18
        M M0 P1 N1 M1 M2 M3 M5 M8 M12 M18 L18 K18
        N Q1 P1 N1 N2 N3 N5 N8 N12 N18 M18 L18 K18
        P Q1 P1 P2 P3 P5 P8 P12 P18 N18 M18 L18 K18
        Q Q1 Q2 Q3 Q5 Q8 Q12 Q18 P18 N18 M18 L18 K18
        R R2 R3 R5 R8 R12 R18 Q18 P18 N18 M18 L18 K18
    """,
    "reduced": """
        A L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 A0 D1
        B L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 A0 D1
        C L0 K0 J0 H0 G0 F0 E0 D0 C0 B0 E1 D1
        D L0 K0 J0 H0 G0 F0 E0 D0 C0 F1 E1 D1
        E L0 K0 J0 H0 G0 F0 E0 D0 G1 F1 E1 E2
        F L0 K0 J0 H0 G0 F0 E0 H1 G1 F1 F2 F3
        G L0 K0 J0 H0 G0 F0 J1 H1 G1 G2 G3 G5
        H L0 K0 J0 H0 G0 K1 J1 H1 H2 H3 H5 H6
        J L0 K0 J0 H0 L1 K1 J1 J2 J3 J5 J6 J8
        K L0 K0 J0 M1 L1 K1 K2 K3 K5 K6 K8 K10
        L L0 K0 N1 M1 L1 L2 L3 L5 L6 L8 L10 K10
        M L0 P1 N1 M1 M2 M3 M5 M6 M8 M10 L10 K10
        N Q1 P1 N1 N2 N3 N5 N6 N8 N10 M10 L10 K10
        P Q1 P1 P2 P3 P5 P6 P8 P10 N10 M10 L10 K10
        Q Q1 Q2 Q3 Q5 Q6 Q8 Q10 P10 N10 M10 L10 K10
        R R2 R3 R5 R6 R8 R10 Q10 P10 N10 M10 L10 K10
    """,
}

SIZES = dict(
    zip(
        "ABCDEFGHJKLMNPQR", (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000), strict=True
    )
)
REDUCED = dict(
    zip("ABCDEFGHJKLMNPQR", (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800), strict=True)
)

LOT_SIZES = {  # a lot and a level for each code letter
    "A": (50, "S-1"),
    "B": (500, "S-1"),
    "C": (35_000, "S-1"),
    "D": (9_000_000, "S-1"),
    "E": (9_000_000, "S-2"),
    "F": (35_000, "S-3"),
    "G": (500_000, "S-3"),
    "H": (9_000_000, "S-3"),
    "J": (500_000, "S-4"),
    "K": (9_000_000, "S-4"),
    "L": (150_000, "I"),
    "M": (500_000, "I"),
    "N": (9_000_000, "I"),
    "P": (500_000, "II"),
    "Q": (9_000_000, "II"),
    "R": (9_000_000, "III"),
}


def cells(severity: str) -> list[tuple[str, float, str, int]]:
    """(code, AQL, letter, Ac) of a whole master table."""
    rows = [line.split() for line in RESOLVED[severity].split("\n") if line.strip()]
    assert len(rows) == 16
    return [
        (code, aql, cell[0], int(cell[1:]))
        for code, *row in rows
        for aql, cell in zip(AQLS, row, strict=True)
    ]


@pytest.mark.parametrize(
    "row", [line.split() for line in TABLE_1.strip().split("\n")], ids=lambda row: row[0]
)
def test_code_letters(row: list[str]) -> None:
    first, last, *letters = row
    for lot_size in (int(first), int(last), (int(first) + int(last)) // 2):
        assert [code_letter(lot_size, level) for level in LEVELS] == letters


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_cell_of_the_master_tables(severity: str) -> None:
    sizes = REDUCED if severity == "reduced" else SIZES
    for code, aql, letter, ac in cells(severity):
        lot_size, level = LOT_SIZES[code]
        got = look_up_plan(lot_size, level, aql, severity)
        reported = (severity, code, aql)
        assert (got.code, got.letter, got.ac, got.re) == (code, letter, ac, ac + 1), reported
        assert got.n == min(sizes[letter], lot_size), reported


def test_sample_sizes() -> None:
    assert list(SIZES) == list(LETTERS)
    assert SAMPLE_SIZES["normal"] == SAMPLE_SIZES["tightened"] == tuple(SIZES.values())
    assert SAMPLE_SIZES["reduced"] == tuple(REDUCED.values())


@pytest.mark.parametrize(
    ("lot_size", "level", "aql", "severity", "expected"),
    [
        (1000, "II", 1.0, "normal", (80, 2, 3)),
        (1000, "II", 0.40, "normal", (125, 1, 2)),
        (1000, "II", 0.25, "normal", (50, 0, 1)),
        (150, "II", 1.5, "normal", (32, 1, 2)),
        (8, "II", 10, "normal", (5, 1, 2)),
        (8, "II", 2.5, "normal", (5, 0, 1)),
        (5000, "II", 0.65, "normal", (200, 3, 4)),
        (1000, "II", 1.0, "tightened", (80, 1, 2)),
        (1000, "II", 1.0, "reduced", (32, 1, 2)),
    ],
)
def test_known_plans(
    lot_size: int, level: str, aql: float, severity: str, expected: tuple[int, int, int]
) -> None:
    got = look_up_plan(lot_size, level, aql, severity)
    assert (got.n, got.ac, got.re) == expected
    assert not got.inspect_all


def test_what_others_get_wrong() -> None:
    # Letter F at 1.5 is an arrow to G: 20 with Ac 1 is no plan of the standard.
    assert look_up_plan(150, "II", 1.5).letter == "G"
    assert (look_up_plan(150, "II", 1.5).n, look_up_plan(150, "II", 1.5).ac) != (20, 1)
    # S, of 3150 images under tightened inspection, is for smaller AQLs than those of a share of images.
    largest = look_up_plan(9_000_000, "III", 0.065, "tightened")
    assert (largest.letter, largest.n, largest.ac) == ("R", 2000, 2)
    # MIL-STD-105E leaves a gap between Ac and Re under reduced inspection (J at 1.0: Ac 1, Re 3).
    assert all(p.re == p.ac + 1 for p in (look_up_plan(1000, "II", aql, "reduced") for aql in AQLS))
    # An R package says n 8, Ac 1 for tightened A at 10.
    small = look_up_plan(50, "S-1", 10.0, "tightened")
    assert (small.letter, small.n, small.ac) == ("A", 2, 0)
    # The smallest Ac with 95 % acceptance at the AQL is another rule: here it says 1.
    whole = look_up_plan(500, "II", 0.15)
    assert (whole.n, whole.ac) == (80, 0)
    assert acceptance_probability(0.0015, 80, 0) < 0.95 < acceptance_probability(0.0015, 80, 1)


def test_a_sample_as_large_as_the_batch_is_the_batch() -> None:
    whole = look_up_plan(8, "II", 1.0)
    assert whole.inspect_all
    assert (whole.n, whole.ac, whole.letter) == (8, 0, "E")
    assert look_up_plan(5, "II", 10.0).inspect_all
    assert look_up_plan(5, "II", 10.0).ac == 1
    assert not look_up_plan(6, "II", 10.0).inspect_all
    one = look_up_plan(1, "II", 10.0)
    assert (one.n, one.ac, one.re, one.inspect_all) == (1, 0, 1, True)


GENERATORS = {  # offset; what a cell holds at k = 0, 1, 2, ..., k = column - offset + row
    "normal": (14, ["0", "↑", "↓", "1", "2", "3", "5", "7", "10", "14", "21"]),
    "tightened": (15, ["0", "↓", "↓", "1", "2", "3", "5", "8", "12", "18"]),
    "reduced": (14, ["0", "↑", "↓", "↓", "1", "2", "3", "5", "6", "8", "10"]),
}
"""The rule the tables are built by; the first column is AQL 0.010, so that 0.065 is the fifth."""


def generated(severity: str, row: int, column: int) -> tuple[str, int]:
    """Letter and Ac that the rule gives a cell, arrows followed."""
    offset, values = GENERATORS[severity]
    while True:
        k = column - offset + row
        cell = "↓" if k < 0 else values[k] if k < len(values) else "↑"
        if cell == "↑" and row == 0:
            cell = "↓"  # above A there is nothing
        if cell not in "↓↑":
            return LETTERS[row], int(cell)
        row += 1 if cell == "↓" else -1


@pytest.mark.parametrize("severity", SEVERITIES)
def test_every_cell_follows_the_rule_of_the_tables(severity: str) -> None:
    for code, aql, letter, ac in cells(severity):
        rule = generated(severity, LETTERS.index(code), 4 + AQLS.index(aql))
        assert rule == (letter, ac), (severity, code, aql)


def test_an_arrow_leads_to_the_next_plan_however_far_it_is() -> None:
    """Arrows that always lead the same number of letters on are no table of the standard."""
    for severity in SEVERITIES:
        steps = {LETTERS.index(letter) - LETTERS.index(code) for code, _, letter, _ in cells(severity)}
        assert steps >= {-6, -1, 0, 1, 2, 10}, severity


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_diagonal_of_a_table_holds_one_acceptance_number(severity: str) -> None:
    """A letter down and an AQL to the left: 1.6 times the sample at a 1.6th of the share, so the same Ac."""
    own = {(code, aql): ac for code, aql, letter, ac in cells(severity) if letter == code}
    for (code, aql), ac in own.items():
        down, left = LETTERS.find(code) + 1, AQLS.index(aql) - 1
        if down < len(LETTERS) and left >= 0:
            assert own[LETTERS[down], AQLS[left]] == ac


@pytest.mark.parametrize("severity", SEVERITIES)
def test_larger_aqls_ask_for_less(severity: str) -> None:
    """Along a row the producer's point (95 %) never falls, arrows followed."""
    sizes = REDUCED if severity == "reduced" else SIZES
    for code in LETTERS:
        row = [(sizes[letter], ac) for own, _, letter, ac in cells(severity) if own == code]
        points = [quality_at(0.95, n, ac) for n, ac in row]
        assert points == sorted(points)


@given(st.integers(1, 2_000_000), st.sampled_from(LEVELS), st.sampled_from(AQLS), st.sampled_from(SEVERITIES))
def test_any_plan_makes_sense(lot_size: int, level: str, aql: float, severity: str) -> None:
    got = look_up_plan(lot_size, level, aql, severity)
    assert 1 <= got.n <= lot_size
    assert 0 <= got.ac < got.n
    assert got.re == got.ac + 1
    assert got.inspect_all == (got.n == lot_size)
    tightened = look_up_plan(lot_size, level, aql, "tightened")
    normal = look_up_plan(lot_size, level, aql, "normal")
    if tightened.n == normal.n and not normal.inspect_all:
        assert tightened.ac <= normal.ac


@given(st.integers(2, 2_000_000), st.integers(0, 3_000_000), st.sampled_from(LEVELS))
def test_larger_batches_have_no_earlier_letter(lot_size: int, more: int, level: str) -> None:
    assert LETTERS.index(code_letter(lot_size, level)) <= LETTERS.index(code_letter(lot_size + more, level))


@given(st.integers(2, 2_000_000))
def test_higher_levels_have_no_earlier_letter(lot_size: int) -> None:
    special = [LETTERS.index(code_letter(lot_size, level)) for level in LEVELS[:4]]
    general = [LETTERS.index(code_letter(lot_size, level)) for level in LEVELS[4:]]
    assert special == sorted(special)
    assert general == sorted(general)


@pytest.mark.parametrize(
    ("lot_size", "aql", "ac"),
    [(1000, 1.0, 1), (1000, 1.5, 2), (1000, 10.0, 10), (9_000_000, 0.065, 1), (3000, 10.0, 14)],
)
def test_one_step_tighter(lot_size: int, aql: float, ac: int) -> None:
    assert ac_one_step_tighter(look_up_plan(lot_size, "II", aql)) == ac


def test_one_step_tighter_has_the_same_sample_and_a_smaller_number() -> None:
    for code, aql, _, ac in cells("normal"):
        if ac >= 2:
            got = look_up_plan(*LOT_SIZES[code], aql)
            assert 1 <= ac_one_step_tighter(got) < got.ac


@pytest.mark.parametrize("aql", [0.7, 0.0, -1.0, 15.0, 1000.0, 0.04, float("nan")])
def test_an_aql_that_is_not_in_the_tables(aql: float) -> None:
    with pytest.raises(
        UsageError, match=r"use one of 0\.065, 0\.1, 0\.15, .*, 6\.5, 10 \(percent\)"
    ) as caught:
        look_up_plan(1000, "II", aql)
    assert ("nonconformities" in str(caught.value)) == (aql > 10)


@pytest.mark.parametrize("level", ["IV", "2", "ii", "S1", ""])
def test_a_level_that_is_not_in_the_tables(level: str) -> None:
    for lot_size in (1, 1000):
        with pytest.raises(UsageError, match="use one of S-1, S-2, S-3, S-4, I, II, III"):
            look_up_plan(lot_size, level, 1.0)


def test_other_refusals() -> None:
    with pytest.raises(UsageError, match="use one of normal, tightened, reduced"):
        look_up_plan(1000, "II", 1.0, "strict")
    for lot_size in (0, -5):
        with pytest.raises(UsageError, match="lot size"):
            look_up_plan(lot_size, "II", 1.0)
    with pytest.raises(UsageError, match="no code letter"):
        code_letter(1, "II")


@pytest.mark.parametrize(
    ("lot_size", "lq", "samples"),
    [
        (200, 5, (41, 67, 89, 110)),
        (500, 5, (43, 73, 99, 123)),
        (1000, 5, (44, 75, 102, 128)),
        (5000, 5, (45, 76, 105, 131)),
        (1000, 2, (108, 180, 244, 303)),
        (1000, 8, (28, 47, 64, 80)),
    ],
)
def test_plans_for_isolated_batches(lot_size: int, lq: float, samples: tuple[int, ...]) -> None:
    for ac, n in enumerate(samples):
        got = compute_isolated_plan(lot_size, lq, ac)
        assert (got.n, got.ac, got.re, got.lq, got.aql, got.severity) == (n, ac, ac + 1, lq, None, None)
        defective = round(lq * lot_size / 100)
        assert (
            acceptance_probability_in_batch(defective, lot_size, n, ac)
            <= 0.10
            < acceptance_probability_in_batch(defective, lot_size, n - 1, ac)
        )


def test_a_limiting_quality_is_whole_items() -> None:
    # 7 % of 100 items are 7, whatever binary fractions say; 8 would allow a smaller sample.
    assert (
        compute_isolated_plan(100, 7, 0).n
        == compute_isolated_plan(100, 6.5, 0).n
        > compute_isolated_plan(100, 7.5, 0).n
    )
    assert compute_isolated_plan(10, 100, 0).n == 1
    assert compute_isolated_plan(5, 1, 0).inspect_all


@pytest.mark.parametrize(
    ("lot_size", "lq", "ac"), [(100, 2, 2), (100, 0, 0), (100, 101, 3), (100, 5, -1), (1, 50, 1)]
)
def test_a_limiting_quality_that_no_sample_can_reject(lot_size: int, lq: float, ac: int) -> None:
    with pytest.raises(UsageError, match="cannot reject"):
        compute_isolated_plan(lot_size, lq, ac)
