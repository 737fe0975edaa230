"""What is asked of a real server, and the sentences where it does not answer as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tundish.errors import UsageError
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.connection import find_token

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.server import LabelStudio

needs_server = pytest.mark.label_studio

CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="scratch"/></RectangleLabels></View>"""


def tasks(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"data": {"image": f"http://127.0.0.1:1/{i}", "image_id": f"{i:032x}"}}
        for i in range(start, start + count)
    ]


@needs_server
def test_it_knows_the_users(client: Client, label_studio: LabelStudio) -> None:
    assert label_studio.account.email in client.users().values()


@needs_server
def test_a_project_is_found_by_its_whole_title(client: Client, title: str) -> None:
    assert client.find_project(title) is None
    made = client.create_project(title, CONFIG)
    client.create_project(title + " and more", CONFIG)
    found = client.find_project(title)
    assert found is not None
    assert found["id"] == made["id"]
    client.send("deleting", "DELETE", f"api/projects/{made['id']}/")
    assert client.find_project(title) is None


@needs_server
def test_of_projects_with_one_title_the_oldest_counts(client: Client, title: str) -> None:
    first = client.create_project(title, CONFIG)
    client.create_project(title, CONFIG)
    found = client.find_project(title)
    assert found is not None
    assert found["id"] == first["id"]
    last = client.create_project(f"{title} · li", CONFIG)
    reported = client.projects(title.upper())
    assert [(one, reported[one]["id"]) for one in (title, f"{title} · li")] == [
        (title, first["id"]),
        (f"{title} · li", last["id"]),
    ]


@needs_server
def test_tasks_are_listed_over_several_pages(
    client: Client, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tundish.labeling.label_studio.client._PAGE", 4)
    project = client.create_project(title, CONFIG)["id"]
    assert client.tasks(project) == []
    for count in (3, 5, 4):  # 3, 8 and 12 tasks: less than a page, whole pages twice
        client.import_tasks(project, tasks(count))
        ids = [task["id"] for task in client.tasks(project)]
        assert len(ids) == len(set(ids))
    assert len(ids) == 12


@needs_server
def test_chosen_tasks_are_exported_some_at_a_time(
    client: Client, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tundish.labeling.label_studio.client._IDS_A_CALL", 2)
    project = client.create_project(title, CONFIG)["id"]
    client.import_tasks(project, tasks(5))
    ids = [task["id"] for task in client.tasks(project)]
    parts = list(client.export(project, ids[:3]))
    assert [[task["id"] for task in part] for part in parts] == [ids[:2], ids[2:3]]
    assert list(client.export(project, [])) == []


@needs_server
def test_both_kinds_of_token_work(label_studio: LabelStudio, personal_token: str) -> None:
    for token in (label_studio.account.token, personal_token):
        with Client(label_studio.url, token) as other:
            assert label_studio.account.email in other.users().values()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://127.0.0.1:8080 please"),
        *("http://127.0.0.1:8080/?x=1", "http://127.0.0.1:99 99", "http://[::1", "http://a b"),
    ],
)
def test_what_is_not_an_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="write it as http"):
        Client(address, "0" * 40)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="must not contain") as caught:
        Client("http://li:hidden@127.0.0.1:8080", "0" * 40)
    assert "hidden" not in str(caught.value)


@needs_server
def test_a_new_project_has_the_tab_that_its_first_visitor_would_make(client: Client, title: str) -> None:
    project = client.create_project(title, CONFIG)["id"]
    (tab,) = client.get("listing tabs", "api/dm/views/", project=project)
    known = client.get("listing columns", "api/dm/columns", project=project)["columns"]
    hidden = tab["data"]["hiddenColumns"]
    for place in ("explore", "labeling"):
        shown = {f"tasks:{one['id']}": one.get("visibility_defaults", {}).get(place, True) for one in known}
        assert {name for name in shown if not shown[name]} <= set(hidden[place])


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_TOKEN", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    with pytest.raises(UsageError, match="set LABEL_STUDIO_TOKEN"):
        find_token()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "second")
    assert find_token() == "second"
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", " first\n")
    assert find_token() == "first"


@pytest.mark.parametrize("text", ["abc\ndef", "密码", "a b"])
def test_what_is_not_a_token_is_refused_wherever_it_is(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", text)
    file = tmp_path / "token"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    for where in (None, file):
        with pytest.raises(UsageError, match="put the token alone on one line") as caught:
            find_token(where)
        assert text not in str(caught.value)
    with pytest.raises(UsageError, match="Is a directory"):
        find_token(tmp_path)


def test_the_token_comes_from_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(0o640)
    with pytest.raises(UsageError, match=r"other users may read the token \(mode 640\)") as caught:
        find_token(path)
    assert "secret" not in str(caught.value)
    path.chmod(0o600)
    assert find_token(path) == "secret"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", "密".encode()])
def test_a_file_without_a_token_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="token"):
        find_token(path)


def test_a_missing_token_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        find_token(tmp_path / "none")


def test_the_token_is_not_shown() -> None:
    with Client("http://127.0.0.1:9", "0123456789abcdef") as client:
        assert "0123456789abcdef" not in repr(client)
