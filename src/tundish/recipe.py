"""The recipe: what to do with a dataset, in one short YAML file.

The models are frozen; `load` reads a file and refuses unknown keys, wrong types and impossible values with
file, line, the offending value and what is allowed. `json_schema` gives editors the same knowledge.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from tundish.errors import RecipeError
from tundish.imaging.operations import parse_operations
from tundish.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = [
    "SPLIT_NAMES",
    "Annotations",
    "Augment",
    "Dedup",
    "Export",
    "ExportName",
    "Images",
    "Recipe",
    "Source",
    "Split",
    "json_schema",
    "load",
    "normalise",
]

Name = Annotated[str, StringConstraints(pattern=r"^[\w][\w.-]{0,99}$")]
FormatName = Literal["voc", "yolo", "coco", "folders", "masks", "images"]
ExportName = Literal["parquet", "coco", "yolo"]
_TAKEN = frozenset(name for table in TABLES for name in table.schema.names) | {"image", "objects"}
SPLIT_NAMES = ("train", "val", "test")


def normalise(label: str) -> str:
    """The form in which labels are compared: NFKC, case folded, spaces trimmed."""
    return unicodedata.normalize("NFKC", label).strip().casefold()


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(_Section):
    """Where images and labels come from: a folder, a zip or a tar."""

    path: str = Field(min_length=1, description="Folder or archive, relative to the dataset's folder.")
    format: FormatName = Field(description="How the labels are written.")
    name: Name | None = Field(None, description="Short name in the tables; the path's last part by default.")
    names: tuple[str, ...] = Field((), description="Class names by number, where the labels hold numbers.")
    keys: dict[Name, str] = Field(
        {}, description="Regular expressions with a named group, on the file's name."
    )
    options: dict[str, str] = Field({}, description="What else the format must know.")

    @field_validator("keys")
    @classmethod
    def _one_named_group(cls, keys: dict[str, str]) -> dict[str, str]:
        for key, pattern in keys.items():
            if key in _TAKEN:
                raise ValueError(f"'{key}' is a column of the tables already; call the key something else")
            try:
                groups = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(f"the pattern of '{key}' is not a regular expression: {error}") from error
            if key not in groups:
                raise ValueError(f"the pattern of '{key}' has no group (?P<{key}>...)")
        return keys

    def key(self, name: str, path: str) -> str | None:
        """A key's value from a file's name, or from its whole path where the pattern speaks of folders."""
        pattern = self.keys.get(name)
        if pattern is None:
            return None
        match = re.search(pattern, path if "/" in pattern else path.rpartition("/")[2])
        return match.group(name) if match else None

    @property
    def label(self) -> str:
        """The source's name in the tables."""
        return self.name or re.sub(r"[^\w.-]+", "-", self.path.rstrip("/").rsplit("/", 1)[-1]) or "source"


def _aliases(value: object) -> object:
    """Classes may be a list of names, or names with their aliases (one, several or none)."""
    if isinstance(value, list):
        return dict.fromkeys(value, ())
    if isinstance(value, dict):
        return {
            key: () if names is None else (names,) if isinstance(names, str) else names
            for key, names in value.items()
        }
    return value


class Images(_Section):
    """What counts as a valid image."""

    schema_: str = Field("schemas/images.py:Images", alias="schema", pattern=r"^[^:]+\.py:\w+$")
    max_pixels: int = Field(200_000_000, ge=1, description="Larger images are not decoded.")


class Annotations(_Section):
    """What counts as a valid label, and the classes in the order that numbers them."""

    schema_: str = Field("schemas/annotations.py:Annotations", alias="schema", pattern=r"^[^:]+\.py:\w+$")
    classes: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_aliases)] = Field(
        {}, description="Names with their aliases; the order is the numbering."
    )

    @model_validator(mode="after")
    def _no_name_twice(self) -> Annotations:
        owner: dict[str, str] = {}
        for name, aliases in self.classes.items():
            for spelling in (name, *aliases):
                other = owner.setdefault(normalise(spelling), name)
                if other != name:
                    raise ValueError(f"'{spelling}' is a name of both '{other}' and '{name}'")
        return self

    def lookup(self) -> dict[str, str]:
        """Class by normalised spelling."""
        return {
            normalise(spelling): name
            for name, aliases in self.classes.items()
            for spelling in (name, *aliases)
        }


class Dedup(_Section):
    """How copies are found and which one stays."""

    level: Literal["fast"] = "fast"
    keep: Literal["first", "largest"] = Field(
        "first", description="By path, or by size in pixels then bytes."
    )
    conflicts: Literal["keep", "hold"] = Field(
        "keep",
        description="Copies with other labels: keep the representative, or hold out the whole cluster.",
    )


class Split(_Section):
    """Which image is for what."""

    ratios: dict[Literal["train", "val", "test"], float] = {"train": 0.8, "val": 0.1, "test": 0.1}
    group_by: tuple[str, ...] = Field((), description="Keys whose equal values stay together.")
    salt: str = Field("1", description="Another salt deals all groups anew.")
    unlabelled: Literal["exclude", "include"] = "exclude"

    @field_validator("ratios")
    @classmethod
    def _shares(cls, ratios: dict[str, float]) -> dict[str, float]:
        if any(not 0 <= share <= 1 for share in ratios.values()) or abs(sum(ratios.values()) - 1) > 1e-6:
            raise ValueError("the shares must lie between 0 and 1 and add up to 1")
        return {name: ratios[name] for name in SPLIT_NAMES if ratios.get(name)}

    @field_validator("salt", mode="before")
    @classmethod
    def _salt_is_text(cls, salt: object) -> object:
        return str(salt) if isinstance(salt, int) else salt


