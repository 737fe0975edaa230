"""A file of several pages or frames, taken as an image each."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.split import split_pages
from tundish.sources.entry import EntryFault
from tundish.stages.ingest.intake import PAGES_TAKEN, Taken
from tundish.storage.pages import page_path

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["take_pages"]


def take_pages(taken: Taken) -> Iterator[Taken]:
    """A file of several pages as skipped, and its pages as images; quarantined where one is damaged."""
    entry = taken.entry
    try:
        pages = list(split_pages(taken.data))
    except BadImage as fault:
        yield Taken(entry, "image", fault=EntryFault(fault.reason, fault.message))
        return
    done = EntryFault(PAGES_TAKEN, "its pages came in as images of their own")
    yield Taken(replace(entry, skipped=True), "image", fault=done)
    for number, data in enumerate(pages, 1):
        page = replace(entry, path=page_path(entry.path, number), size=len(data))
        yield Taken(page, "image", data, hashlib.sha256(data).hexdigest())
