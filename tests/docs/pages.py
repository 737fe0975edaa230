"""Runs what a page of docs/ tells the reader to do, and compares what is printed with what the page shows.

    python -m tests.docs.pages docs/tutorial.md docs/faq.md [--write]

From the repository's root. One reader follows the pages one after the other. Prints where pages and commands
differ; with ``--write`` a page gets what the commands print today. Read the difference before you commit it.

A block ``python NAME``, ``csv NAME`` or ``yaml NAME`` writes a file, ``diff NAME`` changes one, ``console``
runs commands: lines that begin with ``$``, each followed by what it prints. There ``...`` is any text, and on
a line of its own any number of lines. A word after ``console`` names what the commands need
(``label_studio``); they run only where it is given. Errors are part of the output; lines of progress are not.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

WIDTH = 110
"""Columns of a page."""

BIN = Path(sys.executable).parent
_FENCE = re.compile(r"^```(\w+)(?: (.+))?$")


@dataclass(frozen=True)
class Step:
    """One thing that the page tells the reader to do.

    Args:
        line: Its line on the page, from 1.
        kind: Language of its block: console, diff, or that of a file.
        target: The file's name, or what the commands need.
        text: The command, or the block's text.
        shown: What the page shows as its output, for commands.
    """

    line: int
    kind: str
    target: str
    text: str
    shown: tuple[str, ...] = ()


def steps(page: str) -> Iterator[Step]:
    """The steps of a page, in order; blocks that only show something are none."""
    lines = page.splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        first = number
        while lines[number] != "```":
            number += 1
        block, (kind, target) = lines[first:number], fence.groups(default="")
        number += 1
        if kind == "console":
            yield from _commands(block, first + 1, target)
        elif target:
            yield Step(first + 1, kind, target, "\n".join(block) + "\n")


def _commands(block: list[str], line: int, needs: str) -> Iterator[Step]:
    starts = [index for index, text in enumerate(block) if text.startswith("$ ")]
    for index, end in zip(starts, [*starts[1:], len(block)], strict=True):
        command = re.sub(r"\s{2,}# .*$", "", block[index].removeprefix("$ "))
        yield Step(line + index, "console", needs, command, tuple(block[index + 1 : end]))


class Reader:
    """Somebody who follows a page.

    Args:
        folder: Where the reader begins; commands may change to another folder.
        given: What the reader has besides Tundish, such as a Label Studio.
        environment: More variables for the commands.
    """

    def __init__(
        self, folder: Path, given: Collection[str] = (), environment: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.given = given
        self.home = folder
        self.environment = os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "COLUMNS": "100",
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "reader",
            "GIT_AUTHOR_EMAIL": "reader@example.com",
            "GIT_COMMITTER_NAME": "reader",
            "GIT_COMMITTER_EMAIL": "reader@example.com",
            **(environment or {}),
        }

    def follow(self, step: Step) -> list[str] | None:
        """Do what the step says; what a command printed, or nothing where there was nothing to run."""
        if step.kind == "console":
            return self.command(step) if not step.target or step.target in self.given else None
        path = self.folder / step.target
        if step.kind == "diff":
            path.write_text(patched(path.read_text(encoding="utf-8"), step.text), encoding="utf-8")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        return None

    def command(self, step: Step) -> list[str]:
        """Run a command in a shell, remember where it went, and give the lines that it printed."""
        if (change := re.match(r"cd (\S+)$", step.text)) is not None:
            self.folder /= change[1]
            return []
        there = self.home / ".where"
        done = subprocess.run(
            ["bash", "-c", f"{step.text}\ncode=$?; pwd > '{there}'; exit $code"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        self.folder = Path(there.read_text(encoding="utf-8").strip())
        printed = done.stdout + (done.stderr if done.returncode else "")
        return [line.rstrip() for line in printed.replace(str(self.home), "~").strip("\n").splitlines()]


def patched(text: str, difference: str) -> str:
    """A text with the lines changed that a block ``diff`` changes."""
    lines = difference.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in " +")
    assert text.count(old) == 1, f"the page changes lines that are not in the file:\n{old}\n---\n{text}"
    return text.replace(old, new)


def fits(shown: Collection[str], printed: list[str]) -> bool:
    """Whether what the page shows is what was printed."""
    pattern = ""
    for line in shown:
        text = line.rstrip()
        pattern += (
            r"(?:.*\n)*?" if text.strip() == "..." else re.escape(text).replace(r"\.\.\.", r".*") + r"\n"
        )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def differences(page: Path, reader: Reader) -> Iterator[tuple[Step, list[str]]]:
    """Follow a page to its end; the commands that print something else than the page shows."""
    for step in steps(page.read_text(encoding="utf-8")):
        printed = reader.follow(step)
        if printed is not None and not fits(step.shown, printed):
            yield step, printed


def said(page: Path, step: Step, printed: list[str]) -> str:
    """One difference, for people."""
    text = "\n".join(["", f"{page.name}:{step.line}: $ {step.text}", "--- the page shows", *step.shown])
    return "\n".join([text, "+++ it prints", *printed])


def shortened(shown: Sequence[str], printed: Sequence[str]) -> list[str]:
    """What was printed as a page shows it: shortened where the page was, no line wider than a page."""
    lines: list[str] = []
    rest = list(printed)
    for line, after in zip(shown, [*shown[1:], ""][: len(shown)], strict=True):
        if line.strip() == "...":
            ends = [index for index, text in enumerate(rest) if after and fits([after], [text])]
            if ends or not after:
                lines.append(line)
                rest = rest[ends[0] :] if ends else []
        elif rest:
            lines.append(line if fits([line], rest[:1]) else _cut(rest[0]))
            rest = rest[1:]
    return [*lines, *map(_cut, rest)]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 10].rpartition(' ')[0]} ..."


def main(pages: Sequence[Path], *, write: bool) -> int:
    """Follow pages in a new folder; how many commands print something else."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder).resolve())
        for page in pages:
            found = dict(differences(page, reader))
            for step, printed in found.items():
                sys.stdout.write(f"{said(page, step, printed)}\n")
            if write:
                rewrite(page, found)
            count += len(found)
    return count


def rewrite(page: Path, found: Mapping[Step, Sequence[str]]) -> None:
    """Write what was found other into a page."""
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    for step in reversed(list(steps(text))):
        if step.kind == "console":
            shown = shortened(step.shown, found[step]) if step in found else map(_cut, step.shown)
            lines[step.line : step.line + len(step.shown)] = shown
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if name != "--write"]
    sys.exit(bool(main([Path(name) for name in names], write="--write" in sys.argv)))