class Augment(_Section):
    """Derived training images."""

    copies: int = Field(0, ge=0, le=100, description="Derived images for each training image.")
    operations: tuple[dict[str, Any], ...] = Field((), description="Applied in this order.")
    seed: int = 0

    @field_validator("operations")
    @classmethod
    def _known(cls, operations: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        try:
            parse_operations(operations)
        except RecipeError as error:
            raise ValueError(f"{error.what} ({error.where}); {error.fix}") from error
        return operations


class Export(_Section):
    """What is written for trainers."""

    formats: tuple[ExportName, ...] = ("parquet", "coco")


class Recipe(_Section):
    """One dataset's recipe."""

    dataset: Name
    sources: tuple[Source, ...] = Field(min_length=1)
    images: Images = Images()
    annotations: Annotations = Annotations()
    dedup: Dedup = Dedup()
    split: Split = Split()
    augment: Augment = Augment()
    export: Export = Export()

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        labels = [source.label for source in self.sources]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two sources are called '{label}': give one of them a 'name'")
        known = {key for source in self.sources for key in source.keys}
        for key in self.split.group_by:
            if key not in known:
                allowed = ", ".join(sorted(known)) or "none yet"
                raise ValueError(
                    f"split.group_by names '{key}', which no source has among its keys ({allowed})"
                )
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of all keys, sorted."""
        return tuple(sorted({key for source in self.sources for key in source.keys}))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, for editors."""
    return Recipe.model_json_schema(by_alias=True)


def load(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: The file is missing, is not YAML, or says something that a recipe cannot.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RecipeError("there is no such recipe", where=str(path), fix=_others(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"the recipe cannot be read ({error})", where=str(path)) from error
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  (_Loader is a SafeLoader)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "unreadable"
        raise RecipeError(f"this is not YAML: {problem}", where=where, fix="mend the line") from error
    if not isinstance(data, dict):
        raise RecipeError("a recipe is a mapping with 'dataset' and 'sources'", where=str(path))
    for section in ("images", "annotations", "dedup", "split", "augment", "export"):
        if section not in data:
            # dvc.yaml watches every section by name, and DVC refuses one that is not there.
            raise RecipeError(
                f"the section '{section}' is missing",
                where=str(path),
                fix=f"add '{section}: {{}}' for its defaults",
            )
        if data[section] is None:
            data[section] = {}
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise _explain(path, node, error.errors()) from None
    if recipe.dataset != path.stem:
        # dvc.yaml finds recipe and dataset by one name.
        raise RecipeError(
            f"'dataset' is '{recipe.dataset}' in a recipe called '{path.name}'",
            where=f"{path}:{_line(node, ['dataset'])}",
            fix=f"call it '{path.stem}', or rename the file",
        )
    return recipe


def _others(path: Path) -> str:
    names = sorted(other.stem for other in path.parent.glob("*.yaml"))
    close = difflib.get_close_matches(path.stem, names, n=1)
    if close:
        return f"did you mean '{close[0]}'"
    if names:
        return f"there are: {', '.join(names)}"
    return "write one with 'tundish add NAME SOURCE'"


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML would silently drop."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                problem=f"the key '{key.value}' stands here twice", problem_mark=key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _explain(path: Path, node: yaml.Node | None, errors: Sequence[ErrorDetails]) -> RecipeError:
    # A misspelt key is behind many a missing one: it is told first.
    error = min(errors, key=lambda one: one["type"] != "extra_forbidden")
    loc = [part for part in error["loc"] if part != "[key]"]
    key = ".".join(str(part) for part in loc)
    line = _line(node, loc)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what, fix = _sentence(error, key, loc)
    return RecipeError(what + more, where=f"{path}:{line}", fix=fix)


def _sentence(error: ErrorDetails, key: str, loc: Sequence[int | str]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _allowed(loc[:-1])
        close = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        return f"the key '{key}' is unknown", f"{hint}allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return f"'{key}' is missing", "add it"
    if kind == "literal_error":
        return f"'{key}' is {error['input']!r}", f"allowed: {context.get('expected', '')}"
    if kind == "value_error":
        what, _, fix = str(context["error"]).partition("; ")
        return f"{key + ': ' if key else ''}{what}", fix or "change it"
    return f"'{key}' is {error['input']!r}: {_lower(error['msg'])}", "change it"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _allowed(loc: Sequence[int | str]) -> list[str]:
    sections: Mapping[str, type[_Section]] = {
        "sources": Source,
        "images": Images,
        "annotations": Annotations,
        "dedup": Dedup,
        "split": Split,
        "augment": Augment,
        "export": Export,
    }
    model = sections.get(str(loc[0]), Recipe) if loc else Recipe
    return [field.alias or name for name, field in model.model_fields.items()]


def _line(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                break
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
