"""What lets editors check and complete recipes: the JSON Schema in a project, and the line that names it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from tundish.recipe.load import json_schema
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SCHEMA_FILE", "SCHEMA_LINE", "with_schema_line", "write_schema"]

SCHEMA_FILE = ".tundish/recipe.schema.json"
"""In a project. Not in schemas/, which DVC watches: an upgrade of Tundish would run every stage again."""

SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA_FILE}\n"
"""The first line of a recipe; editors take the path relative to the recipe itself."""


def write_schema(project: Path) -> None:
    """Write the recipe's JSON Schema of this version of Tundish into a project, where it is not there yet."""
    path = project / SCHEMA_FILE
    data = orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2) + b"\n"
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


def with_schema_line(text: str) -> str:
    """A recipe's text that begins with `SCHEMA_LINE`, whatever schema it named before."""
    return SCHEMA_LINE + re.sub(r"\A# yaml-language-server:.*\n", "", text)
