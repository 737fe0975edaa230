"""Words and phrases that may not come back, each with what to write in its place.

``python -m tests.test_words [PATH]...`` prints where they are.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

CHECKED = (
    *("src", "schemas", "pipelines", "docs", "tools"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "dvc.yaml", "params.yaml"),
)
"""The files and folders that are checked, those that exist."""

SUFFIXES = frozenset({".py", ".md", ".yaml", ".yml", ".toml", ".json", ".css", ".js", ".html", ""})


class Word(NamedTuple):
    """A pattern, what to write in its place, and where it is right as it is."""

    pattern: str
    instead: str
    except_in: str = r"(?!)"


_THERE = "".join(f"(?<!{word} )" for word in ("there", "There", "here", "Here"))

WORDS = (
    Word(r"\banew\b", "again"),
    Word(r"\btold and kept\b", "reported; kept with a warning"),
    Word(r"\b(is|are|was|were|be|been) told\b(?! to\b| apart\b)", "is reported, is printed"),
    Word(r"\bmend(s|ed|ing)?\b", "fix"),
    Word(r"\bturn them round\b", "swap --from and --to"),
    Word(
        _THERE + r"\b(is|are|was|were|be) no (?!\w+er\b|more\b|less\b|one\b)(?=\w)",
        "is not a ..., has no ..., unknown ...",
    ),
    Word(r"\bstands? for\b", "represents, means"),
    Word(r"\bstood\b", "was, were, extended"),
    Word(
        r"\bstands? (in|out of|here|there|at|nowhere|beside|behind|as|alone|where|before|once|twice)\b",
        "is in",
    ),
    Word(r"\b(leav(e|es|ing) (it|them|that|this) away|left away)\b", "omit"),
    # "taken out" is a key of the JSON that `label adjudicate` prints, and stays one.
    Word(r"(?<!\")\btaken out\b", "removed, quarantined, excluded"),
    Word(r"\btak(e|es|ing) (it|them|the row|the image) out\b", "removes, excludes"),
    Word(r"\bdealt\b", "assigned", r"^(src/tundish/stages/split/|src/tundish/storage/checks|docs/tables)"),
    Word(r"\bh(eld|olds?|olding) (\w+ )?against\b", "checked against, compared with"),
    Word(r"\b(speaks?|spoken) of\b", "mentions, names, is about"),
    Word(r"\brulings?\b", "adjudication"),
    Word(
        r"\blots?\b(?<!a lot)(?! sizes?\b)",
        "batch (lot only in ISO's lot size and of coal)",
        # lot.parquet is the name of a file and of its table: a contract. The standard's own word is quoted.
        r"coal|rules\.md|records\.md|domain/laboratory|acceptance/batch|acceptance/plans|acceptance\.md|tables\.md",
    ),
    Word(r"\bbetray(s|ed|ing)?\b", "shows, suggests, fails"),
    Word(r"\bwhose disk\b", "say which disk"),
    Word(r"\bgiv(e|es|en|ing) way to\b", "superseded by"),
    Word(r"\bnone of those that\b", "unknown"),
    Word(r"\banswers for (?!each\b|all\b|every\b)", "approves, is responsible for"),
    Word(r"\bit is (not )?said\b", "no ... is configured; where known"),
    Word(r"\bcame again\b", "was submitted again"),
    Word(r"\bnever was\b", "does not exist"),
    Word(r"\bheeded\b", "considered, used"),
    Word(r"\bshall\b", "must, will"),
    Word(r"\b(upon|thereof|therein|thereby|whereof|wherein|hereby|lest|nought)\b", "plain words"),
    # It is a key of the tasks on plants' servers.
    Word(r"(?<![\".])\bmade_of\b", "fingerprint"),
    Word(r"\bof one thing\b", "the noun: objects, images, entries"),
    Word(r"\bin front of (the )?annotators\b", "send to, show to the annotators"),
    Word(r"\bcut to it\b", "clipped to it"),
    Word(
        r"(?m)^ +\w+: (It|Them|They|Of [^\n.]*|Its [^\n. ]*)\.$", "a whole phrase after the argument's name"
    ),
)


class Hit(NamedTuple):
    """A place where a word came back: path, line from 1, the text, and what to write."""

    path: str
    line: int
    text: str
    instead: str


def files_of(path: Path) -> Iterator[Path]:
    """The text files of a path, sorted."""
    found = [path] if path.is_file() else sorted(path.rglob("*"))
    for file in found:
        if file.is_file() and file.suffix in SUFFIXES and "__pycache__" not in file.parts:
            yield file


def one_line(text: str) -> tuple[str, list[int]]:
    """A text with its lines joined by blanks, comment signs left out, and where each line begins in it."""
    parts = [line.strip().removeprefix("# ").removeprefix("#: ") for line in text.split("\n")]
    starts = [0]
    for part in parts[:-1]:
        starts.append(starts[-1] + len(part) + 1)
    return " ".join(parts), starts


def hits_in(file: Path) -> Iterator[Hit]:
    """What of the list is in a file."""
    name = file.resolve().relative_to(ROOT).as_posix() if file.resolve().is_relative_to(ROOT) else str(file)
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    joined, starts = one_line(text)
    for word in WORDS:
        if re.search(word.except_in, name):
            continue
        by_line = word.pattern.startswith("(?m)")
        for match in re.finditer(word.pattern, text if by_line else joined):
            at = text.count("\n", 0, match.start()) if by_line else bisect_right(starts, match.start()) - 1
            yield Hit(name, at + 1, lines[at].strip(), f"{match[0].strip()} -> {word.instead}")


EXISTING = [ROOT / part for part in CHECKED if (ROOT / part).exists()]
FILES = [file for part in EXISTING for file in files_of(part)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_words_of_the_list_do_not_come_back(file: Path) -> None:
    assert [f"line {hit.line}: {hit.instead}" for hit in hits_in(file)] == []


SAMPLES = (
    "a label is told and kept",
    "put the number in anew",
    "this is no Tundish project",
    "the file is\n    # no table",
    "mend the line",
    "the label stood 0.3 px out of its image",
    "they are held against the model",
    "    layout: Of the sheet.",
)


@pytest.mark.parametrize("text", SAMPLES)
def test_the_list_finds_a_word_that_came_back(text: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(text, encoding="utf-8")
    assert next(hit.line for hit in hits_in(file)) == 1


GOOD = ("there is no such file", "it is no longer there", "he told us a lot", "the lot_size of ISO 2859-1")


@pytest.mark.parametrize("text", GOOD)
def test_the_list_leaves_good_english_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(text, encoding="utf-8")
    assert list(hits_in(file)) == []


def main(paths: list[str]) -> None:
    """Print the hits of some paths, by default of all that is checked, and their number by folder."""
    counts: Counter[str] = Counter()
    for path in [Path(path) for path in paths] or EXISTING:
        for file in files_of(path):
            for hit in hits_in(file):
                print(f"{hit.path}:{hit.line}: {hit.instead} | {hit.text}")  # noqa: T201
                parts = hit.path.split("/")
                counts["/".join(parts[: 3 if parts[0] == "src" else 1])] += 1
    for folder, count in sorted(counts.items()):
        print(f"{count:5d} {folder}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
