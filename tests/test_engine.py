"""Engines: the same answers from threads here and from a real Dask scheduler."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from tests.recipes import least

import tundish
from tundish.engine import DaskEngine, each
from tundish.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_each__answers_in_order_and_reads_no_further_ahead_than_it_must() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * 2

    answers = each(slow_at_first, items(), workers=2, ahead=3)
    assert next(answers) == 0
    assert taken <= 7
    assert list(answers) == [number * 2 for number in range(1, 100)]


def test_each__works_on_several_threads() -> None:
    barrier = threading.Barrier(2, timeout=10)
    assert sorted(each(lambda _: barrier.wait(), range(4), workers=2)) == [0, 0, 1, 1]


def test_each__a_failure_of_one_item_is_raised() -> None:
    def fail(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        list(each(fail, range(10), workers=2))


def project(folder: Path) -> Path:
    raw = folder / "datasets/d/raw"
    raw.mkdir(parents=True)
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60), dtype=np.uint8)
        (raw / f"{number}.png").write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    (folder / "pipelines").mkdir()
    (folder / "pipelines/d.yaml").write_text(
        "dataset: d\nsources: [{path: raw, format: images}]\nsplit: {unlabelled: include}\n" + least("split")
    )
    return folder


def test_dask__a_real_scheduler_gives_the_same_features(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    here, there = project(tmp_path / "here"), project(tmp_path / "there")
    tundish.run("d", project=here, last="measure")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        outcomes = tundish.run("d", project=there, last="measure", scheduler=cluster.scheduler_address)
    assert outcomes["measure"].counts["images decoded"] == 8
    parts = [sorted((folder / "datasets/d/curated/features").glob("*.parquet")) for folder in (here, there)]
    assert [path.name for path in parts[0]] == [path.name for path in parts[1]]
    assert [path.read_bytes() for path in parts[0]] == [path.read_bytes() for path in parts[1]]


def test_dask__nobody_at_the_address_is_told() -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with pytest.raises(OutsideError, match="no Dask scheduler answers"):
        DaskEngine("tcp://127.0.0.1:1", timeout="1s")
