"""The pictures that annotators see, over HTTP and as files."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from tundish.errors import OutsideError
from tundish.gallery.gallery import Gallery
from tundish.gallery.server import ImageServer
from tundish.imaging.files.decode import decode, encode
from tundish.storage.shards import Blob, image_id_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Stored:
    folder: Path
    gallery: Gallery
    plain: Blob
    deep: Blob
    broken: Blob


def blob(data: bytes) -> Blob:
    return Blob(image_id_of(hashlib.sha256(data).hexdigest()), data)


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    """Two shards: a JPEG with a damaged one, and a PNG of 12 bits."""
    gray = np.tile(np.arange(64, dtype=np.uint8), (32, 1))
    plain = blob(encode(gray, "jpeg"))
    deep = blob(encode(gray.astype(np.uint16) * 64, "png"))
    broken = blob(plain.data[:100])
    folder = tmp_path / "images"
    first = write_shard(folder, [plain, broken])
    second = write_shard(folder, [deep])
    gallery = Gallery(folder, {plain.id: first, broken.id: first, deep.id: second})
    return Stored(folder, gallery, plain, deep, broken)


@pytest.fixture
def url(stored: Stored) -> Iterator[str]:
    with ImageServer(stored.gallery) as server:
        yield server.url


def test_a_picture_is_served_to_pages_of_any_origin(stored: Stored, url: str) -> None:
    answer = httpx.get(f"{url}/{stored.plain.id}", headers={"Origin": "http://127.0.0.1:8080"})
    assert answer.status_code == 200
    assert answer.content == stored.plain.data
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "immutable" in answer.headers["Cache-Control"]


def test_what_browsers_do_not_show_is_served_as_what_they_do(stored: Stored, url: str) -> None:
    answer = httpx.get(f"{url}/{stored.deep.id}")
    assert answer.headers["Content-Type"] == "image/png"
    picture = decode(answer.content)
    assert picture.dtype == np.uint8
    assert picture.shape == (32, 64)
    assert picture.max() == 255


def test_only_the_header_is_served_where_only_that_is_asked_for(stored: Stored, url: str) -> None:
    answer = httpx.head(f"{url}/{stored.plain.id}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(stored.plain.data))


@pytest.mark.parametrize(
    "path", ["", "0" * 32, "../../etc/passwd", "0" * 31, "%00", "0" * 32 + "?x=1", "A" * 32]
)
def test_nothing_else_is_served(url: str, path: str) -> None:
    answer = httpx.get(f"{url}/{path}")
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_broken_image_is_not_served(stored: Stored, url: str) -> None:
    assert httpx.get(f"{url}/{stored.broken.id}").status_code == 404
    assert httpx.get(f"{url}/{stored.plain.id}").status_code == 200


def test_a_shard_that_is_gone_is_the_server_s_fault(stored: Stored, url: str) -> None:
    for path in stored.folder.iterdir():
        path.unlink()
    assert httpx.get(f"{url}/{stored.plain.id}").status_code == 500


def test_a_port_that_is_taken_is_reported(stored: Stored) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OutsideError, match=f"port {port}"):
            ImageServer(stored.gallery, port=port)


def test_pictures_are_written_as_files_once(stored: Stored, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    ids = [stored.deep.id, stored.plain.id, stored.broken.id, "0" * 32]
    names = stored.gallery.write(ids, folder)
    assert names == {
        stored.deep.id: f"{stored.deep.id}.png",
        stored.plain.id: f"{stored.plain.id}.jpeg",
    }
    assert (folder / names[stored.plain.id]).read_bytes() == stored.plain.data
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert stored.gallery.write(ids, folder) == names
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_the_mapping_of_gray_values_is_reported(stored: Stored) -> None:
    levels = stored.gallery.levels([stored.deep.id, stored.plain.id, stored.broken.id])
    assert levels == {stored.deep.id: (0, 63 * 64)}
