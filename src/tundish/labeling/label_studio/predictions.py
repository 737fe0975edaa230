"""Predictions for tasks that are on the server already.

Label Studio keeps any number of predictions a task and takes the same one twice without a word, and it shows
one version: the project's. What is there is therefore listed first, by its version, and the version that was
pushed last becomes the one that is shown.
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
"""So many tasks are looked at for other regions under the same name: a file that was written anew shows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes into one call: entries, regions and bytes, about."""

    entries: int
    regions: int
    bytes: int


@dataclass(frozen=True)
class AddedPredictions:
    """What known tasks were given.

    Args:
        sent: Tasks that got a prediction.
        there: Some task has one of this version by now.
        notes: Sentences worth reading.
    """

    sent: int = 0
    there: bool = False
    notes: tuple[str, ...] = ()


def prediction_of(prelabels: Prelabels, image_id: str) -> dict[str, Any] | None:
    """What is drawn already in an image, as Label Studio takes it; None where nothing is."""
    regions = prelabels.regions.get(image_id)
    if not regions:
        return None
    prediction = {"model_version": prelabels.version, "result": list(regions)}
    score = prelabels.scores.get(image_id)
    return prediction if score is None else prediction | {"score": score}


def split_into_batches(
    entries: Iterable[dict[str, Any]], drawn: Callable[[dict[str, Any]], Sequence[RegionJson]], limits: Limits
) -> Iterator[list[dict[str, Any]]]:
    """Entries in batches that stay small enough for one call; `drawn` tells the regions of one."""
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
    """Give known tasks the predictions of a version that they lack; what they have is not sent again.

    Args:
        client: The server.
        project: Its number.
        waiting: Tasks without an answer, by image_id.
        prelabels: What is drawn already.
        tasks: How many the project has.
        limits: Of one call.
    """
    wanted: dict[int, dict[str, Any]] = {}
    for image_id, numbers in waiting.items():
        prediction = prediction_of(prelabels, image_id)
        if prediction is not None:
            wanted |= {number: {"task": number, **prediction} for number in numbers}
    if not wanted:
        return AddedPredictions()
    known, doubled = _there(client, project, wanted, prelabels.version, tasks)
    notes = _otherwise(client, project, [one for number, one in wanted.items() if number in known])
    for number in doubled:
        client.delete_prediction(number)
    if doubled:
        notes.append(f"{len(doubled):,} predictions that stood in their tasks twice were taken out")
    missing = [prediction for task, prediction in wanted.items() if task not in known]
    sent = sum(
        client.import_predictions(project, batch)
        for batch in split_into_batches(missing, lambda prediction: prediction["result"], limits)
    )
    if sent < len(missing):
        refused = len(missing) - sent
        notes.append(
            f"Label Studio refuses the predictions of {refused:,} known task{'s' * (refused > 1)}: "
            "the project's labelling configuration does not fit them"
        )
    return AddedPredictions(sent, bool(known or sent), tuple(notes))


def show_version(client: Client, project: int, before: str | None, version: str) -> list[str]:
    """Make a version the one that annotators see instead of the one before; what is to be said of it."""
    if before == version:
        return []
    client.change_project(project, model_version=version)
    return [f"annotators now see what '{version}' draws, no longer '{before}'"] if before else []


def _there(
    client: Client, project: int, wanted: Collection[int], version: str, tasks: int
) -> tuple[set[int], list[int]]:
    """Those of the tasks that have a prediction of a version, and predictions that say the same once more."""
    counts = client.versions(project)
    if not counts.get(version):
        return set(), []
    # The server finds parts of names, in either case. Where that is no answer, all predictions are read.
    if not any(version.casefold() in other.casefold() for other in counts if other != version):
        lacking = {int(task["id"]) for task in client.tasks(project, ("id",), lacking=version)}
        if counts[version] == tasks - len(lacking):
            return set(wanted) - lacking, []
    results: dict[int, list[RegionJson]] = {}
    doubled = []
    for prediction in client.predictions(project):
        task, result = int(prediction["task"]), prediction["result"]
        if prediction["model_version"] != version:
            continue
        if task not in results:
            results[task] = result
        elif region_contents(results[task]) == region_contents(result):
            doubled.append(int(prediction["id"]))
    return set(wanted) & set(results), doubled


def _otherwise(client: Client, project: int, predictions: Sequence[dict[str, Any]]) -> list[str]:
    """Tell where a version that is there says something else than it does now, going by some of the tasks."""
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
    told = (
        f"'{some[0]['model_version']}' says otherwise of {other:,} of {len(some):,} tasks that were compared "
        "than what was pushed under that name, which was left as it is: delete it in the project's settings "
        "and push again"
    )
    return [told]


def region_contents(regions: Sequence[RegionJson]) -> list[bytes]:
    """What regions say, whatever they are called and in whatever order they come."""
    named = ({key: value for key, value in region.items() if key != "id"} for region in regions)
    return sorted(orjson.dumps(region, option=orjson.OPT_SORT_KEYS) for region in named)


def _weight(regions: Sequence[RegionJson]) -> int:
    """Bytes of regions on the wire, about: nothing but masks is long."""
    return sum(400 + 4 * len(region["value"].get("rle", ())) for region in regions)
