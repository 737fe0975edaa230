"""A PostgreSQL for tests and benchmarks: Debian's, in a folder of its own, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PASSWORD", "Postgres", "running_postgres"]

PASSWORD = "geheim-7f3a"


def find_programs() -> Path | None:
    """The folder with PostgreSQL's programs; the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("postgres")
    return Path(elsewhere).resolve().parent if elsewhere else None


@dataclass
class Postgres:
    """A server with one account, `plant`, and its password."""

    programs: Path
    folder: Path
    port: int
    account: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"postgresql://plant:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def call(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self.account, str(self.programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=os.environ | {"LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr + done.stdout

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.call("pg_ctl", "start", "-w", "-D", str(self.folder / "data"), "-l", log, "-o", options)

    def stop(self) -> None:
        """At once, without waiting for who is reading."""
        self.call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.folder / "data"))

    def run(self, sql: str) -> None:
        dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs ADBC's driver")
        with dbapi.connect(self.address, autocommit=True) as link, link.cursor() as cursor:
            cursor.execute(sql)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; the server refuses root, so root starts it as the account `postgres`."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("adbc_driver_postgresql", reason="ADBC's driver for PostgreSQL is not installed")
    account: tuple[str, ...] = ()
    # Not pytest's own folder: nobody but its owner may enter that one.
    folder = Path(tempfile.mkdtemp(prefix="tundish-postgres-"))
    if os.geteuid() == 0:
        pwd = pytest.importorskip("pwd")
        accounts = {one.pw_name: one for one in pwd.getpwall()}
        owner = accounts.get("postgres") or accounts.get("nobody")
        if owner is None or shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no account to run it as")
        account = ("setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = Postgres(programs, folder, port, account)
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    secret.chmod(0o644)
    try:
        here.call(
            "initdb", "-D", str(folder / "data"), "-U", "plant", "-A", "scram-sha-256",
            f"--pwfile={secret}", "-E", "UTF8", "--no-sync",
        )  # fmt: skip
        here.start()
        yield here
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            here.stop()
        shutil.rmtree(folder)
