"""The recipe: what to do with a dataset, in one short YAML file.

The models are frozen; `load` reads a file and refuses unknown keys, wrong types and impossible values with
file, line, the offending value and what is allowed. `json_schema` gives editors the same rules.
"""

from __future__ import annotations

import difflib
import zoneinfo
from typing import TYPE_CHECKING, Any, get_args, get_origin

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from tundish.errors import RecipeError
from tundish.recipe.guard import Guard
from tundish.recipe.labelling import Label
from tundish.recipe.sections import (
    Annotations,
    Augment,
    Dedup,
    Export,
    Images,
    Link,
    Name,
    Records,
    Section,
    Source,
    Split,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = ["Recipe", "json_schema", "load", "sentence"]

_MOST_NAMED = 10
"""Recipes that an error names."""

_OPTIONAL = ("guard",)
"""Sections that change no result: DVC need not watch them, and a recipe may omit them."""


class Recipe(Section):
    """The recipe of a dataset."""

    dataset: Name = Field(description="Name of the dataset: that of the recipe's file.")
    timezone: str = Field(
        "UTC", description="Time zone of the plant's clocks (Asia/Shanghai), for times without a zone."
    )
    sources: tuple[Source, ...] = Field((), description="Where images and labels come from.")
    records: dict[Name, Records] = Field({}, description="Tables of records, by name.")
    images: Images = Images()
    annotations: Annotations = Annotations()
    dedup: Dedup = Dedup()
    link: dict[Name, Link] = Field({}, description="How images find their records, by table.")
    label: Label = Label()
    guard: Guard = Guard()
    split: Split = Split()
    augment: Augment = Augment()
    export: Export = Export()

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone '{name}'; write it as Asia/Shanghai or UTC") from error
        return name

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        labels = [source.label for source in self.sources] + list(self.records)
        if not labels:
            raise ValueError("there are neither 'sources' nor 'records'; add at least one")
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two sources are called '{label}': give one of them a 'name'")
        known = {key for source in self.sources for key in source.keys}
        for key in self.split.group_by:
            if key not in known:
                allowed = ", ".join(sorted(known)) or "none yet"
                raise ValueError(
                    f"split.group_by names '{key}', which is not a key of any source ({allowed})"
                )
        self._check_targets()
        self._check_tables()
        return self

    def _check_targets(self) -> None:
        """Check that a target of several sources has one unit, and a name of its own."""
        for source in self.sources:
            for name, target in source.targets.items():
                unit = self.targets[name]
                if target.unit != unit:
                    units = f"in '{target.unit}' and in '{unit}'"
                    raise ValueError(f"the target '{name}' is {units}; give it one unit")
        both = sorted(set(self.targets) & set(self.keys))
        if both:
            raise ValueError(f"'{both[0]}' is a key and a target; choose another name for one of them")

    def _check_tables(self) -> None:
        """Check that every table that is named exists."""
        spoken = [("link", name) for name in self.link]
        spoken += [(f"link.{name}.through", link.through) for name, link in self.link.items() if link.through]
        spoken += [
            (f"records.{name}.references.{column}", target.split(".")[0])
            for name, table in self.records.items()
            for column, targets in table.references.items()
            for target in targets
        ]
        for where, name in spoken:
            if name not in self.records:
                allowed = ", ".join(self.records) or "none yet"
                raise ValueError(f"{where} names '{name}', which is not a table in records ({allowed})")

    def key_values(self, key: str, files: Iterable[tuple[str, str]]) -> list[str | None]:
        """The value of a key for each file, given as source and path; None where it has none."""
        sources = {source.label: source for source in self.sources}
        return [sources[name].key(key, path) if name in sources else None for name, path in files]

    def facts(self, source: Source) -> frozenset[str]:
        """Files of a source that say something about images and are not labels, relative to the source."""
        return source.given.files | {target.table for target in source.targets.values()}

    @property
    def targets(self) -> dict[str, str]:
        """The names of all targets, in the order of the recipe, each with its unit."""
        return {name: target.unit for source in self.sources for name, target in source.targets.items()}

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all keys, sorted."""
        return tuple(sorted({key for source in self.sources for key in source.keys}))

    @property
    def label_title(self) -> str:
        """The title of the project in Label Studio, with which those of annotators and disputes begin."""
        return self.label.project or self.dataset


def json_schema() -> dict[str, Any]:
    """Make the JSON Schema of a recipe, for editors."""
    return Recipe.model_json_schema(by_alias=True)


def load(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        RecipeError: The file is missing, is not YAML, or is not a valid recipe.
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
        raise RecipeError(f"this is not YAML: {problem}", where=where, fix="fix the line") from error
    if not isinstance(data, dict):
        raise RecipeError("a recipe is a mapping with 'dataset' and 'sources'", where=str(path))
    _complete(data, path)
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise _explain(path, node, error.errors()) from None
    if recipe.dataset != path.stem:
        # dvc.yaml finds recipe and dataset by the same name.
        raise RecipeError(
            f"'dataset' is '{recipe.dataset}' in the recipe '{path.name}'",
            where=f"{path}:{_line(node, ['dataset'])}",
            fix=f"name it '{path.stem}', or rename the file",
        )
    return recipe


def _complete(data: dict[str, Any], path: Path) -> None:
    """Fill in sections without content; refuse a recipe that lacks a section that DVC watches."""
    for section in _tracked():
        if section not in data:
            default = "Asia/Shanghai" if section == "timezone" else "{}"
            raise RecipeError(
                f"the section '{section}' is missing", where=str(path), fix=f"add '{section}: {default}'"
            )
    for section in (*_tracked(), *_OPTIONAL):
        if section in data and data[section] is None:
            data[section] = {}


def _tracked() -> list[str]:
    """Sections that dvc.yaml tracks by name; DVC refuses one that is not in the file."""
    return [name for name in Recipe.model_fields if name not in ("dataset", "sources", *_OPTIONAL)]


def _others(path: Path) -> str:
    """What to do about a recipe that is missing: which name was meant, and which there are."""
    names = sorted(other.stem for other in path.parent.glob("*.yaml"))
    if not names:
        return f"write one with 'tundish add {path.stem} SOURCE'"
    close = difflib.get_close_matches(path.stem, names, n=1)
    close += [name for name in names if path.stem and name.startswith(path.stem)]
    hint = f"did you mean '{close[0]}'? " if close else ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{hint}there are: {', '.join(names[:_MOST_NAMED])}{more}"


class _Loader(yaml.SafeLoader):
    """Refuses a repeated key, which YAML would silently drop.

    As in YAML 1.2, by which DVC reads the file, only true and false are booleans: `on` is a key of links.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own name for it)
        sign: [(tag, form) for tag, form in forms if sign in "tTfF" or not tag.endswith(":bool")]
        for sign, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                problem=f"the key '{key.value}' is repeated", problem_mark=key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _explain(path: Path, node: yaml.Node | None, errors: Sequence[ErrorDetails]) -> RecipeError:
    # A misspelt key is often the cause of a missing one: it is reported first.
    error = min(errors, key=lambda one: one["type"] != "extra_forbidden")
    # Parts in brackets are names of the models, not keys of the file: [key], and which of several forms is
    # meant.
    loc = [part for part in error["loc"] if not str(part).startswith("[")]
    key = ".".join(str(part) for part in loc)
    line = _line(node, loc)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what, fix = sentence(error, key, loc)
    return RecipeError(what + more, where=f"{path}:{line}", fix=fix)


def sentence(error: ErrorDetails, key: str, loc: Sequence[int | str] = ()) -> tuple[str, str]:
    """Describe what is wrong with a value, and how to fix it.

    Args:
        error: The error of Pydantic. The text of a validator contains both parts, separated by a semicolon.
        key: The name of the value for the reader: a key of the recipe, an option.
        loc: The place of the value in the recipe.

    Returns:
        What is wrong, and the fix.
    """
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
    """The keys that are allowed at a place of the recipe."""
    model: type[Section] = Recipe
    named = False
    for part in loc:
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        inner = None if named else _section_in(fields.get(str(part)))
        # In a mapping the next part is a name that the plant chose, such as that of a table.
        named = inner is not None and get_origin(fields[str(part)]) is dict
        model = inner or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _section_in(annotation: Any) -> type[Section] | None:
    """The section inside a type, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for one in get_args(annotation) if (found := _section_in(one))), None)


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
