"""The command line: parse, call, render. Everything that computes lies below, and is imported when needed."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._progress import VERBOSITY, answer, warn
from tundish.errors import TundishError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["main"]

_COMMANDS = {
    "init": "tundish.cli.project",
    "add": "tundish.cli.add",
    "sample": "tundish.cli.project",
    "schema": "tundish.cli.schema",
    "run": "tundish.cli.stages",
    "ingest": "tundish.cli.stages",
    "measure": "tundish.cli.stages",
    "records": "tundish.cli.stages",
    "validate": "tundish.cli.stages",
    "dedup": "tundish.cli.stages",
    "consensus": "tundish.cli.stages",
    "link": "tundish.cli.stages",
    "label": "tundish.cli.label.group",
    "split": "tundish.cli.stages",
    "augment": "tundish.cli.stages",
    "export": "tundish.cli.stages",
    "report": "tundish.cli.stages",
    "status": "tundish.cli.status",
    "query": "tundish.cli.query",
    "verify": "tundish.cli.verify",
    "completion": "tundish.cli.completion",
}

_OUTSIDE = {errno.ENOSPC: "free some space and run again", errno.EDQUOT: "free some space and run again"}
_WRONG_USE = {
    errno.EACCES: "grant access, or choose another folder",
    errno.EPERM: "grant access, or choose another folder",
    errno.EROFS: "choose a folder that can be written",
    errno.ENOTDIR: "choose another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
}


class _Main(click.Group):
    """A group that imports a command when it is called, and turns every error into one sentence."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        module = _COMMANDS.get(name)
        if module is None:
            return None
        commands: dict[str, click.Command] = importlib.import_module(module).COMMANDS
        _equip(commands[name])
        return commands[name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the nearest name for one that is misspelt."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, _COMMANDS, n=1)
            fix = f"did you mean '{close[0]}'?" if close else f"choose one of {', '.join(_COMMANDS)}"
            raise UsageError(f"unknown command '{name}'", fix=fix)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; an error is one sentence on stderr and an exit code, never a traceback."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except TundishError as problem:
            sys.exit(_complain(str(problem), problem.exit_code))
        except click.exceptions.NoArgsIsHelpError as problem:
            answer(problem.format_message())
            sys.exit(2)
        except click.MissingParameter as problem:
            sys.exit(_complain(*_missing(problem)))
        except click.UsageError as problem:
            command = problem.ctx.command_path if problem.ctx else "tundish"
            message = f"{problem.format_message().rstrip('.')}; see '{command} --help'."
            sys.exit(_complain(message, 2))
        except click.Abort:
            sys.exit(_complain("interrupted; run the command again to go on.", 130))
        except OSError as problem:
            sys.exit(_complain(*_os_error(problem)))
        sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str, code: int) -> int:
    # Click lists the values of a choice on lines of their own.
    warn(f"Error: {' '.join(message.split())}")
    return code


def _os_error(problem: OSError) -> tuple[str, int]:
    where = f"{problem.filename}: " if problem.filename else ""
    what = (problem.strerror or str(problem)).lower()
    if problem.errno in _WRONG_USE:
        return f"{where}{what}; {_WRONG_USE[problem.errno]}.", 2
    fix = _OUTSIDE.get(problem.errno or 0, "check the disk and run again")
    return f"{where}{what}; {fix}.", 3


def _missing(problem: click.MissingParameter) -> tuple[str, int]:
    """What to write for a parameter that is missing; which datasets there are where it is one's name."""
    command = problem.ctx.command_path if problem.ctx else "tundish"
    parameter = problem.param
    if parameter is None or parameter.name not in ("name", "names"):
        return f"{problem.format_message().rstrip('.')}; see '{command} --help'.", 2
    from tundish.cli._common import find_project
    from tundish.storage.dataset import dataset_names

    try:
        existing = ", ".join(dataset_names(find_project()))
    except UsageError as none:
        return str(none), none.exit_code
    fix = f"there are: {existing}" if existing else "add one with 'tundish add'"
    return f"the name of a dataset is missing after '{command}'; {fix}.", 2


def _set_verbosity(context: click.Context, parameter: click.Parameter, chosen: bool) -> None:
    if chosen:
        context.meta[VERBOSITY] = -1 if parameter.name == "quiet" else 1


def _verbosity_options() -> Iterator[click.Option]:
    for name, about in (
        ("quiet", "Print errors only, and what --json asks for."),
        ("verbose", "Print more: progress more often, and reasons explained where there is little room."),
    ):
        yield click.Option(
            [f"-{name[0]}", f"--{name}"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_set_verbosity,
            help=about,
        )


def _equip(command: click.Command) -> None:
    """Give a command, and those of a group, what all have: -q and -v, and names of datasets in the shell."""
    from tundish.cli._common import DatasetName

    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _equip(inner)
        return
    taken = {option for parameter in command.params for option in parameter.opts}
    command.params += [option for option in _verbosity_options() if not taken.intersection(option.opts)]
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.name in ("name", "names"):
            parameter.type = DatasetName()


@click.group(
    cls=_Main,
    params=list(_verbosity_options()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(None, "-V", "--version", package_name="tundish")
@click.pass_context
def main(context: click.Context) -> None:
    """Turn inspection images, tables and labels into datasets one can train on and defend in an audit.

    \b
    A first run, with sample data:
      tundish init plant && cd plant && tundish sample && dvc repro
    Your own data:
      tundish add line1 ~/photos/line1 && tundish run line1
    """
    if os.environ.get("NO_COLOR"):
        context.color = False
