"""Pull the annotators' answers from the server into ``labels/``.

The server's tasks are stored unchanged (`TASKS`), and labels and answers are derived from them each time, as
validate does from stored label files: a class that gains an alias needs no new pull. Only tasks that changed
since the last pull are requested. A task that was deleted in the server is reported, and its answers stay
here until its image is answered again; to remove them, delete ``labels/`` and pull again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from tundish.errors import OutsideError
from tundish.formats.base import Problem
from tundish.labeling.label_studio.differences import find_differences
from tundish.labeling.label_studio.read_answers import read_tasks
from tundish.labeling.tables import ANSWERS, LABEL_FAULTS, TASKS
from tundish.storage.quarantine import quarantine_frame, quarantine_row
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import LabelConfig
    from tundish.recipe.sections import Annotations

__all__ = ["Pull", "pull"]


_LISTED = ("id", "created_at", "updated_at", "total_annotations", "cancelled_annotations")
_VOLATILE = ("created_ago", "created_username")
"""Keys of an annotation that change with time alone."""


@dataclass(frozen=True)
class Pull:
    """What a pull did.

    Args:
        changed: Number of tasks that were requested.
        unchanged: Number of answered tasks that have not changed since the last pull.
        gone: Number of tasks deleted in the server whose answers stay.
        answers: Rows of the answers table, of all projects.
        labels: Rows of the annotations table.
        drafts: Tasks with an answer that somebody began and has not submitted; it stays in the server.
        problems: Regions and answers that could not be read, and warnings.
        notes: Sentences for the user.
        missing: The error to raise after the rest is reported, where some of the projects do not exist.
    """

    changed: int
    unchanged: int
    gone: int
    answers: int
    labels: int
    drafts: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    missing: OutsideError | None = None


def pull(
    client: Client,
    configs: Mapping[str, LabelConfig],
    images: pl.DataFrame,
    section: Annotations,
    folder: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Pull:
    """Pull the answers of some projects into `folder`, beside those of other projects that are in it.

    Equal answers give equal bytes. An interrupted pull leaves the files as they were. A missing project does
    not hold up the others, and what was pulled from it stays.

    Args:
        client: The server.
        configs: The configuration that the recipe asks for, by title of the project.
        images: image_id, source, path, width, height (px, upright) of the dataset's images.
        section: The recipe's section, for the classes.
        folder: ``labels/``; gets annotations.parquet, answers.parquet, problems.parquet and tasks.parquet.
        progress: Called with the number of tasks pulled and the number of changed tasks.

    Raises:
        OutsideError: The server fails, or has none of the projects.
    """
    path = folder / "tasks.parquet"
    known = TASKS.read_if_there(path)
    projects, missing = _pull_projects(client, configs, known, progress)
    unasked = known.filter(~pl.col("title").is_in(list(configs)))
    stay = [unasked, known.filter(pl.col("title").is_in(list(missing)))]
    tasks = pl.concat([*stay, *(table for one in projects for table in (one.live, one.gone))])
    tasks = tasks.sort(TASKS.order)
    lost = pl.concat([one.gone for one in projects])
    read = read_tasks(map(orjson.loads, tasks["json"]), images, section)
    problems = (*read.problems, *(_gone(row) for row in lost.iter_rows(named=True)))
    TASKS.write(tasks, path)
    ANNOTATIONS.write(read.annotations, folder / "annotations.parquet")
    ANSWERS.write(read.answers, folder / "answers.parquet")
    LABEL_FAULTS.write(quarantine_frame(_row(one) for one in problems), folder / "problems.parquet")
    rest = "; the others were pulled", "push first, then pull again"
    return Pull(
        changed=sum(one.changed for one in projects),
        unchanged=sum(one.live.height - one.changed_live for one in projects),
        gone=lost.height,
        answers=read.answers.height,
        labels=read.annotations.height,
        drafts=sum(one.drafts for one in projects),
        problems=problems,
        notes=(*_unasked(unasked), *(note for one in projects for note in one.notes)),
        missing=_missing(client, missing, *rest) if missing else None,
    )


@dataclass(frozen=True)
class _Project:
    """The tasks of one project: existing ones, deleted ones, and how many of each changed."""

    live: pl.DataFrame
    gone: pl.DataFrame
    changed: int
    changed_live: int
    drafts: int
    notes: list[str]


def _pull_projects(
    client: Client,
    configs: Mapping[str, LabelConfig],
    known: pl.DataFrame,
    progress: Callable[[int, int], None],
) -> tuple[list[_Project], dict[str, int]]:
    """Pull the projects that exist; also return how many tasks of each missing one are known, by title."""
    projects: list[_Project] = []
    missing: dict[str, int] = {}
    for title, config in configs.items():
        before = known.filter(pl.col("title") == title)
        project = client.find_project(title)
        if project is None:
            missing[title] = before.height
        else:
            projects.append(_pull_project(client, project, config, before, progress))
    if not projects:
        raise _missing(client, missing, "", "push first")
    return projects, missing


def _unasked(tasks: pl.DataFrame) -> list[str]:
    """Notes about tasks whose projects were not pulled."""
    return [
        f"the answers of {count:,} task{'s' * (count > 1)} of '{title}' stay: that project is no longer on "
        "the server, or is not this dataset's"
        for title, count in tasks["title"].value_counts().sort("title").iter_rows()
    ]


def _pull_project(
    client: Client,
    project: Mapping[str, Any],
    config: LabelConfig,
    known: pl.DataFrame,
    progress: Callable[[int, int], None],
) -> _Project:
    title = str(project["title"])
    number, name = int(project["id"]), f"{project['id']} {project['created_at']}"
    found = find_differences(config, str(project["label_config"]))
    notes = [f"the project '{title}' {one.what}; {one.fix}" for one in found]
    listed = {int(task["id"]): task for task in client.tasks(number, _LISTED)}
    exists = _exist(known, name, listed)
    before = known.filter(exists)
    versions = dict(before.select("task_id", "updated_at").iter_rows())
    changed = [key for key, task in listed.items() if _is_news(task, versions.get(key))]
    progress(0, len(changed))
    fresh = _fresh(client, number, title, name, changed, progress)
    live = pl.concat([before.filter(~pl.col("task_id").is_in(changed)), fresh])
    gone = known.filter(~exists).filter(~pl.col("image_id").is_in(live["image_id"].implode()))
    return _Project(live, gone, len(changed), fresh.height, client.count_drafts(number), notes)


def _exist(known: pl.DataFrame, project: str, listed: Mapping[int, Mapping[str, Any]]) -> pl.Series:
    """Which tasks still exist; SQLite gives the number of a deleted task to the next one that is pushed."""
    created = {key: task["created_at"] for key, task in listed.items()}
    rows = known.select("project", "task_id", "created_at").iter_rows()
    exist = [name == project and key in created and at in (None, created[key]) for name, key, at in rows]
    return pl.Series(exist, dtype=pl.Boolean)


def _missing(client: Client, titles: Mapping[str, int], rest: str, fix: str) -> OutsideError:
    """An error that names the missing projects, and how many tasks were pulled from each before."""
    missing = []
    for title, count in titles.items():
        tasks = f"{count:,} task{'s' * (count > 1)}"
        missing.append(
            f"no project '{title}'" + (f" (the answers of {tasks} pulled before stay)" if count else "")
        )
    return OutsideError(f"the server has {' and '.join(missing)}{rest}", where=client.address, fix=fix)


def _is_news(task: dict[str, Any], version: str | None) -> bool:
    if version is None:
        return bool(task["total_annotations"] or task["cancelled_annotations"])
    return bool(task["updated_at"] != version)


def _fresh(
    client: Client,
    project: int,
    title: str,
    name: str,
    ids: Sequence[int],
    progress: Callable[[int, int], None],
) -> pl.DataFrame:
    """Pull the changed tasks; those that have answers, as rows of `TASKS`."""
    rows: list[dict[str, object]] = []
    done = 0
    users = client.users() if ids else {}
    for tasks in client.export(project, ids):
        done += len(tasks)
        answered = [task for task in tasks if task["annotations"]]
        rows += [{"title": title, "project": name, **_kept(task, users)} for task in answered]
        progress(done, len(ids))
    return TASKS.frame(rows)


def _kept(task: dict[str, Any], users: Mapping[int, str]) -> dict[str, object]:
    # User numbers mean something on this server only.
    annotations = [
        {key: value for key, value in one.items() if key not in _VOLATILE}
        | {"completed_by": {"id": one["completed_by"], "email": users.get(one["completed_by"])}}
        # The prediction shown at submission, without later pushes of the same.
        | {"prediction": {"id": (one.get("prediction") or {}).get("id")}}
        for one in sorted(task["annotations"], key=lambda one: int(one["id"]))
    ]
    raw = {"id": task["id"], "data": task["data"], "annotations": annotations}
    data = task["data"] if isinstance(task["data"], dict) else {}
    image_id = data.get("image_id")
    return {
        "task_id": task["id"],
        "created_at": task["created_at"],
        "image_id": image_id if isinstance(image_id, str) else None,
        "updated_at": task["updated_at"],
        "answers": len(annotations),
        "json": orjson.dumps(raw, option=orjson.OPT_SORT_KEYS).decode(),
    }


def _gone(row: Mapping[str, Any]) -> Problem:
    message = f"the task was deleted in the server; its answers ({row['answers']}) stay here"
    return Problem(f"task-{row['task_id']}", None, "task_gone", "", row["title"], message, "warning")


def _row(problem: Problem) -> dict[str, object]:
    return quarantine_row(
        "annotation",
        problem.check,
        problem.message,
        source="label-studio",
        path=problem.path,
        row=problem.row,
        column=problem.column,
        value=problem.value,
        severity=problem.severity,
        count=problem.labels,
    )
