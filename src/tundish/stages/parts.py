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
    return tuple(
        Part(one.format, load_reader(one.format), Options(names=one.names, extra=one.options))
        for one in (source, *source.also)
    )
