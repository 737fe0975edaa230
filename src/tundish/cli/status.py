"""``tundish status``: a table a dataset, and a line for each reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import (
    echo,
    find_project,
    json_option,
    no_dataset,
    show_json,
    verbosity,
)
from tundish.cli._text import cells, columns, pad, terminal_width, wrap
from tundish.cli._words import explain, say
from tundish.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.audit.ledger import Tally
    from tundish.audit.status import Status

__all__ = ["COMMANDS"]

_LEAST_ROOM = 36
"""Columns that a sentence needs beside its code; where there are fewer, only the code is printed."""

_SPLITS = ("train", "val", "test", "")


@click.command("status")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--by", type=click.Choice(["class"]), help="Count the labels of each class in each split, too.")
@json_option
def status(names: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Show what came in, what was removed and why, and where the results are.

    All datasets of the project by default. Exit code 1 says that the ledger does not close: something was
    lost, or counted twice. TUNDISH_LANG=zh prints it in Chinese.

    \b
    Example:
      tundish status
      tundish status steel-surface --by class
      tundish status steel-surface --json
    """
    from tundish.api.pipeline import status

    project = find_project()
    found = status(names or None, by="class" if by else None, project=project)
    if not found:
        raise no_dataset(project)
    if as_json:
        show_json({one.dataset: one.as_dict() for one in found}, indent=True)
    else:
        echo("\n\n".join("\n".join(_Page(one, terminal_width()).lines()) for one in found))
    broken = [one for one in found if not one.closes]
    if broken:
        raise GateError(
            f"the ledger does not close for {', '.join(map(_why, broken))}",
            fix="run 'dvc repro', and report it if it stays so",
        )


def _why(status: Status) -> str:
    return f"{status.dataset} ({'; '.join(status.contradictions) or 'counts'})"


