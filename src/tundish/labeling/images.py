"""The pictures that annotators see: served over HTTP by `image_id`, or as files for Label Studio to show.

Both are what `pictures` makes of the stored bytes: upright, of the image's own size, of a kind browsers show.
Label Studio's editor loads pictures of another origin in CORS mode and stays empty, without a word, where the
header is missing.
"""

from __future__ import annotations

import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tundish.errors import OutsideError
from tundish.imaging.bad import BadImage
from tundish.labeling.pictures import shown
from tundish.storage import write_atomically
from tundish.store import read_blobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tundish.labeling.pictures import Levels, Shown
    from tundish.store import Blob

__all__ = ["Gallery", "ImageServer"]

_NAME = re.compile(r"/([0-9a-f]{32})")


class Gallery:
    """The pictures of a dataset's images.

    Memory holds the shard read last: annotators mostly go through the images in their order.

    Args:
        folder: Shards of image files.
        shards: Name of the shard by image_id.
    """

    def __init__(self, folder: Path, shards: Mapping[str, str]) -> None:
        self._folder = folder
        self._shards = shards
        self._lock = threading.Lock()
        self._open: tuple[str, dict[str, bytes]] = ("", {})

    def picture(self, image_id: str) -> Shown | None:
        """The picture of an image; None where there is no such image, or nothing can be seen of it.

        Raises:
            OutsideError: Its shard is damaged.
        """
        shard = self._shards.get(image_id)
        if shard is None:
            return None
        with self._lock:
            if self._open[0] != shard:
                self._open = (shard, {blob.id: blob.data for blob in read_blobs(self._path(shard))})
            data = self._open[1].get(image_id)
        return None if data is None else _picture(data)

    def write(
        self,
        image_ids: Iterable[str],
        folder: Path,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> dict[str, str]:
        """Write pictures as files, those that are there already left alone; returns file name by image_id."""
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.stem: path.name for path in folder.iterdir() if not path.name.startswith(".")}
        wanted = dict.fromkeys(image_ids)
        names = {image_id: there[image_id] for image_id in wanted if image_id in there}
        for blob in self._blobs(wanted.keys() - names.keys()):
            picture = _picture(blob.data)
            if picture is not None:
                names[blob.id] = f"{blob.id}.{picture.media_type.rpartition('/')[2]}"
                try:
                    write_atomically(folder / names[blob.id], picture.data)
                except OSError as error:
                    error.filename = error.filename or str(folder)  # a full disk says only that it is one
                    raise
            progress(len(names), len(wanted))
        return names

    def levels(self, image_ids: Iterable[str]) -> dict[str, Levels]:
        """Which gray values are shown as black and as white, of the images that are shown in other values."""
        pictures = ((blob.id, _picture(blob.data)) for blob in self._blobs(set(image_ids)))
        return {image_id: picture.levels for image_id, picture in pictures if picture and picture.levels}

    def _blobs(self, image_ids: Iterable[str]) -> Iterator[Blob]:
        """Stored files, shard by shard."""
        by_shard: dict[str, set[str]] = {}
        for image_id in image_ids:
            if image_id in self._shards:
                by_shard.setdefault(self._shards[image_id], set()).add(image_id)
        for shard, ids in sorted(by_shard.items()):
            yield from read_blobs(self._path(shard), ids)

    def _path(self, shard: str) -> Path:
        return self._folder / f"{shard}.parquet"


def _picture(data: bytes) -> Shown | None:
    try:
        return shown(data)
    except BadImage:
        return None


class ImageServer:
    """Serves a gallery under ``/<image_id>``; a context manager that stops when it is left.

    Args:
        gallery: The pictures.
        host: Where it listens; on loopback nobody but this machine sees the pictures.
        port: 0 takes any free port.

    Raises:
        OutsideError: The port is taken.
    """

    def __init__(self, gallery: Gallery, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self._server = _Server((host, port), gallery)
        except OSError as error:
            raise OutsideError(
                f"port {port} of {host} is taken or may not be used ({error.strerror})",
                where="image server",
                fix="set another label.served_at in the recipe",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        """Its address."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Wait until the process is interrupted."""
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], gallery: Gallery) -> None:
        self.gallery = gallery
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tundish"
    sys_version = ""
    server: _Server

    def do_GET(self) -> None:
        """Answer with a picture."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer as if with a picture."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        match = _NAME.fullmatch(self.path)
        try:
            picture = self.server.gallery.picture(match[1]) if match else None
        except OutsideError:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        if picture is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", picture.media_type)
        self.send_header("Content-Length", str(len(picture.data)))
        # An image_id stands for the bytes: what it names never changes.
        self.send_header("Cache-Control", "max-age=31536000, immutable")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if body:
            self.wfile.write(picture.data)

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server's name)
        """Say nothing."""
