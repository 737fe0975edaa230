"""Pictures that were made from others are found by their names; numbers of a series are not taken for it."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tundish.propose.images.derived import KEY, find_derived

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HASHES = ("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "ffeeddccbbaa99887766554433221100", "QmZx82LkPo01")


def unread(path: str) -> bytes:
    raise AssertionError(path)


def groups(images: Sequence[str]) -> dict[str, list[str]]:
    """The images by their original, as the proposed key has it."""
    found = find_derived(images, unread)
    assert found is not None
    by_original: dict[str, list[str]] = {}
    for path in images:
        match = re.search(found.pattern, path.rpartition("/")[2])
        assert match is not None, f"{path} has no key"
        by_original.setdefault(match[KEY], []).append(path)
    return by_original


FORMS = {
    "roboflow": [f"train/p{n}_jpg.rf.{digest}.jpg" for n in range(3) for digest in HASHES],
    "aug": [f"p{n}{end}.png" for n in range(3) for end in ("", "_aug1", "_aug2")],
    "augmented": [
        f"p{n}{end}.png" for n in range(3) for end in ("-augmented-1", "-augmented-2", "-augmented-3")
    ],
    "flip and turn": [f"p{n}{end}.bmp" for n in range(3) for end in ("", "_flip", "_rot90")],
    "chained": [f"p{n}{end}.jpg" for n in range(3) for end in ("_hflip_bright2", "_rot-15", "_blur")],
    "dota": [f"P{n}__1__{x}___824.png" for n in range(3) for x in (0, 824, 1648)],
    "tiles": [f"p{n}_tile_{row}_2.png" for n in range(3) for row in range(3)],
    "tiles by number": [f"p{n}_tile{row}.png" for n in range(3) for row in range(3)],
    "rows and columns": [f"p{n}_r{row}_c1.png" for n in range(3) for row in range(3)],
    "places": [f"p{n}_x{x}_y0.png" for n in range(3) for x in (0, 512, 1024)],
    "boxes": [f"p{n}_{x}_0_{x + 640}_640.png" for n in range(3) for x in (0, 512, 1024)],
    "capitals": [f"P{n}{end}.JPG" for n in range(3) for end in ("", "_FLIP", "_Rot180")],
}


@pytest.mark.parametrize("images", FORMS.values(), ids=FORMS)
def test_versions_and_tiles_share_the_key_of_their_original(images: list[str]) -> None:
    by_original = groups(images)
    assert len(by_original) == 3
    assert [len(members) for members in by_original.values()] == [3, 3, 3]


def test_a_version_of_a_version_belongs_to_the_first_original() -> None:
    images = [f"p{n}{flip}.rf.{digest}.jpg" for n in range(2) for flip in ("", "_flip") for digest in HASHES]
    images += [f"p{n}_flip.jpg" for n in range(2)]
    assert set(groups(images)) == {"p0", "p1"}


SERIES = {
    "plain numbers": [f"img_{number:04}.jpg" for number in range(60)],
    "numbers alone": [f"{number}.jpg" for number in range(60)],
    "classes of NEU-DET": [
        f"{name}_{number}.jpg"
        for name in ("crazing", "inclusion", "patches", "pitted_surface", "rolled-in_scale", "scratches")
        for number in range(1, 40)
    ],
    "days and hours": [f"cam_2024_05_{day:02}_{hour:02}_{minute:02}_00.jpg"
                       for day in (1, 2) for hour in (3, 17) for minute in (10, 20, 40)],
    "a class called crop": [f"crop_{number}.jpg" for number in range(60)],
    "a class called dark": [f"line_dark_{number}.jpg" for number in range(60)],
    "roboflow without versions": [f"p{n}_jpg.rf.{n:032x}.jpg" for n in range(20)],
    "one class each, many": [f"{name}_dark_{number}.jpg" for name in "ab" for number in range(300)],
}  # fmt: skip


@pytest.mark.parametrize("images", SERIES.values(), ids=SERIES)
def test_numbers_of_a_series_are_no_versions(images: list[str]) -> None:
    assert find_derived(images, lambda path: encoded(scene(zlib.crc32(path.encode()), 32, 32))) is None


def scene(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed)
    coarse = cv2.resize(noise.uniform(20, 230, (9, 12)).astype(np.float32), (width, height))
    return np.clip(coarse + noise.normal(0, 3, (height, width)), 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


TILED = [(True, 64, "number"), (False, 64, "number"), (True, 48, "place"), (False, 64, "place")]


@pytest.mark.parametrize(("rows_first", "step", "named"), TILED)
def test_two_bare_numbers_are_tiles_where_the_pictures_join(rows_first: bool, step: int, named: str) -> None:
    files = {}
    for number in range(3):
        whole = scene(number, 64 * 3, 64 * 4)
        for row in range(3):
            for column in range(3):
                tile = whole[row * step : row * step + 64, column * step : column * step + 64]
                first, second = (row, column) if rows_first else (column, row)
                factor = step if named == "place" else 1
                files[f"plate{number}_{first * factor}_{second * factor}.png"] = encoded(tile)
    found = find_derived(sorted(files), files.__getitem__)
    assert found is not None
    assert "27 images are tiles of 3 originals" in found.facts[0]
    assert {re.search(found.pattern, name)[KEY] for name in files} == {"plate0", "plate1", "plate2"}  # type: ignore[index]


def test_two_bare_numbers_count_where_the_pictures_do_not_join() -> None:
    files = {
        f"cam{camera}_{shift}_{number}.png": encoded(scene(100 * camera + 10 * shift + number, 64, 64))
        for camera in range(3)
        for shift in range(3)
        for number in range(4)
    }
    assert find_derived(sorted(files), files.__getitem__) is None


def test_two_bare_numbers_of_a_still_scene_are_not_tiles() -> None:
    still = scene(5, 64, 64)
    noise = np.random.default_rng(3)
    files = {
        f"cam{camera}_{shift}_{number}.png": encoded(
            np.clip(still + noise.normal(0, 4, still.shape), 0, 255).astype(np.uint8)
        )
        for camera in range(3)
        for shift in range(3)
        for number in range(4)
    }
    assert find_derived(sorted(files), files.__getitem__) is None