class _Page:
    """The status of one dataset in lines.

    Args:
        status: The status.
        width: Columns of the terminal; None where nothing is wrapped.
    """

    def __init__(self, status: Status, width: int | None) -> None:
        self._status = status
        self._width = width
        tallies = (status.files, *status.targets.values(), *status.records.values())
        counts = [tally.input for tally in tallies]
        self._digits = max(3, *(len(f"{count:,}") for count in counts))

    def lines(self) -> Iterator[str]:
        """The lines, coloured; what comes to nothing has none."""
        status = self._status
        yield click.style(status.dataset, bold=True)
        if not status.files.input and not status.records:
            yield from self._text(say("nothing yet", name=status.dataset))
            return
        yield from self._tallies()
        for what in status.contradictions:
            yield from self._text(say("contradiction", what=what), fg="red")
        if not status.closes and not status.contradictions:
            yield from self._text(say("does not add up"), fg="red")
        yield from self._reasons(say("files"), status.files)
        if status.labels is not None:
            yield from self._reasons(say("labels"), status.labels)
        for name, tally in status.targets.items():
            yield from self._reasons(name, tally)
        yield from self._list(say("warnings"), status.warnings)
        for table, tally in status.records.items():
            yield from self._reasons(table, tally)
            yield from self._list(say("of warnings", what=table), status.record_warnings.get(table))
            yield from self._columns(table)
            yield from self._links(table)
        yield from self._dataset()

    def _dataset(self) -> Iterator[str]:
        """What became of the images as a whole."""
        status = self._status
        yield from self._list(say("coverage"), status.coverage)
        yield from self._list(say("copies"), status.copies)
        yield from self._list(say("label conflicts"), status.label_conflicts)
        yield from self._list(say("overlaps"), status.overlaps)
        for splits_of, pictures in status.leaks.items():
            yield from self._text(say("leak", splits=splits_of, pictures=pictures), fg="yellow")
        splits = status.splits or {}
        shown = [f"{name} {splits[name]:,}" for name in _SPLITS if name in splits]
        if shown:
            yield from self._text(say("list", what=say("splits"), list=", ".join(shown)))
        yield from self._list(say("images left out"), status.left_out)
        if status.splits_older:
            yield from self._text(say("splits older", name=status.dataset), fg="red")
        if status.classes is not None:
            yield from self._classes(status.classes)
        if status.source_gone is not None:
            gone = status.source_gone
            kinds = ", ".join(say(f"gone {kind}", count=count) for kind, count in gone.counts.items())
            yield from self._text(say("source gone", what=kinds, list=", ".join(gone.examples)))
            yield from self._text("  " + say("source gone advice"))
        if status.results:
            folder = f"datasets/{status.dataset}"
            yield from self._text(
                say("list", what=say("results", folder=folder), list=", ".join(status.results))
            )
        for state in ("incomplete", "older than the tables"):
            stale = [f"exports/{name}" for name, found in status.exports.items() if found == state]
            if stale:
                words = {"list": ", ".join(stale), "name": status.dataset}
                yield from self._text(say(f"export {state}", **words), fg="red")

    def _tallies(self) -> Iterator[str]:
        """The table of what came in and what became of it; as sentences where it does not fit."""
        status = self._status
        tallies = {say("files"): status.files} | (
            {} if status.labels is None else {say("labels"): status.labels}
        )
        tallies |= status.targets | status.records
        heads = ["", *(say(name) for name in ("input", "accepted", "quarantined", "skipped"))]
        sums = {name: _sums(tally) for name, tally in tallies.items()}
        rows = [[name, *(f"{count:,}" for count in one.values())] for name, one in sums.items()]
        table = columns(heads, rows)
        if self._fits(table, 2):
            yield from (f"  {line}".rstrip() for line in table)
            return
        for name, one in sums.items():
            yield from self._text(say("tally", what=name, **one))

    def _reasons(self, what: str, tally: Tally) -> Iterator[str]:
        yield from self._list(say("of quarantined", what=what), tally.quarantined)
        yield from self._list(say("of skipped", what=what), tally.skipped)

    def _columns(self, table: str) -> Iterator[str]:
        columns = self._status.columns.get(table)
        if columns:
            named, typed, text = columns["by name"], columns["typed"], columns["text"]
            yield from self._text(say("columns", what=table, named=named, typed=typed, text=text))

    def _links(self, table: str) -> Iterator[str]:
        links = dict(self._status.links.get(table, {}))
        if links:
            linked, ambiguous = links.pop("linked"), links.pop("ambiguous")
            key = "ambiguous" if ambiguous else "links"
            yield from self._text(say(key, what=table, linked=linked, ambiguous=ambiguous))
            yield from self._list(say("unlinked", what=table), links)

    def _classes(self, classes: dict[str, dict[str, int]]) -> Iterator[str]:
        """Labels of each class in each split, and of images without one; sentences where that is too wide."""
        yield f"  {say('classes')}"
        splits = [name for name in _SPLITS if any(name in counts for counts in classes.values())]
        heads = ["", *(name or say("left out") for name in splits)]
        rows = [[name, *(f"{one.get(split, 0):,}" for split in splits)] for name, one in classes.items()]
        table = columns(heads, rows)
        if self._fits(table, 4):
            yield from (f"    {line}".rstrip() for line in table)
            return
        for name, *counts in rows:
            shown = ", ".join(f"{head} {count}" for head, count in zip(heads[1:], counts, strict=True))
            yield from self._text("  " + say("list", what=name, list=shown))

    def _fits(self, table: list[str], indent: int) -> bool:
        return self._width is None or cells(table[0]) + indent <= self._width

    def _list(self, head: str, counts: dict[str, int] | None) -> Iterator[str]:
        """A heading and a line for each reason: its count, its code, what it means where there is room."""
        if not counts:
            return
        yield f"  {head}"
        longest = max(map(cells, counts))
        for code, count in counts.items():
            start = f"  {count:>{self._digits + 2},}  "
            yield from self._reason(start, code, longest)

    def _reason(self, start: str, code: str, longest: int) -> Iterator[str]:
        """The line of one reason; its sentence has lines of its own where --verbose asks for it."""
        meaning = explain(code, self._status.sentences)
        head = f"{start}{pad(code, longest)}  "
        beside = self._width is None or self._width - cells(head) >= _LEAST_ROOM
        indent = cells(head if beside else start)
        lines = [line[indent:] for line in wrap(" " * indent + meaning, self._width, indent)]
        shown = [click.style(line, dim=True) for line in lines] if meaning else []
        if shown and beside:
            yield head + shown.pop(0)
        else:
            yield start + code
        if beside or verbosity() > 0:
            yield from (" " * indent + line for line in shown)

    def _text(self, text: str, **style: Any) -> Iterator[str]:
        """A sentence with a hanging indent."""
        for line in wrap(f"  {text}", self._width, 4 + len(text) - len(text.lstrip())):
            yield click.style(line, **style) if style else line


def _sums(tally: Tally) -> dict[str, int]:
    return {
        "input": tally.input,
        "accepted": tally.accepted,
        "quarantined": sum(tally.quarantined.values()),
        "skipped": sum(tally.skipped.values()),
    }


COMMANDS = {"status": status}
