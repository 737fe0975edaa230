"""Find outdated tasks of the adjudication project.

When annotators change their answers, disputes change or disappear. An outdated task that nobody has touched
is removed, and replaced where its image is still in dispute. A task that somebody has begun or answered
stays: removing it would remove an answer.

Replacements are pushed before outdated tasks are removed. On SQLite Label Studio numbers new tasks from the
last existing one: an adjudicator who has a removed task open would otherwise send the answer to the new task
that got its number.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from tundish.formats.label_studio.controls import ADJUDICATION
from tundish.labeling.label_studio.predictions import region_contents

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.labeling.consensus.disputes import Disputes
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Existing

__all__ = ["Renewal", "compare_tasks", "fingerprint_disputes", "remove_tasks"]

_NAMED = 10


class Renewal(NamedTuple):
    """What to do with outdated tasks.

    Attributes:
        stale: Numbers of the outdated tasks that nobody has touched, to be removed.
        renewed: The images of these that are in dispute and have no up-to-date task.
        kept: The images in dispute whose outdated tasks stay, because somebody has touched them.
        notes: Sentences for the user.
    """

    stale: frozenset[int]
    renewed: frozenset[str]
    kept: frozenset[str]
    notes: tuple[str, ...]


def fingerprint_disputes(found: Disputes) -> dict[str, str]:
    """Fingerprint the task of each image, whatever the order of its regions: 32 hex digits by image_id."""
    contents = {
        image_id: b"\n".join([why.encode(), *region_contents(found.regions[image_id])])
        for image_id, why in found.images.select("image_id", "why").iter_rows()
    }
    return {image_id: sha256(content).hexdigest()[:32] for image_id, content in contents.items()}


def compare_tasks(
    client: Client,
    existing: Existing,
    wanted: Mapping[str, str],
    ours: Collection[str],
    answered: Collection[tuple[int, str | None]],
) -> Renewal:
    """Find tasks whose content is outdated, or whose images are no longer in dispute.

    Args:
        client: The server.
        existing: The adjudication project and its tasks.
        wanted: The fingerprints of the disputes, by image_id.
        ours: The images of the dataset. Tasks of other images, and those that were not pushed for an
            adjudicator, are left alone.
        answered: Number and time of creation (None: not known) of tasks whose answers were pulled. A task
            whose answer was withdrawn since looks untouched, but is not.

    Raises:
        OutsideError: The server fails.
    """
    stale: dict[int, str] = {}
    touched: dict[int, str] = {}
    same: set[str] = set()
    for task in existing.tasks:
        number, image_id = int(task["id"]), _adjudicated_image(task["data"], ours)
        if image_id is None:
            continue
        if image_id in wanted and task["data"].get("made_of") == wanted[image_id]:
            same.add(image_id)
        elif (
            task["total_annotations"]
            or task["cancelled_annotations"]
            or not {(number, task["created_at"]), (number, None)}.isdisjoint(answered)
        ):
            touched[number] = image_id
        else:
            stale[number] = image_id
    # Answers about images that are no longer in dispute need no note.
    touched = {number: image_id for number, image_id in touched.items() if image_id in wanted}
    if existing.project is not None:
        touched |= {number: stale.pop(number) for number in _touched(client, existing.project["id"], stale)}
    kept = frozenset(wanted).intersection(touched.values())
    renewed = frozenset(wanted).intersection(stale.values()) - kept - same
    return Renewal(frozenset(stale), renewed, kept, _notes(touched))


def remove_tasks(client: Client, project: int, stale: Collection[int]) -> int:
    """Remove outdated tasks, apart from those that somebody has touched by now.

    Args:
        client: The server.
        project: The project's number.
        stale: Numbers of the tasks.

    Returns:
        The number of tasks removed.

    Raises:
        OutsideError: The server fails; a repeated call continues where it stopped.
    """
    gone = sorted({*stale}.difference(_touched(client, project, stale)))
    if gone:
        client.delete_tasks(project, gone)
    return len(gone)


def _adjudicated_image(data: object, ours: Collection[str]) -> str | None:
    """The image of the dataset that a task asks an adjudicator about; None for other tasks."""
    if not isinstance(data, dict) or data.get("purpose") != ADJUDICATION:
        return None
    image_id = data.get("image_id")
    return image_id if isinstance(image_id, str) and image_id in ours else None


def _touched(client: Client, project: int, tasks: Collection[int]) -> list[int]:
    """The tasks that somebody has touched, as the server reports it just before they are removed."""
    return [
        int(task["id"])
        for several in client.export(project, sorted(tasks))
        for task in several
        if task["annotations"] or task["drafts"]
    ]


def _notes(touched: Collection[int]) -> tuple[str, ...]:
    if not touched:
        return ()
    named = ", ".join(map(str, sorted(touched)[:_NAMED]))
    more = f" and {len(touched) - _NAMED:,} more" if len(touched) > _NAMED else ""
    one = len(touched) == 1
    are, stay = ("is", "stays") if one else ("are", "stay")
    note = (
        f"{len(touched):,} task{'s' * (not one)} that somebody has begun or answered {are} outdated and "
        f"{stay} ({named}{more}): pull the answers first; if this is reported again, delete the task in the "
        "project to have the image adjudicated again"
    )
    return (note,)
