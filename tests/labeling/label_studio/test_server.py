"""A Label Studio that Tundish starts: on a port of its own, with secrets that stay secret."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tundish.errors import OutsideError, UsageError
from tundish.labeling.label_studio.server import Account, LabelStudio, running_process, write_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.label_studio


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_it_answers_where_it_says_it_does(label_studio: LabelStudio) -> None:
    assert httpx.get(f"{label_studio.url}/health").json() == {"status": "UP"}
    assert httpx.get(f"{label_studio.url}/api/version").json()["release"].startswith("1.23")
    header = {"Authorization": f"Token {label_studio.account.token}"}
    answer = httpx.get(f"{label_studio.url}/api/current-user/whoami", headers=header)
    assert answer.json()["email"] == label_studio.account.email


def test_secrets_are_for_their_owner_alone(label_studio: LabelStudio) -> None:
    for name in ("token", "password", "log.txt"):
        assert stat.S_IMODE((label_studio.folder / name).stat().st_mode) == 0o600
    assert label_studio.account.token not in repr(label_studio.account)
    assert label_studio.account.password not in repr(label_studio.account)
    assert label_studio.account.token not in label_studio.log.read_text()


def test_a_secret_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    write_secret(path, "new")
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_account_is_kept(tmp_path: Path) -> None:
    assert Account.load_or_create(tmp_path) == Account.load_or_create(tmp_path)
    assert Account.load_or_create(tmp_path) != Account.load_or_create(tmp_path / "another")


def test_a_port_that_is_taken_is_reported(
    label_studio_executable: Path, tmp_path: Path, taken_port: int
) -> None:
    server = LabelStudio(label_studio_executable, tmp_path, port=taken_port)
    with pytest.raises(OutsideError, match=f"port {taken_port} is taken"):
        server.start()
    assert server.pid is None


def test_it_does_not_move_to_the_next_port_in_silence(
    label_studio_executable: Path,
    label_studio_template: Path,
    tmp_path: Path,
    taken_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process takes the port after it was found free."""
    shutil.copytree(label_studio_template, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("tundish.labeling.label_studio.server._is_free", lambda _port: True)
    server = LabelStudio(label_studio_executable, tmp_path, port=taken_port)
    with pytest.raises(OutsideError, match=f"port {taken_port} is taken"):
        server.start()
    assert server.pid is None


def test_a_missing_installation_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run 'make label-studio'"):
        LabelStudio(tmp_path / "label-studio", tmp_path / "folder").start()


def test_a_server_that_ends_at_once_is_reported(tmp_path: Path) -> None:
    executable = tmp_path / "label-studio"
    executable.write_text("#!/bin/sh\necho no module named django\nexit 1\n")
    executable.chmod(0o755)
    with pytest.raises(OutsideError, match="no module named django"):
        LabelStudio(executable, tmp_path / "folder").start()


def test_a_server_that_ends_later_is_reported(tmp_path: Path) -> None:
    executable = tmp_path / "label-studio"
    executable.write_text(
        f"#!{sys.executable}\n"
        "import sys; from http.server import BaseHTTPRequestHandler as Base, HTTPServer\n"
        "class Handler(Base):\n"
        "    def do_GET(self):\n"
        '        self.send_response(200); self.end_headers(); self.wfile.write(b\'{"status": "UP"}\')\n'
        "HTTPServer(('127.0.0.1', int(sys.argv[-1])), Handler).handle_request()\n"
        "print('database is locked')\n"
        "sys.exit(4)\n"
    )
    executable.chmod(0o755)
    with LabelStudio(executable, tmp_path / "folder") as server:
        with pytest.raises(OutsideError, match=r"log\.txt: Label Studio ended by itself \(exit status 4\)"):
            server.wait()
        assert server.pid is None


def test_two_do_not_share_a_folder(
    label_studio: LabelStudio, label_studio_executable: Path, tmp_path: Path
) -> None:
    assert running_process(label_studio.folder) == label_studio.pid
    second = LabelStudio(label_studio_executable, label_studio.folder)
    with pytest.raises(OutsideError, match=f"is already running here.*'kill {label_studio.pid}'"):
        second.start()
    assert httpx.get(f"{label_studio.url}/health").json() == {"status": "UP"}
    assert running_process(tmp_path) is None


def test_one_that_outlived_its_starter_keeps_its_folder(
    label_studio_executable: Path, label_studio_template: Path, tmp_path: Path
) -> None:
    shutil.copytree(label_studio_template, tmp_path, dirs_exist_ok=True)
    starter = (
        "import os, sys, pathlib; from tundish.labeling.label_studio.server import LabelStudio; "
        "LabelStudio(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])).start(); os._exit(9)"
    )
    command = [sys.executable, "-c", starter, str(label_studio_executable), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == 9
    pid = running_process(tmp_path)
    assert pid
    try:
        with pytest.raises(OutsideError, match="is already running here"):
            LabelStudio(label_studio_executable, tmp_path).start()
    finally:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 20
    while running_process(tmp_path) is not None:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_relative_path_to_the_program_means_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "label-studio"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 4\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutsideError, match="ended during its start"):
        LabelStudio(Path("bin/label-studio"), tmp_path / "folder").start()
