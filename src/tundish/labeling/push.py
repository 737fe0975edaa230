"""Tasks for annotators: one an image, known by its `image_id`, with what is known of it drawn already.

Label Studio takes the same task twice without a word. What is there is therefore listed first and only the
rest is sent, in batches that the server takes whole or not at all: a push that was cut off goes on where it
stopped, and one that is repeated adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tundish.errors import UsageError
from tundish.labeling.config import differences, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tundish.labeling.client import Client

__all__ = ["Item", "Prelabels", "Push", "keys_there", "project_of", "push"]

_BATCH = 1000
_BATCH_REGIONS = 20_000
_BATCH_BYTES = 32 * 1024 * 1024
_TITLE = range(3, 51)

Region = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """An image to be labelled.

    Args:
        image_id: Its key on the server.
        path: Of its file, relative to `source`.
        source: Its source in the recipe.
        width: Of the upright image, px.
        height: Of the upright image, px.
        keys: What its file's name tells (coil, side, ...); shown to the annotator.
        levels: Gray values that its picture shows as black and as white, where they are not the image's own.
        why: Why it is asked for, for the annotator to read.
        purpose: What the answer is for, where it is not one annotator's opinion.
    """

    image_id: str
    path: str
    source: str
    width: int
    height: int
    keys: Mapping[str, str | None] = field(default_factory=dict)
    levels: tuple[int, int] | None = None
    why: str | None = None
    purpose: str | None = None


@dataclass(frozen=True)
class Prelabels:
    """What the annotator finds drawn already.

    Args:
        regions: Label Studio regions by image_id.
        version: Who drew them: `import`, or the name of a model.
        scores: A model's confidence by image_id, 0 to 1.
    """

    regions: Mapping[str, Sequence[Region]] = field(default_factory=dict)
    version: str = "import"
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Push:
    """What a push did.

    Args:
        project: Its id on the server.
        created: The project was made.
        added: Tasks that are new there.
        known: Tasks that were there already.
        notes: Sentences worth reading.
    """

    project: int
    created: bool
    added: int
    known: int
    notes: tuple[str, ...] = ()


def push(
    client: Client,
    title: str,
    config: str,
    items: Sequence[Item],
    address: Callable[[str], str],
    prelabels: Prelabels | None = None,
    *,
    prepare: Callable[[int, Sequence[Item]], None] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Push:
    """Bring images in front of annotators, in the order given, which is that of their work.

    Args:
        client: The server.
        title: Of the project; it is made where there is none.
        config: The labelling configuration.
        items: The images; one that stands there twice is pushed once.
        address: Where the browser finds the picture of an image_id.
        prelabels: What is drawn already.
        prepare: Called with the project's id and the new items before the first of them is sent.
        progress: Told (tasks there, tasks in all).

    Raises:
        UsageError: The title is too short or too long for Label Studio.
        OutsideError: The server fails; what it has taken by then stays.
    """
    project, created, notes = project_of(client, title, config)
    there = set() if created else _keys_once(client, project, notes)
    wanted = {item.image_id: item for item in items}
    fresh = [item for key, item in wanted.items() if key not in there]
    known = len(wanted) - len(fresh)
    if fresh and prepare is not None:
        prepare(project, fresh)
    done = known
    progress(done, len(wanted))
    for batch in _batches(fresh, address, prelabels or Prelabels()):
        client.import_tasks(project, batch)
        done += len(batch)
        progress(done, len(wanted))
    return Push(project, created, len(fresh), known, tuple(notes))


def project_of(client: Client, title: str, config: str) -> tuple[int, bool, list[str]]:
    """The project's id, whether it was made just now, and what is to be said of its configuration.

    A configuration that only lacks what the recipe has gained is brought up to date. One in which somebody
    renamed or took away a label is left alone and told: setting it back would hide what was drawn since.
    """
    if len(title) not in _TITLE:
        raise UsageError(
            f"'{title}' cannot be a project's title: Label Studio wants 3 to 50 characters",
            where="label.project",
            fix="set a title in the recipe",
        )
    project = client.find_project(title)
    if project is None:
        return int(client.create_project(title, config)["id"]), True, []
    number = int(project["id"])
    found = str(project["label_config"])
    if found.strip() == config.strip():
        return number, False, []
    if _strangers(config, found):
        notes = [f"{one.message}; it was left as it is" for one in differences(config, found)]
        return number, False, notes
    client.change_project(number, label_config=config)
    return number, False, [f"the labelling configuration of '{title}' was brought up to date"]


def keys_there(client: Client, project: int) -> set[str]:
    """The image_ids of the tasks of a project."""
    return set(_ids_by_key(client, project))


def _ids_by_key(client: Client, project: int) -> dict[str, list[int]]:
    by_key: dict[str, list[int]] = {}
    for task in client.tasks(project):
        data = task.get("data")
        if isinstance(data, dict) and data.get("image_id"):
            by_key.setdefault(str(data["image_id"]), []).append(int(task["id"]))
    return by_key


def _keys_once(client: Client, project: int, notes: list[str]) -> set[str]:
    """The keys of a project, after tasks that stand there twice were taken out.

    A server that takes longer over a batch than one waits for it may be given the batch again.
    """
    by_key = _ids_by_key(client, project)
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
        notes.append(
            f"{len(idle):,} tasks that stood in the project twice, and nobody had touched, were taken out"
        )
    return set(by_key)


def _strangers(config: str, found: str) -> bool:
    """Whether the server's configuration offers something that ours does not."""
    ours, theirs = read_config(config), read_config(found)
    return any(
        name not in ours or ours[name].tag != control.tag or set(control.labels) - set(ours[name].labels)
        for name, control in theirs.items()
    )


def _batches(
    items: Sequence[Item], address: Callable[[str], str], prelabels: Prelabels
) -> Iterator[list[dict[str, Any]]]:
    """Tasks in batches that stay small enough for one call."""
    batch: list[dict[str, Any]] = []
    regions = size = 0
    for item in items:
        task = _task(item, address(item.image_id), prelabels)
        drawn = [region for prediction in task.get("predictions", ()) for region in prediction["result"]]
        weight = sum(400 + 4 * len(region["value"].get("rle", ())) for region in drawn)
        full = len(batch) >= _BATCH or regions + len(drawn) > _BATCH_REGIONS or size + weight > _BATCH_BYTES
        if batch and full:
            yield batch
            batch, regions, size = [], 0, 0
        batch.append(task)
        regions += len(drawn)
        size += weight
    if batch:
        yield batch


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
    told = {"why": item.why, "purpose": item.purpose}
    data |= {name: value for name, value in told.items() if value is not None}
    if item.levels is not None:
        data["black"], data["white"] = item.levels
    task: dict[str, Any] = {"data": data}
    regions = prelabels.regions.get(item.image_id)
    if regions:
        prediction = {"model_version": prelabels.version, "result": list(regions)}
        score = prelabels.scores.get(item.image_id)
        task["predictions"] = [prediction if score is None else prediction | {"score": score}]
    return task
