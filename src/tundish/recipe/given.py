"""Which files and folders of a source state the split that its images came with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tundish.recipe.section import Section

__all__ = ["SPLIT_NAMES", "Given", "SplitName"]

SplitName = Literal["train", "val", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = ("train", "val", "test")


class Given(Section):
    """What states the split that images came with; `split.given` says what becomes of it."""

    folders: bool = Field(True, description="Whether folders such as train/, valid/ and test2017/ state it.")
    lists: dict[str, SplitName] = Field(
        {}, description="Files that list images, relative to the source, with their split."
    )
    tables: dict[str, str] = Field(
        {}, description="CSV or JSON Lines files, relative to the source, with their column of splits."
    )

    @property
    def files(self) -> frozenset[str]:
        """The files that the store must hold for it."""
        return frozenset(self.lists) | frozenset(self.tables)
