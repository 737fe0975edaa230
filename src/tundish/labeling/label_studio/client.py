"""What Tundish asks of a Label Studio server: one method a question.

An import that timed out may have been done, so `push` looks what is there before it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from tundish.errors import OutsideError
from tundish.labeling.label_studio.connection import PROJECTS, USERS, Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Client"]

_PAGE = 5000
_IDS_A_CALL = 500  # Django refuses more than a thousand
_TASKS_A_URL = 100
_TABS = "api/dm/views/"
_SELDOM = [
    *("inner_id", "annotations_results", "annotations_ids", "file_upload", "storage_filename"),
    *("predictions_score", "predictions_model_versions", "predictions_results"),
    *("created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists"),
    "data.made_of",  # by which a task is compared, and nothing to read
]
_BESIDE_THE_EDITOR = ["id", "completed_at", "cancelled_annotations", "total_predictions", "annotators"]
_TAB = {
    "title": "Default",
    "type": "list",
    "target": "tasks",
    "hiddenColumns": {
        "explore": [f"tasks:{name}" for name in _SELDOM],
        "labeling": [f"tasks:{name}" for name in (*_SELDOM, *_BESIDE_THE_EDITOR)],
    },
}
"""The list of tasks as Label Studio shows it by default."""

_LOOKED_AT = "id,title,label_config,model_version,created_at"
"""Of a project. All that a project has includes counts, for which the server goes through all its answers."""

_INSTRUCTION = (
    "Mark what you see. <b>Submit</b> with nothing marked says that nothing is there; "
    "<b>Skip</b> says that you cannot tell, and decides nothing."
)
"""What annotators read under Instructions."""


class Client(Connection):
    """The questions of this project to one server; each raises `OutsideError` as its connection does."""

    def users(self) -> dict[int, str]:
        """E-mail address by user id."""
        answer = self.get("asking for the users", USERS)
        return {int(user["id"]): str(user["email"]) for user in answer}

    def find_project(self, title: str) -> dict[str, Any] | None:
        """The project with this title; the oldest, where there are several."""
        return self.projects(title).get(title)

    def projects(self, part: str) -> dict[str, dict[str, Any]]:
        """By title, the oldest first: those with `part` in it, in any case; of equal titles the oldest.

        Returns:
            id, title, label_config, model_version and created_at of each.
        """
        by_title: dict[str, dict[str, Any]] = {}
        for project in sorted(self._all_projects(part), key=lambda project: int(project["id"])):
            by_title.setdefault(str(project["title"]), project)
        return by_title

    def _all_projects(self, part: str) -> Iterator[dict[str, Any]]:
        doing = f"looking for the project '{part}'"
        page = 1
        while True:
            answer = self.get(doing, PROJECTS, title=part, page=page, page_size=100, include=_LOOKED_AT)
            yield from answer["results"]
            if not answer.get("next"):
                return
            page += 1

    def create_project(self, title: str, label_config: str) -> dict[str, Any]:
        """Make a project, with the tab that its first visitor would make otherwise.

        Without a tab the browser asks for a task and for the list of tasks at once; where the list comes
        second, the editor opens the task without its predictions, and an annotator who submits says: nothing.
        """
        doing = f"making the project '{title}'"
        body = {
            "title": title,
            "label_config": label_config,
            "show_collab_predictions": True,
            "expert_instruction": _INSTRUCTION,
        }
        answer: dict[str, Any] = self.post(doing, PROJECTS, body)
        self.post(doing, _TABS, {"project": answer["id"], "data": _TAB})
        return answer

    def keep_tab(self, project: int) -> None:
        """Make the tab of a project that has none: Label Studio takes it out with the last task."""
        if not self.get("looking for the project's tab", _TABS, project=project):
            self.post("making the project's tab", _TABS, {"project": project, "data": _TAB})

    def change_project(self, project: int, **fields: object) -> None:
        """Change some of a project's settings, such as its `label_config`."""
        self.send("changing the project", "PATCH", f"api/projects/{project}/", json=fields)

    def change_config(self, project: int, label_config: str) -> str | None:
        """Give a project another labelling configuration; what the server has against it, if anything."""
        body = {"label_config": label_config}
        return self.objected(
            "changing the labelling configuration", "PATCH", f"api/projects/{project}/", body
        )

    def recount(self, project: int) -> None:
        """Let the server count anew what is drawn in a project, by which it takes a configuration or not."""
        self.send("counting what is drawn", "POST", f"api/projects/{project}/summary/reset/", json={})

    def tasks(
        self, project: int, fields: Sequence[str] = ("id", "data"), *, lacking: str | None = None
    ) -> list[dict[str, Any]]:
        """Some fields of every task; without `data` half as long as with it.

        Args:
            project: Its number.
            fields: Their names.
            lacking: Only tasks without a prediction whose version has this text in it.
        """
        query = {}
        if lacking is not None:
            query["query"] = _only("predictions_model_versions", "not_contains", "List", [lacking])
        for _ in range(self._tries):
            tasks, total = self._pages(project, ",".join(fields), **query)
            if len(tasks) == total:
                break  # nobody added or deleted a task while the pages were turned
        return list(tasks.values())

    def begun(self, project: int) -> int:
        """How many tasks hold an answer that somebody has begun and not submitted."""
        query = _only("draft_exists", "equal", "Boolean", "true")
        return len(self._pages(project, "id", query=query)[0])

    def _pages(self, project: int, fields: str, **more: str) -> tuple[dict[int, dict[str, Any]], int]:
        tasks: dict[int, dict[str, Any]] = {}
        page = 1
        query = {"project": project, "page_size": _PAGE, "fields": "task_only", "include": fields, **more}
        query["resolve_uri"] = "false"  # addresses for the browser are not asked for
        while True:
            answer = self.get("listing the tasks", "api/tasks/", page=page, **query)
            tasks |= {task["id"]: task for task in answer["tasks"]}
            # Asked for a page past the end the server answers 404.
            if page * _PAGE >= answer["total"] or not answer["tasks"]:
                return tasks, int(answer["total"])
            page += 1

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks with the predictions and annotations they carry; sent once, whatever comes of it."""
        self.send(f"pushing {len(tasks):,} tasks", "POST", f"api/projects/{project}/import", json=tasks)

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> int:
        """Add predictions to tasks that are there, all or none; how many of them the server took."""
        doing = f"pushing {len(predictions):,} predictions"
        answer = self.post(doing, f"api/projects/{project}/import/predictions", predictions)
        return int(answer["created"])

    def versions(self, project: int) -> dict[str, int]:
        """How many predictions there are of each version."""
        answer = self.get("counting predictions", f"api/projects/{project}/model-versions/")
        return {str(version): int(count) for version, count in answer.items()}

    def predictions(self, project: int) -> list[dict[str, Any]]:
        """All predictions of a project, at once."""
        answer: list[dict[str, Any]] = self.get("listing predictions", "api/predictions/", project=project)
        return answer

    def predictions_of(self, project: int, tasks: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The predictions of some tasks, a hundred at a time: slower than all at once, and never large."""
        query = {"project": project, "fields": "all", "include": "id,predictions", "page_size": _TASKS_A_URL}
        for start in range(0, len(tasks), _TASKS_A_URL):
            chosen = {"selectedItems": {"all": False, "included": tasks[start : start + _TASKS_A_URL]}}
            said = orjson.dumps(chosen).decode()
            answer = self.get("listing predictions", "api/tasks/", query=said, **query)
            yield from (prediction for task in answer["tasks"] for prediction in task["predictions"])

    def delete_prediction(self, prediction: int) -> None:
        """Delete a prediction."""
        self.send("taking out a prediction", "DELETE", f"api/predictions/{prediction}/")

    def delete_tasks(self, project: int, ids: Sequence[int]) -> None:
        """Delete tasks with all that hangs on them."""
        body = {"selectedItems": {"all": False, "included": list(ids)}}
        self.post("taking out tasks", f"api/dm/actions?id=delete_tasks&project={project}", body)

    def export(self, project: int, ids: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
        """Tasks in the server's native JSON with all their annotations, some hundred at a time."""
        for start in range(0, len(ids), _IDS_A_CALL):
            chosen = ids[start : start + _IDS_A_CALL]
            query = {"exportType": "JSON", "download_all_tasks": "true", "ids[]": chosen}
            yield self.get("pulling the answers", f"api/projects/{project}/export", **query)

    def offer_folder(self, project: int, folder: Path) -> None:
        """Let the server show the pictures of a folder below its document root."""
        doing = "offering the folder of pictures"
        known = self.get(doing, "api/storages/localfiles/", project=project)
        if any(storage["path"] == str(folder) for storage in known):
            return
        body = {"project": project, "path": str(folder), "title": "tundish", "use_blob_urls": True}
        said = self.objected(doing, "POST", "api/storages/localfiles/", body)
        if said is not None:
            raise OutsideError(
                f"Label Studio may not show the pictures in {folder} ({said})",
                where=self.address,
                fix="set label.files to the server's document root, or label.images to serve",
            )


def _only(column: str, operator: str, kind: str, value: object) -> str:
    """A filter of the server's list of tasks; it knows no whole words."""
    item = {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
    return orjson.dumps({"filters": {"conjunction": "and", "items": [item]}}).decode()
