"""Predictions for tasks that are on the server already.

Label Studio keeps any number of predictions a task, accepts the same one twice without a message, and shows
one version: the project's. Existing predictions are therefore listed first, by version, and the version that
was pushed last becomes the one that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Prelabels, RegionJson

__all__ = [
    "AddedPredictions",
    "Limits",
    "add_predictions",
    "prediction_of",
    "region_contents",
    "show_version",
    "split_into_batches",
]


_COMPARED = 100
"""Tasks compared for other regions under the same version: enough to notice that a model's file changed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes into one request: entries, regions and approximate bytes."""

    entries: int
    regions: int
    bytes: int


@dataclass(frozen=True)
class AddedPredictions:
    """The predictions that existing tasks got.

    Args:
        sent: Number of tasks that got a prediction.
        present: Some task has a prediction of this version now.
        notes: Sentences for the user.
    """

    sent: int = 0
    present: bool = False
    notes: tuple[str, ...] = ()


def prediction_of(prelabels: Prelabels, image_id: str) -> dict[str, Any] | None:
    """The pre-annotations of an image as a Label Studio prediction; None where there are none."""
    regions = prelabels.regions.get(image_id)
    if not regions:
        return None
    prediction = {"model_version": prelabels.version, "result": list(regions)}
    score = prelabels.scores.get(image_id)
    return prediction if score is None else prediction | {"score": score}


def split_into_batches(
    entries: Iterable[dict[str, Any]], drawn: Callable[[dict[str, Any]], Sequence[RegionJson]], limits: Limits
) -> Iterator[list[dict[str, Any]]]:
    """Split entries into batches that are small enough for one request.

    Args:
        entries: Tasks or predictions as Label Studio imports them.
        drawn: Returns the regions of an entry.
        limits: How much a request may hold; a single entry may exceed it.
    """
    batch: list[dict[str, Any]] = []
    regions = size = 0
    for entry in entries:
        mine = drawn(entry)
        weight = _weight(mine)
        full = (
            len(batch) >= limits.entries
            or regions + len(mine) > limits.regions
            or size + weight > limits.bytes
        )
        if batch and full:
            yield batch
            batch, regions, size = [], 0, 0
        batch.append(entry)
        regions += len(mine)
        size += weight
    if batch:
        yield batch


def add_predictions(
    client: Client,
    project: int,
    waiting: Mapping[str, Sequence[int]],
    prelabels: Prelabels,
    tasks: int,
    limits: Limits,
) -> AddedPredictions:
    """Add the predictions of a version to the existing tasks that lack them; none is sent twice.

    Args:
        client: The server.
        project: The project's number.
        waiting: Numbers of the tasks without an answer, by image_id.
        prelabels: The pre-annotations.
        tasks: Number of tasks that the project has.
        limits: How much goes into one request.
    """
    wanted: dict[int, dict[str, Any]] = {}
    for image_id, numbers in waiting.items():
        prediction = prediction_of(prelabels, image_id)
        if prediction is not None:
            wanted |= {number: {"task": number, **prediction} for number in numbers}
    if not wanted:
        return AddedPredictions()
    known, repeated = _existing(client, project, wanted, prelabels.version, tasks)
    notes = _note_changes(client, project, [one for number, one in wanted.items() if number in known])
    for number in repeated:
        client.delete_prediction(number)
    if repeated:
        notes.append(f"{len(repeated):,} predictions that were in their tasks twice were removed")
    missing = [prediction for task, prediction in wanted.items() if task not in known]
    sent = sum(
        client.import_predictions(project, batch)
        for batch in split_into_batches(missing, lambda prediction: prediction["result"], limits)
    )
    if sent < len(missing):
        refused = len(missing) - sent
        notes.append(
            f"Label Studio refuses the predictions of {refused:,} existing task{'s' * (refused > 1)}: "
            "they do not fit the project's labelling configuration"
        )
    return AddedPredictions(sent, bool(known or sent), tuple(notes))


def show_version(client: Client, project: int, before: str | None, version: str) -> list[str]:
    """Make a version the one that annotators see; return a note where it replaces another version."""
    if before == version:
        return []
    client.change_project(project, model_version=version)
    return [f"annotators now see the predictions of '{version}' instead of '{before}'"] if before else []


def _existing(
    client: Client, project: int, wanted: Collection[int], version: str, tasks: int
) -> tuple[set[int], list[int]]:
    """The tasks that have a prediction of a version, and the predictions that repeat another."""
    counts = client.count_predictions(project)
    if not counts.get(version):
        return set(), []
    # The server matches parts of names, in any case. Where that is ambiguous, all predictions are read.
    if not any(version.casefold() in other.casefold() for other in counts if other != version):
        lacking = {int(task["id"]) for task in client.tasks(project, ("id",), lacking=version)}
        if counts[version] == tasks - len(lacking):
            return set(wanted) - lacking, []
    results: dict[int, list[RegionJson]] = {}
    repeated = []
    for prediction in client.predictions(project):
        task, result = int(prediction["task"]), prediction["result"]
        if prediction["model_version"] != version:
            continue
        if task not in results:
            results[task] = result
        elif region_contents(results[task]) == region_contents(result):
            repeated.append(int(prediction["id"]))
    return set(wanted) & set(results), repeated


def _note_changes(client: Client, project: int, predictions: Sequence[dict[str, Any]]) -> list[str]:
    """A note where a version's predictions on the server differ from those to push, by a sample of tasks."""
    some = predictions[:: -(-len(predictions) // _COMPARED) or 1]
    stored = {
        (prediction["task"], prediction["model_version"]): region_contents(prediction["result"])
        for prediction in client.predictions_of(project, [one["task"] for one in some])
    }
    other = 0
    for one in some:
        now = region_contents(one["result"])
        other += stored.get((one["task"], one["model_version"]), now) != now
    if not other:
        return []
    note = (
        f"the predictions of '{some[0]['model_version']}' differ from those pushed under that name before in "
        f"{other:,} of {len(some):,} compared tasks, which are left as they are: delete that version in the "
        "project's settings and push again"
    )
    return [note]


def region_contents(regions: Sequence[RegionJson]) -> list[bytes]:
    """The content of regions in a form to compare: without their ids, whatever their order."""
    named = ({key: value for key, value in region.items() if key != "id"} for region in regions)
    return sorted(orjson.dumps(region, option=orjson.OPT_SORT_KEYS) for region in named)


def _weight(regions: Sequence[RegionJson]) -> int:
    """Approximate bytes of regions in a request: only masks are long."""
    return sum(400 + 4 * len(region["value"].get("rle", ())) for region in regions)
