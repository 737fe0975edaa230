"""Which image a task is about: by its id, by the path that Tundish wrote, or by the address of its picture.

Label Studio names pictures by address: ``/data/upload/3/8a7b6c5d-name.jpg`` (eight hex digits before the
name, which lost its spaces and brackets), ``/data/local-files/?d=folder/name.jpg``, ``s3://bucket/name.jpg``,
an address of a proxy with the real one in base64, or a plain path. No address is ever opened.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tundish.formats.base import IMAGE_SUFFIXES, parts_of, suffix_of
from tundish.formats.label_studio.controls import IMAGE
from tundish.formats.reading.fault import shown
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tundish.formats.base import Catalog, ImageRef

__all__ = ["Finder", "names_in"]

_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
_LOST = re.compile(r"[^-\w.]")
"""What an upload loses of its name, after its spaces became underscores."""


def names_in(address: str) -> Iterator[str]:
    """Paths and names that an address may state, the likeliest first.

    Args:
        address: A URL or a path, percent-encoded or not.
    """
    text = address.strip()
    try:
        parts = urlsplit(text)
        query = parse_qs(parts.query)
    except ValueError:
        yield text
        return
    if "d" in query and "local-files" in parts.path:
        yield query["d"][0].replace("\\", "/")
    elif "fileuri" in query and (inner := _decoded(query["fileuri"][0])) is not None:
        yield from names_in(inner)
    elif parts.scheme and not re.match(r"[A-Za-z]:[\\/]", text):
        yield unquote(parts.path).lstrip("/")
    else:
        yield unquote(text)
        yield text  # a name may hold what looks like an encoded character, or '?' and '#'


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()
    except (binascii.Error, ValueError):
        return None


def _valid_name(name: str) -> str:
    """A file's name as an upload keeps it."""
    return _LOST.sub("", loose_spelling(name.strip()).replace(" ", "_"))


@dataclass
class Finder:
    """Finds the images of tasks; one look at the catalogue's names serves them all."""

    catalog: Catalog
    by_id: dict[str, list[ImageRef]] = field(default_factory=dict)
    uploaded: dict[str, list[ImageRef]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for image in self.catalog.images:
            if image.image_id:
                self.by_id.setdefault(image.image_id, []).append(image)
            self.uploaded.setdefault(_valid_name(parts_of(image.path)[1]), []).append(image)

    def find(self, data: Mapping[str, Any], label_path: str, upload: object = None) -> ImageRef | Miss:
        """The image of a task.

        Args:
            data: The task's data.
            label_path: The file that holds the task.
            upload: The task's ``file_upload``.
        """
        path = data.get("path")
        known = self.by_id.get(str(data.get("image_id")), ())
        if known:
            return next((image for image in known if image.path == path), known[0])
        if isinstance(path, str) and "image_id" in data and (own := self.catalog.by_path(path)) is not None:
            return own
        addresses = [*_addresses(data), *([upload] if isinstance(upload, str) else [])]
        first: Miss | None = None
        for name in dict.fromkeys(name for address in addresses for name in names_in(address)):
            found = self._named(label_path, name)
            if not isinstance(found, Miss):
                return found
            first = found if first is None or first.check == "image_not_found" else first
        stated = shown(addresses[0] if addresses else data)[:120]
        return first or Miss("image_not_found", f"the task has no address of a picture: '{stated}'")

    def _named(self, label_path: str, name: str) -> ImageRef | Miss:
        folder, file, _ = parts_of(name)
        plain = _UPLOADED.sub("", file, count=1)
        shorter = f"{folder}/{plain}" if folder else plain
        names = [name, shorter] if plain != file else [name]
        if len(names) > 1 and not self.catalog.by_name(file) and self.catalog.by_name(plain):
            names = [shorter]  # an exact name before any other spelling: this is what uploads look like
        for one in names:
            found = find_named(self.catalog, label_path, one)
            if not isinstance(found, Miss) or found.check != "image_not_found":
                return found
        kept = self.uploaded.get(_valid_name(plain), [])
        if len(kept) > 1:
            paths = ", ".join(image.path for image in kept[:3])
            return Miss("ambiguous_image", f"{len(kept)} images could be '{file}': {paths}")
        if kept:
            self.catalog.spelt[file] = kept[0].path
            return kept[0]
        return Miss("image_not_found", f"no readable image is called '{name}'")


def _addresses(data: Mapping[str, Any]) -> list[str]:
    """The values of a task's data that may be the address of a picture, that of the usual key first."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    pictures = [value for value in texts.values() if any(_is_picture(name) for name in names_in(value))]
    usual = [texts[IMAGE]] if IMAGE in texts else []
    return list(dict.fromkeys([*usual, *pictures]))


def _is_picture(name: str) -> bool:
    return suffix_of(name) in IMAGE_SUFFIXES
