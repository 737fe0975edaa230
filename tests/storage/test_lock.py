"""One writer at a time; a lock says who holds it, and a crash leaves none behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tundish.errors import OutsideError
from tundish.storage.dataset import DatasetFolder
from tundish.storage.lock import hold, holder, take

if TYPE_CHECKING:
    from pathlib import Path

HOLD = (
    "import sys, time; from pathlib import Path; from tundish.storage.lock import take; "
    "lock = take(Path(sys.argv[1]), 'tundish run line1'); print(flush=True); time.sleep(60)"
)


def holding(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_the_second_learns_who_holds_it_and_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "d" / "lock"
    other = holding(path)
    try:
        facts = holder(path)
        assert facts is not None
        assert facts["process"] == other.pid
        with (
            pytest.raises(
                OutsideError, match=rf"'line1' is being changed by 'tundish run line1' \(process {other.pid}"
            ),
            hold(path, "tundish export line1", subject="'line1'"),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    with hold(path, "tundish export line1", subject="'line1'"):
        mine = holder(path)
        assert mine is not None
        assert mine["process"] == os.getpid()
    assert holder(path) is None


def test_who_waits_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    other = holding(path)
    try:
        begun = time.monotonic()
        with pytest.raises(OutsideError), hold(path, "x", subject="x", wait_s=0.5):
            pass
        assert time.monotonic() - begun >= 0.5
    finally:
        other.kill()
        other.communicate()
    with hold(path, "x", subject="x", wait_s=20):
        pass


def test_one_process_does_not_take_it_twice(tmp_path: Path) -> None:
    first = take(tmp_path / "lock")
    assert first is not None
    assert take(tmp_path / "lock") is None
    first.close()


def test_nobody_holds_what_was_never_taken(tmp_path: Path) -> None:
    assert holder(tmp_path / "lock") is None
    assert not (tmp_path / "lock").exists()


def test_what_belongs_to_this_machine_is_hidden_from_git(tmp_path: Path) -> None:
    dataset = DatasetFolder("line1", tmp_path)
    with dataset.lock("tundish run line1"):
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        listed = subprocess.run(
            ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"],
            check=True,
            capture_output=True,
            text=True,
        )
    assert listed.stdout == ""
