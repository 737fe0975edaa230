"""Which files of a format are its labels."""

from __future__ import annotations

import pytest
from tests.formats.sources import listing

from tundish.formats.base import Options
from tundish.formats.reading.roles import role_by_suffix, role_of_labels
from tundish.formats.registry import load_reader


def with_files(patterns: str) -> Options:
    return Options(extra={"files": patterns})


@pytest.mark.parametrize(
    ("patterns", "role"),
    [
        ("", "annotation"),
        (" ; ", "annotation"),
        ("b.json; a.json", "annotation"),
        ("*.json", "annotation"),
        ("A.json", "other"),
        ("b.json;", "other"),
    ],
)
def test_without_patterns_all_label_files_are_read_and_else_those_that_one_fits(
    patterns: str, role: str
) -> None:
    assert role_of_labels("a.json", with_files(patterns)) == role


@pytest.mark.parametrize("path", ["export [1].json", "batch[2]/a.json", "what?.json", "[!a].json"])
def test_a_file_is_named_by_its_own_path_whatever_signs_are_in_it(path: str) -> None:
    assert role_of_labels(path, with_files(f"other.json;{path}")) == "annotation"


def test_the_suffixes_of_labels_come_before_those_of_images() -> None:
    assert role_by_suffix("a/b.CSV", {".csv"}, Options()) == "annotation"
    assert role_by_suffix("a/b.CSV", {".csv"}, with_files("c.csv")) == "other"
    assert role_by_suffix("a/b.png", {".csv"}, with_files("c.csv")) == "image"
    assert role_by_suffix("a/b.txt", {".csv"}, Options()) == "other"


def test_what_add_proposes_for_a_file_with_brackets_in_its_name_reads_that_file() -> None:
    text = '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}'
    reader = load_reader("coco")
    found = reader.sniff(listing({"a.jpg": b"", "coco (1) [2].json": text, "other.json": "{}"}))
    assert found is not None
    assert reader.role("coco (1) [2].json", Options(extra=found.extra)) == "annotation"
    assert reader.role("other.json", Options(extra=found.extra)) == "other"
