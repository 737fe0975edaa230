"""A million rows out of PostgreSQL: ingest's query against the bare ADBC driver.

    python benchmarks/database.py [--rows 1000000] [--rounds 5]

Starts Debian's PostgreSQL as the tests do. Five columns: whole number, text, numeric, timestamptz, real.
The bare driver reads the same answer batch by batch and drops it; ours writes it to a Parquet file, from
which the store is filled, with `since`, so that every row's mark is looked at. The sides take turns, each
read in a process of its own; the peak is what that process grew by.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import in_turn, load, options, peak, ratio, seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

QUERY = "select * from heats order by updated_at"
TABLE = (
    "create table heats as select i as id, 'H' || md5(i::text) as \"炉号\","
    ' (i % 997)::numeric / 1000 as "碳",'
    " timestamptz '2026-01-01 00:00+08' + i * interval '1 s' as updated_at, i / 7.0::float8 as mass"
    " from generate_series(1, {rows}) i"
)


def bare() -> None:
    import adbc_driver_postgresql.dbapi as dbapi  # noqa: PLC0415

    with dbapi.connect(os.environ["PLANT_DB"]) as link, link.cursor() as cursor:
        cursor.execute(QUERY)
        for _ in cursor.fetch_record_batch():
            pass


def tundish() -> None:
    from tundish.recipe.sections import Query  # noqa: PLC0415
    from tundish.stages.ingest.query import ask  # noqa: PLC0415

    query = Query(connection="PLANT_DB", query=QUERY, since="updated_at")
    with tempfile.TemporaryDirectory() as folder:
        ask(query, "heats", Path(folder), [])


SIDES = {"bare": bare, "tundish": tundish}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", choices=SIDES)
    wanted = parser.parse_args()
    if wanted.side:
        import adbc_driver_postgresql.dbapi  # noqa: F401, PLC0415
        import polars  # noqa: F401, ICN001, PLC0415

        import tundish.stages.ingest.query  # noqa: F401, PLC0415

        before = peak()
        took = seconds(SIDES[wanted.side])
        print(took, peak() - before)
        return
    from tests.stages.ingest.servers import running_postgres  # noqa: PLC0415

    with running_postgres() as server:
        server.run(TABLE.format(rows=wanted.rows))
        server.run("analyze heats")
        times: dict[str, list[float]] = {side: [] for side in SIDES}
        peaks: dict[str, float] = dict.fromkeys(SIDES, 0.0)
        for turn in range(wanted.rounds + 1):
            for side in in_turn(list(SIDES), turn):
                done = subprocess.run(
                    [sys.executable, __file__, "--side", side],
                    env=os.environ | {"PLANT_DB": server.address},
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                took, grown = map(float, done.stdout.split())
                peaks[side] = max(peaks[side], grown)
                if turn:  # the first turn warms up
                    times[side].append(took)
    for side, found in times.items():
        middle = statistics.median(found)
        print(f"{side:8} {middle:.2f} s, {wanted.rows / middle:,.0f} rows/s, +{peaks[side]:.0f} MiB")
    print(f"tundish / bare: {ratio(times['tundish'], times['bare']):.2f} ({load()})")


if __name__ == "__main__":
    main()
