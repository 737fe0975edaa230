"""What a project on the server offers, beside what it should.

A class may be renamed in the recipe after a project was made. The label that the server has is one of its
aliases then, and it is that label: proposals are sent under its name, and it is no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tundish.labeling.label_studio.config import CONTROLS, SEVERITY, read_config
from tundish.recipe.classes import normalise, spellings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tundish.labeling.label_studio.config import ClassNames, Control, LabelConfig

__all__ = ["Difference", "find_differences", "find_surplus", "names_in_project", "offers_more"]

_DRAWING = frozenset(CONTROLS.values())


class Difference(NamedTuple):
    """Where a project differs from what it should be.

    Attributes:
        control: Name of the control.
        label: What results say; None where the whole control is meant.
        now: What stands in its place, if anything does.
        what: The words that follow the project's title in a sentence.
        fix: How it is mended.
    """

    control: str
    label: str | None
    now: str | None
    what: str
    fix: str


def names_in_project(config: LabelConfig, found: str) -> ClassNames:
    """What results of a project call the classes that it does not offer by their own names.

    Of several aliases of one class it is the first that stands there.

    Args:
        config: What the project should offer.
        found: Its configuration on the server.

    Raises:
        OutsideError: The server's text is no XML.
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
    """Whether a project offers something that it should not: what is drawn with it would be hidden without.

    Raises:
        OutsideError: The server's text is no XML.
    """
    return _more(*_controls(config, found))


def find_differences(config: LabelConfig, found: str) -> list[Difference]:
    """What of `config` the server's configuration, `found`, does not offer, or calls by other names.

    What it has beyond that is no difference, and neither is a class that it knows by an alias.

    Raises:
        OutsideError: The server's text is no XML.
    """
    ours, theirs = _controls(config, found)
    class_of = spellings(config.classes)
    more = _more(ours, theirs)
    told: list[Difference] = []
    for name, control in ours.items():
        other = theirs.get(name)
        if other is None:
            told.append(Difference(name, None, None, f"has no control '{name}'", _fix_of_missing(more)))
        elif other.tag != control.tag:
            what = f"has {other.tag} as its control '{name}', not {control.tag}"
            told.append(Difference(name, None, other.tag, what, "set it back in the project's settings"))
        else:
            told += _label_differences(name, control, other, class_of, more=more)
    return told


def find_surplus(config: LabelConfig, found: str) -> list[Difference]:
    """What the server's configuration, `found`, offers beyond `config`; not what it calls by other names.

    Raises:
        OutsideError: The server's text is no XML.
    """
    ours, theirs = _controls(config, found)
    class_of = spellings(config.classes)
    renamed = {(one.control, one.now) for one in find_differences(config, found)}
    told = []
    fix = "take it out in the project's settings, or name it in the recipe"
    for name, control in theirs.items():
        if name not in ours:
            what = f"has a control '{name}', which the recipe does not ask for"
            told.append(Difference(name, None, None, what, fix))
            continue
        strange = [label for label in control.labels if label not in ours[name].labels]
        for label in strange if ours[name].tag == control.tag else ():
            owner = class_of.get(normalise(label)) if name in _DRAWING else None
            what = f"offers the label '{label}' in '{name}', "
            if owner is not None:
                what += f"another name of '{owner}'"
                told.append(Difference(name, label, None, what, f"its answers count as '{owner}'"))
            elif (name, label) not in renamed:
                told.append(Difference(name, label, None, f"{what}which the recipe does not have", fix))
    return told


def _controls(config: LabelConfig, found: str) -> tuple[dict[str, Control], dict[str, Control]]:
    """What a project should offer under the names that it has for it, and what it offers."""
    return read_config(config.xml(names_in_project(config, found))), read_config(found)


def _more(ours: Mapping[str, Control], theirs: Mapping[str, Control]) -> bool:
    return any(
        name not in ours or ours[name].tag != control.tag or control.labels.keys() - ours[name].labels.keys()
        for name, control in theirs.items()
    )


def _fix_of_missing(more: bool) -> str:
    if more:
        return "add it in the project's settings, since a push changes none that offers more than the recipe"
    return "push to bring it up to date"


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
                fix = "its answers count all the same" + ("" if more else ", and a push sets it back")
                yield Difference(name, label, now, what, fix)
            continue
        missing = f"does not offer the label '{text}' in '{name}'"
        successor = places[place] if place < len(places) and places[place] in strangers else None
        if successor is None:
            yield Difference(name, label, None, missing, _fix_of_missing(more))
            continue
        known = "name it a severity" if name == SEVERITY else f"make it an alias of '{text}'"
        fix = f"{known} in the recipe, or rename it back in the project's settings"
        yield Difference(name, label, successor, f"{missing}, where '{successor}' stands in its place", fix)
