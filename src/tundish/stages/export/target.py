"""What the export stage hands to a format's writer: a folder that takes files and images."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from tundish.engine import each
from tundish.stages.export.folder import place_images, remove_others
from tundish.stages.export.images import InOrder, upright

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    import polars as pl

    from tundish.formats.base import Placed
    from tundish.stages.base import Context

__all__ = ["FolderTarget", "Staged", "open_target"]

_IMAGES, _LIST = "images", "images.parquet"


class Staged:
    """Files that are written beside a folder, and come into it together when all are there.

    Args:
        folder: Where the files belong; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder.with_name(f".{folder.name}.tmp")
        self._files: set[str] = set()
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)

    def write(self, path: str, data: bytes) -> None:
        """Take a file as a whole; one that has these bytes already is left alone."""
        existing, staged = self.folder / _inside(path), self._staged(path)
        self._files.add(path)
        if existing.is_file() and existing.stat().st_size == len(data) and existing.read_bytes() == data:
            staged.unlink(missing_ok=True)
        else:
            staged.write_bytes(data)

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """A file to be written piece by piece."""
        self._files.add(path)
        with self._staged(path).open("wb") as stream:
            yield stream

    def rename(self, path: str, new: str) -> None:
        """Give another name to a file that `open` wrote in this export."""
        self._staged(path).replace(self._staged(new))
        self._files = self._files - {path} | {new}

    def finish(self, keep: frozenset[str] = frozenset()) -> None:
        """Move the files into the folder, and remove what an earlier export left beside them.

        Args:
            keep: Names at the top level of the folder that are somebody else's.
        """
        for path in sorted(self._files):
            staged, target = self.staging / path, self.folder / path
            if staged.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)
        for folder in sorted({path.partition("/")[0] for path in self._files if "/" in path} - keep):
            remove_others(
                self.folder / folder,
                {path.removeprefix(f"{folder}/") for path in self._files if path.startswith(f"{folder}/")},
            )
        suffixes = {PurePosixPath(path).suffix for path in self._files if "/" not in path}
        for other in sorted(self.folder.glob("*")):
            if other.is_file() and other.suffix in suffixes and other.name not in self._files | keep:
                other.unlink()

    def _staged(self, path: str) -> Path:
        staged = self.staging / _inside(path)
        staged.parent.mkdir(parents=True, exist_ok=True)
        return staged


def _inside(path: str) -> str:
    """The path, if it leads to a file of the export.

    Raises:
        ValueError: It leads out of the folder.
    """
    parts = path.split("/")
    if PurePosixPath(path).is_absolute() or not {"", ".", ".."}.isdisjoint(parts) or "\\" in path:
        raise ValueError(f"'{path}' is not a path in the export's folder")
    return path


class FolderTarget(Staged):
    """``exports/<format>/`` of a dataset.

    Args:
        context: Where the dataset lies, and who does the work.
        name: Name of the format.
    """

    def __init__(self, context: Context, name: str) -> None:
        super().__init__(context.dataset.exports / name)
        self._context = context
        self._placed = False
        self._reading: list[Generator[bytes | memoryview, None, None]] = []

    def place(self, images: pl.DataFrame) -> Placed:
        """Make ``images/<split>/<file_name>`` hold exactly these images."""
        self._placed = True
        return place_images(self._context, images, self.folder)

    def pictures(self, images: pl.DataFrame) -> Iterator[bytes | memoryview]:
        """The file of each image in the order of the rows, upright; memory stays flat."""
        self._reading.append(self._pictures(images))
        return self._reading[-1]

    def finish(self, keep: frozenset[str] = frozenset()) -> None:
        """As `Staged.finish`; images that were placed and their list stay."""
        super().finish(keep | {_IMAGES, _LIST} if self._placed else keep)

    def close(self) -> None:
        """Let go of what is still read, and of the files that did not come to the folder."""
        for reading in self._reading:
            reading.close()
        shutil.rmtree(self.staging, ignore_errors=True)

    def _pictures(self, images: pl.DataFrame) -> Generator[bytes | memoryview, None, None]:
        with tempfile.TemporaryFile(dir=self.staging) as scratch:
            stored = InOrder(images, self._context.dataset.root, scratch)
            turned = zip(images["orientation"], stored, strict=True)
            yield from each(lambda one: upright(one[1], one[0]), turned)


@contextmanager
def open_target(context: Context, name: str) -> Iterator[FolderTarget]:
    """The target for an export in a format; its files come to their folder at the end, if nothing fails.

    Args:
        context: Where the dataset lies, and who does the work.
        name: Name of the format.
    """
    target = FolderTarget(context, name)
    try:
        yield target
        target.finish()
    finally:
        target.close()
