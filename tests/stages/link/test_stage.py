"""Links between images and records, on small tables made by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tundish.engine import LocalEngine
from tundish.errors import MissingStepError, UsageError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context, Outcome
from tundish.stages.link.carry import carried_columns
from tundish.stages.link.stage import STAGE
from tundish.storage.table import field
from tundish.storage.tables import IMAGES, LINKS, RECORD_FIELDS

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]
KEYS = ("coil_id", "position_m", "side", "taken")
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
_TEXT, _REAL, _TIME = pa.string(), pa.float64(), pa.timestamp("us", tz="UTC")
_KINDS = {
    "coil_no": _TEXT,
    "heat_no": _TEXT,
    "at": _TIME,
    "metre": _REAL,
    "number": pa.int64(),
    "C": _REAL,
    **dict.fromkeys(("parent_id", "child_id"), _TEXT),
    **dict.fromkeys(("parent_from_m", "parent_to_m", "child_from_m", "child_to_m"), _REAL),
    **dict.fromkeys(("reversed", "turned"), pa.bool_()),
}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Data:
    """A dataset whose images and records were judged."""

    def __init__(self, folder: Path, link: dict[str, Any], *, zone: str = "UTC", **tables: list[Row]) -> None:
        names = set(tables) | set(link) | {one["through"] for one in link.values() if "through" in one}
        recipe = {
            "dataset": "d",
            "timezone": zone,
            "records": {name: {"path": f"{name}.csv", "schema": "schemas/x.py:X"} for name in sorted(names)},
            "link": link,
        }
        self.context = Context(Recipe.model_validate(recipe), folder, LocalEngine())
        for name, rows in tables.items():
            self.records(name, rows)

    def records(self, name: str, rows: list[Row]) -> None:
        """Accepted unless the row says otherwise."""
        columns = list(dict.fromkeys(key for row in rows for key in row if key in _KINDS))
        schema = pa.schema(
            [*RECORD_FIELDS, *(field(c, _KINDS[c], c, "%" if c == "C" else "") for c in columns)]
        )
        whole = [
            {"record_id": f"{name}.csv#{number}", "row": number, "outcome": "accepted"} | row
            for number, row in enumerate(rows)
        ]
        self.context.dataset.records.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(whole, schema), self.context.dataset.records / f"{name}.parquet")

    def run(self, images: list[Row]) -> Outcome:
        rows = [
            {"image_id": f"i{number:05d}", "path": f"{number:05d}.jpg", "valid": True} | row
            for number, row in enumerate(images)
        ]
        frame = IMAGES.frame([{k: v for k, v in row.items() if k not in KEYS} for row in rows])
        extra = [pl.Series(key, [row.get(key) for row in rows], pl.String) for key in KEYS]
        IMAGES.write(frame.with_columns(extra), self.context.dataset.table("images"))
        return STAGE.run(self.context)

    @property
    def links(self) -> pl.DataFrame:
        return LINKS.read(self.context.dataset.table("links"))

    def column(self, *names: str) -> list[Any]:
        rows = self.links.select(names).rows()
        return [row[0] for row in rows] if len(names) == 1 else rows


def test_no_links(tmp_path: Path) -> None:
    data = Data(tmp_path, {}, coils=[])
    assert data.run([{"coil_id": "A"}]) == Outcome({}, [])
    assert data.links.is_empty()
    assert carried_columns(data.context)[0].is_empty()


COILS = [{"coil_no": "A"}, {"coil_no": "B", "outcome": "quarantined"}, {"coil_no": "C"}, {"coil_no": "C"}]
BY_KEY = {"coils": {"on": {"image": "coil_id", "record": "coil_no"}}}


def test_by_key(tmp_path: Path) -> None:
    data = Data(tmp_path, BY_KEY, coils=COILS)
    outcome = data.run([{"coil_id": key} for key in ("A", None, "Z", "B", "C", "a", "A")])
    assert data.column("image_id", "record_id", "reason", "ambiguous") == [
        ("i00000", "coils.csv#0", None, False),
        ("i00001", None, "no_key", False),
        ("i00002", None, "no_record", False),
        ("i00003", None, "not_accepted", False),
        ("i00004", "coils.csv#2", None, True),
        ("i00004", "coils.csv#3", None, True),
        ("i00005", None, "no_record", False),
        ("i00006", "coils.csv#0", None, False),
    ]
    assert set(data.column("how")) == {"key"}
    assert outcome.counts == {
        "coils linked": 2,
        "coils ambiguous": 1,
        "coils stale": 0,
        "coils unmatched": 4,
    }
    assert outcome.notes == ["coils: images without a record: 2 no_record, 1 no_key, 1 not_accepted"]


def test_quarantined_images_have_no_links(tmp_path: Path) -> None:
    data = Data(tmp_path, BY_KEY, coils=COILS)
    data.run([{"coil_id": "A", "valid": False}, {"coil_id": "A"}])
    assert data.column("image_id") == ["i00001"]


def test_keys_are_text_without_blanks_and_full_width(tmp_path: Path) -> None:
    data = Data(tmp_path, BY_KEY, coils=[{"coil_no": "0012 "}, {"coil_no": "\uff21\uff17"}, {"coil_no": " "}])
    data.run([{"coil_id": key} for key in ("0012", "12", "A7", "\u3000")])
    assert data.column("record_id", "reason") == [
        ("coils.csv#0", None),
        (None, "no_record"),
        ("coils.csv#1", None),
        (None, "no_key"),
    ]


def test_whole_numbers_are_keys_too(tmp_path: Path) -> None:
    data = Data(tmp_path, {"coils": {"on": {"image": "coil_id", "record": "number"}}}, coils=[{"number": 7}])
    data.run([{"coil_id": "7"}])
    assert data.column("record_id") == ["coils.csv#0"]


def test_one_key_for_everything_asks_for_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tundish.stages.link.match._MOST", 1000)
    data = Data(tmp_path, BY_KEY, coils=[{"coil_no": "A"}] * 200)
    with pytest.raises(UsageError, match=r"10 images have 2000 records .* add 'nearest'"):
        data.run([{"coil_id": "A"}] * 10)


def nearest(**more: Any) -> dict[str, Any]:
    return {"coils": {"on": {"image": "coil_id", "record": "coil_no"}, "nearest": {"record": "at"} | more}}


def test_nearest_of_a_key(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"coil_no": "A", "at": at(0)},
        {"coil_no": "A", "at": at(60)},
        {"coil_no": "B", "at": at(30)},
        {"coil_no": "A", "at": at(31), "outcome": "quarantined"},
        {"coil_no": "N"},
    ]
    data = Data(tmp_path, nearest(tolerance="40s"), coils=rows)
    seconds = {"A": [10, 30, 100, 101, -40], "B": [31], "N": [0], "Q": [0]}
    images = [{"coil_id": coil, "captured_at": at(s)} for coil, all_s in seconds.items() for s in all_s]
    outcome = data.run([*images, {"coil_id": "A"}])
    assert data.column("image_id", "record_id", "reason", "offset_s", "ambiguous") == [
        ("i00000", "coils.csv#0", None, 10, False),
        ("i00001", "coils.csv#0", None, 30, True),
        ("i00001", "coils.csv#1", None, -30, True),
        ("i00002", "coils.csv#1", None, 40, False),
        ("i00003", None, "out_of_tolerance", 41, False),
        ("i00004", "coils.csv#0", None, -40, False),
        ("i00005", "coils.csv#2", None, 1, False),
        ("i00006", None, "no_time", None, False),
        ("i00007", None, "no_record", None, False),
        ("i00008", None, "no_time", None, False),
    ]
    assert outcome.counts["coils stale"] == 1
    assert set(data.column("how")) == {"nearest"}


def test_records_of_one_moment_are_ambiguous(tmp_path: Path) -> None:
    rows: list[Row] = [{"coil_no": "A", "at": at(s)} for s in (0, 5, 5, 5, 30)]
    data = Data(tmp_path, nearest(tolerance="1min"), coils=rows)
    data.run([{"coil_id": "A", "captured_at": at(s)} for s in (0, 5, 8, 29)])
    assert data.column("record_id", "ambiguous") == [
        ("coils.csv#0", False),
        *[(f"coils.csv#{n}", True) for n in (1, 2, 3)] * 2,
        ("coils.csv#4", False),
    ]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("backward", [(None, None), ("coils.csv#0", 0), ("coils.csv#0", 9), ("coils.csv#1", 1)]),
        ("forward", [("coils.csv#0", -1), ("coils.csv#0", 0), ("coils.csv#1", -1), (None, None)]),
    ],
)
def test_direction(tmp_path: Path, direction: str, expected: list[Any]) -> None:
    link = {"coils": {"nearest": {"record": "at", "tolerance": "1min", "direction": direction}}}
    data = Data(tmp_path, link, coils=[{"at": at(0)}, {"at": at(10)}])
    data.run([{"captured_at": at(s)} for s in (-1, 0, 9, 11)])
    assert data.column("record_id", "offset_s") == expected
    assert Counter(data.column("reason")) == {None: 3, "out_of_tolerance": 1}


def test_nearest_of_all_agrees_with_a_search_by_hand(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    there, here = rng.integers(0, 10_000, 300), rng.integers(0, 10_000, 400)
    keys, mine = rng.choice(["A", "B"], 300), rng.choice(["A", "B"], 400)
    rows = [{"coil_no": k, "at": at(int(s))} for k, s in zip(keys, there, strict=True)]
    data = Data(tmp_path, nearest(tolerance="20s"), coils=rows)
    data.run([{"coil_id": k, "captured_at": at(int(s))} for k, s in zip(mine, here, strict=True)])
    for (image,), links in data.links.group_by("image_id"):
        number = int(str(image)[1:])
        away = np.where(keys == mine[number], np.abs(there - here[number]), 99_999)
        best = np.flatnonzero(away == away.min())
        if away.min() > 20:
            assert links["reason"].to_list() == ["out_of_tolerance"]
        else:
            assert set(links["record_id"]) == {f"coils.csv#{n}" for n in best}


def test_no_records_at_all(tmp_path: Path) -> None:
    link = {"coils": {"nearest": {"record": "at", "tolerance": "1min"}}}
    data = Data(tmp_path, link, coils=[{"at": at(0), "outcome": "quarantined"}])
    data.run([{"captured_at": at(0)}])
    assert data.column("reason") == ["not_accepted"]
    empty = pq.read_table(data.context.dataset.records / "coils.parquet").slice(0, 0)
    pq.write_table(empty, data.context.dataset.records / "coils.parquet")
    data.run([{"captured_at": at(0)}])
    assert data.column("reason") == ["no_record"]
    data.run([])
    assert data.links.is_empty()


def test_nearest_metre(tmp_path: Path) -> None:
    rows: list[Row] = [*({"coil_no": "A", "metre": x} for x in (0.0, 10.0, 20.0)), {"coil_no": "B"}]
    data = Data(tmp_path, nearest(image="position_m", record="metre", tolerance=4.0), coils=rows)
    data.run(
        [
            {"coil_id": k, "position_m": x}
            for k, x in zip("AAAAAB", ("9.5", "0014", " 25", "x", None, "1"), strict=True)
        ]
    )
    assert data.column("record_id", "reason", "offset_m", "position_m") == [
        ("coils.csv#1", None, -0.5, 9.5),
        ("coils.csv#1", None, 4.0, 14.0),
        (None, "out_of_tolerance", 5.0, None),
        (None, "no_position", None, None),
        (None, "no_position", None, None),
        (None, "no_position", None, None),
    ]
    assert data.links["offset_s"].null_count() == 6


def test_a_time_in_the_name_is_of_the_plants_zone(tmp_path: Path) -> None:
    link = {"coils": {"nearest": {"image": "taken", "record": "at", "tolerance": "1s"}}}
    data = Data(tmp_path, link, zone="Asia/Shanghai", coils=[{"at": at(0)}])
    data.run([{"taken": "20260305_200000"}, {"taken": "2026-03-05 20:00:01"}, {"taken": "soon"}])
    assert data.column("record_id", "reason", "offset_s") == [
        ("coils.csv#0", None, 0),
        ("coils.csv#0", None, 1),
        (None, "no_time", None),
    ]


def series(seed: int, count: int = 200) -> list[datetime]:
    rng = np.random.default_rng(seed)
    return [at(round(float(s), 3)) for s in np.cumsum(rng.exponential(900, count))]


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("clock_offset", ["auto", "8h", "0s"])
def test_clocks_eight_hours_apart(tmp_path: Path, keyed: bool, clock_offset: str) -> None:
    times = series(2)
    link = nearest(tolerance="2min", clock_offset=clock_offset)
    if not keyed:
        del link["coils"]["on"]
    data = Data(tmp_path, link, coils=[{"coil_no": f"C{n}", "at": t} for n, t in enumerate(times)])
    outcome = data.run(
        [{"coil_id": f"C{n}", "captured_at": t + timedelta(hours=8)} for n, t in enumerate(times)]
    )
    [note] = outcome.notes[:1]
    if clock_offset == "0s":
        assert "the clocks seem 8 h 0 min apart (support 100%" in note
        assert note.endswith("clock_offset 0s was used: set clock_offset: 8h, or auto")
        assert outcome.counts["coils linked"] < 100
    else:
        assert outcome.counts["coils linked"] == 200
        assert data.links["offset_s"].abs().max() == pytest.approx(0, abs=1e-3)
        assert note.startswith("coils: the image's clock is 8 h 0 min ahead of the records'")
        assert note.endswith("agrees") == (clock_offset == "8h")


def test_clocks_that_cannot_be_detected(tmp_path: Path) -> None:
    link = {"coils": {"nearest": {"record": "at", "tolerance": "1s", "clock_offset": "auto"}}}
    data = Data(tmp_path, link, coils=[{"at": at(n)} for n in range(1000)])
    outcome = data.run([{"captured_at": at(10 * n)} for n in range(100)])
    assert outcome.notes == ["coils: the data do not show how far the clocks differ; clock_offset 0s is used"]
    assert data.links["offset_s"].to_list() == [0.0] * 100


def edge(parent: str, child: str, *spans: float, **more: Any) -> Row:
    names = ("parent_from_m", "parent_to_m", "child_from_m", "child_to_m")
    given = dict(zip(names, spans, strict=False))
    return {"parent_id": parent, "child_id": child, "reversed": None} | given | more


EDGES = [
    edge("H77", "S42"),
    edge("S42", "A", 0, 10, 0, 800, reversed=False),
    edge("A", "B", 0, 800, 0, 3200),
    edge("B", "C1003", 0, 3200, 0, 3200, turned=True),
    edge("H78", "S43"),
    edge("S43", "D", 0, 10, 0, 800, reversed=False),
    edge("D", "W", 0, 800, 0, 800),
    edge("A", "W", 0, 800, 800, 1600),
    edge("H79", "B", outcome="quarantined"),
    edge("X", "Y"),
    edge("Y", "X"),
]
HEATS = [{"heat_no": "H77", "C": 0.04}, {"heat_no": "H78", "C": 0.15}]
ON = {"image": "coil_id", "record": "heat_no"}
THROUGH = {"on": ON, "through": "edges", "position": "position_m", "side": "side"}


def test_heat_of_a_cold_coil(tmp_path: Path) -> None:
    data = Data(tmp_path, {"heats": THROUGH}, heats=HEATS, edges=EDGES)
    data.run([{"coil_id": "C1003", "position_m": "100", "side": "top"}])
    [row] = data.links.to_dicts()
    assert row["record_id"] == "heats.csv#0"
    assert row["how"] == "genealogy"
    assert row["via"] == "C1003 > B > A > S42 > H77"
    assert (row["position_m"], row["side"], row["ambiguous"]) == (None, "bottom", False)


def test_head_and_tail_over_two_recoilings(tmp_path: Path) -> None:
    slabs = [{"coil_no": "S42", "metre": 0.3125}, {"coil_no": "S42", "metre": 9.0}]
    link = {
        "coils": {
            "on": {"image": "coil_id", "record": "coil_no"},
            "through": "edges",
            "side": "side",
            "nearest": {"image": "position_m", "record": "metre", "tolerance": 0.01},
        }
    }
    data = Data(tmp_path, link, coils=slabs, edges=EDGES)
    data.run(
        [
            {"coil_id": "C1003", "position_m": "100", "side": "上表"},
            {"coil_id": "C1003", "position_m": "200", "side": "bottom"},
            {"coil_id": "C1003", "side": "bottom"},
        ]
    )
    assert data.column("record_id", "reason", "position_m", "side") == [
        ("coils.csv#0", None, 0.3125, "bottom"),
        (None, "out_of_tolerance", None, None),
        (None, "no_position", None, None),
    ]
    assert data.links["offset_m"][1] == pytest.approx(0.3125)


def test_welded_coil(tmp_path: Path) -> None:
    data = Data(tmp_path, {"heats": THROUGH}, heats=HEATS, edges=EDGES)
    outcome = data.run([{"coil_id": "W", "position_m": x} for x in ("10", "1000", None, "1700")])
    assert data.column("image_id", "record_id", "reason", "ambiguous", "via") == [
        ("i00000", "heats.csv#1", None, False, "W > D > S43 > H78"),
        ("i00001", "heats.csv#0", None, False, "W > A > S42 > H77"),
        ("i00002", "heats.csv#0", None, True, "W > A > S42 > H77"),
        ("i00002", "heats.csv#1", None, True, "W > D > S43 > H78"),
        ("i00003", None, "no_ancestor", False, None),
    ]
    assert outcome.counts["heats ambiguous"] == 1


def test_welded_coil_of_which_one_heat_is_unknown_stays_ambiguous(tmp_path: Path) -> None:
    data = Data(tmp_path, {"heats": THROUGH}, heats=HEATS[:1], edges=EDGES)
    data.run([{"coil_id": "W", "position_m": None}])
    assert data.column("record_id", "ambiguous") == [("heats.csv#0", True)]


def test_slit_strips(tmp_path: Path) -> None:
    edges = [*EDGES, edge("C1003", "L", 0, 3200, 0, 3200), edge("C1003", "R", 0, 3200, 0, 3200)]
    data = Data(tmp_path, {"heats": THROUGH}, heats=HEATS, edges=edges)
    data.run([{"coil_id": strip, "position_m": "1", "side": "top"} for strip in "LR"])
    assert data.column("via", "side") == [
        (f"{strip} > C1003 > B > A > S42 > H77", "bottom") for strip in "LR"
    ]


def test_no_ancestor_and_no_record(tmp_path: Path) -> None:
    heats = [HEATS[0] | {"outcome": "quarantined"}]
    data = Data(tmp_path, {"heats": THROUGH}, heats=heats, edges=EDGES)
    data.run([{"coil_id": key} for key in ("Q", "D", "B", "X", None, "H77")])
    assert data.column("reason") == [
        "no_ancestor",
        "no_record",
        "not_accepted",
        "no_ancestor",  # it goes in a circle
        "no_key",
        "not_accepted",
    ]
    assert set(data.column("via")) == {None}


def test_own_record_comes_before_an_ancestors(tmp_path: Path) -> None:
    data = Data(tmp_path, {"heats": THROUGH}, heats=[*HEATS, {"heat_no": "A"}], edges=EDGES)
    data.run([{"coil_id": key} for key in ("A", "B")])
    assert data.column("record_id", "via") == [("heats.csv#2", "A"), ("heats.csv#2", "B > A")]


def test_two_tables_and_what_is_carried(tmp_path: Path) -> None:
    link = {"heats": THROUGH | {"carry": ["C"]}, "coils": BY_KEY["coils"] | {"carry": ["at", "coil_no"]}}
    coils: list[Row] = [{"coil_no": "C1003", "at": at(0)}, {"coil_no": "W"}, {"coil_no": "W"}]
    data = Data(tmp_path, link, heats=HEATS, edges=EDGES, coils=coils)
    data.run([{"coil_id": key, "position_m": None} for key in ("C1003", "W", "D")])
    rows, units = carried_columns(data.context)
    assert units == {"heats.C": "%", "coils.at": "", "coils.coil_no": ""}
    assert rows.columns == ["image_id", "heats.C", "coils.at", "coils.coil_no"]
    assert rows.rows() == [
        ("i00000", 0.04, NOON, "C1003"),
        ("i00001", None, None, None),
        ("i00002", 0.15, None, None),
    ]


def test_links_are_the_same_bytes_again(tmp_path: Path) -> None:
    data = Data(tmp_path, {"heats": THROUGH} | BY_KEY, heats=HEATS, edges=EDGES, coils=COILS)
    images = [{"coil_id": key, "position_m": None} for key in ("C1003", "W", "C", "A", "D", "Q", None) * 9]
    data.run(images)
    first = data.context.dataset.table("links").read_bytes()
    data.run(images)
    assert data.context.dataset.table("links").read_bytes() == first


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"on": "coil_no"}, "link.coils.on: the table 'images' has no column 'coil_no'; it has: .*coil_id"),
        ({"on": "coil_id"}, "the table 'coils' has no column 'coil_id'; it has: .*coil_no"),
        (
            {"on": {"image": "coil_id", "record": "metre"}},
            "the column 'metre' of 'coils' is of type Float64, not a key; these could be: .*coil_no",
        ),
        (
            {"nearest": {"record": "coil_no", "tolerance": "1s"}},
            "link.coils.nearest.record: the column 'coil_no' of 'coils' is of type String, not a time",
        ),
        ({"nearest": {"record": "at", "tolerance": 1.0}}, "'captured_at' of 'images' .* not a position"),
        (
            {"nearest": {"image": "coil_id", "record": "at", "tolerance": "1s"}},
            "the column 'coil_id' of 'images' has the value 'A', not a time",
        ),
        (
            {"nearest": {"image": "coil_id", "record": "metre", "tolerance": 1.0}},
            "the column 'coil_id' of 'images' has the value 'A', not a number",
        ),
        ({"nearest": {"record": "at", "tolerance": "-1s"}}, "the tolerance is -1s"),
        (BY_KEY["coils"] | {"carry": ["Mn"]}, "link.coils.carry: the table 'coils' has no column 'Mn'"),
        (BY_KEY["coils"] | {"position": "x"}, "link.coils.position: the table 'images' has no column 'x'"),
        (BY_KEY["coils"] | {"side": "width"}, "'width' of 'images' is of type Int32, not a side"),
        (
            {
                "nearest": {"image": "sharpness", "record": "metre", "tolerance": 1.0},
                "position": "brightness",
            },
            "the position is 'brightness' here and 'sharpness' in nearest.image; omit one of them",
        ),
    ],
)
def test_recipes_that_do_not_fit_the_tables(tmp_path: Path, link: dict[str, Any], sentence: str) -> None:
    coils = [{"coil_no": "A", "at": NOON, "metre": 1.0}]
    data = Data(tmp_path, {"coils": link}, coils=coils)
    with pytest.raises(UsageError, match=sentence):
        data.run([{"coil_id": "A"}])


def test_stages_that_have_not_run(tmp_path: Path) -> None:
    data = Data(tmp_path, BY_KEY)
    with pytest.raises(MissingStepError, match=r"there is no images table.*run 'tundish validate d' first"):
        STAGE.run(data.context)
    with pytest.raises(MissingStepError, match=r"there is no coils table.*run 'tundish records d' first"):
        data.run([{"coil_id": "A"}])
    with pytest.raises(MissingStepError, match="run 'tundish link d' first"):
        carried_columns(data.context)
