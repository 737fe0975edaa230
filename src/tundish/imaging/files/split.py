"""The pages of a TIFF and the frames of an animated GIF, WebP or PNG, each as a PNG of its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import MAX_PIXELS, Image, encode
from tundish.imaging.files.header import check_complete, read_header
from tundish.imaging.files.pages import count_pages, tiff_pages
from tundish.imaging.files.tiff import is_cmyk

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["split_pages"]


def split_pages(data: bytes, max_pixels: int = MAX_PIXELS) -> Iterator[bytes]:
    """Each picture of a file, at its native depth and without loss; the same bytes give the same pages.

    Args:
        data: Bytes of a TIFF, GIF, WebP or PNG. Smaller copies and masks in a TIFF are not pages.
        max_pixels: Limit of width x height of a page; for frames, which are decoded together, of all of them.

    Raises:
        BadImage: It cannot be read, or has too many pixels.
    """
    header = read_header(data)
    together = 1 if header.format == "tiff" else count_pages(data)
    if header.width * header.height * together > max_pixels:
        size = f"{header.width} x {header.height} px"
        raise BadImage("too_large", f"{together} x {size} are more than the {max_pixels} px allowed")
    check_complete(data, header.format)
    try:
        for page in _tiff(data, max_pixels) if header.format == "tiff" else _frames(data):
            if page.dtype not in (np.uint8, np.uint16):
                raise BadImage("unsupported", f"a page with pixels of type {page.dtype}")
            yield encode(page, "png")
    except struct.error:
        raise BadImage("truncated", "the list of the file's pages leaves the file") from None


def _tiff(data: bytes, max_pixels: int) -> Iterator[Image]:
    stream = np.frombuffer(data, np.uint8)
    for number, (width, height) in tiff_pages(data):
        if width * height > max_pixels:
            raise BadImage("too_large", f"{width} x {height} px are more than the {max_pixels} px allowed")
        try:
            good, found = cv2.imdecodemulti(stream, cv2.IMREAD_UNCHANGED, range=(number, number + 1))
        except cv2.error as error:
            raise BadImage("corrupt", f"OpenCV cannot decode page {number + 1}: {error.err}") from None
        if not good or len(found) != 1:
            raise BadImage("corrupt", f"OpenCV cannot decode page {number + 1}")
        yield np.ascontiguousarray(found[0][..., :3]) if is_cmyk(data) else found[0]


def _frames(data: bytes) -> Iterator[Image]:
    try:
        good, animation = cv2.imdecodeanimation(np.frombuffer(data, np.uint8).reshape(1, -1))
    except cv2.error as error:
        raise BadImage("corrupt", f"OpenCV cannot decode the frames: {error.err}") from None
    frames = list(animation.frames)
    if not good or len(frames) != count_pages(data):
        raise BadImage("corrupt", f"of {count_pages(data)} frames {len(frames)} can be decoded")
    for frame in frames:
        yield np.ascontiguousarray(frame[..., :3]) if _is_opaque(frame) else frame


def _is_opaque(frame: Image) -> bool:
    """Whether a frame has an alpha channel that hides nothing."""
    if frame.ndim != 3 or frame.shape[2] != 4:
        return False
    return bool((frame[..., 3] == np.iinfo(frame.dtype).max).all())
