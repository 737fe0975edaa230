"""The pictures of the images that are pushed: where the browser finds them, and how they come there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tundish.gallery.gallery import Gallery
from tundish.labeling.label_studio.prelabels import items_of
from tundish.labeling.workflow.session import home_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Item
    from tundish.labeling.workflow.session import Session
    from tundish.storage.dataset import DatasetFolder

__all__ = ["Pictures", "gallery_of"]


def gallery_of(dataset: DatasetFolder, images: pl.DataFrame) -> Gallery:
    """The pictures of a dataset's images.

    Args:
        dataset: The dataset's folder.
        images: image_id and shard of each image.
    """
    return Gallery(dataset.image_shards, dict(images.select("image_id", "shard").iter_rows()))


class Pictures:
    """The pictures of the images that are pushed.

    Args:
        client: The server.
        session: The dataset and how it is labelled.
        images: Rows of the images table, in the order of work.
    """

    def __init__(self, client: Client, session: Session, images: pl.DataFrame) -> None:
        dataset, section = session.dataset, session.recipe.label
        self._served_at = section.served_at.rstrip("/") if section.images == "serve" else None
        root = Path(section.files) if section.files else home_of(dataset.project) / "files"
        self._folder = (dataset.project / root / dataset.name).absolute()
        self._client = client
        self._session = session
        self._images = images
        self._gallery = gallery_of(dataset, images)
        self._names: dict[str, str] = {}

    def items(self, purpose: str | None = None) -> list[Item]:
        """The images as items to be labelled, in their order.

        Args:
            purpose: What the answers are for, where they are not annotators' judgements.
        """
        deep = self._images.filter(self._images["bit_depth"] > 8)["image_id"]
        return items_of(self._images, self._session.recipe.keys, self._gallery.levels(deep), purpose)

    def prepare(self, project: int, items: Sequence[Item]) -> None:
        """Put the files where Label Studio finds them, and let it show them.

        Args:
            project: Number of the project on the server.
            items: The items that are new there.

        Raises:
            OutsideError: The server may not show them, or a shard is damaged.
        """
        if self._served_at is not None:
            return
        tell = self._session.step("pictures")
        self._names = self._gallery.write((item.image_id for item in items), self._folder, tell)
        self._client.offer_folder(project, self._folder)

    def address(self, image_id: str) -> str:
        """The address of a picture, as a task of Label Studio has it."""
        if self._served_at is not None:
            return f"{self._served_at}/{image_id}"
        return f"/data/local-files/?d={self._folder.name}/{self._names.get(image_id, image_id)}"
