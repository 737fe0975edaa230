from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.files.encoding import blocks, detect, is_doubtful

if TYPE_CHECKING:
    from pathlib import Path

HANZI = st.text(
    st.integers(
        16, 55
    ).flatmap(  # rows 16 to 55 of GB 2312: the 3755 common hanzi, but five places at the end
        lambda row: st.integers(1, 89).map(lambda cell: bytes((row + 160, cell + 160)).decode("gb2312"))
    ),
    min_size=1,
)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(data)
    return path


def read(path: Path, encoding: str, size: int = 1 << 20) -> tuple[str, dict[int, str]]:
    faults: dict[int, str] = {}
    text, lines = b"", 0
    for block in blocks(path, encoding, b"\n", "table.csv", size):
        faults |= {lines + line: check for line, (check, _) in block.faults.items()}
        lines += block.data.count(b"\n")
        text += block.data
    return text.decode(), faults


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("gbk", "gb18030"),
        ("gb2312", "gb18030"),
        ("gb18030", "gb18030"),
    ],
)
def test_every_encoding_gives_the_same_text(tmp_path: Path, encoding: str, wanted: str) -> None:
    text = "炉号,灰分\nA1,卷取温度\n"
    path = write(tmp_path, text.encode(encoding))
    assert detect(path) == wanted
    assert read(path, wanted, 16) == (text, {})


def test_utf16_of_either_order_needs_its_mark(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xfe\xff" + "灰分\n".encode("utf-16-be"))
    assert detect(path) == "utf-16"
    assert read(path, "utf-16") == ("灰分\n", {})


def test_characters_that_gbk_lacks_are_read(tmp_path: Path) -> None:
    data = bytes.fromhex("9534b235") + b"," + bytes.fromhex("a2e3") + b"," + bytes.fromhex("bbd2b7d6") + b"\n"
    path = write(tmp_path, data)
    assert detect(path) == "gb18030"
    assert read(path, "gb18030") == ("𠮷,€,灰分\n", {})


def test_ascii_is_utf8(tmp_path: Path) -> None:
    assert detect(write(tmp_path, b"a,b\n1,2\n")) == "utf-8"
    assert detect(write(tmp_path, b"")) == "utf-8"


def test_one_gbk_line_after_two_megabytes_of_ascii_tells(tmp_path: Path) -> None:
    path = write(tmp_path, b"1,2,3\n" * 400_000 + "炉号\n".encode("gbk"))
    assert detect(path) == "gb18030"


@pytest.mark.parametrize("word", ["联通", "炉", "炉号", "卷取温度", "灰分", "硫", "力"])
def test_short_gbk_words_beside_other_gbk_are_read_as_gbk(tmp_path: Path, word: str) -> None:
    """Some of them (炉: c2 af) are valid UTF-8 too."""
    text = f"化验编号,判定\n{word}\nS1,{word}\n"
    path = write(tmp_path, text.encode("gbk"))
    assert detect(path) == "gb18030"
    assert read(path, "gb18030") == (text, {})


@given(words=st.lists(HANZI, min_size=1, max_size=20))
def test_common_hanzi_in_gbk_are_never_reported_as_foreign(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    text = "".join(f"S1,{word},12.5\n" for word in ("化验编号", *words))
    path = write(tmp_path_factory.mktemp("gbk"), text.encode("gb18030"))
    assert read(path, "gb18030") == (text, {})


@given(word=HANZI)
def test_hanzi_in_utf8_within_gbk_are_always_reported(
    tmp_path_factory: pytest.TempPathFactory, word: str
) -> None:
    gbk = "S1,灰分合格\n".encode("gbk")
    path = write(tmp_path_factory.mktemp("mixed"), gbk * 50 + f"S2,{word},1\n".encode() + gbk)
    text, faults = read(path, "gb18030")
    assert faults == {50: "mixed_encoding"}
    assert text.splitlines()[51] == "S1,灰分合格"
    assert text.splitlines()[50].startswith("S2,\\x")


@given(word=HANZI)
def test_hanzi_in_gbk_within_utf8_are_reported_unless_they_are_utf8_too(
    tmp_path_factory: pytest.TempPathFactory, word: str
) -> None:
    data = f"S2,{word},1\n".encode("gbk")
    utf8 = "S1,灰分合格\n".encode()
    path = write(tmp_path_factory.mktemp("mixed"), utf8 * 50 + data + utf8)
    assert detect(path) == "utf-8"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert read(path, "utf-8")[1] == {50: "mixed_encoding"}


def test_a_degree_sign_in_utf8_within_gbk_cannot_be_detected(tmp_path: Path) -> None:
    """c2 b0 is the hanzi 掳 as well: the line is read as the rest of the file is."""
    path = write(tmp_path, "灰分\n".encode("gbk") + "5°\n".encode())
    assert read(path, "gb18030") == ("灰分\n5掳\n", {})


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_text_that_was_converted_twice_is_reported(tmp_path: Path, encoding: str) -> None:
    lines = ["灰分", "锟斤拷", "a\ufffdb", "合格", "\ufffd\ufffd"]
    path = write(tmp_path, "".join(line + "\n" for line in lines).encode(encoding))
    assert read(path, encoding)[1] == dict.fromkeys((1, 2, 4), "double_conversion")


def test_bytes_of_no_encoding_break_their_line_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "灰分\n".encode() * 3 + b"a\xffb\n" + "灰分\n".encode())
    assert detect(path) == "utf-8"
    text, faults = read(path, "utf-8")
    assert faults == {3: "mixed_encoding"}
    assert text.splitlines()[3] == "a\\xffb"


def test_a_file_without_its_last_newline_is_whole(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"a\nb"), "utf-8", 2) == ("a\nb\n", {})


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("coil;FT [°C];thickness [µm]\nA;1;2\n", "cp1252"),
        ("Größe;Höhe\nMüller;1\nStraße;2\n", "cp1252"),
        ("Température;Qualité €\nA;2\n", "cp1252"),
        ("±0.5;°C\n", "cp1252"),
        ("炉号,温度(℃),钢种\n1,2,低碳\n", "gb18030"),
        ("炉号,镕,喆\n1,2,3\n", "gb18030"),
        ("名,㐀,𠮷\n1,2,3\n", "gb18030"),
    ],
)
def test_western_letters_and_hanzi_are_told_apart(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert detect(path) == encoding
    assert b"".join(block.data for block in blocks(path, encoding, b"\n", "a.csv")).decode() == text


@pytest.mark.parametrize(
    ("text", "encoding", "doubtful"),
    [
        ("номер плавки,марка стали,температура\n" * 2, "cp1251", True),
        ("溶鋼番号,鋼種,温度,コイル番号\n" * 3, "shift_jis", True),
        ("炉号,钢种,温度,化验编号,碳,硅,锰,磷,硫,钼,铌,钛,钒\n", "gb18030", False),
        ("强度,挠度,镍,铬,钼,铌,钛,钒,锆,铈,镧,硼\n" * 2, "gb18030", False),
        ("номер", "cp1251", False),
    ],
)
def test_text_of_other_encodings_does_not_pass_for_gb18030(
    tmp_path: Path, text: str, encoding: str, doubtful: bool
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    assert is_doubtful(path) is doubtful
