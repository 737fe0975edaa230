from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tundish.imaging.near_hashes import near_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray


def planted(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random hashes whose second half are the first with 0 to 50 bits flipped."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (count, 256), dtype=np.uint8)
    copies = bits.copy()
    for row in copies:
        row[rng.choice(256, rng.integers(0, 51), replace=False)] ^= 1
    return np.packbits(np.concatenate([bits, copies]), axis=1)


def brute(hashes: NDArray[np.uint8], radius: int) -> dict[tuple[int, int], int]:
    distance = np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(2, dtype=np.int64)
    return {
        (int(i), int(j)): int(distance[i, j])
        for i, j in zip(*np.nonzero(distance <= radius), strict=True)
        if i < j
    }


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 3, 700])
def test_exact_search_finds_all(count: int, threads: int) -> None:
    hashes = planted(count)
    found = near_pairs(hashes, threads=threads)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert dict(zip(pairs, found.distance.tolist(), strict=True)) == brute(hashes, 40)
    assert pairs == sorted(pairs)


def test_bands_find_nearly_all() -> None:
    hashes = planted(1500)
    wanted = brute(hashes, 40)
    found = near_pairs(hashes, exact_limit=10)
    pairs = dict(
        zip(
            zip(found.first.tolist(), found.second.tolist(), strict=True),
            found.distance.tolist(),
            strict=True,
        )
    )
    assert pairs.items() <= wanted.items()
    assert len(pairs) >= 0.98 * len(wanted)


@pytest.mark.parametrize("limit", [10, 10_000])
def test_a_still_scene_does_not_swell(limit: int) -> None:
    hashes = np.repeat(planted(1)[:1], 500, axis=0)
    found = near_pairs(hashes, exact_limit=limit)
    assert len(found.first) <= 500 * 32
    assert np.bincount(found.first).max() <= 32
