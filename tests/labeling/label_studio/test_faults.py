"""What goes wrong between here and a real server: one sentence, and a repeat completes the work."""

from __future__ import annotations

import base64
import json
import secrets
import shlex
import shutil
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import numpy as np
import pytest

from tundish.errors import TundishError
from tundish.formats.label_studio.brush import rle_of_mask
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.server import LabelStudio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.labeling.conftest import World

pytestmark = pytest.mark.label_studio

WRONG = "f" * 40


def sentence(call: Callable[[], object], *parts: str) -> str:
    """The one sentence, with exit code 3, that a call ends with."""
    with pytest.raises(TundishError) as caught:
        call()
    reported = str(caught.value)
    assert caught.value.exit_code == 3
    assert reported.endswith(".")
    assert "\n" not in reported
    for part in parts:
        assert part in reported
    return reported


class Proxy:
    """Between client and server: holds answers back for a while, or breaks off before them."""

    def __init__(self, address: str, *, delay: float = 0.0, broken: bool = False) -> None:
        self._target = int(address.rpartition(":")[2])
        self._delay = delay
        self._broken = broken
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for end in self._ends:
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [here, there]
                for source, sink, back in ((here, there, False), (there, here, True)):
                    threading.Thread(target=self._carry, args=(source, sink, back), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, back: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and not (back and self._broken):
                time.sleep(self._delay if back else 0)
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def stranger() -> Iterator[str]:
    """A web server that is no Label Studio: it says yes to everything."""

    class Yes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"<html/>")

        do_POST = do_GET  # noqa: N815  (its name)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def expired() -> str:
    """A personal access token whose time is over; nothing signs it."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"token_type": "refresh", "exp": 1_600_000_000, "user_id": 1})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*texts, base64.urlsafe_b64encode(b"x" * 32).rstrip(b"=").decode()])


# The server as a whole


def test_a_wrong_token(label_studio: LabelStudio) -> None:
    with Client(label_studio.url, WRONG) as client:
        reported = sentence(client.users, "refuses the token", label_studio.url)
    assert WRONG not in reported


def test_an_expired_token(label_studio: LabelStudio) -> None:
    token = expired()
    reported = sentence(lambda: Client(label_studio.url, token), "refuses the token", "expired")
    assert token not in reported


def signed(server: LabelStudio, seconds: float, user: int) -> str:
    """A personal access token that this server itself has signed, good for so long."""
    lines = (server.folder / "data" / ".env").read_text().splitlines()
    key = next(shlex.split(line.partition("=")[2])[0] for line in lines if line.startswith("SECRET_KEY="))
    now = int(time.time())
    claims = {"token_type": "refresh", "iat": now, "jti": secrets.token_hex(16), "user_id": str(user)}
    return jwt.encode(claims | {"exp": int(now + seconds)}, key, algorithm="HS256")


def test_a_personal_token_that_expires(world: World, label_studio: LabelStudio) -> None:
    """It was good when the command began; a repeat with a good one completes the work."""
    good = world.client
    (user,) = (number for number, email in good.users().items() if email == label_studio.account.email)
    world.push(world.items(2))
    world.answer(0, world.box(1, 2, 3, 4))
    token = signed(label_studio, 3600, user)
    with Client(label_studio.url, token) as world.client:
        assert world.push(world.items(3)).added == 1
    short = signed(label_studio, 2, user)
    with Client(label_studio.url, short) as world.client:
        time.sleep(3)
        for call in (lambda: world.push(world.items(4)), world.pull):
            assert short not in sentence(call, "refuses the token", "expired", "copy a new one")
    assert short not in sentence(lambda: Client(label_studio.url, short), "refuses the token", "expired")
    assert not world.folder.exists()
    world.client = good
    assert world.push(world.items(4)).added == 1
    assert world.pull().answers == 1


def test_a_personal_token_that_was_revoked(
    world: World, label_studio: LabelStudio, personal_token: str
) -> None:
    good, token = world.client, personal_token
    with Client(label_studio.url, token) as world.client:
        assert world.push(world.items(1)).added == 1
    good.send("revoking a token", "POST", "api/token/blacklist/", json={"refresh": token})
    with Client(label_studio.url, token) as world.client:
        for call in (lambda: world.push(world.items(2)), world.pull):
            assert token not in sentence(call, "refuses the token", "copy a new one")
    world.client = good
    assert world.push(world.items(2)).added == 1
    assert world.pull().answers == 0


def test_no_server_answers(world: World) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", WRONG) as world.client:
        sentence(lambda: world.push(world.items(1)), "Label Studio does not answer", "start it")
        sentence(world.pull, "Label Studio does not answer")
    assert not world.folder.exists()


def test_another_server_answers() -> None:
    claims = {"token_type": "refresh", "exp": int(time.time()) + 3600, "user_id": "1"}
    for token in (WRONG, jwt.encode(claims, WRONG, algorithm="HS256")):
        with stranger() as address, Client(address, token) as client:
            sentence(client.users, "the server at this address is not Label Studio")


def test_a_slow_server_s_work_is_not_done_twice(world: World, label_studio: LabelStudio) -> None:
    """The server takes the tasks, but its answer comes too late to be heard."""
    world.push(world.items(1))
    direct, token = world.client, label_studio.account.token
    with Proxy(label_studio.url, delay=5) as address, Client(address, token, timeout=1.0, tries=1) as slow:
        items = [{"data": {"image": "x", "image_id": item.image_id}} for item in world.items(4)[1:]]
        project = world.project
        reported = sentence(
            lambda: slow.import_tasks(project, items), "did not answer within 1 s", "pushing 3 tasks"
        )
        assert "continues where it stopped" in reported
    world.client = direct
    deadline = time.monotonic() + 30
    while len(world.tasks()) < 4 and time.monotonic() < deadline:
        time.sleep(0.2)
    done = world.push(world.items(5))
    assert (done.added, done.known) == (1, 4)
    assert len(world.tasks()) == 5


def test_a_batch_that_was_sent_twice_is_on_the_server_once(world: World) -> None:
    """A push that gave up waiting was repeated before the server was done with it."""
    items = [{"data": {"image": "x", "image_id": item.image_id}} for item in world.items(4)]
    world.push(world.items(1))
    for _ in range(2):
        world.client.import_tasks(world.project, items)
    second = [task["id"] for task in world.tasks()][5:]
    body = {"result": [world.box(1, 2, 3, 4)], "lead_time": 1}
    for number in second[:2]:  # of the images 0 and 1
        world.client.post("answering", f"api/tasks/{number}/annotations/", body)
    done = world.push(world.items(5))
    assert (done.added, done.known) == (1, 4)
    assert "5 tasks that were in the project twice" in done.notes[0]
    left = world.tasks()
    assert sorted(task["data"]["image_id"] for task in left) == [item.image_id for item in world.items(5)]
    assert {task["id"] for task in left} >= set(second[:2])
    assert world.push(world.items(5)).notes == ()


def test_a_slow_server_is_asked_again(label_studio: LabelStudio) -> None:
    with (
        Proxy(label_studio.url, delay=0.4) as address,
        Client(address, label_studio.account.token, timeout=0.2, tries=2) as client,
    ):
        begin = time.monotonic()
        sentence(client.users, "did not answer within 0.2 s")
        assert time.monotonic() - begin > 0.9
    with (
        Proxy(label_studio.url, delay=0.2) as address,
        Client(address, label_studio.account.token, timeout=5) as client,
    ):
        assert label_studio.account.email in client.users().values()


def test_a_connection_that_breaks(label_studio: LabelStudio) -> None:
    with (
        Proxy(label_studio.url, broken=True) as address,
        Client(address, label_studio.account.token, tries=2) as client,
    ):
        sentence(client.users, "broke off while asking for the users")


def test_a_server_killed_in_mid_push(
    world: World,
    label_studio_executable: Path,
    label_studio_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tundish.labeling.label_studio.push._BATCH", 2)
    folder = tmp_path / "server"
    shutil.copytree(label_studio_template, folder)
    with LabelStudio(label_studio_executable, folder) as server:
        with Client(server.url, server.account.token) as world.client:
            send = world.client.import_tasks
            calls = []

            def kill(project: int, tasks: list[dict[str, Any]]) -> None:
                calls.append(len(tasks))
                if len(calls) == 3:
                    server.stop()
                send(project, tasks)

            monkeypatch.setattr(world.client, "import_tasks", kill)
            sentence(lambda: world.push(world.items(9)), "while pushing 2 tasks")
        server.start()
        with Client(server.url, server.account.token) as world.client:
            assert len(world.tasks()) == 4
            done = world.push(world.items(9))
            assert (done.added, done.known) == (5, 4)
            assert [task["data"]["path"] for task in world.tasks()] == [f"{i}.jpg" for i in range(9)]


# Things done by hand in the server


def test_a_project_deleted_by_hand(world: World) -> None:
    world.push(world.items(2))
    world.answer(0, world.box(1, 2, 3, 4))
    world.answer(1, world.box(5, 6, 7, 8))
    world.pull()
    before = world.read("annotations")
    world.delete(f"projects/{world.project}")
    sentence(world.pull, "no project", "the answers of 2 tasks pulled before stay", "push first")
    assert world.read("annotations").equals(before)
    # A repeat completes the work: what is answered anew takes the place of what was answered before.
    assert world.push(world.items(2)).added == 2
    world.answer(1, world.box(50, 50, 7, 8))
    done = world.pull()
    assert (done.gone, done.answers) == (1, 2)
    assert world.read("annotations").sort("path")["x"].to_list() == pytest.approx([1, 50])


def test_a_project_deleted_while_it_is_pushed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.push(world.items(1))
    send = world.client.import_tasks

    def lose(project: int, tasks: list[dict[str, Any]]) -> None:
        world.delete(f"projects/{project}")
        send(project, tasks)

    with monkeypatch.context() as patch:
        patch.setattr(world.client, "import_tasks", lose)
        sentence(lambda: world.push(world.items(3)), "may have been deleted", "push again")
    assert world.push(world.items(3)).added == 3


def test_a_task_deleted_by_hand(world: World) -> None:
    world.push(world.items(2))
    world.answer(0, world.box(1, 2, 3, 4))
    world.answer(1, world.box(5, 6, 7, 8))
    world.pull()
    world.delete(f"tasks/{world.tasks()[0]['id']}")
    for _ in range(2):
        done = world.pull()
        assert (done.changed, done.gone, done.answers, done.labels) == (0, 1, 2, 2)
        assert [(one.check, one.severity) for one in done.problems] == [("task_gone", "warning")]
    assert world.read("problems")["message"].to_list() == [
        "the task was deleted in the server; its answers (1) stay here"
    ]
    assert world.push(world.items(2)).added == 1
    world.answer(0, world.box(9, 9, 9, 9))
    done = world.pull()
    assert (done.gone, done.answers, done.problems) == (0, 2, ())
    assert world.read("annotations").sort("path")["x"].to_list() == pytest.approx([9, 5])


def test_a_label_renamed_in_the_server(world: World) -> None:
    world.push(world.items(2))
    world.answer(0, world.box(1, 2, 3, 4))
    renamed = LabelConfig({"scrach": (), "inclusion": ()}, ("box", "mask")).xml()
    world.client.change_project(world.project, label_config=renamed)
    world.answer(1, world.box(5, 6, 7, 8, "scrach"))
    done = world.pull()
    assert done.notes == tuple(
        f"the project '{world.title}' does not offer the label 'scratch' in '{name}', but 'scrach' "
        "in its place; make it an alias of 'scratch' in the recipe, or rename it back in the project's "
        "settings"
        for name in ("box", "brush")
    )
    labels = world.read("annotations").sort("path")
    assert labels.select("label", "raw_label", "valid").rows() == [
        ("scratch", "scratch", True),
        (None, "scrach", False),
    ]
    # Mended in the recipe, as the note says: both names mean the class.
    world.aliases = {"scratch": ("scrach",)}
    assert world.pull().notes == ()
    assert world.read("annotations")["label"].to_list() == ["scratch"] * 2
    assert world.push(world.items(2)).notes == (
        f"the labelling configuration of '{world.title}' was updated",
    )


def test_a_class_that_was_not_pushed_yet(world: World) -> None:
    world.push(world.items(1))
    world.answer(0)
    world.classes = ("scratch", "inclusion", "划伤")
    assert world.pull().notes == tuple(
        f"the project '{world.title}' does not offer the label '划伤' in '{name}'; push to update it"
        for name in ("box", "brush")
    )
    world.push(world.items(1))
    assert world.pull().notes == ()


# Answers that cannot be taken as they are


def test_strange_answers_become_problems_and_the_rest_comes(world: World) -> None:
    world.push(world.items(6))
    good = world.box(1, 2, 3, 4)
    world.answer(0, good, world.box(1, 2, 3, 4, "crack"))  # a label that the recipe does not know
    world.answer(1)  # nothing here
    world.answer(2, good, world.box(500, 2, 30, 40))  # outside of the picture
    world.answer(3, world.box(390, 90, 30, 40))  # partly outside
    mask = np.zeros((world.height, world.width), np.uint8)
    mask[10:20, 10:20] = 1
    rle = rle_of_mask(mask)
    brush = {"format": "rle", "brushlabels": ["scratch"]}
    world.answer(4, good, world.region("brush", "brushlabels", brush | {"rle": rle[:-9]}))
    world.answer(5, world.region("brush", "brushlabels", brush | {"rle": rle}))
    done = world.pull()
    labels = world.read("annotations")
    by_path = {path: labels.filter(path=path) for path in labels["path"].unique()}
    assert by_path["0.jpg"]["valid"].to_list() == [True, False]
    assert "1.jpg" not in by_path
    assert [by_path[f"{i}.jpg"].height for i in (2, 3, 4, 5)] == [1, 1, 1, 1]
    box = by_path["3.jpg"].select("x", "y", "width", "height").row(0)
    assert box == pytest.approx((390, 90, 10, 10), abs=1e-6)
    errors = [(one.check, one.labels) for one in done.problems if one.severity == "error"]
    assert ("outside_image", 1) in errors
    assert ("broken_mask", 1) in errors
    answers = dict(world.read("answers").select("path", "answer").iter_rows())
    assert answers["1.jpg"] == "empty"
    problems = world.read("problems")
    assert set(problems["path"].str.head(5)) == {"task-"}
    assert world.pull().problems == done.problems
