"""What Tundish asks of a Label Studio server, with every failure turned into one sentence.

A thin client over the SDK, which knows both kinds of token; where its own calls are slow (listing tasks) its
HTTP client is used. Only reading is tried again by itself: an import that timed out may have been done, so
`push` looks what is there before it goes on.
"""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import orjson
from label_studio_sdk.base_client import LabelStudioBase
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError

from tundish.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from label_studio_sdk.core.http_client import HttpClient

__all__ = ["Client", "find_token"]

_PAGE = 5000
_IDS_A_CALL = 500  # Django refuses more than a thousand
_TASKS_A_URL = 100
_PROJECTS, _WHOAMI = "api/projects/", "api/current-user/whoami"
_ALWAYS_THERE = (_PROJECTS, _WHOAMI)
_VARIABLES = ("LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")
_SELDOM = [
    *("inner_id", "annotations_results", "annotations_ids", "file_upload", "storage_filename"),
    *("predictions_score", "predictions_model_versions", "predictions_results"),
    *("created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists"),
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


def find_token(file: Path | None = None) -> str:
    """The token: from `file` where one is given, else from the environment.

    Raises:
        UsageError: There is none, or others may read the file.
    """
    if file is None:
        name = next((name for name in _VARIABLES if os.environ.get(name, "").strip()), "")
        if not name:
            raise UsageError(
                "no token for Label Studio is known",
                fix=f"set {_VARIABLES[0]}, or name a file that holds it with --token-file",
            )
        return _alone(os.environ[name], name)
    try:
        mode = file.stat().st_mode
        if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
            raise UsageError(
                f"others may read the token (mode {stat.S_IMODE(mode):o})",
                where=str(file),
                fix=f"run 'chmod 600 {file}'",
            )
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(
            f"the token cannot be read ({reason})", where=str(file), fix="name another file"
        ) from error
    return _alone(text, str(file))


def _alone(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise UsageError("there is no token in it", where=where, fix="put the token alone on one line")
    return token


def _checked(address: str) -> str:
    """The address, where it can be one: a name and a password in it would be told with every error."""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    spaced = any(letter.isspace() for letter in address)
    if spaced or url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(
            "this is no address of a server", where=address, fix="write it as http://127.0.0.1:8080"
        )
    if url.userinfo:
        raise UsageError(
            "the address of Label Studio must not hold a name or a password",
            where=url.host,
            fix="write it as http://127.0.0.1:8080; the token is what signs in",
        )
    return str(url).rstrip("/")


class Client:
    """One server, one token.

    Args:
        address: As the browser shows it: http://127.0.0.1:8080.
        token: A legacy token or a personal access token; never shown.
        timeout: Seconds without a byte from the server after which a call is given up.
        tries: How often a question is asked; what writes is sent once.

    Raises:
        OutsideError: From every method: the server is down or slow, refuses the token or lacks the project.
    """

    def __init__(self, address: str, token: str, *, timeout: float = 120.0, tries: int = 3) -> None:
        self.address = _checked(address)
        self._token = token
        self._tries = tries
        self._timeout = timeout
        self._http = httpx.Client(timeout=timeout, follow_redirects=True)
        self._sdk: LabelStudioBase = self._told(
            "signing in",
            lambda: LabelStudioBase(
                base_url=self.address, api_key=token, httpx_client=self._http, max_retries=0
            ),
        )

    def __repr__(self) -> str:
        return f"Client({self.address!r})"

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def whoami(self) -> str:
        """The e-mail address of the token's owner: the shortest question there is."""
        return str(self._get("signing in", _WHOAMI)["email"])

    def users(self) -> dict[int, str]:
        """E-mail address by user id."""
        answer = self._get("asking for the users", "api/users/")
        return {int(user["id"]): str(user["email"]) for user in answer}

    def find_project(self, title: str) -> dict[str, Any] | None:
        """The project with this title; the oldest, where there are several."""
        doing = f"looking for the project '{title}'"
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self._get(doing, _PROJECTS, title=title, page=page, page_size=100)
            found += [project for project in answer["results"] if project["title"] == title]
            if not answer.get("next"):
                return min(found, key=lambda project: int(project["id"]), default=None)
            page += 1

    def create_project(self, title: str, label_config: str) -> dict[str, Any]:
        """Make a project, with the tab that its first visitor would make otherwise.

        Without a tab the browser asks for a task and for the list of tasks at once; where the list comes
        second, the editor opens the task without its predictions, and an annotator who submits says: nothing.
        """
        doing = f"making the project '{title}'"
        body = {"title": title, "label_config": label_config, "show_collab_predictions": True}
        answer: dict[str, Any] = self._post(doing, _PROJECTS, body)
        self._post(doing, "api/dm/views/", {"project": answer["id"], "data": _TAB})
        return answer

    def change_project(self, project: int, **fields: object) -> None:
        """Change some of a project's settings, such as its `label_config`."""
        self._send("changing the project", "PATCH", f"api/projects/{project}/", json=fields)

    def change_config(self, project: int, label_config: str) -> str | None:
        """Give a project another labelling configuration; what the server has against it, if anything."""
        doing = "changing the labelling configuration"

        def change() -> str | None:
            try:
                self._ask(doing, "PATCH", f"api/projects/{project}/", json={"label_config": label_config})
            except ApiError as error:
                if error.status_code != 400:
                    raise
                return _objection(str(error.body))
            return None

        said: str | None = self._told(doing, change)
        return said

    def recount(self, project: int) -> None:
        """Let the server count anew what is drawn in a project, by which it takes a configuration or not."""
        self._send("counting what is drawn", "POST", f"api/projects/{project}/summary/reset/", json={})

    def delete_project(self, project: int) -> None:
        """Delete a project with all its tasks and labels."""
        self._send("deleting the project", "DELETE", f"api/projects/{project}/")

    def tasks(
        self, project: int, fields: Sequence[str] = ("id", "data"), *, lacking: str | None = None
    ) -> list[dict[str, Any]]:
        """Some fields of every task; without `data` half as long as with it.

        Args:
            project: Its number.
            fields: Their names.
            lacking: Only tasks without a prediction whose version has this text in it.
        """
        query = {} if lacking is None else {"query": orjson.dumps(_lacking(lacking)).decode()}
        for _ in range(self._tries):
            tasks, total = self._pages(project, ",".join(fields), **query)
            if len(tasks) == total:
                break  # nobody added or deleted a task while the pages were turned
        return list(tasks.values())

    def _pages(self, project: int, fields: str, **more: str) -> tuple[dict[int, dict[str, Any]], int]:
        tasks: dict[int, dict[str, Any]] = {}
        page = 1
        query = {"project": project, "page_size": _PAGE, "fields": "task_only", "include": fields, **more}
        while True:
            answer = self._get("listing the tasks", "api/tasks/", page=page, **query)
            tasks |= {task["id"]: task for task in answer["tasks"]}
            # Asked for a page past the end the server answers 404.
            if page * _PAGE >= answer["total"] or not answer["tasks"]:
                return tasks, int(answer["total"])
            page += 1

    def import_tasks(self, project: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Add tasks with the predictions and annotations they carry; sent once, whatever comes of it."""
        self._send(f"pushing {len(tasks):,} tasks", "POST", f"api/projects/{project}/import", json=tasks)

    def import_predictions(self, project: int, predictions: Sequence[dict[str, Any]]) -> int:
        """Add predictions to tasks that are there, all or none; how many of them the server took."""
        doing = f"pushing {len(predictions):,} predictions"
        answer = self._post(doing, f"api/projects/{project}/import/predictions", predictions)
        return int(answer["created"])

    def versions(self, project: int) -> dict[str, int]:
        """How many predictions there are of each version."""
        answer = self._get("counting predictions", f"api/projects/{project}/model-versions/")
        return {str(version): int(count) for version, count in answer.items()}

    def predictions(self, project: int) -> list[dict[str, Any]]:
        """All predictions of a project, at once."""
        answer: list[dict[str, Any]] = self._get("listing predictions", "api/predictions/", project=project)
        return answer

    def predictions_of(self, project: int, tasks: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The predictions of some tasks, a hundred at a time: slower than all at once, and never large."""
        query = {"project": project, "fields": "all", "include": "id,predictions", "page_size": _TASKS_A_URL}
        for start in range(0, len(tasks), _TASKS_A_URL):
            chosen = {"selectedItems": {"all": False, "included": tasks[start : start + _TASKS_A_URL]}}
            said = orjson.dumps(chosen).decode()
            answer = self._get("listing predictions", "api/tasks/", query=said, **query)
            yield from (prediction for task in answer["tasks"] for prediction in task["predictions"])

    def delete_prediction(self, prediction: int) -> None:
        """Delete a prediction."""
        self._send("taking out a prediction", "DELETE", f"api/predictions/{prediction}/")

    def delete_tasks(self, project: int, ids: Sequence[int]) -> None:
        """Delete tasks with all that hangs on them."""
        body = {"selectedItems": {"all": False, "included": list(ids)}}
        self._post("taking out tasks", f"api/dm/actions?id=delete_tasks&project={project}", body)

    def export(self, project: int, ids: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
        """Tasks in the server's native JSON with all their annotations, some hundred at a time."""
        for start in range(0, len(ids), _IDS_A_CALL):
            chosen = ids[start : start + _IDS_A_CALL]
            query = {"exportType": "JSON", "download_all_tasks": "true", "ids[]": chosen}
            yield self._get("pulling the answers", f"api/projects/{project}/export", **query)

    def offer_folder(self, project: int, folder: Path) -> None:
        """Let the server show the pictures of a folder below its document root."""
        doing = "offering the folder of pictures"
        known = self._get(doing, "api/storages/localfiles/", project=project)
        if not any(storage["path"] == str(folder) for storage in known):
            body = {"project": project, "path": str(folder), "title": "tundish", "use_blob_urls": True}
            self._post(doing, "api/storages/localfiles/", body)

    def _get(self, doing: str, path: str, **query: Any) -> Any:
        return self._told(doing, lambda: self._ask(doing, "GET", path, params=query), tries=self._tries)

    def _post(self, doing: str, path: str, body: object) -> Any:
        return self._told(doing, lambda: self._ask(doing, "POST", path, json=body))

    def _send(self, doing: str, method: str, path: str, **what: Any) -> None:
        self._told(doing, lambda: self._ask(doing, method, path, **what))

    def _ask(self, doing: str, method: str, path: str, **what: Any) -> Any:
        if "json" in what:
            what["content"] = orjson.dumps(what.pop("json"))
            what["headers"] = {"Content-Type": "application/json"}
        http: HttpClient = self._sdk._client_wrapper.httpx_client  # noqa: SLF001  (the SDK's only door)
        response = http.request(path, method=method, **what)
        if response.status_code == 404 and path in _ALWAYS_THERE:
            raise self._stranger(doing)
        if response.status_code >= 400:
            raise ApiError(status_code=response.status_code, body=response.text)
        if not response.content:
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise self._stranger(doing) from None

    def _stranger(self, doing: str) -> OutsideError:
        what = f"what answers here is no Label Studio (while {doing})"
        return OutsideError(what, where=self.address, fix="correct the address")

    def _told(self, doing: str, ask: Callable[[], Any], *, tries: int = 1) -> Any:
        """Ask, again where that may help; a failure becomes a sentence."""
        for attempt in range(1, tries + 1):
            try:
                return ask()
            except httpx.TransportError as error:
                if attempt == tries:
                    raise self._unreachable(doing, error) from None
            except ApiError as error:
                if attempt == tries or (error.status_code or 500) < 500:
                    raise self._refused(doing, error) from None
            except (json.JSONDecodeError, ValidationError):
                # The SDK renews a personal token by itself, and takes whatever answers for the server.
                raise self._stranger(doing) from None
            time.sleep(0.5 * attempt)
        raise AssertionError

    def _unreachable(self, doing: str, error: httpx.TransportError) -> OutsideError:
        again = "run the command again: it goes on where it stopped"
        if isinstance(error, httpx.TimeoutException):
            what = f"Label Studio did not answer within {self._timeout:g} s while {doing}"
            return OutsideError(what, where=self.address, fix=again)
        if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
            what = f"no Label Studio answers (while {doing})"
            return OutsideError(what, where=self.address, fix="start it, or correct the address")
        return OutsideError(f"Label Studio broke off while {doing}", where=self.address, fix=again)

    def _refused(self, doing: str, error: ApiError) -> OutsideError:
        status = error.status_code
        if status in (401, 403):
            what = f"Label Studio refuses the token while {doing}: it is wrong, expired or not allowed to"
            return OutsideError(
                what, where=self.address, fix="take a fresh one from the server's account page"
            )
        if status == 404:
            what = f"the server has no such thing (any more) while {doing}: the project may have been deleted"
            return OutsideError(what, where=self.address, fix="push again to make it anew")
        said = " ".join(str(error.body).replace(self._token, "...").split())[:200]
        what = f"Label Studio answered {status} while {doing} ({said})"
        return OutsideError(what, where=self.address, fix="see the server's log and run the command again")


def _lacking(version: str) -> dict[str, Any]:
    """A filter of the server's list of tasks; it knows no whole words."""
    column = "filter:tasks:predictions_model_versions"
    item = {"filter": column, "operator": "not_contains", "type": "List", "value": [version]}
    return {"filters": {"conjunction": "and", "items": [item]}}


def _objection(body: str) -> str:
    """The server's own words in an answer that refuses a labelling configuration."""
    try:
        return " ".join(orjson.loads(body)["validation_errors"]["label_config"])
    except (ValueError, KeyError, TypeError):
        return body
