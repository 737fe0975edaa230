"""The tasks in a file of Label Studio: its JSON export, JSON-MIN, and what it writes to cloud storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tundish.formats.label_studio.results import sort_results
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.formats.label_studio.results import Results

__all__ = ["Annotation", "Task", "tasks_in"]

_MIN = ("annotation_id", "annotator")
"""Keys of an item of JSON-MIN that hold no answer; its answers stand between ``id`` and ``annotator``."""

_GEOMETRY = ("x", "points", "rle")


class Annotation(NamedTuple):
    """One annotation: its members but the result, and the entries of its result; or why there are none."""

    facts: Mapping[str, Any]
    entries: list[Any]
    fault: Fault | None = None

    def sorted(self) -> Results:
        """The entries, sorted into regions and classes."""
        return sort_results(self.entries)


class Task(NamedTuple):
    """One task: its number, its data, and its annotations; predictions and drafts are not answers."""

    number: object
    data: Mapping[str, Any]
    upload: object
    annotations: list[Annotation]
    predictions: int = 0


def tasks_in(data: bytes) -> list[Task]:
    """The tasks of a file.

    Args:
        data: The file.

    Raises:
        Fault: It is not JSON, or not of Label Studio.
    """
    content = parse_json(data)
    items = content if isinstance(content, list) else [content]
    kinds = {_kind(item) for item in items}
    if not kinds - {""}:
        raise Fault("not_label_studio", "a Label Studio export has tasks with 'data' and 'annotations'")
    tasks: list[Task] = []
    for item in items:
        kind = _kind(item)
        if kind == "task":
            tasks.append(_task(item))
        elif kind == "min":
            tasks.append(_minimal(item))
        elif kind == "stored":
            one = _annotation({key: value for key, value in item.items() if key != "task"})
            task = item["task"]
            tasks.append(Task(task.get("id"), task["data"], task.get("file_upload"), [one]))
        else:
            fault = Fault("broken_task", "the task is not an object with 'data' and 'annotations'", "", item)
            tasks.append(Task(None, {}, None, [Annotation({}, [], fault)]))
    return tasks


def _kind(item: object) -> str:
    """What an item of a file is: 'task', 'min' (JSON-MIN), 'stored' (in cloud storage), or nothing known."""
    if not isinstance(item, dict):
        return ""
    if isinstance(item.get("data"), dict) and ("annotations" in item or "completions" in item):
        return "task"
    if all(key in item for key in _MIN):
        return "min"
    task = item.get("task")
    stored = "result" in item and isinstance(task, dict) and isinstance(task.get("data"), dict)
    return "stored" if stored else ""


def _task(item: Mapping[str, Any]) -> Task:
    given = item.get("annotations", item.get("completions")) or []
    annotations = [_annotation(one) for one in (given if isinstance(given, list) else [given])]
    predictions = item.get("predictions")
    count = len(predictions) if isinstance(predictions, list) else 0
    return Task(item.get("id"), item["data"], item.get("file_upload"), annotations, count)


def _annotation(given: object) -> Annotation:
    entries = (given.get("result") or []) if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(entries, list):
        message = "the annotation is not a JSON object with a list of results"
        return Annotation({}, [], Fault("broken_answer", message, "result", given))
    return Annotation({key: value for key, value in given.items() if key != "result"}, entries)


def _minimal(item: Mapping[str, Any]) -> Task:
    """A task from an item of JSON-MIN, which has one annotation at most."""
    names = list(item)
    start = names.index("id") + 1 if "id" in names and names.index("id") < names.index("annotator") else 0
    answers = {
        name: item[name]
        for name in names[: names.index("annotator")]
        if names.index(name) >= start or _is_answer(item[name])
    }
    data = {name: value for name, value in item.items() if name not in answers}
    if item["annotation_id"] is None:
        return Task(item.get("id"), data, None, [])
    entries = [entry for name, value in answers.items() for entry in _entries(name, value)]
    facts = {key: item.get(key) for key in ("created_at", "updated_at", "lead_time")}
    facts |= {"id": item["annotation_id"], "completed_by": item["annotator"]}
    return Task(item.get("id"), data, None, [Annotation(facts, entries)])


def _is_answer(value: object) -> bool:
    """Whether a member of an item holds regions, wherever it stands."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and (
        "choices" in first or any(name.endswith("labels") for name in first if isinstance(name, str))
    )


def _entries(control: str, value: object) -> list[dict[str, Any]]:
    """The entries of a result, from what JSON-MIN left of them."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        given = one if isinstance(one, dict) else {"choices": [one]}
        kind = next((name for name in given if name == "choices" or name.endswith("labels")), None)
        if kind is None:
            kind = next((name for name in ("text", "rating", "number", "taxonomy") if name in given), None)
            kind = {"text": "textarea"}.get(kind, kind) if kind else None
        drawn = any(key in given for key in _GEOMETRY)
        size = {key: given[key] for key in ("original_width", "original_height") if key in given}
        inside = {key: item for key, item in given.items() if key not in size}
        entry = {"type": kind or ("labels" if drawn else None), "from_name": control, "value": inside, **size}
        found.append(entry)
    return found
