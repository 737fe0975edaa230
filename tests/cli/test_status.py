"""`tundish status` on terminals of several widths, in a pipe, in Chinese; and the bar beside the work."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import orjson
import polars as pl
import pytest
from click.testing import CliRunner

from tundish.cli import main
from tundish.cli._text import cells, columns, pad, wrap
from tundish.cli._words import _WORDS, say

if TYPE_CHECKING:
    from pathlib import Path

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal, which Windows has not")

NOT_PASSED_ON = {"COLUMNS", "NO_COLOR", "TUNDISH_LANG"}
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(width: int, *arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a command writes to a real terminal of so many columns."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    clean = {
        key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "TUNDISH_LANG")
    }
    command = [sys.executable, "-m", "tundish", *arguments]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=clean | {"TERM": "xterm"} | (env or {}),
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not data:
            break
        written += data
    os.close(ours)
    assert process.wait(60) == 0, written.decode()
    return written.decode().replace("\r\n", "\n")


def in_pipe(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a command prints where nobody looks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.delenv("TUNDISH_LANG", raising=False)
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


@cache
def shown(plant: Path, width: int, *options: str, language: str = "en") -> str:
    """The status of the sample on a terminal, by class, without its colours."""
    arguments = ("status", "--by", "class", *options)
    return ESCAPE.sub("", on_terminal(width, *arguments, cwd=plant, env={"TUNDISH_LANG": language}))


@pytest.mark.parametrize(("width", "language"), [(40, "en"), (60, "en"), (80, "en"), (200, "en"), (60, "zh")])
def test_status_fits_the_terminal(sample_plant: Path, width: int, language: str) -> None:
    lines = shown(sample_plant, width, language=language).splitlines()
    assert max(map(cells, lines)) <= width
    assert lines[0] == "steel-surface"


def test_status_uses_colour_sparingly_and_not_against_the_will_of_the_user(sample_plant: Path) -> None:
    assert "\x1b[1msteel-surface\x1b[0m" in on_terminal(80, "status", cwd=sample_plant)
    assert not ESCAPE.search(on_terminal(80, "status", cwd=sample_plant, env={"NO_COLOR": "1"}))


def test_status_in_a_pipe_is_plain_and_wraps_nothing(sample_plant: Path) -> None:
    text = in_pipe("status", cwd=sample_plant)
    assert not ESCAPE.search(text)
    lines = text.splitlines()
    assert "  files        498       494            4        0" in lines
    assert "  labels       340       333            7        0" in lines
    assert "      1  wrong_extension  the file extension does not match the content" in lines
    assert "      1  temperature_order   the strip was not hotter at finishing than at coiling" in lines
    assert "  coils: linked to 224 images" in lines
    assert "  images: train 158, val 39, test 40" in lines
    assert lines[-1] == "  in datasets/steel-surface/: curated/splits.parquet"


def test_a_reason_wraps_with_a_hanging_indent_and_is_its_code_where_there_is_no_room(
    sample_plant: Path,
) -> None:
    text = shown(sample_plant, 80)
    assert (
        "      1  temperature_order   the strip was not hotter at finishing than at\n"
        "                             coiling\n"
    ) in text
    assert "      1  temperature_order\n" in shown(sample_plant, 60)
    talkative = shown(sample_plant, 60, "-v")
    assert "      1  temperature_order\n         the strip was not hotter at finishing than at\n" in talkative


def test_the_table_is_sentences_where_it_does_not_fit(sample_plant: Path) -> None:
    text = shown(sample_plant, 40)
    assert "    scratch: train 78, val 16, test 21,\n      left out 3\n" in text
    assert "  files: 498 = 494 accepted + 4\n    quarantined + 0 skipped\n" in text


def test_status_in_chinese_keeps_the_codes(sample_plant: Path) -> None:
    text = in_pipe(
        "status", cwd=sample_plant, env={"TUNDISH_LANG": "zh_CN.UTF-8", "PYTHONIOENCODING": "utf-8"}
    )
    assert "  文件        498   494     4     0" in text
    assert "      1  wrong_extension  文件扩展名与内容不符" in text
    assert "      1  temperature_order   终轧温度不高于卷取温度" in text
    assert "quarantined  " in text


def test_status_by_class_counts_labels_in_each_split(sample_plant: Path) -> None:
    lines = in_pipe("status", "steel-surface", "--by", "class", cwd=sample_plant).splitlines()
    place = lines.index("  labels by class")
    assert lines[place + 1].split() == ["train", "val", "test", "left", "out"]
    assert lines[place + 2].split() == ["scratch", "78", "16", "21", "3"]
    answer = orjson.loads(in_pipe("status", "--by", "class", "--json", cwd=sample_plant))["steel-surface"]
    assert answer["classes"]["scratch"] == {"val": 16, "train": 78, "test": 21, "": 3}
    assert "classes" not in orjson.loads(in_pipe("status", "--json", cwd=sample_plant))["steel-surface"]


def test_status_json_keeps_its_keys(sample_plant: Path) -> None:
    answer = orjson.loads(in_pipe("status", "--json", cwd=sample_plant))["steel-surface"]
    assert list(answer) == [
        *("files", "closes", "labels", "records", "links", "warnings", "coverage", "copies", "overlaps"),
        *("label conflicts", "splits", "left out"),
    ]
    assert set(answer["files"]) == {"input", "accepted", "quarantined", "skipped"}
    assert set(answer["records"]["coils"]) == {
        *("input", "accepted", "quarantined", "skipped", "warnings", "columns")
    }


def test_status_quiet_prints_nothing(sample_plant: Path) -> None:
    assert in_pipe("status", "-q", cwd=sample_plant) == ""
    assert in_pipe("-q", "status", cwd=sample_plant) == ""


def test_status_of_a_dataset_that_nothing_was_taken_into(
    sample_plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipelines").mkdir()
    recipe = (sample_plant / "pipelines/steel-surface.yaml").read_bytes()
    (tmp_path / "pipelines/steel-surface.yaml").write_bytes(recipe)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(main, ["status"])
    assert shown.exit_code == 0
    assert "nothing has been taken in yet; run 'tundish run steel-surface'" in shown.stdout


def test_status_that_does_not_close_says_why_and_fails(
    sample_plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = tmp_path / "plant"
    shutil.copytree(sample_plant, plant, symlinks=True)
    table = plant / "datasets/steel-surface/curated/splits.parquet"
    pl.read_parquet(table).slice(2).write_parquet(table)
    monkeypatch.chdir(plant)
    shown = CliRunner().invoke(main, ["status"])
    assert shown.exit_code == 1
    assert "the tables contradict each other: 2 valid images that splits does not know" in shown.stdout
    assert "does not close for steel-surface (2 valid images" in shown.stderr


def test_a_bar_is_there_from_the_first_moment_and_gives_way_to_the_results(
    sample_plant: Path, tmp_path: Path
) -> None:
    plant = tmp_path / "plant"
    shutil.copytree(sample_plant, plant, symlinks=True)
    shutil.rmtree(plant / "datasets/steel-surface/curated/features")
    text = ESCAPE.sub("", on_terminal(80, "measure", "steel-surface", cwd=plant))
    assert re.search(r"measure ━+ 0/247 0:00:0\d ", text)
    last = text.replace("\r", "\n").splitlines()[-2:]
    assert last[0].endswith("measure  steel-surface: images decoded 247, not decodable 2, new shards 1,")
    assert last[1] == "           known shards 0"


def test_wrap__hangs_and_keeps_words_whole() -> None:
    assert wrap("  one two three four", 12, 4) == ["  one two", "    three", "    four"]
    assert wrap("a-very-long-word b", 5) == ["a-very-long-word", "b"]
    assert wrap("one two", None) == ["one two"]
    assert wrap("", 5) == [""]
    # Two columns a character, and no line begins with a comma.
    assert wrap("标注超出图像\uff0c已裁剪到图像边界", 13) == ["标注超出图", "像\uff0c已裁剪到", "图像边界"]


def test_columns__stand_below_each_other_also_in_chinese() -> None:
    assert columns(["", "总数"], [["文件", "5"], ["lab", "1,234"]]) == [
        "       总数",
        "文件      5",
        "lab   1,234",
    ]
    assert pad("文", 4, right=True) == "  文"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words__every_sentence_takes_the_same_values(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNDISH_LANG", language)
    for key, (english, chinese) in _WORDS.items():
        names = set(re.findall(r"\{(\w+)\}", english))
        assert names >= set(re.findall(r"\{(\w+)\}", chinese))
        assert say(key, **dict.fromkeys(names, "x"))
