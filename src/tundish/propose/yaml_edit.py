"""Adds one entry to a YAML file that people write: every other character stays, comments included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["append", "flow", "quoted"]

_WIDE = 1_000_000
"""Columns a line may have: PyYAML folds longer ones."""


def quoted(text: str) -> str:
    """Text as YAML writes it on one line, as a value, a key or an item between brackets."""
    if "".join(text.splitlines()) != text:
        dumped = str(yaml.safe_dump(text, allow_unicode=True, default_style='"', width=_WIDE))
        return dumped.rstrip("\n")
    return flow([text])[1:-1]


def flow(value: Any) -> str:
    """A list or a mapping as YAML writes it on one line."""
    dumped = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=_WIDE, sort_keys=False)
    return str(dumped).rstrip("\n")


def append(text: str, path: Sequence[str], lines: Sequence[str], where: str = "") -> str:
    """The text with one more entry at the end of a list or mapping.

    Args:
        text: A YAML file whose top is a mapping.
        path: Keys that lead to the list or mapping; those that are missing are added.
        lines: The entry as YAML in block style, from column 0 on: ``- path: raw`` for a list, ``key: value``
            for a mapping. It may have comments; they are lost where the file writes the list in brackets.
        where: The file, for the error.

    Raises:
        UsageError: The file is written in a way that cannot be added to, by an alias for example.
    """
    entry = yaml.safe_load("\n".join(lines))
    try:
        after = _appended(text, list(path), list(lines))
        right = yaml.safe_load(after) == _expected(yaml.safe_load(text), path, entry)
    except (yaml.YAMLError, AttributeError, IndexError, KeyError, TypeError):
        right = False
    if not right:
        place = ".".join(path)
        raise UsageError(
            f"'{place}' is written in a way that cannot be added to",
            where=where,
            fix=f"add this to '{place}' yourself: {flow(entry)[1:-1]}",
        )
    return after


def _expected(data: Any, path: Sequence[str], entry: Any) -> Any:
    """What the file must say afterwards."""
    if path:
        data = data or {}
        return data | {path[0]: _expected(data.get(path[0]), path[1:], entry)}
    return [*(data or []), *entry] if isinstance(entry, list) else {**(data or {}), **entry}


def _appended(text: str, path: Sequence[str], lines: Sequence[str]) -> str:
    node, column, bracketed = yaml.compose(text, Loader=yaml.SafeLoader), -2, False
    for place, name in enumerate(path):
        found = [pair for pair in node.value if pair[0].value == name] if node is not None else []
        if not found:
            for key in reversed(path[place:]):
                lines = [f"{key}:", *_indented(lines, 2)]
            break
        bracketed |= _in_brackets(node)
        column, node = found[0][0].start_mark.column, found[0][1]
    if node is None:  # nothing but comments
        return _after(text, len(text), lines)
    one_line = flow(yaml.safe_load("\n".join(lines)))
    if isinstance(node, yaml.CollectionNode) and node.value:
        if not _in_brackets(node):
            column = _column(text, node)
            return _after(text, _end_of_block(text, node, column), _indented(lines, column))
        last = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
        at = last.end_mark.index
        return f"{text[:at]}, {one_line[1:-1]}{text[at:]}"
    start, end = node.start_mark.index, node.end_mark.index
    if bracketed:
        return text[:start] + one_line + text[end:]
    head = text[:start].rstrip(" ")
    return _after(head + text[end:], len(head), _indented(lines, column + 2))


def _in_brackets(node: yaml.Node | None) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _indented(lines: Sequence[str], column: int) -> list[str]:
    return [" " * column + line for line in lines]


def _after(text: str, index: int, lines: Sequence[str]) -> str:
    """The text with lines below the line that the character with this index is on."""
    newline = "\r\n" if "\r\n" in text else "\n"
    at = text.find("\n", max(index - 1, 0)) + 1
    block = "".join(line + newline for line in lines)
    if not at:
        return text + (newline if text else "") + block
    return text[:at] + block + text[at:]


def _column(text: str, node: yaml.CollectionNode) -> int:
    """Where the entries of a block begin on their lines: PyYAML's own mark may be that of an anchor."""
    first = node.value[0]
    if isinstance(first, tuple):
        return int(first[0].start_mark.column)
    dash = text.rindex("-", 0, first.start_mark.index)
    return dash - text.rfind("\n", 0, dash) - 1


def _end_of_block(text: str, node: yaml.Node, column: int) -> int:
    """Index after the last character of a block, with the comments below it that are indented deeper."""
    end = _end(text, node)
    while (at := text.find("\n", max(end - 1, 0)) + 1) and at < len(text):
        line = text[at:].partition("\n")[0]
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
            break
        end = at + len(line)
    return end


def _end(text: str, node: yaml.Node) -> int:
    """Index after the last character of a value: PyYAML's own mark of a block lies behind what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    return len(text[: node.end_mark.index].rstrip())
