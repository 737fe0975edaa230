"""One more entry in a YAML file that people write: the rest stays as it is."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tundish.errors import UsageError
from tundish.propose.yaml_edit import append, quoted

SOURCE = ["- path: raw/b", "  # by number", "  names: [x, y]"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=40))
@example("a, b")
@example("a]")
@example("on")
@example("2024")
@example("x: y")
@example("two\nlines")
@example("# not a comment")
def test_quoted__reads_back_as_a_value_a_key_and_an_item(text: str) -> None:
    word = quoted(text)
    assert "\n" not in word
    assert yaml.safe_load(f"value: {word}\n{word}: 1\nlist: [1, {word}]\n") == {
        "value": text,
        text: 1,
        "list": [1, text],
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("sources: []\nb: 1\n", "sources:\n  - N\nb: 1\n", id="empty brackets"),
        pytest.param(
            "sources: [] # none\nb: 1\n", "sources: # none\n  - N\nb: 1\n", id="comment on the line"
        ),
        pytest.param("sources:\nb: 1\n", "sources:\n  - N\nb: 1\n", id="nothing after the colon"),
        pytest.param("sources: ~\nb: 1\n", "sources:\n  - N\nb: 1\n", id="null"),
        pytest.param("sources: [a]\nb: 1\n", "sources: [a, N]\nb: 1\n", id="brackets"),
        pytest.param(
            "sources: [a, ] # c\n", "sources: [a, N, ] # c\n", id="brackets with a comma at the end"
        ),
        pytest.param("sources:\n- a\nb: 1\n", "sources:\n- a\n- N\nb: 1\n", id="a list without indentation"),
        pytest.param("sources:\n    - a", "sources:\n    - a\n    - N\n", id="no line break at the end"),
        pytest.param(
            "sources:\n  - a # c\n\n# of b\nb: 1\n",
            "sources:\n  - a # c\n  - N\n\n# of b\nb: 1\n",
            id="comments of the next section",
        ),
        pytest.param(
            "sources:\n  - a\n    # of a\n  # at the end\nb: 1\n",
            "sources:\n  - a\n    # of a\n  - N\n  # at the end\nb: 1\n",
            id="comments of the entry before",
        ),
        pytest.param(
            "sources:\r\n  - a\r\nb: 1\r\n",
            "sources:\r\n  - a\r\n  - N\r\nb: 1\r\n",
            id="Windows line breaks",
        ),
        pytest.param(
            "sources:\n  - |\n    text\n\nb: 1\n",
            "sources:\n  - |\n    text\n  - N\n\nb: 1\n",
            id="block text",
        ),
        pytest.param("\ufeffsources: [a]\n", "\ufeffsources: [a, N]\n", id="byte order mark"),
        pytest.param(
            "sources: &all\n    - a\nb: 1\n", "sources: &all\n    - a\n    - N\nb: 1\n", id="an anchor"
        ),
        pytest.param("b: 1\n", "b: 1\nsources:\n  - N\n", id="no such key"),
        pytest.param("# mine\n", "# mine\nsources:\n  - N\n", id="nothing but a comment"),
        pytest.param("", "sources:\n  - N\n", id="an empty file"),
    ],
)
def test_append__to_a_list_keeps_everything_else(before: str, after: str) -> None:
    assert append(before, ["sources"], ["- N"]) == after


def test_append__an_entry_of_several_lines_with_a_comment() -> None:
    after = append("sources:\n  - path: raw/a\nb: 1\n", ["sources"], SOURCE)
    assert after == ("sources:\n  - path: raw/a\n  - path: raw/b\n    # by number\n    names: [x, y]\nb: 1\n")


def test_append__into_brackets_the_entry_goes_on_one_line() -> None:
    after = append("sources: [{path: raw/a}]\n", ["sources"], SOURCE)
    assert after == "sources: [{path: raw/a}, {path: raw/b, names: [x, y]}]\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: {classes: {}}\n", "a: {classes: {scratch: []}}\n"),
        ("a: {classes: {x: []}, z: 1}\n", "a: {classes: {x: [], scratch: []}, z: 1}\n"),
        ("a: {}\n", "a:\n  classes:\n    scratch: []\n"),
        ("a: {s: 1}\n", "a: {s: 1, classes: {scratch: []}}\n"),
        (
            "a:\n  s: 1\n  classes:\n    x: [y]\n# b\nb: 1\n",
            "a:\n  s: 1\n  classes:\n    x: [y]\n    scratch: []\n# b\nb: 1\n",
        ),
        ("a:\n    classes:\n        x:\nb: 1\n", "a:\n    classes:\n        x:\n        scratch: []\nb: 1\n"),
    ],
)
def test_append__to_a_mapping_inside_another(before: str, after: str) -> None:
    assert append(before, ["a", "classes"], ["scratch: []"]) == after


@pytest.mark.parametrize(
    "text",
    [
        "x: &one [a]\nsources: *one\n",
        "sources: &all\n  - a\nb: *all\n",
        "sources: text\n",
        "sources: {a: 1}\n",
        "<<: {sources: [a]}\n",
    ],
)
def test_append__what_cannot_be_added_to_is_refused_with_the_words_to_add(text: str) -> None:
    with pytest.raises(UsageError, match=r"add this to 'sources' yourself: \{path: raw/b, names: \[x, y\]\}"):
        append(text, ["sources"], SOURCE, "line1.yaml")
