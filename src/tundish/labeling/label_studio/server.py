"""A local Label Studio server: started on loopback from its own environment, stopped by process id.

A start in an empty data folder takes half a minute of database migrations, in a copied one a few seconds:
`prepare_template` makes a template to copy.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from tundish.errors import OutsideError, UsageError
from tundish.storage import lock

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import IO

__all__ = ["Account", "LabelStudio", "prepare_template", "running_process", "write_secret"]

_HOST = "127.0.0.1"
_MOVED = re.compile(r"Trying to start at \d+|That port is already in use")
_PATIENCE_S = 300.0
_TURN_S = 0.2
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read (mode 600), from its creation on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")


def running_process(folder: Path) -> int | None:
    """Return the process id of the Label Studio that runs in `folder`; None where none runs."""
    facts = lock.holder(folder / "lock")
    return None if facts is None else int(facts.get("process", 0))


@dataclass(frozen=True)
class Account:
    """The first user of a server; its repr never shows the password or the token."""

    email: str = "admin@example.com"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    token: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)

    @classmethod
    def load_or_create(cls, folder: Path) -> Account:
        """Read the account kept in `folder` (files `token`, `password`); create it at the first call."""
        token, password = folder / "token", folder / "password"
        if not (token.exists() and password.exists()):
            fresh = cls()
            write_secret(token, fresh.token)
            write_secret(password, fresh.password)
        return cls(password=password.read_text("utf-8").strip(), token=token.read_text("utf-8").strip())


class LabelStudio:
    """A running Label Studio; a context manager that stops what it started.

    Args:
        executable: `label-studio` in the environment where it is installed.
        folder: The server's folder: `data/` for the database, `files/` for what it may serve, `log.txt`,
            `token` and `password` (mode 600).
        port: The port to listen on; by default any free one. Label Studio itself silently takes the next port
            where one is busy, so its output is watched.

    Raises:
        UsageError: The executable does not exist.
        OutsideError: The port is taken, another server runs in the folder, or the server does not start.
    """

    def __init__(self, executable: Path, folder: Path, *, port: int | None = None) -> None:
        # It is started in its own folder, where a relative path would lead nowhere.
        self.executable = executable.absolute()
        self.folder = folder.absolute()
        self._asked = port
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self.account = Account.load_or_create(self.folder)

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://{_HOST}:{self._port}"

    @property
    def files(self) -> Path:
        """The document root for local files: pictures in its subfolders can be served."""
        return self.folder / "files"

    @property
    def log(self) -> Path:
        """The file with the server's output."""
        return self.folder / "log.txt"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers: about 5 s, half a minute the first time in a folder.

        Raises:
            UsageError: The executable does not exist.
            OutsideError: The port is taken, another server runs in the folder, or the server does not start.
        """
        if not self.executable.is_file():
            raise UsageError(
                "Label Studio is not installed here",
                where=str(self.executable),
                fix="run 'make label-studio'",
            )
        self._lock = lock.take(self.folder / "lock", "Label Studio")
        if self._lock is None:
            raise self._busy()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        # Secrets and a database do not belong into the version control of the project around them.
        (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        if self._asked is not None:
            if not _is_free(self._asked):
                raise self._taken(self._asked)
            if not self._come_up(self._asked):
                raise self._taken(self._asked)
            return
        # Another process may take the port between the search for it and its use.
        for _ in range(5):
            if self._come_up(_free_port()):
                return
        raise OutsideError("no free port was found", where="Label Studio", fix="name one with --port")

    def stop(self) -> None:
        """Stop the server; a second call does nothing."""
        self._end()
        held, self._lock = self._lock, None
        if held is not None:
            held.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self) -> None:
        """Wait until the server ends by itself, which it should not do.

        Raises:
            OutsideError: The server ended.
        """
        if self._process is None:
            return
        # In short turns: Polars lets waits without an end go on after a signal, and Ctrl-C would be lost.
        while (code := self._process.poll()) is None:
            time.sleep(_TURN_S)
        self._process = None
        raise OutsideError(
            f"Label Studio ended by itself ({f'signal {-code}' if code < 0 else f'exit status {code}'})",
            where=str(self.log),
            fix="check the log, and start it again",
        )

    def _taken(self, port: int) -> OutsideError:
        return OutsideError(
            f"port {port} is taken", where="Label Studio", fix="stop what uses it, or choose another port"
        )

    def _busy(self) -> OutsideError:
        pid = running_process(self.folder)
        return OutsideError(
            f"Label Studio is already running here{f' (process {pid})' if pid else ''}",
            where=str(self.folder),
            fix=f"use it, or stop it with 'kill {pid}'" if pid else "use it, or stop it",
        )

    def _come_up(self, port: int) -> bool:
        """Start on a port; False where the port was taken meanwhile."""
        self._port = port
        command = [
            str(self.executable),
            "start",
            "--no-browser",
            "--internal-host",
            _HOST,
            "--port",
            str(port),
        ]
        handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  (the user's own installation)
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,
                # The server keeps the lock if it outlives this process: two must not share a database.
                pass_fds=() if self._lock is None else (self._lock.fileno(),),
            )
        if self._lock is not None:
            lock.sign(self._lock, "Label Studio", self._process.pid)
        return self._wait_for_answer()

    def _wait_for_answer(self) -> bool:
        assert self._process is not None
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            if _MOVED.search(self._output()):
                self._end()
                return False
            if self._process.poll() is not None:
                last = (self._output().strip().splitlines() or ["without any output"])[-1]
                self._process = None
                raise OutsideError(
                    f"Label Studio ended during its start ({last.strip()})",
                    where=str(self.log),
                    fix="check the log",
                )
            if self._healthy() and not _MOVED.search(self._output()):
                return True
            time.sleep(0.2)
        raise OutsideError(
            f"Label Studio did not answer within {_PATIENCE_S:.0f} s",
            where=str(self.log),
            fix="check the log",
        )

    def _output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def _healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/health", timeout=5, trust_env=False)
            return bool(answer.json() == {"status": "UP"})
        except (httpx.TransportError, ValueError):
            return False

    def _environment(self) -> dict[str, str]:
        """The server's environment variables, without the caller's own Label Studio settings or tokens."""
        return {name: os.environ[name] for name in _INHERITED if name in os.environ} | {
            "PYTHONUNBUFFERED": "1",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder / "data"),
            "LABEL_STUDIO_USERNAME": self.account.email,
            "LABEL_STUDIO_PASSWORD": self.account.password,
            "LABEL_STUDIO_USER_TOKEN": self.account.token,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
            "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(self.files),
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "COLLECT_ANALYTICS": "False",
            "LATEST_VERSION_CHECK": "False",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "DEBUG": "false",
            "LOG_LEVEL": "WARNING",
        }


def prepare_template(executable: Path, template: Path) -> None:
    """Make a ready data folder at `template`, to copy for every later server, unless it exists.

    Args:
        executable: `label-studio` in the environment where it is installed.
        template: The folder to make.

    Raises:
        UsageError: The executable does not exist.
        OutsideError: The server does not start.
    """
    if template.exists():
        return
    half = template.with_name(f".{template.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    with LabelStudio(executable, half):
        pass
    half.rename(template)
