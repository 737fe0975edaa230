"""Pages of files, without loss."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode
from tundish.imaging.files.pages import count_pages
from tundish.imaging.files.split import split_pages

if TYPE_CHECKING:
    from numpy.typing import NDArray


def pages_of(
    kind: str, dtype: type = np.uint8, shape: tuple[int, ...] = (20, 30)
) -> tuple[bytes, list[NDArray[Any]]]:
    random = np.random.default_rng(3)
    step = 64 if kind == "GIF" else 1  # a GIF has 256 colours
    pages: list[Any] = [random.integers(0, np.iinfo(dtype).max // step, (3, *shape)).astype(dtype) * step]
    first, *rest = [Image.fromarray(page) for page in pages[0]]
    held = io.BytesIO()
    more = {"lossless": True} if kind == "WEBP" else {}
    first.save(held, kind, save_all=True, append_images=rest, **more)
    return held.getvalue(), list(pages[0])


@pytest.mark.parametrize(
    ("kind", "dtype", "shape"),
    [
        ("TIFF", np.uint8, (20, 30)),
        ("TIFF", np.uint16, (20, 30)),
        ("TIFF", np.uint8, (20, 30, 3)),
        ("GIF", np.uint8, (20, 30, 3)),
        ("PNG", np.uint8, (20, 30, 3)),
        ("WEBP", np.uint8, (20, 30, 3)),
    ],
)
def test_each_page_comes_back_as_it_was(kind: str, dtype: type, shape: tuple[int, ...]) -> None:
    data, pages = pages_of(kind, dtype, shape)
    found = list(split_pages(data))
    assert len(found) == count_pages(data) == 3
    for page, wanted in zip(found, pages, strict=True):
        again = decode(page)
        assert again.dtype == dtype
        assert (again == (wanted[..., ::-1] if len(shape) == 3 else wanted)).all()
    assert list(split_pages(data)) == found


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
def test_a_cut_or_huge_file_is_refused_as_a_whole(kind: str) -> None:
    data, _ = pages_of(kind, shape=(20, 30, 3))
    with pytest.raises(BadImage):
        list(split_pages(data[: len(data) // 2]))
    with pytest.raises(BadImage, match="too_large"):
        list(split_pages(data, max_pixels=500))


def test_a_tiff_cut_between_its_pages_is_no_smaller_tiff() -> None:
    data, _ = pages_of("TIFF")
    cut = data[: data.rfind(b"\0\x01\x04") - 2]
    assert count_pages(cut) > 1
    with pytest.raises(BadImage):
        list(split_pages(cut))


def test_smaller_copies_in_a_tiff_are_not_pages() -> None:
    held = io.BytesIO()
    whole, copy = (Image.fromarray(np.full(shape, 9, np.uint8)) for shape in ((20, 30), (10, 15)))
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    whole.save(held, "TIFF", save_all=True, append_images=[copy])
    assert len(list(split_pages(held.getvalue()))) == count_pages(held.getvalue())
