"""Every command has its twin in Python, and every option its keyword argument."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click
import pytest

import tundish
from tundish.cli import main
from tundish.stages import ABOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHOUT_TWIN = {"completion": "is about the shell alone"}

PRINTING = {"as_json", "quiet", "verbose", "help", "version"}
"""Options that only concern what is printed."""

OTHERWISE = {
    ("run", "--all"): "name",  # tundish.run(tundish.datasets())
    ("run", "--from"): "first",  # a word of Python's
    ("run", "--to"): "last",
}
"""Options whose keyword is another word."""

ONLY_IN_PYTHON = {"project", "progress"}
"""The command line finds the project by itself, and shows the progress."""


def commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = {" ".join(path): command for path, command in commands(main) if path[0] not in WITHOUT_TWIN}


def twin(name: str) -> Callable[..., object]:
    """The function of a command: `label push` is label_push, a stage is run_stage."""
    stage = name in ABOUT and name not in ("dedup", "export")
    words = "run_stage" if stage else name.replace(" ", "_").replace("-", "_")
    function: Callable[..., object] | None = getattr(tundish, words, None)
    assert function is not None, f"tundish.{words} is missing"
    return function


def keyword(name: str, option: click.Option) -> str:
    """The keyword argument of an option: its long name, unless another word is said above."""
    long = next(word for word in option.opts if word.startswith("--"))
    return OTHERWISE.get((name, long), long.removeprefix("--").replace("-", "_"))


def options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option) and one.name not in PRINTING]


every_command = pytest.mark.parametrize("name", COMMANDS)


@every_command
def test_a_command_has_a_function_that_is_public_and_documented(name: str) -> None:
    function = twin(name)
    assert function.__name__ in tundish.__all__
    about = inspect.getdoc(function) or ""
    assert "Args:" in about
    assert "``tundish" in about, "name the command in the docstring"


@every_command
def test_an_option_has_a_keyword_argument(name: str) -> None:
    known = inspect.signature(twin(name)).parameters
    wanted = {keyword(name, option) for option in options(COMMANDS[name])}
    assert wanted <= set(known), f"missing: {', '.join(sorted(wanted - set(known)))}"


@every_command
def test_a_keyword_argument_has_an_option(name: str) -> None:
    offered = {keyword(name, option) for option in options(COMMANDS[name])} | ONLY_IN_PYTHON
    parameters = inspect.signature(twin(name)).parameters.values()
    more = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY} - offered
    assert not more, f"{name} has no option for {', '.join(sorted(more))}"


@every_command
def test_arguments_come_first_and_options_by_keyword(name: str) -> None:
    parameters = inspect.signature(twin(name)).parameters.values()
    first = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    arguments = [one for one in COMMANDS[name].params if isinstance(one, click.Argument)]
    stage = 1 if name in ABOUT and name not in ("dedup", "export") else 0  # its name is an argument in Python
    assert len(first) == len(arguments) + stage
    for option in options(COMMANDS[name]):
        if (name, option.opts[0]) != ("run", "--all"):
            assert inspect.signature(twin(name)).parameters[keyword(name, option)].kind.name == "KEYWORD_ONLY"


@every_command
def test_a_choice_that_is_optional_is_so_in_python(name: str) -> None:
    """What the command line does without an option, the function does without its argument."""
    parameters = inspect.signature(twin(name)).parameters
    for option in options(COMMANDS[name]):
        if not option.required:
            word = keyword(name, option)
            assert word == "name" or parameters[word].default is not inspect.Parameter.empty


def test_commands_without_a_twin_exist() -> None:
    assert set(WITHOUT_TWIN) <= set(main.list_commands(click.Context(main)))
