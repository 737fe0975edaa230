"""The readers that a source of the recipe names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.formats.base import Options
from tundish.formats.registry import load_reader
from tundish.formats.several.parts import Part

if TYPE_CHECKING:
    from tundish.recipe.sections import Source

__all__ = ["parts_of_source"]


def parts_of_source(source: Source) -> tuple[Part, ...]:
    """The formats of a source, the first as the recipe names it, with their readers and options."""
    named = [(source.format, source.names, source.options)]
    named += [(one.format, one.names, one.options) for one in source.also]
    return tuple(
        Part(name, load_reader(name), Options(names=names, extra=options)) for name, names, options in named
    )
