"""Push images to annotators: one task an image, identified by its `image_id`, with its pre-annotations.

Label Studio accepts the same task twice without a message. The existing tasks are therefore listed first and
only the rest is sent, in batches that the server takes whole or not at all: a push that was interrupted
continues where it stopped, and a repeated push adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tundish.labeling.label_studio.predictions import (
    Limits,
    add_predictions,
    prediction_of,
    show_version,
    split_into_batches,
)
from tundish.labeling.label_studio.project import prepare_project
from tundish.labeling.label_studio.regions import rename_classes
from tundish.labeling.label_studio.tasks import Existing, Item, Prelabels, RegionJson, tasks_by_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import ClassNames, LabelConfig

__all__ = ["Push", "look_up_existing", "push"]

_BATCH = 1000
_PREDICTIONS = 5000  # after each request the server recounts all tasks of the project
_BATCH_REGIONS = 20_000
_BATCH_BYTES = 32 * 1024 * 1024

_LISTED = ("id", "data", "created_at", "total_annotations", "cancelled_annotations")


@dataclass(frozen=True)
class Push:
    """What a push did.

    Args:
        project: The project's id on the server.
        created: Whether the project was created.
        added: Number of new tasks.
        known: Number of tasks that existed already.
        proposed: Number of existing tasks that got a prediction.
        notes: Sentences for the user.
    """

    project: int
    created: bool
    added: int
    known: int
    proposed: int = 0
    notes: tuple[str, ...] = ()


def push(
    client: Client,
    title: str,
    config: LabelConfig,
    items: Sequence[Item],
    address: Callable[[str], str],
    prelabels: Prelabels | None = None,
    *,
    existing: Existing | None = None,
    prepare: Callable[[int, Sequence[Item]], None] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Push:
    """Push images to a project, in the order given, which is the order of work.

    Pre-annotations are shown in new tasks, and in existing ones that nobody has answered, under the names
    that the project uses for the classes.

    Args:
        client: The server.
        title: Title of the project; it is created where it does not exist.
        config: The configuration that the recipe asks for.
        items: The images; repeated ones are pushed once.
        address: Returns the address of an image_id's picture for the browser.
        prelabels: The pre-annotations.
        existing: What `look_up_existing` returned just now; by default it is called here.
        prepare: Called with the project's id and the new items before the first of them is sent.
        progress: Called with the number of tasks on the server and the number of tasks in all.

    Raises:
        UsageError: The title is too short or too long for Label Studio.
        OutsideError: The server fails; what it has taken by then stays.
    """
    existing = existing or look_up_existing(client, client.find_project(title))
    project, created, names, notes = prepare_project(client, title, config, existing.project)
    drawn = _named(prelabels or Prelabels(), names)
    tasks = _known(client, project, existing.tasks, notes)
    if not tasks.total and not created:
        client.ensure_tab(project)
    wanted = {item.image_id: item for item in items}
    fresh = [item for key, item in wanted.items() if key not in tasks.by_key]
    known = len(wanted) - len(fresh)
    waiting = {key: numbers for key, numbers in tasks.waiting.items() if key in wanted}
    proposed = add_predictions(client, project, waiting, drawn, tasks.total, _limits(_PREDICTIONS))
    if fresh and prepare is not None:
        prepare(project, fresh)
    done = known
    progress(done, len(wanted))
    for batch in _batches(fresh, address, drawn):
        client.import_tasks(project, batch)
        done += len(batch)
        progress(done, len(wanted))
    if proposed.present or any(drawn.regions.get(item.image_id) for item in fresh):
        before = existing.project["model_version"] if existing.project else None
        notes += show_version(client, project, before, drawn.version)
    notes += proposed.notes
    return Push(project, created, len(fresh), known, proposed.sent, tuple(notes))


def look_up_existing(client: Client, project: Mapping[str, Any] | None) -> Existing:
    """List the tasks of a project, given as the server describes it; None where it does not exist yet."""
    return Existing(project, client.tasks(int(project["id"]), _LISTED)) if project else Existing()


def _named(prelabels: Prelabels, names: ClassNames) -> Prelabels:
    """The pre-annotations under the names that a project uses for the classes."""
    if not names:
        return prelabels
    regions = {key: rename_classes(result, names) for key, result in prelabels.regions.items()}
    return replace(prelabels, regions=regions)


class _Known(NamedTuple):
    """The tasks of a project by image_id, those of them without an answer, and the number of its tasks."""

    by_key: dict[str, list[int]]
    waiting: dict[str, list[int]]
    total: int


def _known(client: Client, project: int, listed: Sequence[Mapping[str, Any]], notes: list[str]) -> _Known:
    """The tasks of a project, of those listed, after untouched repeated tasks are deleted.

    A server that takes longer over a batch than the time-out may get the batch again.
    """
    by_key = tasks_by_image(listed)
    several = [number for ids in by_key.values() if len(ids) > 1 for number in ids]
    touched = {
        int(task["id"])
        for tasks in client.export(project, several)
        for task in tasks
        if task["annotations"] or task["drafts"]
    }
    idle = []
    for ids in by_key.values():
        kept = next((number for number in sorted(ids) if number in touched), min(ids))
        idle += [number for number in ids if number != kept and number not in touched]
    if idle:
        client.delete_tasks(project, idle)
        notes.append(f"{len(idle):,} tasks that were in the project twice, and untouched, were removed")
    answered = {one["id"] for one in listed if one["total_annotations"] or one["cancelled_annotations"]}
    done = answered.union(idle)
    waiting = {key: [number for number in ids if number not in done] for key, ids in by_key.items()}
    return _Known(by_key, {key: ids for key, ids in waiting.items() if ids}, len(listed) - len(idle))


def _limits(entries: int) -> Limits:
    return Limits(entries, _BATCH_REGIONS, _BATCH_BYTES)


def _batches(
    items: Sequence[Item], address: Callable[[str], str], prelabels: Prelabels
) -> Iterator[list[dict[str, Any]]]:
    """Tasks in batches that are small enough for one request."""
    tasks = (_task(item, address(item.image_id), prelabels) for item in items)
    return split_into_batches(tasks, _drawn, _limits(_BATCH))


def _drawn(task: dict[str, Any]) -> list[RegionJson]:
    return [region for prediction in task.get("predictions", ()) for region in prediction["result"]]


def _task(item: Item, address: str, prelabels: Prelabels) -> dict[str, Any]:
    data = {
        "image": address,
        "image_id": item.image_id,
        "path": item.path,
        "source": item.source,
        "width": item.width,
        "height": item.height,
        **{name: value for name, value in item.keys.items() if value is not None},
    }
    # Projects of earlier pushes have the fingerprint under this key.
    optional = {"why": item.why, "purpose": item.purpose, "made_of": item.fingerprint}
    data |= {name: value for name, value in optional.items() if value is not None}
    if item.levels is not None:
        data["black"], data["white"] = item.levels
    task: dict[str, Any] = {"data": data}
    prediction = prediction_of(prelabels, item.image_id)
    if prediction is not None:
        task["predictions"] = [prediction]
    return task
