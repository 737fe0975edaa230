"""The project that images are pushed into, and updates of its labelling configuration.

A class that was renamed in the recipe keeps its old name in the project's results, where regions may use it,
and is shown by its new name.

Label Studio checks a new configuration against the regions drawn so far: it refuses any configuration as long
as some region has no control that could draw it, such as a region without a label. The tasks are pushed all
the same, and a note says where such regions are.
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
"""How the server reports regions that a configuration has no control for."""


class ReadyProject(NamedTuple):
    """A project that is ready to be pushed into.

    Attributes:
        number: The project's id on the server.
        created: Whether it was created just now.
        names: The names that its results use for classes that it has under other names.
        notes: Sentences about its configuration, for the user.
    """

    number: int
    created: bool
    names: ClassNames
    notes: list[str]


def prepare_project(
    client: Client, title: str, config: LabelConfig, project: Mapping[str, Any] | None
) -> ReadyProject:
    """Create a project, or update its labelling configuration.

    A configuration is updated where it lacks what the recipe gained, or shows a class by its former name. It
    is left as it is, and reported, where somebody renamed or removed a label in the server, since changing it
    back would hide what was drawn since; and where it offers what the recipe no longer has, since what was
    drawn with it would be lost.

    Args:
        client: The server.
        title: Title of the project.
        config: The configuration that the recipe asks for.
        project: The project as the server describes it; None where it does not exist yet.

    Raises:
        UsageError: The title is too short or too long for Label Studio.
        OutsideError: The server fails.
    """
    if len(title) not in _TITLE:
        raise UsageError(
            f"'{title}' cannot be a project's title: Label Studio requires 3 to 50 characters",
            where="label.project",
            fix="set a title of that length in the recipe, or give the annotators shorter names",
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
        differences = [*find_differences(config, found), *find_surplus(config, found)]
        notes = [f"the project '{title}' was left as it is: it {one.what}; {one.fix}" for one in differences]
        return ReadyProject(number, False, names, notes)
    return ReadyProject(number, False, names, [_update(client, number, title, wanted)])


def _update(client: Client, project: int, title: str, config: str) -> str:
    """Update the configuration if the server accepts it; return the outcome as a sentence."""
    objection = client.change_config(project, config)
    if objection is not None:
        # The server's counts of regions become wrong in time, so have it count again and retry.
        client.recount(project)
        objection = client.change_config(project, config)
    if objection is None:
        return f"the labelling configuration of '{title}' was updated"
    foreign = set(_FOREIGN.findall(objection))
    tasks = _tasks_with(client, project, foreign) if foreign else []
    if not tasks:
        reason = " ".join(objection.split())[:200]
        return (
            f"Label Studio refuses the new labelling configuration of '{title}' ({reason}): "
            "it stays without what was added or renamed in the recipe"
        )
    named = ", ".join(map(str, tasks[:_NAMED]))
    more = f" and {len(tasks) - _NAMED:,} more" if len(tasks) > _NAMED else ""
    return (
        f"Label Studio refuses the new labelling configuration of '{title}': it has no control for regions "
        f"in task{'s' * (len(tasks) > 1)} {named}{more}, most likely regions without a label; label or "
        "delete them and push again to get what was added or renamed in the recipe"
    )


def _tasks_with(client: Client, project: int, foreign: set[tuple[str, str]]) -> list[int]:
    """Numbers of the tasks whose answers hold foreign regions: (name of the control, type in lower case)."""
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
