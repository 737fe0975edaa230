"""Plain images, without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import Evidence, Format, Options, Reading
from tundish.formats.reading.sniffing import counted, is_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["FORMAT", "Images"]


@dataclass(frozen=True)
class Images:
    """Images that nobody has labelled yet."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """Images, and nothing else."""
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """No label file mentions any image: all are unlabelled."""
        return Reading()

    def sniff(self, listing: Listing) -> Evidence | None:
        """Any image suggests this format; every other format weighs more."""
        count = sum(self.role(path, Options()) == "image" for path in listing.paths)
        if not count:
            return None
        return Evidence(0, [f"{counted(count, 'image')}"], [])


FORMAT = Format(
    "images",
    "images without labels",
    reader=Images(),
    evidence="images, and nothing that labels them",
    reads="no labels",
    reports="tables and kinds of files that are not read",
)
