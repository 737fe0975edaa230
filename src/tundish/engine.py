"""Run one function over many shards: threads here, Dask on a cluster.

The unit that is spread is a *shard function*: a picklable function of one argument that reads a shard,
writes its result under a temporary name, renames it, and returns small facts. Inside a shard, `each` runs
images on threads: OpenCV lets go of the GIL.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tundish.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = ["DaskEngine", "Engine", "LocalEngine", "each", "open_engine"]

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Something that maps a shard function over shards."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Results in the order of `items`."""
        ...


class LocalEngine:
    """Shard after shard in this process: the threads are inside the shard, so memory stays at one shard."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Results in the order of `items`."""
        return map(function, items)


class DaskEngine:
    """Shards on the workers of a Dask scheduler that see the same folders.

    Args:
        address: Of the scheduler, such as ``tcp://10.0.0.5:8786``.
        timeout: How long to wait for it.

    Raises:
        OutsideError: dask.distributed is not installed, or nothing answers at `address`.
    """

    def __init__(self, address: str, *, timeout: str = "10s") -> None:
        try:
            from distributed import Client  # noqa: PLC0415  (an extra: only a cluster needs it)
        except ImportError as error:
            raise OutsideError(
                "dask.distributed is not installed", where=address, fix="pip install 'tundish[cluster]'"
            ) from error
        try:
            self._client: Any = Client(address, timeout=timeout)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise OutsideError(
                "no Dask scheduler answers", where=address, fix="start one with 'dask scheduler'"
            ) from error

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Results in the order of `items`."""
        # pure=False: a shard function's answer is a file, so a remembered answer may have lost its file.
        futures = self._client.map(function, items, pure=False)
        for future in futures:
            yield future.result()

    def close(self) -> None:
        """Let go of the scheduler; it goes on running."""
        self._client.close()


@contextmanager
def open_engine(scheduler: str | None = None) -> Iterator[Engine]:
    """The engine for this address of a Dask scheduler, or for this process; let go of at the end.

    Raises:
        OutsideError: There is no such scheduler.
    """
    if scheduler is None:
        yield LocalEngine()
        return
    engine = DaskEngine(scheduler)
    try:
        yield engine
    finally:
        engine.close()


def each(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int | None = None,
    ahead: int = 4,
    batch: int = 1,
) -> Iterator[R]:
    """Map `function` over `items` on threads, in order, reading no further ahead than it must.

    Args:
        function: Called once an item; heavy work in it should let go of the GIL.
        items: At most ``workers * ahead * batch`` are in flight, so memory stays flat.
        workers: Threads; by default one a core.
        ahead: Batches in flight for each thread.
        batch: Items handed to a thread at once: handing over costs as much as measuring a small image.
    """
    import cv2  # noqa: PLC0415  (six stages look at no image)

    # One image a thread: OpenCV's own threads would only fight ours for the same cores.
    cv2.setNumThreads(0)
    # What is wrong with an image becomes a row; OpenCV would say it on stderr too, once an image.
    cv2.setLogLevel(0)
    count = workers or os.cpu_count() or 1
    source = iter(items)
    batches = iter(lambda: list(islice(source, batch)), [])

    def work(some: list[T]) -> list[R]:
        return [function(item) for item in some]

    with ThreadPoolExecutor(count) as pool:
        waiting = deque(pool.submit(work, some) for some in islice(batches, count * ahead))
        while waiting:
            yield from waiting.popleft().result()
            waiting.extend(pool.submit(work, some) for some in islice(batches, 1))
