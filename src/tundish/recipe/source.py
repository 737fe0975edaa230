"""The section of a recipe that says where images and labels come from."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from tundish.errors import UsageError
from tundish.formats.registry import check_options, check_reader, reader_names
from tundish.recipe.given import Given
from tundish.recipe.installed import Installed
from tundish.recipe.section import Name, Section
from tundish.recipe.targets import Target  # noqa: TC001  (Pydantic reads the annotations)
from tundish.storage.tables import DISPUTES, LINKS, RECORD_FILES, TABLES, TARGETS

__all__ = ["FurtherLabels", "Source"]

FormatName = Annotated[str, Installed(check_reader, reader_names)]
"""A format that can be read."""

_OF_IMAGES = [table for table in TABLES if table not in (DISPUTES, LINKS, RECORD_FILES, TARGETS)]
_TAKEN = frozenset(name for table in _OF_IMAGES for name in table.schema.names) | {"image", "objects"}


def _known_options(options: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """The options, where the format knows all of them."""
    if "format" in info.data:  # otherwise the format is what is refused
        try:
            check_options(info.data["format"], options)
        except UsageError as error:
            raise ValueError(f"{error.what}; {error.fix}") from error
    return options


FormatOptions = Annotated[dict[str, str], AfterValidator(_known_options)]
"""Options of the format that is named beside them."""


class FurtherLabels(Section):
    """Labels of one more format among the files of a source."""

    format: FormatName = Field(description="Format of the labels.")
    names: tuple[str, ...] = Field((), description="Class names by number, where the labels are numbers.")
    options: FormatOptions = Field({}, description="Options of the format.")


class Source(Section):
    """Where images and labels come from: a folder, a zip, a tar, or a Parquet file with pictures."""

    path: str = Field(min_length=1, description="Folder or archive, relative to the folder of the dataset.")
    format: FormatName = Field(description="Format of the labels.")
    name: Name | None = Field(
        None, description="Short name in the tables; by default the last part of the path."
    )
    names: tuple[str, ...] = Field((), description="Class names by number, where the labels are numbers.")
    keys: dict[Name, str] = Field(
        {}, description="Regular expressions with a named group, for the name of the file."
    )
    options: FormatOptions = Field({}, description="Options of the format.")
    also: tuple[FurtherLabels, ...] = Field(
        (), description="Labels of further formats in the same files; of equal labels one is kept."
    )
    given: Given = Given()
    targets: dict[Name, Target] = Field(
        {}, description="Numbers for whole images, which a model is to predict."
    )
    pages: Literal["first", "each"] = Field(
        "first",
        description="Of a file of several pages or frames: take the first only, or each as an image.",
    )

    @field_validator("targets")
    @classmethod
    def _free_names(cls, targets: dict[str, Target]) -> dict[str, Target]:
        for name in targets:
            if name in _TAKEN:
                raise ValueError(f"'{name}' is already a column of the tables; choose another name")
        return targets

    @field_validator("keys")
    @classmethod
    def _one_named_group(cls, keys: dict[str, str]) -> dict[str, str]:
        for key, pattern in keys.items():
            if key in _TAKEN:
                raise ValueError(
                    f"'{key}' is already a column of the tables; choose another name for the key"
                )
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(f"the pattern of '{key}' is not a regular expression: {error}") from error
            if key not in groups:
                raise ValueError(f"the pattern of '{key}' has no group (?P<{key}>...)")
        return keys

    def key(self, name: str, path: str) -> str | None:
        """The value of a key from the name of a file, or from its path where the pattern contains folders."""
        pattern = self.keys.get(name)
        if pattern is None:
            return None
        match = re.search(pattern, path if "/" in pattern else path.rpartition("/")[2])
        return match.group(name) if match else None

    @property
    def label(self) -> str:
        """The name of the source in the tables."""
        return self.name or re.sub(r"[^\w.-]+", "-", self.path.rstrip("/").rsplit("/", 1)[-1]) or "source"
