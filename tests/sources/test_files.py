"""Folders, zips and tars: what is read, what is refused, and that nothing is passed over in silence."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tundish.errors import SourceError
from tundish.sources.files import EntryFault, EntryUnavailable, open_source

if TYPE_CHECKING:
    from tundish.sources.files import Entry


def entries_of(path: Path) -> dict[str, Entry]:
    with open_source(path) as entries:
        return {entry.path: entry for entry in entries}


def reasons(path: Path) -> dict[str, str]:
    return {name: entry.fault.reason for name, entry in entries_of(path).items() if entry.fault}


def test_folder__files_in_path_order_with_nasty_names(tmp_path: Path) -> None:
    names = ["b/2 with space.jpg", "a/钢卷.jpg", "a/😀.jpg", "z" * 200 + ".jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = entries_of(tmp_path)
    assert list(found) == sorted(names)
    assert all(found[name].read() == name.encode() for name in names)


def test_folder__name_in_gbk_is_read_as_unicode(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "划伤.jpg".encode("gb18030"))).write_bytes(b"x")
    found = entries_of(tmp_path)
    assert list(found) == ["划伤.jpg"]
    assert found["划伤.jpg"].read() == b"x"


def test_folder__system_files_and_linked_folders_are_reported_as_skipped(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(b"a")
    (tmp_path / "in" / ".DS_Store").write_bytes(b"")
    (tmp_path / "in" / "Thumbs.db").write_bytes(b"")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    found = entries_of(tmp_path / "in")
    assert {name: entry.skipped for name, entry in found.items()} == {
        ".DS_Store": True,
        "Thumbs.db": True,
        "a.jpg": False,
        "loop": True,
    }


def test_folder__what_cannot_be_read_now_is_not_a_verdict_on_the_data(tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "a.jpg").write_bytes(b"a")
    entries = entries_of(tmp_path)
    (tmp_path / "a.jpg").unlink()
    for entry in entries.values():
        assert entry.fault is None
        with pytest.raises(EntryUnavailable, match="No such file"):
            entry.read()


def test_folder__a_link_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "in").mkdir(parents=True)
    (tmp_path / "secret.txt").write_bytes(b"token")
    (source / "in" / "a.jpg").write_bytes(b"a")
    (source / "again.jpg").symlink_to("in/a.jpg")
    (source / "secret.txt").symlink_to(tmp_path / "secret.txt")
    (source / "up.txt").symlink_to("../secret.txt")
    (source / "chain.txt").symlink_to("up.txt")
    (source / "itself.jpg").symlink_to("itself.jpg")
    found = entries_of(source)
    assert found["again.jpg"].read() == b"a"
    assert {name: entry.fault.reason for name, entry in found.items() if entry.fault} == {
        "secret.txt": "linked_outside",
        "up.txt": "linked_outside",
        "chain.txt": "linked_outside",
        "itself.jpg": "linked_in_circle",
    }
    assert all(entry.skipped for entry in found.values() if entry.fault)


@pytest.mark.parametrize("layout", ["files/md5", "cache"])
def test_folder__a_link_into_a_dvc_cache_is_followed_where_the_object_is_what_its_name_says(
    tmp_path: Path, layout: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, data in (("a.jpg", b"a"), ("b.jpg", b"changed")):
        digest = hashlib.md5(name[:1].encode(), usedforsecurity=False).hexdigest()
        kept = tmp_path / layout / digest[:2] / digest[2:]
        kept.parent.mkdir(parents=True)
        kept.write_bytes(data)
        (source / name).symlink_to(kept)
    found = entries_of(source)
    assert found["a.jpg"].read() == b"a"
    with pytest.raises(EntryFault) as fault:
        found["b.jpg"].read()
    assert fault.value.reason == "linked_outside"


def test_zip__slip_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../etc/passwd.jpg", b"x")
        archive.writestr("/abs.jpg", b"x")
        archive.writestr("C:\\windows\\a.jpg", b"x")
        archive.writestr("good/a.jpg", b"good")
    assert reasons(path) == {
        "../../etc/passwd.jpg": "unsafe_path",
        "/abs.jpg": "unsafe_path",
        "C:/windows/a.jpg": "unsafe_path",
    }


def test_zip__bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb.jpg", b"\0" * (32 << 20))
        archive.writestr("a.jpg", b"a")
    assert reasons(path) == {"bomb.jpg": "archive_bomb"}


def test_zip__overlapping_entries_refuse_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "overlap.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", os.urandom(1000))
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(5):
            info = zipfile.ZipInfo(f"b{number}.jpg")
            info.header_offset = 0
            info.file_size = info.compress_size = 1000
            info.CRC = 0
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
        archive.writestr("c.jpg", b"c")
    with pytest.raises(SourceError, match="bomb"):
        entries_of(path)


def test_zip__damaged_member_is_a_fault_of_that_member(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"A" * 100)
        archive.writestr("b.jpg", b"B" * 100)
    data = path.read_bytes().replace(b"A" * 100, b"X" * 100)
    path.write_bytes(data)
    with open_source(path) as entries:
        members = {entry.path: entry for entry in entries}
        assert members["b.jpg"].read() == b"B" * 100
        with pytest.raises(EntryFault) as fault:
            members["a.jpg"].read()
    assert fault.value.reason == "damaged_in_archive"


def test_zip__name_in_gbk_without_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "gbk.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XXXX.jpg", b"x")
    path.write_bytes(path.read_bytes().replace(b"XXXX", "划伤".encode("gb18030")))
    assert list(entries_of(path)) == ["划伤.jpg"]


def test_zip__encrypted_member_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "secret.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"x")
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(bytes(data))
    assert reasons(path) == {"a.jpg": "encrypted"}


def test_zip__repeated_name_counts_once_and_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"old")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.jpg", b"new")
    with open_source(path) as entries:
        both = list(entries)
        good = [entry.read() for entry in both if entry.fault is None]
    assert len(both) == 2
    assert good == [b"new"]


def test_tar__links_are_skipped_and_slips_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name in ("../up.jpg", "a.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
    with open_source(path) as entries:
        seen = {entry.path: (entry.fault.reason if entry.fault else entry.read()) for entry in entries}
    assert seen == {"link.jpg": "not_a_file", "../up.jpg": "unsafe_path", "a.jpg": b"abc"}


@pytest.mark.parametrize("name", ["nothing", "text.zip", "text.tar"])
def test_source__that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    if name != "nothing":
        (tmp_path / name).write_text("no archive")
    with pytest.raises(SourceError):
        entries_of(tmp_path / name)


def test_tar__truncated_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a.bin")
        info.size = 100_000
        archive.addfile(info, io.BytesIO(os.urandom(100_000)))
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises((SourceError, EntryFault)), open_source(path) as entries:
        [entry.read() for entry in entries]


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def test_zip__a_zip_inside_is_a_folder_of_its_name(tmp_path: Path) -> None:
    inner = zipped({"图/a 1.jpg": b"a", "x.zip": zipped({"b.jpg": b"b"}), "../c.jpg": b"c"})
    path = tmp_path / "outer.zip"
    path.write_bytes(zipped({"set/Images.ZIP": inner, "set/readme.txt": b"r", "broken.zip": b"no"}))
    with open_source(path) as entries:
        found = {entry.path: entry for entry in entries}
        assert list(found) == sorted(found)
        assert found["set/Images/图/a 1.jpg"].read() == b"a"
        assert found["set/Images/x.zip"].fault is None
    faults = {name: entry.fault.reason for name, entry in found.items() if entry.fault}
    assert faults == {"broken.zip": "damaged_in_archive", "set/Images/../c.jpg": "unsafe_path"}


def test_zip__a_zip_inside_whose_names_are_taken_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "outer.zip"
    path.write_bytes(zipped({"s/a.jpg": b"1", "s.zip": zipped({"a.jpg": b"2", "b.jpg": b"3"})}))
    with open_source(path) as entries:
        found = list(entries)
        good = {entry.path: entry.read() for entry in found if entry.fault is None}
    assert set(good) == {"s/a.jpg", "s/b.jpg"}
    assert [entry.fault.reason for entry in found if entry.fault] == ["repeated_in_archive"]


def test_zip__a_bomb_inside_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "outer.zip"
    path.write_bytes(zipped({"in.zip": zipped({"zeros.jpg": bytes(40 << 20), "a.jpg": b"a"})}))
    found = entries_of(path)
    assert found["in/zeros.jpg"].fault is not None
    assert found["in/zeros.jpg"].fault.reason == "archive_bomb"
    assert found["in/a.jpg"].fault is None
