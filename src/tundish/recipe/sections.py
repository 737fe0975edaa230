"""The sections of a recipe as Pydantic models: the settings of each stage, and their limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from tundish.errors import RecipeError
from tundish.formats.registry import check_writer, writer_names
from tundish.imaging.operations import parse_operations
from tundish.recipe.classes import normalise, spellings
from tundish.recipe.given import SPLIT_NAMES
from tundish.recipe.installed import Installed
from tundish.recipe.reading import HowRead, LongTable
from tundish.recipe.section import Name, Section
from tundish.recipe.source import FurtherLabels, Source

__all__ = [
    "SPLIT_NAMES",
    "Annotations",
    "Augment",
    "Dedup",
    "Export",
    "ExportName",
    "FurtherLabels",
    "Images",
    "Link",
    "LongTable",
    "Name",
    "Nearest",
    "On",
    "Query",
    "Records",
    "Section",
    "Source",
    "Split",
]

ExportName = Annotated[str, Installed(check_writer, writer_names)]
"""A format that can be written."""

_Classes = tuple[str, ...] | dict[str, str | tuple[str, ...] | None]
"""As a recipe may write them; null omits a class."""


def _aliases(value: object) -> object:
    """Classes may be a list of names, or names with their aliases (one, several or none)."""
    if isinstance(value, list):
        return dict.fromkeys(value, ())
    if isinstance(value, dict):
        return {key: (names,) if isinstance(names, str) else names for key, names in value.items()}
    return value


class Images(Section):
    """What counts as a valid image."""

    schema_: str = Field(
        "schemas/images.py:Images",
        alias="schema",
        pattern=r"^[^:]+\.py:\w+$",
        description="Pandera model with the rules for images.",
    )
    max_pixels: int = Field(200_000_000, ge=1, description="Larger images are not decoded.")


class Annotations(Section):
    """What counts as a valid label, and the classes in the order of their numbers."""

    schema_: str = Field(
        "schemas/annotations.py:Annotations",
        alias="schema",
        pattern=r"^[^:]+\.py:\w+$",
        description="Pandera model with the rules for labels.",
    )
    classes: Annotated[
        dict[str, tuple[str, ...]], BeforeValidator(_aliases, json_schema_input_type=_Classes)
    ] = Field({}, description="Names with their aliases; the order is the numbering; null omits a class.")
    omit: tuple[str, ...] = Field(
        (), description="Classes whose labels are left out by decision, which is not a loss."
    )

    @model_validator(mode="before")
    @classmethod
    def _null_omits(cls, data: Any) -> Any:
        classes = data.get("classes") if isinstance(data, dict) else None
        if not isinstance(classes, dict) or None not in classes.values():
            return data
        omitted = [name for name, aliases in classes.items() if aliases is None]
        if len(omitted) == len(classes):
            raise ValueError("'classes' omits every class, as null does; write [] for one without aliases")
        kept = {name: aliases for name, aliases in classes.items() if aliases is not None}
        return {**data, "classes": kept, "omit": [*(data.get("omit") or ()), *omitted]}

    @model_validator(mode="after")
    def _no_name_twice(self) -> Annotations:
        owner: dict[str, str] = {}
        for name, aliases in (*self.classes.items(), *((name, ()) for name in self.omit)):
            for spelling in (name, *aliases):
                other = owner.setdefault(normalise(spelling), name)
                if other != name:
                    raise ValueError(f"'{spelling}' is a name of both '{other}' and '{name}'")
        return self

    def lookup(self) -> dict[str, str]:
        """The classes by normalised spelling."""
        return spellings(self.classes)


class Dedup(Section):
    """How copies are found and which one is kept."""

    level: Literal["auto", "fast", "thorough"] = Field(
        "auto",
        description="fast: copies of whole frames. thorough: also crops, shifts and overlaps. auto: thorough"
        " up to 30,000 pictures, above inside groups that can overlap.",
    )
    keep: Literal["first", "largest"] = Field(
        "first", description="Which copy to keep: the first by path, or the largest by pixels, then bytes."
    )
    conflicts: Literal["keep", "hold"] = Field(
        "keep",
        description="Copies with different labels: keep the representative, or hold back the whole cluster.",
    )


class Split(Section):
    """How images are assigned to train, val and test."""

    ratios: dict[Literal["train", "val", "test"], float] = Field(
        {"train": 0.8, "val": 0.1, "test": 0.1}, description="Shares of the images, adding up to 1."
    )
    group_by: tuple[str, ...] = Field((), description="Keys: images with equal values stay in one split.")
    salt: str = Field("1", description="Another salt assigns all groups again.")
    given: Literal["keep", "train", "ignore"] = Field(
        "ignore",
        description="What becomes of the split that images came with: keep it, keep train alone, ignore it.",
    )
    unlabelled: Literal["exclude", "include"] = Field(
        "exclude", description="Whether images without a label file come into the splits."
    )
    incomplete: Literal["exclude", "include"] = Field(
        "exclude",
        description="Whether images that lost a label, which may be a real object, come into the splits.",
    )

    @field_validator("ratios")
    @classmethod
    def _shares(cls, ratios: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= share <= 1 for share in ratios.values()) or abs(sum(ratios.values()) - 1) > 1e-6:
            raise ValueError("the shares must be between 0 and 1 and add up to 1")
        return {name: ratios[name] for name in SPLIT_NAMES if ratios.get(name)}

    @field_validator("salt", mode="before", json_schema_input_type=str | int)
    @classmethod
    def _salt_is_text(cls, salt: object) -> object:
        return str(salt) if isinstance(salt, int) else salt


class Augment(Section):
    """Derived training images."""

    copies: int = Field(0, ge=0, le=100, description="Derived images for each training image.")
    operations: tuple[dict[str, Any], ...] = Field((), description="Applied in this order.")
    seed: int = Field(0, description="Another seed makes other derived images.")

    @field_validator("operations")
    @classmethod
    def _known(cls, operations: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        try:
            parse_operations(operations)
        except RecipeError as error:
            raise ValueError(f"{error.what} ({error.where}); {error.fix}") from error
        return operations


class Export(Section):
    """What is written for trainers."""

    formats: tuple[ExportName, ...] = Field(("parquet", "coco"), description="Folders below exports/.")


Duration = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?(ms|s|min|h|d)$")]
Distance = Annotated[float, Field(ge=0)]


class Query(Section):
    """Records in a database. The connection string comes from the environment, never from the recipe."""

    connection: str = Field(
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Environment variable with the connection string.",
    )
    query: str = Field(
        min_length=1, description="The query, with an ORDER BY, so that equal data gives equal bytes."
    )
    since: str | None = Field(
        None,
        min_length=1,
        description="Column that grows (updated_at): a run reads only rows at or after its last value.",
    )
    overlap: Duration | None = Field(
        None,
        description="Read again so far before the last value of 'since' (1d): rows that come late are found.",
    )

    @model_validator(mode="after")
    def _overlap_of_since(self) -> Query:
        if self.overlap is not None and (self.since is None or self.overlap.startswith("-")):
            raise ValueError("'overlap' is a duration such as 1d, beside 'since'")
        return self


class Records(HowRead):
    """A table of process or laboratory records."""

    path: str | None = Field(
        None,
        min_length=1,
        description="File, folder or pattern (raw/lab/*.csv), relative to the dataset's folder.",
    )
    sql: Query | None = Field(None, description="A database instead of a file.")
    schema_: str = Field(
        alias="schema",
        pattern=r"^[^:]+\.py:\w+$",
        description="Pandera model with the rules for records.",
    )
    sheet: str | None = Field(None, description="Only this sheet of a workbook; all that fit by default.")
    names: tuple[str, ...] = Field((), description="The columns in order, where the file has no header.")
    columns: dict[str, str | None] = Field(
        {}, description="Headers as written in the file, with the column they mean; null omits one."
    )
    units: dict[str, str] = Field({}, description="Unit of a column, where its header names none.")
    calorie: float = Field(
        4.1868,
        description="J in a calorie: 4.1868 international table, 4.1816 at 20 degrees.",
    )
    key: tuple[str, ...] | None = Field(
        None, description="Columns that name a record; by default those of the schema."
    )
    references: dict[str, tuple[str, ...]] = Field(
        {}, description="Columns that refer to other tables: {slab_no: slabs.slab_no}."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Records:
        if (self.path is None) == (self.sql is None):
            raise ValueError("records come from a 'path' or from 'sql': give exactly one")
        return self

    @field_validator("references", mode="before", json_schema_input_type=dict[str, str | tuple[str, ...]])
    @classmethod
    def _one_or_several(cls, references: object) -> object:
        if not isinstance(references, dict):
            return references
        return {name: (target,) if isinstance(target, str) else target for name, target in references.items()}

    @field_validator("references")
    @classmethod
    def _table_and_column(cls, references: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for column, targets in references.items():
            for target in targets:
                if target.count(".") != 1 or "" in target.split("."):
                    raise ValueError(f"the reference of '{column}' is '{target}'; write it as table.column")
        return references


class On(Section):
    """A key with different names in the images and in the records."""

    image: str = Field(description="One of the sources' keys, or a column of the images table.")
    record: str = Field(description="A column of the records.")


class Nearest(Section):
    """The nearest record in time or along the strip."""

    image: str = Field("captured_at", description="Time or position of the image.")
    record: str = Field(description="Time or position of the record.")
    tolerance: Duration | Distance = Field(description="A duration such as 2min, or metres.")
    direction: Literal["nearest", "backward", "forward"] = Field(
        "nearest", description="backward: the last record at or before the image."
    )
    clock_offset: Duration | Literal["auto"] = Field(
        "0s",
        description="How far the clock of the images is ahead; auto estimates it from the data.",
    )


class Link(Section):
    """How images find their records in one table."""

    on: str | On | None = Field(None, description="Key that images and records share.")
    through: str | None = Field(None, description="Table of genealogy edges, to find an ancestor's record.")
    position: str | None = Field(
        None, description="Key of the image with the position in metres from the head."
    )
    side: str | None = Field(None, description="Key of the image with the side, top or bottom.")
    nearest: Nearest | None = Field(None, description="By time or position, instead of a key or after it.")
    carry: tuple[str, ...] = Field((), description="Columns of the record to add to exported images.")

    @model_validator(mode="after")
    def _some_way(self) -> Link:
        if self.on is None and self.nearest is None:
            raise ValueError("a link needs 'on' (a key) or 'nearest' (a time or position)")
        if self.through is not None and self.on is None:
            raise ValueError("'through' starts from a key; name it with 'on'")
        return self
