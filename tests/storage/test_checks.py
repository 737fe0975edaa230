"""One table says in English and Chinese what every check and reason means."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tundish.rules.check import describe as rules_of
from tundish.rules.models import models_of
from tundish.storage.checks import CHECKS, describe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tundish"
SCHEMAS = [ROOT / "schemas" / "images.py", ROOT / "schemas" / "annotations.py"]

CARRIERS = {
    "BadImage": 0,
    "EntryFault": 0,
    "Fault": 0,
    "Miss": 0,
    "Problem": 2,
    "_file_fault": 2,
    "_image_row": 2,
    "_refuse": 1,
    "error": 0,
    "quarantine_row": 1,
    "warning": 0,
}
"""Calls that name a check, and the place of the name among their arguments."""

COLUMNS = frozenset({"check", "reason", "relation", "label_conflict", "state", "likeness"})
"""Columns whose texts are names of checks and reasons."""

FOLLOWED = 4
"""Arguments of a label that is dropped: region, visible share, check, sentence."""

NAME = re.compile(r"[a-z][a-z0-9]*([_ ][a-z0-9]+)*(: .*)?")
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
HAN = re.compile("[\u4e00-\u9fff]")

KINDS = {"Relation", "Conflict"}
"""Types that list the texts of a column."""

CHOSEN = ("stages", "labeling/consensus", "labeling/acceptance/batch.py")
"""Where `pl.when(...).then(pl.lit(...))` chooses a check, a reason or a state."""

NOT_CHECKS = {
    *("check", "reason"),  # columns
    *("zero_based", "one_based"),  # corners of VOC boxes
    *("quarantined", "skipped", "error", "warning"),  # outcomes, severities
    "the region has no label",  # a sentence
}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")) + SCHEMAS:
        if path.name != "checks.py" and "demo" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def texts(node: ast.expr) -> Iterator[str]:
    """The constants that an expression can give, of a conditional one both."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from [*texts(node.body), *texts(node.orelse)]


def literals(node: ast.expr) -> Iterator[str]:
    """The texts of `pl.lit` and the heads of `pl.format` in an expression of Polars, not its conditions."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and called(part) in {"lit", "format"} and part.args:
            yield from texts(part.args[0])


def of_call(node: ast.Call) -> Iterator[str]:
    name = called(node)
    place = CARRIERS.get(name)
    if place is not None and len(node.args) > place:
        yield from texts(node.args[place])
    if name == "Followed" and len(node.args) == FOLLOWED:
        yield from (f"augment_{check}" for check in texts(node.args[2]) if check)
    if name == "alias" and node.args and set(texts(node.args[0])) & COLUMNS:
        yield from literals(node.func)
    for keyword in node.keywords:
        if keyword.arg in COLUMNS:
            yield from [*texts(keyword.value), *literals(keyword.value)]


def checks_in(tree: ast.Module) -> Iterator[str]:
    """Names of checks and reasons as the code writes them into tables."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from of_call(node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None and set(texts(key)) & {"check", "reason"}:
                    yield from texts(value)
        elif isinstance(node, ast.Tuple) and len(node.elts) > 1:
            yield from of_pair(*node.elts[:2])
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in KINDS:
            yield from (
                text
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant)
                for text in texts(part)
            )


def of_pair(first: ast.expr, second: ast.expr) -> Iterator[str]:
    """A name and its sentence or severity, ``("nul_byte", "the line has NUL bytes")``; or rows and a name."""
    sentence = isinstance(second, ast.JoinedStr) or any(" " in text for text in texts(second))
    if sentence or set(texts(second)) & {"error", "warning"} or getattr(second, "id", "") == "sentence":
        yield from (text for text in texts(first) if CODE.fullmatch(text))
    elif isinstance(first, ast.Call):
        yield from (text for text in texts(second) if CODE.fullmatch(text))


def chosen(tree: ast.Module) -> Iterator[str]:
    """What branches of Polars' conditions give."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in {"then", "otherwise"}:
            yield from literals(node.args[0])


def found() -> dict[str, set[str]]:
    """Every check and reason in the source, and the modules that name it."""
    names: dict[str, set[str]] = {}
    for path, tree in trees():
        every = list(checks_in(tree))
        if any(place in path.as_posix() for place in CHOSEN):
            every += chosen(tree)
        for text in every:
            if NAME.fullmatch(text) and text not in NOT_CHECKS:
                names.setdefault(text.partition(":")[0], set()).add(str(path.relative_to(ROOT)))
    return names


def constants() -> set[str]:
    """Every text in the source, with the names that augment makes of its own."""
    every = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                every |= {node.value, node.value.partition(":")[0], f"augment_{node.value}"}
            elif isinstance(node, ast.Name | ast.arg):
                every.add(node.id if isinstance(node, ast.Name) else node.arg)
    return every


def test_every_check_in_the_source_has_its_sentences() -> None:
    missing = {name: modules for name, modules in found().items() if name not in CHECKS}
    assert not missing, "give these a line in storage/checks.py"


def test_no_check_is_described_that_the_source_does_not_name() -> None:
    assert sorted(set(CHECKS) - constants()) == []


def test_most_checks_are_found_where_they_are_written() -> None:
    assert len(found()) > 100


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_an_english_and_a_chinese_sentence(name: str) -> None:
    check = CHECKS[name]
    assert HAN.search(check.chinese)
    assert not HAN.search(check.english)
    assert check.english == check.english.strip().rstrip(".")
    assert not check.chinese.endswith("。")


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_the_rules_of_images_and_labels_say_what_the_table_says(path: Path) -> None:
    for model in models_of(path):
        for rule, _, _ in rules_of(model):
            assert (rule.sentence, rule.chinese) == (CHECKS[rule.name].english, CHECKS[rule.name].chinese)


def test_english_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNDISH_LANG", raising=False)
    assert describe("blurred") == "the image is out of focus or smeared"


@pytest.mark.parametrize("language", ["zh", "zh_CN.UTF-8", "ZH"])
def test_the_variable_chooses_chinese(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("TUNDISH_LANG", language)
    assert describe("blurred") == "图像失焦或拖影"


@pytest.mark.parametrize("language", ["", "en", "de", "chinese"])
def test_any_other_value_is_english(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("TUNDISH_LANG", language)
    assert describe("blurred") == "the image is out of focus or smeared"


def test_the_argument_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNDISH_LANG", "zh")
    assert describe("empty_file", "en") == "the file is empty"
    assert describe("empty_file", "zh") == "文件为空"


def test_a_rule_of_the_plant_is_called_by_its_name() -> None:
    assert describe("our_own_rule", "zh") == "our_own_rule"
