"""How a project's configuration on the server differs from the recipe's.

A class may be renamed in the recipe after its project was made. The server's label is then one of the class's
aliases and means that class: proposals are sent under the label's name, and it does not count as a
difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tundish.formats.label_studio.controls import CONTROLS, SEVERITY
from tundish.labeling.label_studio.config import read_config
from tundish.recipe.classes import normalise, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tundish.labeling.label_studio.config import ClassNames, Control, LabelConfig

__all__ = ["Difference", "find_differences", "find_surplus", "names_in_project", "offers_more"]

_DRAWING = frozenset(CONTROLS.values())


class Difference(NamedTuple):
    """One difference between a project's configuration and the recipe's.

    Attributes:
        control: Name of the control.
        label: The label's name in results; None where the whole control differs.
        now: What the project has in its place, None for nothing.
        what: The difference in words that follow the project's title in a sentence.
        fix: How to fix it.
    """

    control: str
    label: str | None
    now: str | None
    what: str
    fix: str


def names_in_project(config: LabelConfig, found: str) -> ClassNames:
    """Map the classes that a project offers under another name to that name.

    Where the project offers several aliases of one class, the first counts.

    Args:
        config: The configuration that the recipe asks for.
        found: The project's configuration on the server, XML.

    Returns:
        The names by control and class.

    Raises:
        OutsideError: The server's text is not valid XML.
    """
    class_of = spellings(config.classes)
    names: dict[str, dict[str, str]] = {}
    for name, control in read_config(found).items():
        for label in control.labels if name in _DRAWING else ():
            owner = class_of.get(normalise(label))
            if owner is not None and owner not in control.labels:
                names.setdefault(name, {}).setdefault(owner, label)
    return names


def offers_more(config: LabelConfig, found: str) -> bool:
    """Whether a project offers more than the recipe: removing it would hide what was drawn with it.

    Args:
        config: The configuration that the recipe asks for.
        found: The project's configuration on the server, XML.

    Raises:
        OutsideError: The server's text is not valid XML.
    """
    return _more(*_controls(config, found))


def find_differences(config: LabelConfig, found: str) -> list[Difference]:
    """Find what a project lacks, or calls by another name, of the recipe's configuration.

    What it offers beyond the recipe does not count (see `find_surplus`), nor does a class under an alias.

    Args:
        config: The configuration that the recipe asks for.
        found: The project's configuration on the server, XML.

    Raises:
        OutsideError: The server's text is not valid XML.
    """
    ours, theirs = _controls(config, found)
    class_of = spellings(config.classes)
    more = _more(ours, theirs)
    differences: list[Difference] = []
    for name, control in ours.items():
        other = theirs.get(name)
        if other is None:
            what = f"has no control '{name}'"
            differences.append(Difference(name, None, None, what, _fix_of_missing(more)))
        elif other.tag != control.tag:
            what = f"has {other.tag} as its control '{name}', not {control.tag}"
            fix = "change it back in the project's settings"
            differences.append(Difference(name, None, other.tag, what, fix))
        else:
            differences += _label_differences(name, control, other, class_of, more=more)
    return differences


def find_surplus(config: LabelConfig, found: str) -> list[Difference]:
    """Find what a project offers beyond the recipe's configuration, apart from classes under other names.

    Arguments and errors are those of `find_differences`.
    """
    ours, theirs = _controls(config, found)
    class_of = spellings(config.classes)
    renamed = {(one.control, one.now) for one in find_differences(config, found)}
    more = []
    fix = "remove it in the project's settings, or name it in the recipe"
    for name, control in theirs.items():
        if name not in ours:
            what = f"has a control '{name}', which the recipe does not ask for"
            more.append(Difference(name, None, None, what, fix))
            continue
        strange = [label for label in control.labels if label not in ours[name].labels]
        for label in strange if ours[name].tag == control.tag else ():
            owner = class_of.get(normalise(label)) if name in _DRAWING else None
            what = f"offers the label '{label}' in '{name}', "
            if owner is not None:
                what += f"another name of '{owner}'"
                more.append(Difference(name, label, None, what, f"its answers count as '{owner}'"))
            elif (name, label) not in renamed:
                more.append(Difference(name, label, None, f"{what}which the recipe does not have", fix))
    return more


def _controls(config: LabelConfig, found: str) -> tuple[dict[str, Control], dict[str, Control]]:
    """The controls that a project should offer, by the project's own names, and those that it offers."""
    return read_config(config.xml(names_in_project(config, found))), read_config(found)


def _more(ours: Mapping[str, Control], theirs: Mapping[str, Control]) -> bool:
    return any(
        name not in ours or ours[name].tag != control.tag or control.labels.keys() - ours[name].labels.keys()
        for name, control in theirs.items()
    )


def _fix_of_missing(more: bool) -> str:
    if more:
        return "add it in the project's settings: a push does not change one that offers more than the recipe"
    return "push to update it"


def _label_differences(
    name: str, control: Control, other: Control, class_of: Mapping[str, str], *, more: bool
) -> Iterator[Difference]:
    strangers = other.labels.keys() - control.labels.keys()
    places = list(other.labels)
    for place, (label, text) in enumerate(control.labels.items()):
        now = other.labels.get(label)
        if now is not None:
            if now != text and class_of.get(normalise(now)) != text:
                what = f"shows '{text}' in '{name}' as '{now}'"
                fix = "its answers count all the same" + ("" if more else ", and a push changes it back")
                yield Difference(name, label, now, what, fix)
            continue
        missing = f"does not offer the label '{text}' in '{name}'"
        successor = places[place] if place < len(places) and places[place] in strangers else None
        if successor is None:
            yield Difference(name, label, None, missing, _fix_of_missing(more))
            continue
        known = "name it a severity" if name == SEVERITY else f"make it an alias of '{text}'"
        fix = f"{known} in the recipe, or rename it back in the project's settings"
        yield Difference(name, label, successor, f"{missing}, but '{successor}' in its place", fix)
