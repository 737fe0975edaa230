"""A folder per class: the nearest folder that is not a split or a word for images names the class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import Evidence, Format, Label, Options, Reading
from tundish.formats.reading.match import class_folder
from tundish.formats.reading.sniffing import counted, is_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["FORMAT", "Folders"]


@dataclass(frozen=True)
class Folders:
    """One folder a class, below nothing or below splits. Its labels are about the whole image."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """Images are all there is."""
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """Label every image with its class; an image in no class folder stays unlabelled."""
        reading = Reading()
        for image in catalog.images:
            name = class_folder(image.path)
            if name:
                label = Label(image, name, "class", 0.0, 0.0, image.width, image.height, image.path, 0)
                reading.labels.append(label)
                reading.covered.add(image.path)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """Folders that hold images and could be classes: at least two."""
        images = [path for path in listing.paths if self.role(path, Options()) == "image"]
        classes = Counter(name for name in map(class_folder, images) if name)
        if len(classes) < 2:
            return None
        facts = [f"{counted(classes.total(), 'image')} in {len(classes)} folders that name no split: classes"]
        largest = ", ".join(f"{name} {count}" for name, count in classes.most_common(5))
        facts.append(f"the largest: {largest}")
        # Fewer than any labels: folders may mean anything, label files mean labels.
        return Evidence(1, facts, sorted(classes))


FORMAT = Format(
    "folders",
    "a folder for each class",
    reader=Folders(),
    evidence="two or more folders of images whose names are neither splits nor words for images",
    reads="the class of the whole image",
    reports="the largest classes, given splits",
)
