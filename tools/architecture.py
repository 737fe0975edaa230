"""The parts of the page about the architecture that the code knows: floors, folders, stages."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from tests.test_layout import FLOORS, PACKAGE
from tools.between import between

from tundish.stages import ABOUT, load_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["architecture"]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
WIDTH = 76


def architecture() -> str:
    """The page, its parts between marks written again."""
    text = PAGE.read_text(encoding="utf-8")
    for name, make in PARTS.items():
        text = between(text, name, "\n".join(make()))
    return text


def floors() -> Iterator[str]:
    """The floors, the ground at the bottom."""
    yield "```text"
    yield f"┌{'─' * WIDTH}┐"
    for number, floor in enumerate(reversed(FLOORS)):
        if number:
            yield f"├{'─' * WIDTH}┤"
        yield f"│{'   '.join(floor).center(WIDTH)}│"
    yield f"└{'─' * WIDTH}┘"
    yield "```"


def folders() -> Iterator[str]:
    """Every folder and the modules beside them, with the first line of its docstring."""
    yield "```text"
    yield "src/tundish/"
    yield from _inside(PACKAGE, 1)
    yield "```"


def _inside(folder: Path, depth: int) -> Iterator[str]:
    inner = sorted(path.parent for path in folder.glob("*/__init__.py"))
    for one in inner:
        yield from _entry(f"{one.name}/", one / "__init__.py", depth)
        yield from _inside(one, depth + 1)
    if depth == 1:
        for module in sorted(folder.glob("[a-z]*.py")):
            yield from _entry(module.name, module, depth)


def _entry(name: str, module: Path, depth: int) -> list[str]:
    about = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    head = f"{'    ' * depth + name:<24}"
    return textwrap.wrap(head + about.splitlines()[0], 108, subsequent_indent=" " * 24)


def stages() -> Iterator[str]:
    """What each stage reads and writes, below the dataset's folder."""
    yield "| stage | does | reads | writes |"
    yield "| --- | --- | --- | --- |"
    for name, about in ABOUT.items():
        stage = load_stage(name)
        cells = (f"`{name}`", about.rstrip("."), _short(stage.reads) or "sources", _short(stage.writes))
        yield f"| {' | '.join(cells)} |"


def _short(paths: tuple[str, ...]) -> str:
    return ", ".join(path.removeprefix("curated/").removesuffix(".parquet") for path in paths)


PARTS: dict[str, Callable[[], Iterator[str]]] = {"floors": floors, "folders": folders, "stages": stages}
