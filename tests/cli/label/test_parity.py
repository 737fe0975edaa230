"""The commands of ``tundish label`` and the functions of Python offer the same."""

from __future__ import annotations

import inspect

import click
import pytest

import tundish
from tundish.cli.label.group import COMMANDS
from tundish.labeling.selection.choose import STRATEGIES

GROUP = COMMANDS["label"]
assert isinstance(GROUP, click.Group)


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_every_option_is_an_argument_of_the_same_name(name: str) -> None:
    command = GROUP.commands[name]
    function = getattr(tundish, f"label_{name}")
    options = {str(one.name) for one in command.params} - {"as_json", "quiet", "verbose"}
    arguments = inspect.signature(function).parameters
    assert set(arguments) - {"project", "progress"} == options
    defaults = {one.name: one.default for one in command.params if one.name in ("seed", "severity")}
    assert {key: arguments[key].default for key in defaults} == defaults
    kinds = {one.kind for key, one in arguments.items() if key != "name"}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}


def test_every_result_is_exported_and_shown_in_notebooks() -> None:
    for name in GROUP.commands:
        returns = inspect.signature(getattr(tundish, f"label_{name}")).return_annotation
        assert returns in tundish.__all__
        assert hasattr(getattr(tundish, returns), "_repr_html_")


def test_the_command_line_knows_the_strategies() -> None:
    (select,) = (one for one in GROUP.commands["push"].params if one.name == "select")
    assert isinstance(select.type, click.Choice)
    assert tuple(select.type.choices) == STRATEGIES
