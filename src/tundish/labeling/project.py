"""The project that images are pushed into, its labelling configuration kept up to date.

Label Studio goes by what is drawn when it takes a configuration: it refuses one, whatever is new in it, as
long as a region is there that no control of it would draw, such as one without a label. The tasks are pushed
all the same, and the note says where such regions are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tundish.errors import UsageError
from tundish.labeling.config import differences, read_config, surplus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.labeling.client import Client

__all__ = ["project_of"]

_TITLE = range(3, 51)
_NAMED = 10
_FOREIGN = re.compile(r"from_name=(.+?), to_name=.*?, type=(\w+)")
"""How the server tells of regions that a configuration has no control for."""


def project_of(
    client: Client, title: str, config: str, project: Mapping[str, Any] | None
) -> tuple[int, bool, list[str]]:
    """The project's id, whether it was made just now, and what is to be said of its configuration.

    A configuration that only lacks what the recipe has gained is brought up to date. One in which somebody
    renamed or took away a label is left alone and told: setting it back would hide what was drawn since. So
    is one that offers what the recipe has no longer: what is drawn with it would be lost.

    Args:
        client: The server.
        title: Of the project.
        config: The labelling configuration that it should have.
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
        return int(client.create_project(title, config)["id"]), True, []
    number = int(project["id"])
    found = str(project["label_config"])
    if found.strip() == config.strip():
        return number, False, []
    if _strangers(config, found):
        told = [*(one.message for one in differences(config, found)), *surplus(config, found)]
        return number, False, [f"{message}; it was left as it is" for message in told]
    return number, False, [_update(client, number, title, config)]


def _strangers(config: str, found: str) -> bool:
    """Whether the server's configuration offers something that ours does not."""
    ours, theirs = read_config(config), read_config(found)
    return any(
        name not in ours or ours[name].tag != control.tag or set(control.labels) - set(ours[name].labels)
        for name, control in theirs.items()
    )


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
            "what the recipe has gained cannot be drawn yet"
        )
    named = ", ".join(map(str, tasks[:_NAMED]))
    more = f" and {len(tasks) - _NAMED:,} more" if len(tasks) > _NAMED else ""
    return (
        f"Label Studio refuses the new labelling configuration of '{title}': it knows no control for regions "
        f"in task{'s' * (len(tasks) > 1)} {named}{more}, most likely without a label; what the recipe has "
        "gained cannot be drawn before they are labelled or deleted there and it is pushed again"
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
