"""Measurements, checks and fast duplicates against imagededup, cleanvision and plain decoding.

    python benchmarks/measure.py [--images 4000] [--repeats 3]
    python benchmarks/measure.py --memory 100000

Both sides work on the same seeded 1600 x 256 px JPEGs, taking turns, with two workers each; medians are
over turns, and a ratio is the median of the ratios of turns. Our side runs the stages as `tundish run`
does: it also writes its tables.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from timing import in_turn, load, options, peak, ratio, seconds
from tundish.engine import LocalEngine
from tundish.recipe.load import Recipe
from tundish.stages import load_stage
from tundish.stages.base import Context
from tundish.storage.shards import read_blobs, shard_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WIDTH, HEIGHT, WORKERS = 1600, 256, 2


def strip(rng: np.random.Generator, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Rolled steel: grain, lines along the strip, slow changes of light, now and then a scratch."""
    noise = rng.normal(0, 1, (2, height, width)).astype(np.float32)
    grain = cv2.GaussianBlur(noise[0], (0, 0), 1.2) * 22
    lines = cv2.GaussianBlur(noise[1], (0, 0), sigmaX=60, sigmaY=1.5) * 60
    light = rng.normal(0, 14, (3, 7)).astype(np.float32)
    light = cv2.resize(light, (width, height), interpolation=cv2.INTER_CUBIC)  # type: ignore[assignment]
    steel: NDArray[np.float32] = 118 + grain + lines + light
    for _ in range(rng.integers(0, 4)):
        start = rng.integers(0, (width, height))
        end = start + rng.integers(-width // 6, width // 6, 2)
        cv2.line(steel, start.tolist(), end.tolist(), float(rng.uniform(40, 220)), int(rng.integers(1, 4)))
    picture: NDArray[np.uint8] = np.clip(steel, 0, 255).astype(np.uint8)
    return picture


def make(folder: Path, count: int) -> None:
    """One image in twenty is a re-encoded copy; files have three channels, as public steel sets have."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    image = strip(rng)
    for number in range(count):
        if number % 20 != 19:
            image = strip(rng)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 75 if number % 20 == 19 else 92]
        cv2.imwrite(str(folder / f"{number:06d}.jpg"), cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), quality)


def context_of(project: Path) -> Context:
    shutil.copytree(Path(__file__).parents[1] / "schemas", project / "schemas", dirs_exist_ok=True)
    recipe = {"dataset": "strip", "sources": [{"path": "raw", "format": "images"}]}
    return Context(Recipe.model_validate(recipe), project, LocalEngine())


def measure(context: Context) -> None:
    shutil.rmtree(context.dataset.features, ignore_errors=True)
    load_stage("measure").run(context)


def everything(context: Context) -> None:
    measure(context)
    load_stage("records").run(context)
    load_stage("validate").run(context)
    load_stage("dedup").run(context)


def decode_alone(context: Context) -> None:
    """Decode the same bytes from the same shards with OpenCV on two threads, and discard the result."""
    cv2.setNumThreads(0)

    def blobs() -> Iterator[bytes]:
        for shard in shard_paths(context.dataset.image_shards):
            yield from (bytes(blob.data) for blob in read_blobs(shard))

    def decode(data: bytes) -> bool:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None

    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(pool.map(decode, blobs()))


def peers(folder: Path) -> dict[str, Callable[[], None]]:
    """The peers' work; they are imported here, so that --memory runs without them."""
    from cleanvision import Imagelab  # type: ignore[import-not-found]  # noqa: PLC0415
    from imagededup.methods import PHash  # type: ignore[import-not-found]  # noqa: PLC0415

    def encode() -> None:
        PHash(verbose=False).encode_images(image_dir=str(folder), num_enc_workers=WORKERS)

    def find_issues() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            Imagelab(data_path=str(folder)).find_issues(n_jobs=WORKERS, verbose=False)

    return {"imagededup PHash": encode, "cleanvision": find_issues}


def compare(images: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        context = context_of(Path(name))
        folder = context.dataset.root / "raw"
        make(folder, images)
        load_stage("ingest").run(context)
        sides: dict[str, Callable[[], None]] = {
            "measure": lambda: measure(context),
            "measure, validate, dedup": lambda: everything(context),
            "cv2.imdecode, two threads": lambda: decode_alone(context),
            **peers(folder),
        }
        times: dict[str, list[float]] = {side: [] for side in sides}
        order = list(sides)
        for turn in range(repeats):
            for side in in_turn(order, turn):
                times[side].append(seconds(sides[side]))
            print(
                f"turn {turn + 1}, {load()}:",
                {k: round(v[-1], 2) for k, v in times.items()},
            )
    for side, taken in times.items():
        print(
            f"{side:28s} {statistics.median(taken):8.2f} s {images / statistics.median(taken):8.0f} images/s"
        )
    for ours, peer, wanted in (
        ("measure", "imagededup PHash", 3),
        ("measure, validate, dedup", "cleanvision", 10),
        ("measure", "cv2.imdecode, two threads", 0.75),
    ):
        print(f"{ours} is {ratio(times[peer], times[ours]):.2f} times as fast as {peer} (wanted {wanted})")


def memory(images: int) -> None:
    """Peak memory while many small images go through measure, validate and dedup."""
    with tempfile.TemporaryDirectory() as name:
        context = context_of(Path(name))
        folder = context.dataset.root / "raw"
        folder.mkdir(parents=True)
        rng = np.random.default_rng(2)
        for number in range(images):
            image = strip(rng, 160, 100)
            cv2.imwrite(str(folder / f"{number:06d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        print(f"made: {peak():.0f} MB")
        for stage in ("ingest", "measure", "records", "validate", "dedup"):
            took = seconds(partial(load_stage(stage).run, context))
            print(f"{stage}: {took:.1f} s, peak so far {peak():.0f} MB")


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="IMAGES", help="only the peak of memory")
    arguments = parser.parse_args()
    if arguments.memory:
        memory(arguments.memory)
    else:
        compare(arguments.images, arguments.repeats)
