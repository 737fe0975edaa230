"""Serve the upright pictures of a dataset over HTTP, for Label Studio."""

from __future__ import annotations

import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tundish.errors import OutsideError

if TYPE_CHECKING:
    from tundish.gallery.gallery import Gallery

__all__ = ["ImageServer"]

_TURN_S = 0.5
_NAME = re.compile(r"/([0-9a-f]{32})")


class ImageServer:
    """Serves a gallery under ``/<image_id>``; a context manager that stops on exit.

    Args:
        gallery: The pictures.
        host: The address to listen on; on loopback only this machine can see the pictures.
        port: The port to listen on; 0 for any free port.

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
        """The address of the server."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Wait until it is closed, or the process is interrupted."""
        # In short turns: Polars lets waits without an end go on after a signal, and Ctrl-C would be lost.
        while self._thread.is_alive():
            self._thread.join(_TURN_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], gallery: Gallery) -> None:
        self.gallery = gallery
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: a browser that disconnects is normal."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "tundish"
    sys_version = ""
    server: _Server

    def do_GET(self) -> None:
        """Answer with a picture."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers of a picture."""
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
        # An image_id identifies the bytes: its picture never changes.
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
        """Write no log."""
