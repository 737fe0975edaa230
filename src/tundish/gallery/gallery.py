"""The pictures that annotators see: served over HTTP by `image_id`, or as files that Label Studio shows.

Both are made by `picture` from the stored bytes: upright, of the size of the image, in a format browsers
show. The editor of Label Studio loads pictures of another origin in CORS mode and silently stays empty where
the header is missing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tundish.gallery.picture import shown
from tundish.imaging.files.bad import BadImage
from tundish.storage.shards import read_blobs
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tundish.gallery.picture import Levels, Shown
    from tundish.storage.shards import Blob

__all__ = ["Gallery"]


class Gallery:
    """The pictures of a dataset's images.

    The last shard stays in memory: annotators mostly go through the images in order.

    Args:
        folder: The folder with the shards of image files.
        shards: The name of the shard by image_id.
    """

    def __init__(self, folder: Path, shards: Mapping[str, str]) -> None:
        self._folder = folder
        self._shards = shards
        self._lock = threading.Lock()
        self._open: tuple[str, dict[str, bytes]] = ("", {})

    def picture(self, image_id: str) -> Shown | None:
        """The picture of an image; None where there is no such image, or it cannot be decoded.

        Raises:
            OutsideError: The shard is damaged.
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
        """Write pictures as files, keeping existing ones; return the file name by image_id."""
        folder.mkdir(parents=True, exist_ok=True)
        existing = {path.stem: path.name for path in folder.iterdir() if not path.name.startswith(".")}
        wanted = dict.fromkeys(image_ids)
        names = {image_id: existing[image_id] for image_id in wanted if image_id in existing}
        progress(len(names), len(wanted))
        for blob in self._blobs(wanted.keys() - names.keys()):
            picture = _picture(blob.data)
            if picture is not None:
                names[blob.id] = f"{blob.id}.{picture.media_type.rpartition('/')[2]}"
                try:
                    write_atomically(folder / names[blob.id], picture.data)
                except OSError as error:
                    error.filename = error.filename or str(folder)  # a full disk names no file
                    raise
            progress(len(names), len(wanted))
        return names

    def levels(self, image_ids: Iterable[str]) -> dict[str, Levels]:
        """The gray values shown as black and as white, for images whose values are changed for display."""
        pictures = ((blob.id, _picture(blob.data)) for blob in self._blobs(set(image_ids)))
        return {image_id: picture.levels for image_id, picture in pictures if picture and picture.levels}

    def _blobs(self, image_ids: Iterable[str]) -> Iterator[Blob]:
        """Yield the stored files, shard by shard."""
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
