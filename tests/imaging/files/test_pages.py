from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from tundish.imaging.files.pages import count_pages


def saved(kind: str, count: int, **more: object) -> bytes:
    noise = np.random.default_rng(7)
    pages = [Image.fromarray(noise.integers(0, 255, (20, 30, 3), dtype=np.uint8)) for _ in range(count)]
    held = io.BytesIO()
    several: dict[str, object] = {"save_all": True, "append_images": pages[1:]} if count > 1 else {}
    pages[0].save(held, kind, **several, **more)
    return held.getvalue()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_pages_and_frames_are_counted(kind: str, count: int) -> None:
    assert count_pages(saved(kind, count)) == count


def test_big_tiffs_are_counted_and_jpegs_have_one() -> None:
    assert count_pages(saved("TIFF", 3, big_tiff=True)) == 3
    assert count_pages(saved("JPEG", 1)) == 1
    assert count_pages(b"") == 1


def test_a_smaller_copy_of_a_page_is_no_page() -> None:
    held = io.BytesIO()
    first = Image.fromarray(np.zeros((20, 30), np.uint8))
    second = first.resize((15, 10))
    second.encoderinfo = {"tiffinfo": {254: 1}}
    first.save(held, "TIFF", save_all=True, append_images=[second])
    assert count_pages(held.getvalue()) == 1


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG"])
def test_what_is_cut_off_or_turns_in_a_circle_is_not_followed(kind: str) -> None:
    data = saved(kind, 3)
    for length in range(0, len(data), 7):
        assert 1 <= count_pages(data[:length]) <= 3


def test_a_directory_that_names_itself_as_the_next_ends_the_count() -> None:
    loop = b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 3, 1, 5) + struct.pack("<I", 8)
    assert count_pages(loop) == 1
