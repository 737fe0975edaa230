from __future__ import annotations

import ast
from pathlib import Path

import polars as pl

from tundish.storage.quarantine import quarantine_frame, quarantine_row, quarantine_rows
from tundish.storage.tables import QUARANTINE

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "tundish"


def test_a_row_and_a_table_of_faults_say_the_same() -> None:
    one = quarantine_row(
        "annotation", "tiny", "too small", source="a", path="b.xml", object_id="1", row=2, severity="warning"
    )
    faults = pl.DataFrame(
        {"source": ["a"], "file": ["b.xml"], "key": ["1"], "row": [2], "message": ["too small"]}
    )
    table = quarantine_rows(
        "annotation", faults, path="file", id="key", check=pl.lit("tiny"), severity=pl.lit("warning")
    )
    assert table.equals(quarantine_frame([one]))
    assert table.schema == pl.Schema(QUARANTINE.schema)


def test_no_fault_is_a_table_without_rows() -> None:
    faults = pl.DataFrame(schema=dict.fromkeys(("source", "path", "check", "message"), pl.String))
    assert quarantine_rows("image", faults).equals(QUARANTINE.empty())
    assert quarantine_frame([]).equals(QUARANTINE.empty())


def test_rows_of_the_quarantine_table_are_made_in_one_module() -> None:
    """Elsewhere nobody spells its columns out."""
    own = {"kind", "check", "severity", "count"}
    elsewhere = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        and own <= {key.value for key in node.keys if isinstance(key, ast.Constant)}
    ]
    assert elsewhere == ["storage/quarantine.py"]
