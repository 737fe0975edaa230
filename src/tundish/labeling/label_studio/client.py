"""The requests that Tundish makes to a Label Studio server, one method each.

An import that timed out may still have been done, so `push` lists the existing tasks before it continues.
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
    "data.made_of",  # the fingerprint by which tasks are compared: nothing for people to read
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
    "Mark what you see. <b>Submit</b> without any mark means that there is nothing; "
    "<b>Skip</b> means that you cannot tell, and does not count as an answer."
)
"""The text that annotators read under Instructions."""


class Client(Connection):
    """A client for one server; every method raises `OutsideError` as `Connection` does."""

    def users(self) -> dict[int, str]:
        """List the users: e-mail address by user id."""
        answer = self.get("asking for the users", USERS)
        return {int(user["id"]): str(user["email"]) for user in answer}

    def find_project(self, title: str) -> dict[str, Any] | None:
        """Find the project with this title: the oldest of several, None where there is none."""
        return self.projects(title).get(title)

    def projects(self, part: str) -> dict[str, dict[str, Any]]:
        """List projects by title, the oldest first.

        Args:
            part: Text that the titles contain, in any case. Of projects with equal titles the oldest is kept.

        Returns:
            id, title, label_config, model_version and created_at of each.

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
        """Create a project, together with the tab that its first visitor would create otherwise.

        Without a tab the browser requests a task and the list of tasks at once. If the list arrives second,
        the editor opens the task without its predictions, and an annotator who submits it reports no defects.
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

    def ensure_tab(self, project: int) -> None:
        """Create a project's tab if it has none: Label Studio removes it with the last task."""
        if not self.get("looking for the project's tab", _TABS, project=project):
            self.post("making the project's tab", _TABS, {"project": project, "data": _TAB})

    def change_project(self, project: int, **fields: object) -> None:
        """Change some settings of a project, such as its `label_config`."""
        self.send("changing the project", "PATCH", f"api/projects/{project}/", json=fields)

    def change_config(self, project: int, label_config: str) -> str | None:
        """Set a project's labelling configuration; return the server's objection, None where it took it."""
        body = {"label_config": label_config}
        return self.try_send(
            "changing the labelling configuration", "PATCH", f"api/projects/{project}/", body
        )

    def recount(self, project: int) -> None:
        """Have the server count a project's regions again: it accepts a configuration by these counts."""
        self.send("counting what is drawn", "POST", f"api/projects/{project}/summary/reset/", json={})

    def tasks(
        self, project: int, fields: Sequence[str] = ("id", "data"), *, lacking: str | None = None
    ) -> list[dict[str, Any]]:
        """List some fields of every task; omitting `data` halves the time.

        Args:
            project: The project's number.
            fields: Names of the fields.
            lacking: Where given, only tasks without a prediction whose version contains this text.
        """
        query = {}
        if lacking is not None:
            query["query"] = _only("predictions_model_versions", "not_contains", "List", [lacking])
        for _ in range(self._tries):
            tasks, total = self._pages(project, ",".join(fields), **query)
            if len(tasks) == total:
                break  # nobody added or deleted a task between the pages
        return list(tasks.values())

    def count_drafts(self, project: int) -> int:
        """Count the tasks with an answer that somebody began and has not submitted."""
        query = _only("draft_exists", "equal", "Boolean", "true")
        return len(self._pages(project, "id", query=query)[0])

    def _pages(self, project: int, fields: str, **more: str) -> tuple[dict[int, dict[str, Any]], int]:
        tasks: dict[int, dict[str, Any]] = {}
        page = 1
        query = {"project": project, "page_size": _PAGE, "fields": "task_only", "include": fields, **more}
        query["resolve_uri"] = "false"  # addresses for the browser are not needed
        while True:
            answer = self.get("listing the tasks", "api/tasks/", page=page, **query)
            tasks |= {task["id"]: task for task in answer["tasks"]}
            # The server answers 404 to a request for a page past the end.
            if page * _PAGE >= answer["total"] or not answer["tasks"]:
                return tasks, int(answer["total"])
            page += 1

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks with the predictions and annotations they carry; the request is never repeated."""
        self.send(f"pushing {len(tasks):,} tasks", "POST", f"api/projects/{project}/import", json=tasks)

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> int:
        """Add predictions to existing tasks, all or none; return how many the server accepted."""
        doing = f"pushing {len(predictions):,} predictions"
        answer = self.post(doing, f"api/projects/{project}/import/predictions", predictions)
        return int(answer["created"])

    def count_predictions(self, project: int) -> dict[str, int]:
        """Count the predictions of each version."""
        answer = self.get("counting predictions", f"api/projects/{project}/model-versions/")
        return {str(version): int(count) for version, count in answer.items()}

    def predictions(self, project: int) -> list[dict[str, Any]]:
        """List all predictions of a project in one request."""
        answer: list[dict[str, Any]] = self.get("listing predictions", "api/predictions/", project=project)
        return answer

    def predictions_of(self, project: int, tasks: Sequence[int]) -> Iterator[dict[str, Any]]:
        """List the predictions of some tasks, 100 tasks a request: slower than all at once, never large."""
        query = {"project": project, "fields": "all", "include": "id,predictions", "page_size": _TASKS_A_URL}
        for start in range(0, len(tasks), _TASKS_A_URL):
            chosen = {"selectedItems": {"all": False, "included": tasks[start : start + _TASKS_A_URL]}}
            selection = orjson.dumps(chosen).decode()
            answer = self.get("listing predictions", "api/tasks/", query=selection, **query)
            yield from (prediction for task in answer["tasks"] for prediction in task["predictions"])

    def delete_prediction(self, prediction: int) -> None:
        """Delete a prediction."""
        self.send("deleting a prediction", "DELETE", f"api/predictions/{prediction}/")

    def delete_tasks(self, project: int, ids: Sequence[int]) -> None:
        """Delete tasks with their predictions, answers and drafts."""
        body = {"selectedItems": {"all": False, "included": list(ids)}}
        self.post("deleting tasks", f"api/dm/actions?id=delete_tasks&project={project}", body)

    def export(self, project: int, ids: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
        """Export tasks in the server's native JSON with all their annotations, some hundred at a time."""
        for start in range(0, len(ids), _IDS_A_CALL):
            chosen = ids[start : start + _IDS_A_CALL]
            query = {"exportType": "JSON", "download_all_tasks": "true", "ids[]": chosen}
            yield self.get("pulling the answers", f"api/projects/{project}/export", **query)

    def offer_folder(self, project: int, folder: Path) -> None:
        """Let the server show the pictures of a folder below its document root.

        Raises:
            OutsideError: The server refuses the folder.
        """
        doing = "registering the folder of pictures"
        known = self.get(doing, "api/storages/localfiles/", project=project)
        if any(storage["path"] == str(folder) for storage in known):
            return
        body = {"project": project, "path": str(folder), "title": "tundish", "use_blob_urls": True}
        objection = self.try_send(doing, "POST", "api/storages/localfiles/", body)
        if objection is not None:
            raise OutsideError(
                f"Label Studio may not show the pictures in {folder} ({objection})",
                where=self.address,
                fix="set label.files to the server's document root, or label.images to serve",
            )


def _only(column: str, operator: str, kind: str, value: object) -> str:
    """A filter of the server's list of tasks; it finds parts of words too."""
    item = {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}
    return orjson.dumps({"filters": {"conjunction": "and", "items": [item]}}).decode()
