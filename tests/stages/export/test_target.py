from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tundish.stages.export.target import Staged

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def export(folder: Path, **files: str) -> None:
    target = Staged(folder)
    for name, text in files.items():
        target.write(name.replace("__", "/") + ".txt", text.encode())
    target.finish()


def test_what_an_earlier_export_left_is_removed_and_what_others_left_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export(folder, train="a", old="b", labels__a="c", labels__deep__old="d")
    for name in ("weights.pt", "runs/train.txt", "labels/train.cache"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    export(folder, train="a", labels__a="e")
    assert names(folder) == ["labels/a.txt", "runs/train.txt", "train.txt", "weights.pt"]
    assert (folder / "labels/a.txt").read_text() == "e"


def test_nothing_changes_before_the_end_and_the_same_file_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export(folder, one="a", two="b")
    before = (folder / "one.txt").stat().st_mtime_ns
    target = Staged(folder)
    target.write("one.txt", b"other")
    target.write("one.txt", b"a")
    with target.open("three.tmp") as stream:
        stream.write(b"c")
    target.rename("three.tmp", "three.txt")
    assert names(folder) == ["one.txt", "two.txt"]
    target.finish()
    assert names(folder) == ["one.txt", "three.txt"]
    assert (folder / "one.txt").read_text() == "a"
    assert (folder / "one.txt").stat().st_mtime_ns == before


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", "./a", "", "a\\b"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    target = Staged(tmp_path / "out")
    with pytest.raises(ValueError, match="is not a path in the export's folder"):
        target.write(path, b"")
    with pytest.raises(ValueError, match="is not a path in the export's folder"), target.open(path):
        pass
