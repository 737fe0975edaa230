"""The page about the recipe: every section and key of the models, with an example that the loader accepts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tundish.imaging.operations import OPERATIONS, Choice, Number
from tundish.recipe.load import json_schema, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["recipe"]

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "example-recipe.yaml"

INTRODUCTION = """\
# The recipe

Made from the models in `tundish.recipe` by `make docs`. `pipelines/NAME.yaml` says what to do with the
dataset NAME; `tundish add` writes it from what it sees, and you change it. Every section must be in the file,
because DVC watches it there; `{}` is enough where nothing differs from the defaults. Only `guard` may be
omitted: it changes no result. An unknown key or an impossible value is refused with its line and what is
allowed.

Editors that know YAML schemas check a recipe while you write, and complete its keys, where its first line is
`# yaml-language-server: $schema=` and the address of [recipe.schema.json](recipe.schema.json).

The examples below are parts of one [recipe](example-recipe.yaml) that has every key once.
"""

PLACES = {
    "Recipe": "the whole",
    "Source": "sources",
    "FurtherLabels": "sources.SOURCE.also.SOURCE",
    "Given": "sources.SOURCE.given",
    "Target": "sources.SOURCE.targets.TARGET",
    "Records": "records",
    "LongTable": "records.TABLE.pivot",
    "Query": "records.TABLE.sql",
    "Images": "images",
    "Annotations": "annotations",
    "Dedup": "dedup",
    "Link": "link",
    "On": "link.TABLE.on",
    "Nearest": "link.TABLE.nearest",
    "Label": "label",
    "Acceptance": "label.acceptance",
    "Guard": "guard",
    "Split": "split",
    "Augment": "augment",
    "Export": "export",
}
"""Where each model is in a recipe, in the order of the page."""

KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def recipe() -> str:
    """The page."""
    schema = json_schema()
    models: dict[str, Any] = {"Recipe": schema, **schema["$defs"]}
    if missing := set(models) - set(PLACES):
        raise ValueError(f"say in PLACES where these are in a recipe: {', '.join(sorted(missing))}")
    load(EXAMPLE)
    example = EXAMPLE.read_text(encoding="utf-8")
    parts = [INTRODUCTION]
    for name, place in PLACES.items():
        parts += [f"## {place}", "", models[name]["description"], "", *_table(models[name], models), ""]
        parts += ["```yaml", *_excerpt(models[name], place, example), "```", ""]
        if name == "Augment":
            parts += [*_operations(), ""]
    return "\n".join(parts)


def _table(model: dict[str, Any], models: dict[str, Any]) -> Iterator[str]:
    yield "| key | type | default | what |"
    yield "| --- | --- | --- | --- |"
    needed = model.get("required", ())
    for key, about in model["properties"].items():
        default = "required" if key in needed else _default(about.get("default"))
        what = about.get("description") or models[about["$ref"].rpartition("/")[2]]["description"]
        cells = (f"`{key}`", _type(about), default, what)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict) and len(str(value)) > 60:
        return "the section's"
    return f"`{_flow(round(value, 4) if isinstance(value, float) else value)}`"


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def _type(about: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in about:
        place = PLACES[about["$ref"].rpartition("/")[2]]
        return f"[{place}](#{_anchor(place)})"
    if choices := about.get("anyOf") or about.get("oneOf"):
        return " or ".join(_type(one) for one in choices if one.get("type") != "null")
    if words := about.get("enum") or [about[key] for key in ("const",) if key in about]:
        return ", ".join(f"`{word}`" for word in words)
    if about["type"] == "array":
        return f"list of {_type(about['items'])}"
    if about["type"] == "object":
        return _mapping(about)
    return KINDS[about["type"]] + _limits(about)


def _anchor(place: str) -> str:
    return place.lower().replace(".", "").replace(" ", "-")


def _mapping(about: dict[str, Any]) -> str:
    named = next(iter(about.get("patternProperties", {}).values()), True)
    inner: Any = about.get("additionalProperties", named)
    keys = ", ".join(f"`{word}`" for word in about.get("propertyNames", {}).get("enum", ()))
    of = f"{keys}: " if keys else "name: "
    return f"mapping, {of}{'value' if inner is True else _type(inner)}"


def _limits(about: dict[str, Any]) -> str:
    words = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "to {}",
        "exclusiveMaximum": "below {}",
    }
    found = [text.format(f"{about[key]:,}") for key, text in words.items() if key in about]
    return f" {', '.join(found)}" if found else ""


def _excerpt(model: dict[str, Any], place: str, text: str) -> Iterator[str]:
    """The part of the example that shows the model's keys, as it is written there."""
    lines = text.splitlines()
    if place == "the whole":
        yield from (line for line in lines if line.startswith(("dataset:", "timezone:")))
        yield "# and the sections below"
        return
    found = list(_found(yaml.compose(text, yaml.SafeLoader), place.split(".")))
    shown = {key for _, value in found for key in _keys_of(value)}
    if missing := [key for key in model["properties"] if key not in shown]:
        raise ValueError(f"{EXAMPLE.name} does not show {place}: {', '.join(missing)}")
    written: set[int] = set()
    for above, value in found:
        end = value.end_mark.line + (1 if value.flow_style else 0)
        yield from (lines[number] for number in above[:-1] if number not in written)
        written |= set(above)
        yield from "\n".join(lines[above[-1] : end]).rstrip().splitlines()


def _found(node: yaml.Node | None, place: Sequence[str]) -> Iterator[tuple[list[int], yaml.CollectionNode]]:
    """The sections at a place, each with the lines of the keys that lead to it.

    TABLE and TARGET are any name, SOURCE is any entry of a list.
    """
    if not isinstance(node, yaml.CollectionNode):
        return
    if not place:
        yield [], node
        return
    if isinstance(node, yaml.SequenceNode):
        for item in node.value if place[0] == "SOURCE" else ():
            yield from _found(item, place[1:])
        return
    for key, value in node.value:
        if place[0] in ("TABLE", "TARGET", key.value):
            for above, inner in _found(value, place[1:]):
                yield [key.start_mark.line, *above], inner


def _keys_of(section: yaml.CollectionNode) -> set[str]:
    """The keys of a section, of those in a list, or of those under names."""
    if isinstance(section, yaml.SequenceNode):
        return {key.value for one in section.value for key, _ in one.value}
    inner = [value for _, value in section.value if isinstance(value, yaml.MappingNode)]
    return {key.value for one in (section, *inner) for key, _ in one.value}


def _operations() -> Iterator[str]:
    """What augment.operations may name."""
    yield "`p` is the chance of an operation; lengths are shares of width and height unless they say px."
    yield from ("", "| operation | what | option | values | default | meaning |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, kind in OPERATIONS.items():
        for option, rule in {"p": Number(kind.p, 0.001, 1, "chance"), **kind.options}.items():
            words = isinstance(rule, Choice)
            values = ", ".join(rule.words) if isinstance(rule, Choice) else f"{rule.low:g} to {rule.high:g}"
            default = rule.default if words else f"{rule.default:g}"
            head = (f"`{name}`", kind.about) if option == "p" else ("", "")
            yield f"| {' | '.join((*head, f'`{option}`', values, str(default), rule.about))} |"
