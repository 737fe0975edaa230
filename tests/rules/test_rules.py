"""Rules: a case on each side of every limit, and what a plant changes when it subclasses a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from tundish.errors import SchemaError
from tundish.rules.check import check, describe
from tundish.rules.models import load_model, models_of

if TYPE_CHECKING:
    import pandera.polars as pa

ROOT = Path(__file__).resolve().parents[2]
GOOD_IMAGE = {
    "fault": "none",
    "extension_fits": True,
    "width": 640,
    "height": 480,
    "channels": 1,
    "brightness": 0.5,
    "contrast": 0.1,
    "sharpness": 100.0,
    "clipped_bright": 0.0,
    "clipped_dark": 0.0,
}
GOOD_LABEL = {"label": "scratch", "overshoot": 0.0, "short_side": 10.0, "area": 200.0, "copy": 0}
TYPES: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("width", "height", "channels", "copy"), pl.Int32),
    **dict.fromkeys(("fault", "label"), pl.String),
    "extension_fits": pl.Boolean,
}


def model(name: str) -> type[pa.DataFrameModel]:
    file = "annotations" if name in ("Annotations", "DefectBox") else "images"
    return load_model(ROOT, f"schemas/{file}.py:{name}")


def frame(row: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([row], schema={name: TYPES.get(name, pl.Float64) for name in row})


def breaches(name: str, **change: object) -> list[tuple[str, str]]:
    good = GOOD_LABEL if name in ("Annotations", "DefectBox") else GOOD_IMAGE
    found = check(model(name), frame({**good, **change}))
    return list(found.select("check", "severity").iter_rows())


@pytest.mark.parametrize("name", ["Images", "SteelSurface", "Annotations", "DefectBox"])
def test_rules__a_good_row_breaks_none(name: str) -> None:
    assert breaches(name) == []


@pytest.mark.parametrize(
    ("name", "column", "inside", "outside", "rule", "severity"),
    [
        ("Images", "fault", "none", "truncated", "not_decodable", "error"),
        ("Images", "extension_fits", True, False, "wrong_extension", "error"),
        ("Images", "width", 4, 3, "too_small", "error"),
        ("Images", "width", 65_500, 65_501, "too_large", "error"),
        ("Images", "height", 4, 3, "too_small", "error"),
        ("Images", "height", 65_500, 65_501, "too_large", "error"),
        ("Images", "channels", 4, 5, "channels", "error"),
        ("Images", "brightness", 0.02, 0.019, "too_dark", "warning"),
        ("Images", "brightness", 0.98, 0.981, "too_bright", "warning"),
        ("Images", "contrast", 0.005, 0.0049, "flat", "warning"),
        ("SteelSurface", "contrast", 0.002, 0.0019, "flat", "warning"),
        ("Images", "sharpness", 5.0, 4.9, "blurred", "warning"),
        ("Images", "clipped_bright", 0.5, 0.51, "overexposed", "warning"),
        ("Images", "clipped_dark", 0.8, 0.81, "underexposed", "warning"),
        ("Annotations", "label", "scratch", None, "unknown_class", "error"),
        ("Annotations", "overshoot", 1.0, 1.01, "outside_image", "error"),
        ("Annotations", "short_side", 0.01, 0.0, "degenerate", "error"),
        ("Annotations", "area", 4.0, 3.9, "tiny", "warning"),
        ("DefectBox", "area", 9.0, 8.9, "tiny", "warning"),
        ("Annotations", "copy", 0, 1, "repeated", "error"),
    ],
)
def test_rules__a_case_on_each_side(
    name: str, column: str, inside: object, outside: object, rule: str, severity: str
) -> None:
    assert breaches(name, **{column: inside}) == []
    assert breaches(name, **{column: outside}) == [(rule, severity)]


def test_rules__every_rule_has_a_case_above() -> None:
    marks = test_rules__a_case_on_each_side.pytestmark  # type: ignore[attr-defined]
    tested = {(case[0], case[1], case[4]) for case in marks[0].args[1]}
    for name in ("Images", "Annotations"):
        assert {(name, column, rule.name) for rule, column, _ in describe(model(name))} <= tested


def test_rules__an_image_that_does_not_decode_breaks_only_that_rule() -> None:
    unknown = dict.fromkeys(GOOD_IMAGE, None) | {"fault": "truncated", "extension_fits": True}
    assert check(model("Images"), frame(unknown))["check"].to_list() == ["not_decodable"]


@pytest.mark.parametrize("file", sorted(ROOT.glob("schemas/*.py")), ids=lambda file: file.name)
def test_rules__every_limit_in_a_schema_has_a_name(file: Path) -> None:
    nameless = [
        (made.__name__, rule.name)
        for made in models_of(file)
        for rule, _, _ in describe(made)
        if rule.sentence.endswith("breaks a rule")
    ]
    assert nameless == []


def write_schema(folder: Path, body: str) -> Path:
    (folder / "schemas").mkdir(exist_ok=True)
    (folder / "schemas/plant.py").write_text(
        "import pandera.polars as pa\nfrom tundish.rules import rules, warning\n\n\n"
        "class Base(pa.DataFrameModel):\n"
        "    brightness: float = pa.Field(ge=0.1, metadata=rules(below=warning('too_dark', 'dark')))\n\n\n"
        + body
    )
    return folder


def test_load_model__subclass_with_another_limit_keeps_the_name(tmp_path: Path) -> None:
    body = "class Mine(Base):\n    brightness: float = pa.Field(ge=0.3)\n"
    mine = load_model(write_schema(tmp_path, body), "schemas/plant.py:Mine")
    found = check(mine, pl.DataFrame({"brightness": [0.2, 0.4]}))
    assert found.select("row", "check", "severity").rows() == [(0, "too_dark", "warning")]
    assert found["message"][0] == "dark: brightness is 0.2, allowed is at least 0.3"


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("schemas/none.py:Base", "no such schema file"),
        ("schemas/plant.py:Nope", "it has: Base"),
        ("schemas/plant.py:pa", "no Pandera model 'pa'"),
    ],
)
def test_load_model__what_is_not_there_is_reported(tmp_path: Path, reference: str, told: str) -> None:
    with pytest.raises(SchemaError, match=told):
        load_model(write_schema(tmp_path, ""), reference)


def test_load_model__a_file_that_does_not_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="does not run"):
        load_model(write_schema(tmp_path, "class Mine(:\n"), "schemas/plant.py:Mine")


def test_load_model__a_model_that_pandera_cannot_build_is_reported(tmp_path: Path) -> None:
    body = "class Mine(Base):\n    @pa.check('nothing')\n    def own(cls, data):\n        return True\n"
    with pytest.raises(SchemaError, match=r"cannot build the model 'Mine'.*nothing"):
        load_model(write_schema(tmp_path, body), "schemas/plant.py:Mine")


def test_check__a_column_that_is_not_there_is_reported(tmp_path: Path) -> None:
    base = load_model(write_schema(tmp_path, ""), "schemas/plant.py:Base")
    with pytest.raises(SchemaError, match="does not fit the model"):
        check(base, pl.DataFrame({"other": [1.0]}))


def test_a_schema_file_that_was_changed_is_read_again(tmp_path: Path) -> None:
    """Within one process the models of a file are kept, until its text is another."""
    path = tmp_path / "own.py"
    text = "import pandera.polars as pa\n\n\nclass Own(pa.DataFrameModel):\n    a: int = pa.Field(le={})\n"
    path.write_text(text.format(1))
    (first,) = models_of(path)
    assert models_of(path) == [first]
    path.write_text(text.format(2))
    (second,) = models_of(path)
    assert second is not first
    assert check(second, pl.DataFrame({"a": [2]})).is_empty()
    assert check(first, pl.DataFrame({"a": [2]})).height == 1
