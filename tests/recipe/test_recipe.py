"""Recipes: what is read, and the sentence for what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tundish.errors import RecipeError
from tundish.recipe.classes import normalise
from tundish.recipe.load import Recipe, json_schema, load
from tundish.stages import ABOUT, load_stage

if TYPE_CHECKING:
    from tundish.recipe.labelling import Acceptance

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
dataset: line
sources:
  - {path: raw/line-1, format: voc, keys: {coil_id: '^(?P<coil_id>[A-Z]\\d+)_'}}
images:
annotations: {classes: {crazing: [龟裂], scratch: 划伤}}
dedup: {}
split: {salt: 2026, group_by: [coil_id]}
augment: {}
export: {}
records: {}
link: {}
label: {}
timezone: Asia/Shanghai
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "line.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load(write(folder, text))
    sentence = str(caught.value)
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence


def test_load__reads_every_section(tmp_path: Path) -> None:
    recipe = load(write(tmp_path, GOOD))
    assert recipe.sources[0].label == "line-1"
    assert recipe.annotations.lookup() == {
        "crazing": "crazing",
        "龟裂": "crazing",
        "scratch": "scratch",
        "划伤": "scratch",
    }
    assert recipe.split.salt == "2026"
    assert recipe.keys == ("coil_id",)


def test_every_section_of_a_recipe_that_changes_a_result_is_tracked_by_a_stage() -> None:
    tracked = {section for name in ABOUT for section in load_stage(name).depends}
    assert tracked == set(Recipe.model_fields) - {"dataset", "guard"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("dedup: {}", "dedup: {}\nsplitt: {}"), [":7:", "'splitt'", "did you mean 'split'"]),
        (("dedup: {}", "dedup: {keep: best}"), [":6:", "'best'", "'first' or 'largest'"]),
        (("augment: {}", "augment: {copies: many}"), [":8:", "'many'", "integer"]),
        (("augment: {}", "augment: {operations: [{flipp: {}}]}"), [":8:", "'flipp'", "use one of flip"]),
        (("augment: {}", "augment: {operations: [{rotate: {degrees: 400}}]}"), [":8:", "400"]),
        (("augment: {}", ""), ["'augment' is missing", "add 'augment: {}'"]),
        (("dataset: line", "dataset: other"), [":1:", "'other'", "line.yaml"]),
        (("format: voc", "fromat: voc"), [":3:", "did you mean 'format'"]),
        (
            ("format: voc", "format: vocc"),
            [":3:", "unknown format 'vocc'", "choose one of voc, parquet", "images, or"],
        ),
        (
            ("format: voc", "format: voc, options: {corner: edges}"),
            [":3:", "the format 'voc' has no option 'corner'", "did you mean 'corners'?", "corners, masks"],
        ),
        (
            ("format: voc", "format: images, options: {files: a.csv}"),
            [":3:", "the format 'images' has no option 'files'", "it has masks"],
        ),
        (
            ("format: voc", "format: yolo, options: {names: a}"),
            [":3:", "the format 'yolo' has no option 'names'", "as a key of the source"],
        ),
        (
            ("format: voc", "format: voc, also: [{format: coco, options: {boxes: corners}}]"),
            [":3:", "the format 'coco' has no option 'boxes'", "did you mean 'box'?"],
        ),
        (
            ("format: voc", "format: voc, also: [{format: coco, path: b}]"),
            [":3:", "'sources.0.also.0.path' is unknown", "allowed here: format, names, options"],
        ),
        (("export: {}", "export: {formats: [coco, csv]}"), [":9:", "unknown format 'csv'"]),
        (
            ("records: {}", "records: {on: {schema: 'a.py:A', keys: a}}"),
            ["did you mean 'key'", "header_rows"],
        ),
        (
            ("link: {}", "link: {on: {on: {image: a, recrd: b}}}"),
            ["recrd' is unknown", "allowed here: image, record"],
        ),
        (("label: {}", "label: {acceptance: {aqll: 1}}"), ["did you mean 'aql'", "miss_rate"]),
        (("[coil_id]", "[heat]"), ["'heat'", "coil_id"]),
        (("crazing: [龟裂]", "crazing: [划伤]"), ["'划伤'", "'crazing'", "'scratch'"]),
        (
            ("keys: {coil_id: '^(?P<coil_id>", "keys: {split: '^(?P<split>"),
            ["'split'", "column of the tables"],
        ),
        (("(?P<coil_id>", "(?P<coil>"), ["(?P<coil_id>...)"]),
        (("dedup: {}", "split: {}"), ["'split'", "is repeated"]),
        (("dedup: {}", "dedup: {"), ["line.yaml:", "not YAML"]),
        (("salt: 2026", "ratios: {train: 0.9, val: 0.9}"), ["add up to 1"]),
        (("salt: 2026", "ratios: {train: 1.5, val: -0.5}"), ["between 0 and 1"]),
    ],
)
def test_load__refuses_with_line_value_and_what_is_allowed(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    sentence = refusal(tmp_path, GOOD.replace(*change))
    for part in told:
        assert part in sentence


def acceptance_of(folder: Path, acceptance: str) -> Acceptance:
    text = GOOD.replace("label: {}", f"label: {{acceptance: {acceptance}}}")
    found = load(write(folder, text)).label.acceptance
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("acceptance", "told"),
    [
        (
            "{aql: 0.7}",
            ["label.acceptance.aql: 0.7 is not an AQL", "allowed: 0.065, 0.1, ", "6.5, 10 (percent)"],
        ),
        ("{aql: 15}", ["15 is not an AQL", "allowed: 0.065"]),
        ("{aql: {major: 2.5, minor: 5}}", ["label.acceptance.aql.minor: 5 is not an AQL", "allowed: 0.065"]),
        ("{aql: {mayor: 2.5}}", ["'mayor'", "'critical', 'major' or 'minor'"]),
        ("{aql: {}}", ["label.acceptance.aql"]),
        ("{aql: strict}", ["'strict'"]),
        ("{level: V}", ["'V'", "'S-4', 'I', 'II' or 'III'"]),
        ("{per: person}", ["'person'", "'dataset' or 'annotator'"]),
        ("{miss_rate: 1}", ["miss_rate", "less than 1"]),
        ("{miss_rate: -0.1}", ["miss_rate", "greater than or equal to 0"]),
        ("{severity: hard}", ["'label.acceptance.severity' is unknown", "allowed here: aql, per, miss_rate"]),
    ],
)
def test_acceptance__refused_when_the_recipe_is_read(
    tmp_path: Path, acceptance: str, told: list[str]
) -> None:
    text = GOOD.replace("label: {}", f"label:\n  acceptance:\n    {acceptance[1:-1]}")
    sentence = refusal(tmp_path, text)
    for part in (*told, ":14:"):
        assert part in sentence


def test_acceptance__one_aql_or_one_for_each_class(tmp_path: Path) -> None:
    one = acceptance_of(tmp_path, "{aql: 2.5}")
    assert (one.aql, one.per, one.miss_rate) == (2.5, "dataset", 0.0)
    more = acceptance_of(tmp_path, "{aql: {minor: 4, critical: 1.0}, per: annotator, miss_rate: 0.1}")
    assert (more.aql, more.per, more.miss_rate) == ({"minor": 4.0, "critical": 1.0}, "annotator", 0.1)


@pytest.mark.parametrize("text", ["", "[]", "just words"])
def test_load__refuses_what_is_not_a_recipe(tmp_path: Path, text: str) -> None:
    assert "mapping" in refusal(tmp_path, text)


def test_load__on_is_a_word(tmp_path: Path) -> None:
    """YAML 1.1 reads 'on' as true; in a recipe it names a key."""
    records = "records: {coils: {path: coils.csv, schema: 'schemas/steel.py:HotStripCoil'}}"
    text = GOOD.replace("records: {}", records).replace("link: {}", "link:\n  coils: {on: coil_id}")
    assert load(write(tmp_path, text)).link["coils"].on == "coil_id"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("records: {}", "records: {a: {schema: 's.py:A'}}"), ["records.a", "'path'", "'sql'"]),
        (("records: {}", "records: {a: {path: x, schema: 's.py:A', sheeet: b}}"), ["did you mean 'sheet'"]),
        (
            ("records: {}", "records: {a: {path: x, schema: 's.py:A', references: {b: c}}}"),
            ["'c'", "table.column"],
        ),
        (
            ("records: {}", "records: {a: {path: x, schema: 's.py:A', references: {b: c.d}}}"),
            ["'c'", "not a table in records"],
        ),
        (("records: {}", "records: {line-1: {path: x, schema: 's.py:A'}}"), ["'line-1'"]),
        (("link: {}", "link: {coils: {on: coil_id}}"), ["'coils'", "not a table in records"]),
        (("Asia/Shanghai", "Asia/Shangai"), ["Asia/Shangai", "Asia/Shanghai or UTC"]),
        (("timezone: Asia/Shanghai", ""), ["'timezone' is missing"]),
    ],
)
def test_load__refuses_what_records_and_links_cannot_be(
    tmp_path: Path, change: tuple[str, str], told: list[str]
) -> None:
    sentence = refusal(tmp_path, GOOD.replace(*change))
    for part in told:
        assert part in sentence


def test_load__labelling_is_one_project_of_boxes_unless_it_says_otherwise(tmp_path: Path) -> None:
    section = load(write(tmp_path, GOOD)).label
    assert (section.shapes, section.images, section.annotators, section.overlap) == (
        ("box",),
        "files",
        (),
        0.0,
    )
    text = (
        GOOD.replace("label: {}\n", "")
        + "label: {shapes: [box, mask], annotators: [li@example.com, wu], overlap: 0.2}\n"
    )
    assert load(write(tmp_path, text)).label.annotators == ("li@example.com", "wu")


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("{shapes: [brush]}", ["'brush'", "'mask'"]),
        ("{server: '127.0.0.1:8080'}", ["label.server", "127.0.0.1:8080"]),
        # A recipe contains no secret.
        ("{server: 'http://user:word@host'}", ["label.server"]),
        ("{project: ab}", ["label.project", "3 characters"]),
        ("{overlap: 0.2}", ["at least two annotators"]),
        ("{annotators: [a, a]}", ["label: an annotator is listed twice; list each once."]),
        (
            "{annotators: [li, wu zhao]}",
            ["annotators.1: 'wu zhao' is not a valid name", "; write up to 30 letters"],
        ),
        ("{annotator: [a]}", ["did you mean 'annotators'"]),
    ],
)
def test_load__refuses_what_labelling_cannot_be(tmp_path: Path, label: str, told: list[str]) -> None:
    sentence = refusal(tmp_path, GOOD.replace("label: {}", f"label: {label}"))
    for part in told:
        assert part in sentence


def test_load__binary_file(tmp_path: Path) -> None:
    path = tmp_path / "line.yaml"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(RecipeError, match="cannot be read"):
        load(path)


def test_load__missing_file_tells_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(RecipeError, match="did you mean 'line'"):
        load(tmp_path / "lime.yaml")


def test_normalise__width_case_and_space() -> None:
    # Full-width letters, as Chinese keyboards write them.
    assert normalise(" Ｓcratch ") == normalise("scratch")  # noqa: RUF001


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.yaml")), ids=lambda path: path.stem)
def test_pipelines__the_ones_here_load(path: Path) -> None:
    assert load(path).dataset == path.stem


def test_json_schema__knows_the_sections() -> None:
    assert {"dataset", "sources", "split"} <= set(json_schema()["properties"])
