"""Names and folders as they are compared: in loose spelling, and without words for images and labels."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

__all__ = ["loose_spelling", "plain_folder"]

_FOLDER_WORDS = re.compile(
    r"(?:^|[-_ ])(?:images?|imgs?|jpegimages|pngimages|labels?|annotations?|annots?|anns?|xmls?|txts?"
    r"|masks?|segmentationclass|segmentations?|ground[-_ ]?truth|gt)(?=[-_ ]|$)",
    re.IGNORECASE,
)


def loose_spelling(text: str) -> str:
    """Text as it is compared when its exact spelling finds nothing.

    Umlauts composed (Macs write them in two characters), capitals small, and ``%20`` a space.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", unquote(text)).casefold())


@lru_cache(maxsize=65536)
def plain_folder(folder: str) -> str:
    """A folder without the words that only say images or labels.

    So the folder of some images and that of their labels are equal: ``images/train`` and ``labels/train``,
    ``val/images`` and ``val/labels``, ``IMAGES`` and ``ANNOTATIONS``.
    """
    parts = (_FOLDER_WORDS.sub("", part).strip("-_ ") for part in folder.split("/"))
    return "/".join(part for part in parts if part)
