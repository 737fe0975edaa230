"""Tasks of the adjudication project that say otherwise than they would now.

Annotators change their answers, and other disputes, or none, come of them. A task that nobody has touched
goes then, and where its image is in dispute still another is pushed in its place. One that somebody has begun
or answered stays, whatever it says: taking it out would take an answer away.

What is pushed anew is pushed before the rest goes. On SQLite Label Studio numbers new tasks from the last
that is there: who has an old one open would send an answer to whichever task has got its number.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from tundish.labeling.label_studio.predictions import region_contents
from tundish.recipe.labelling import ADJUDICATION

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.labeling.consensus.disputes import Disputes
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Existing

__all__ = ["Renewal", "compare_tasks", "fingerprint_disputes", "remove_tasks"]

_NAMED = 10


class Renewal(NamedTuple):
    """What is to become of the tasks that say otherwise than they would now.

    Attributes:
        stale: Numbers of those that nobody has touched: they go.
        renewed: The images among them that are in dispute, and of which no other task says what it would now.
        kept: The images in dispute whose tasks stay as they are, since somebody has touched them.
        notes: Sentences worth reading.
    """

    stale: frozenset[int]
    renewed: frozenset[str]
    kept: frozenset[str]
    notes: tuple[str, ...]


def fingerprint_disputes(found: Disputes) -> dict[str, str]:
    """What the task of each image says, in 32 hex digits, by image_id; in whatever order its regions come."""
    return {
        image_id: sha256(b"\n".join([why.encode(), *region_contents(found.regions[image_id])])).hexdigest()[
            :32
        ]
        for image_id, why in found.images.select("image_id", "why").iter_rows()
    }


def compare_tasks(
    client: Client,
    there: Existing,
    wanted: Mapping[str, str],
    ours: Collection[str],
    answered: Collection[tuple[int, str | None]],
) -> Renewal:
    """Which tasks say otherwise than they would now, or are of images that are no longer in dispute.

    Args:
        client: The server.
        there: What is in the adjudication project.
        wanted: The fingerprints of what is in dispute, by image_id.
        ours: The images of the dataset. Tasks of others are left alone, and so are those that were not pushed
            for an adjudicator.
        answered: Number and time of making (None: not known) of tasks whose answers were pulled. One whose
            answer was withdrawn since looks untouched, and is not.

    Raises:
        OutsideError: The server fails.
    """
    stale: dict[int, str] = {}
    touched: dict[int, str] = {}
    same: set[str] = set()
    for task in there.tasks:
        number, image_id = int(task["id"]), _asked_about(task["data"], ours)
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
    # What was answered about an image that is no longer in dispute is nothing to be told.
    touched = {number: image_id for number, image_id in touched.items() if image_id in wanted}
    if there.project is not None:
        touched |= {number: stale.pop(number) for number in _begun(client, there.project["id"], stale)}
    kept = frozenset(wanted).intersection(touched.values())
    renewed = frozenset(wanted).intersection(stale.values()) - kept - same
    return Renewal(frozenset(stale), renewed, kept, _told(touched))


def remove_tasks(client: Client, project: int, stale: Collection[int]) -> int:
    """Take out tasks that nobody has touched by now; how many went.

    Raises:
        OutsideError: The server fails; a repeat goes on where it stopped.
    """
    gone = sorted({*stale}.difference(_begun(client, project, stale)))
    if gone:
        client.delete_tasks(project, gone)
    return len(gone)


def _asked_about(data: object, ours: Collection[str]) -> str | None:
    """The image of the dataset that an adjudicator was asked about."""
    if not isinstance(data, dict) or data.get("purpose") != ADJUDICATION:
        return None
    image_id = data.get("image_id")
    return image_id if isinstance(image_id, str) and image_id in ours else None


def _begun(client: Client, project: int, tasks: Collection[int]) -> list[int]:
    """Those of the tasks that somebody has touched, as the server says it just before they go."""
    return [
        int(task["id"])
        for several in client.export(project, sorted(tasks))
        for task in several
        if task["annotations"] or task["drafts"]
    ]


def _told(touched: Collection[int]) -> tuple[str, ...]:
    if not touched:
        return ()
    named = ", ".join(map(str, sorted(touched)[:_NAMED]))
    more = f" and {len(touched) - _NAMED:,} more" if len(touched) > _NAMED else ""
    one = len(touched) == 1
    say, they, stay = ("says", "it", "stays") if one else ("say", "they", "stay")
    told = (
        f"{len(touched):,} task{'s' * (not one)} that somebody has begun or answered {say} otherwise than "
        f"{they} would now, and {stay} ({named}{more}): pull the answers first; what is told still is asked "
        "anew once its task is deleted in the project"
    )
    return (told,)
