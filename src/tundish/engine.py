"""Run one function over many shards: on threads here, with Dask on a cluster.

The unit of distribution is a *shard function*: a picklable function of one argument that reads a shard,
writes its result under a temporary name, renames it, and returns small facts. Inside a shard, `each`
processes images on threads: OpenCV releases the GIL.
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
    """Maps a shard function over shards."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of `items`."""
        ...


class LocalEngine:
    """Shard after shard in this process: the threads are inside the shard, so memory stays at one shard."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the results in the order of `items`."""
        return map(function, items)


class DaskEngine:
    """Shards on the workers of a Dask scheduler that see the same folders.

    Args:
        address: The address of the scheduler, such as ``tcp://10.0.0.5:8786``.
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
        """Yield the results in the order of `items`."""
        # pure=False: the result of a shard function is a file, so a cached result may have lost its file.
        futures = self._client.map(function, items, pure=False)
        for future in futures:
            yield future.result()

    def close(self) -> None:
        """Disconnect from the scheduler; it keeps running."""
        self._client.close()


@contextmanager
def open_engine(scheduler: str | None = None) -> Iterator[Engine]:
    """Open the engine for this address of a Dask scheduler, or for this process; it is closed at the end.

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
    """Map `function` over `items` on threads, in order, reading no further ahead than necessary.

    Args:
        function: Called once per item; heavy work in it should release the GIL.
        items: At most ``workers * ahead * batch`` are in flight, so memory stays flat.
        workers: The number of threads; by default one per core.
        ahead: The batches in flight for each thread.
        batch: The items given to a thread at once: handing over costs as much as measuring a small image.
    """
    import cv2  # noqa: PLC0415  (six stages look at no image)

    # One image per thread: OpenCV's own threads would compete for the same cores.
    cv2.setNumThreads(0)
    # A fault of an image becomes a row; OpenCV would print it on stderr as well, once per image.
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
