"""Servers that run on this machine until they are closed: a project's Label Studio, and one of pictures."""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tundish.errors import UsageError
from tundish.gallery.server import ImageServer
from tundish.labeling.label_studio.server import LabelStudio
from tundish.labeling.pool import images_of
from tundish.labeling.workflow.pictures import gallery_of
from tundish.labeling.workflow.session import address_file, executable_of, home_of
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = ["ProjectServer", "picture_server"]


class ProjectServer:
    """The Label Studio of a project, with its address where the other use cases find it while it runs.

    Args:
        project: Folder of the project.
        port: Where it must listen; by default any free port.

    Raises:
        UsageError: Label Studio is not installed.
    """

    def __init__(self, project: Path, port: int | None = None) -> None:
        self._address_file = address_file(project)
        self.home = home_of(project)
        self.server = LabelStudio(executable_of(project), self.home, port=port)
        self._closed = True

    def start(self) -> None:
        """Start it and wait until it answers: about 5 s, the first time in a project half a minute.

        It is stopped at the end of this process at the latest.

        Raises:
            OutsideError: The port is taken, another one runs in the project, or it does not come up.
        """
        self.server.start()
        self._closed = False
        atexit.register(self.close)
        try:
            write_atomically(self._address_file, f"{self.server.url}\n".encode())
        except BaseException:
            self.close()
            raise

    def wait(self) -> None:
        """Wait until it ends by itself, which it should not.

        Raises:
            OutsideError: It ended.
        """
        self.server.wait()

    def close(self) -> None:
        """Stop it; doing so twice does nothing."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._address_file.unlink(missing_ok=True)
        self.server.stop()


def picture_server(dataset: DatasetFolder, recipe: Recipe) -> ImageServer:
    """A server of the dataset's pictures at the address that the recipe's `served_at` names; not started yet.

    Args:
        dataset: The dataset's folder.
        recipe: The dataset's recipe.

    Raises:
        UsageError: The address cannot be a server's.
        MissingStepError: The dataset was not validated yet.
        OutsideError: The port is taken.
    """
    address = urlsplit(recipe.label.served_at)
    gallery = gallery_of(dataset, images_of(dataset))
    try:
        port = address.port
    except ValueError:
        raise UsageError(
            f"'{recipe.label.served_at}' cannot be a server's address",
            where="label.served_at",
            fix="write it in the recipe as http://127.0.0.1:8090",
        ) from None
    if port is None:
        port = 443 if address.scheme == "https" else 80
    return ImageServer(gallery, address.hostname or "127.0.0.1", port)
