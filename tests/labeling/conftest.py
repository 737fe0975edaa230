"""A real Label Studio for the tests of this room: one a session, started from a ready data folder."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.labeling.server_folders import copied, ready_folder

from tundish.errors import OutsideError
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.pull import Pull, pull
from tundish.labeling.label_studio.push import Push, push
from tundish.labeling.label_studio.server import LabelStudio
from tundish.labeling.label_studio.tasks import Item, Prelabels
from tundish.recipe.sections import Annotations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def label_studio_executable() -> Path:
    """Where Label Studio is installed: an environment of its own."""
    named = os.environ.get("TUNDISH_LABEL_STUDIO")
    path = Path(named) if named else ROOT / ".venv-label-studio" / "bin" / "label-studio"
    if not path.is_file():
        pytest.skip(
            f"there is no {path}: run 'make label-studio-installed', or name another by TUNDISH_LABEL_STUDIO"
        )
    return path


@pytest.fixture(scope="session")
def label_studio_template(label_studio_executable: Path) -> Path:
    """A ready data folder."""
    return ready_folder(label_studio_executable)


@pytest.fixture(scope="session")
def label_studio(
    label_studio_executable: Path, label_studio_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    """A server that all tests of a worker share; each makes projects of its own."""
    otherwise = tmp_path_factory.mktemp("label-studio") / "server"
    with (
        copied(label_studio_template, otherwise) as folder,
        LabelStudio(label_studio_executable, folder) as server,
    ):
        yield server


@pytest.fixture
def client(label_studio: LabelStudio) -> Iterator[Client]:
    with Client(label_studio.url, label_studio.account.token) as client:
        yield client


@pytest.fixture
def personal_token(client: Client) -> Iterator[str]:
    """A personal access token; the server gives a user one at a time."""
    token = client.post("making a token", "api/token/", {})["token"]
    yield token
    with suppress(OutsideError):  # a test may have revoked it
        client.send("revoking a token", "POST", "api/token/blacklist/", json={"refresh": token})


@pytest.fixture
def title() -> str:
    """The title of a project that no other test uses."""
    return f"project {next(_NUMBERS)}"


@dataclass
class World:
    """A project on the server, the images it is about and the folder its answers come to."""

    client: Client
    title: str
    folder: Path
    classes: tuple[str, ...] = ("scratch", "inclusion")
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    width: int = 400
    height: int = 100

    @property
    def config(self) -> LabelConfig:
        return LabelConfig(self._spelled(), ("box", "mask"))

    def _spelled(self) -> dict[str, tuple[str, ...]]:
        return {name: self.aliases.get(name, ()) for name in self.classes}

    def items(self, count: int) -> list[Item]:
        return [
            Item(f"{i:032x}", f"{i}.jpg", "line", self.width, self.height, {"coil_id": f"C{i}"})
            for i in range(count)
        ]

    def images(self, count: int) -> pl.DataFrame:
        rows = [(one.image_id, one.source, one.path, one.width, one.height) for one in self.items(count)]
        return pl.DataFrame(rows, schema=["image_id", "source", "path", "width", "height"], orient="row")

    def push(self, items: Sequence[Item], prelabels: Prelabels | None = None) -> Push:
        return push(self.client, self.title, self.config, items, "http://127.0.0.1:1/{}".format, prelabels)

    def pull(self, count: int = 10) -> Pull:
        section = Annotations.model_validate({"classes": self._spelled()})
        return pull(self.client, {self.title: self.config}, self.images(count), section, self.folder)

    def box(self, x: float, y: float, width: float, height: float, label: str = "scratch") -> dict[str, Any]:
        """A region for a box in px."""
        value = {
            "x": 100 * x / self.width,
            "y": 100 * y / self.height,
            "width": 100 * width / self.width,
            "height": 100 * height / self.height,
            "rotation": 0,
            "rectanglelabels": [label],
        }
        return self.region("box", "rectanglelabels", value)

    def region(self, name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"r{next(_NUMBERS)}",
            "from_name": name,
            "to_name": "image",
            "type": kind,
            "original_width": self.width,
            "original_height": self.height,
            "image_rotation": 0,
            "value": value,
        }

    @property
    def project(self) -> int:
        found = self.client.find_project(self.title)
        assert found is not None
        return int(found["id"])

    def tasks(self) -> list[dict[str, Any]]:
        return self.client.tasks(self.project)

    def answer(self, number: int, *regions: dict[str, Any], **fields: Any) -> int:
        """Answer the task of an image as an annotator would; returns the annotation's id."""
        key = f"{number:032x}"
        task = next(task["id"] for task in self.tasks() if task["data"]["image_id"] == key)
        body = {"result": list(regions), "lead_time": 2.5, **fields}
        return int(self.client.post("answering", f"api/tasks/{task}/annotations/", body)["id"])

    def delete(self, path: str) -> None:
        self.client.send("deleting", "DELETE", f"api/{path}/")

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{name}.parquet")


@pytest.fixture
def world(client: Client, title: str, tmp_path: Path) -> World:
    return World(client, title, tmp_path / "labels")
