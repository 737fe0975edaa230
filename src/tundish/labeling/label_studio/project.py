"""The project that images are pushed into, its labelling configuration kept up to date.

A class that was renamed in the recipe keeps its name in results of the project, where regions may hold it,
and is shown by its new one.

Label Studio goes by what is drawn when it takes a configuration: it refuses one, whatever is new in it, as
long as a region is there that no control of it would draw, such as one without a label. The tasks are pushed
all the same, and the note says where such regions are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tundish.errors import UsageError
from tundish.labeling.label_studio.differences import (
    find_differences,
    find_surplus,
    names_in_project,
    offers_more,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import ClassNames, LabelConfig

__all__ = ["ReadyProject", "prepare_project"]

_TITLE = range(3, 51)
_NAMED = 10
_FOREIGN = re.compile(r"from_name=(.+?), to_name=.*?, type=(\w+)")
"""How the server tells of regions that a configuration has no control for."""


class ReadyProject(NamedTuple):
    """A project that is ready to be pushed into.

    Attributes:
        number: Its id on the server.
        created: It was made just now.
        names: What its results call classes that it does not know by their own names.
        notes: What is to be said of its configuration.
    """

    number: int
    created: bool
    names: ClassNames
    notes: list[str]


def prepare_project(
    client: Client, title: str, config: LabelConfig, project: Mapping[str, Any] | None
) -> ReadyProject:
    """Make a project, or bring one up to date.

    A configuration that lacks what the recipe has gained is brought up to date, and so is one that shows a
    class by the name that it had before. One in which somebody renamed or took away a label is left alone
    and told: setting it back would hide what was drawn since. So is one that offers what the recipe has no
    longer: what is drawn with it would be lost.

    Args:
        client: The server.
        title: Of the project.
        config: What it should offer.
        project: What the server says of it; None where there is none yet.

    Raises:
        UsageError: The title is too short or too long for Label Studio.
        OutsideError: The server fails.
    """
    if len(title) not in _TITLE:
        raise UsageError(
            f"'{title}' cannot be a project's title: Label Studio wants 3 to 50 characters",
            where="label.project",
            fix="set a title of another length in the recipe, or give the annotators shorter names",
        )
    if project is None:
        return ReadyProject(int(client.create_project(title, config.xml())["id"]), True, {}, [])
    number = int(project["id"])
    found = str(project["label_config"])
    names = names_in_project(config, found)
    wanted = config.xml(names)
    if found.strip() == wanted.strip():
        return ReadyProject(number, False, names, [])
    if offers_more(config, found):
        told = [*find_differences(config, found), *find_surplus(config, found)]
        notes = [f"the project '{title}' was left as it is: it {one.what}; {one.fix}" for one in told]
        return ReadyProject(number, False, names, notes)
    return ReadyProject(number, False, names, [_update(client, number, title, wanted)])


def _update(client: Client, project: int, title: str, config: str) -> str:
    """Bring the configuration up to date, where the server lets; what came of it, as a sentence."""
    said = client.change_config(project, config)
    if said is not None:
        # Its counts of what is drawn go wrong in time; they are made anew for just this reason.
        client.recount(project)
        said = client.change_config(project, config)
    if said is None:
        return f"the labelling configuration of '{title}' was brought up to date"
    foreign = set(_FOREIGN.findall(said))
    tasks = _tasks_with(client, project, foreign) if foreign else []
    if not tasks:
        reason = " ".join(said.split())[:200]
        return (
            f"Label Studio refuses the new labelling configuration of '{title}' ({reason}): "
            "it stays as it was, without what the recipe has gained or renamed"
        )
    named = ", ".join(map(str, tasks[:_NAMED]))
    more = f" and {len(tasks) - _NAMED:,} more" if len(tasks) > _NAMED else ""
    return (
        f"Label Studio refuses the new labelling configuration of '{title}': it knows no control for regions "
        f"in task{'s' * (len(tasks) > 1)} {named}{more}, most likely without a label; what the recipe has "
        "gained or renamed does not come there before they are labelled or deleted and it is pushed again"
    )


def _tasks_with(client: Client, project: int, foreign: set[tuple[str, str]]) -> list[int]:
    """The tasks in whose answers such regions are: name of the control, and type in lower case."""
    listed = client.tasks(project, ("id", "total_annotations", "cancelled_annotations"))
    answered = [task["id"] for task in listed if task["total_annotations"] or task["cancelled_annotations"]]
    return sorted(
        int(task["id"])
        for tasks in client.export(project, answered)
        for task in tasks
        if any(_kind(region) in foreign for answer in task["annotations"] for region in answer["result"])
    )


def _kind(region: dict[str, Any]) -> tuple[str, str]:
    return str(region.get("from_name")), str(region.get("type")).lower()
