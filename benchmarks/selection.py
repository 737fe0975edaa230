"""What to label next: how much of a rare class is among the first 100 and 200 images, against random choice.

    python benchmarks/selection.py ../shared/data/neu_det/IMAGES [--seeds 20]

NEU-DET, 1,800 images of six defects, 300 each. One class after the other is made rare: a random 45 of its
images stay, 3 % of what is left. 50 images are chosen at random, then 50 a round by the strategy; what is
chosen is labelled with the class in its name, and a logistic regression on the features is trained on it.
`diverse` and `random` need no model and begin with nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tundish.engine import each
from tundish.imaging.descriptor import describe
from tundish.imaging.measure import measure
from tundish.labeling.selection.candidates import features_of
from tundish.labeling.selection.strategies import Choice, Scores, diverse, stratified, tie_order, uncertain
from tundish.storage.tables import FEATURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Data = tuple[list[str], Numbers, list[str]]

ROUND, FIRST, LAST = 50, 100, 200
RARE = 45
STEPS, RATE, DECAY = 200, 0.25, 0.002


def read(folder: Path) -> Data:
    """Ids, features and classes of the images, through the table that `tundish measure` writes."""
    files = sorted(folder.glob("*.jpg"))
    ids = [f"{number:032x}" for number in range(len(files))]
    rows: list[dict[str, object]] = []
    for image_id, measured in zip(ids, each(lambda file: measure(file.read_bytes()), files), strict=True):
        names = ("sharpness", "brightness", "contrast", "clipped_dark", "clipped_bright", "thumbnail")
        rows.append({"image_id": image_id, **{name: getattr(measured, name) for name in names}})
    with tempfile.TemporaryDirectory() as scratch:
        part = Path(scratch) / "features.parquet"
        FEATURES.write(FEATURES.frame(rows), part)
        features = features_of([part], ids)
    return ids, features.astype(np.float64), [file.stem.rsplit("_", 1)[0] for file in files]


def model(features: Numbers, classes: list[str]) -> tuple[tuple[str, ...], Callable[[Numbers], Numbers]]:
    """Multinomial logistic regression by gradient descent on standardised features."""
    names = tuple(sorted(set(classes)))
    truth = np.array([[name == one for name in names] for one in classes], float)
    mean, deviation = features.mean(0), features.std(0) + 1e-3

    def ready(rows: Numbers) -> Numbers:
        return np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])

    def likely(rows: Numbers, weights: Numbers) -> Numbers:
        score = rows @ weights
        powers = np.exp(score - score.max(1, keepdims=True))
        return np.asarray(powers / powers.sum(1, keepdims=True))

    rows = ready(features)
    weights = np.zeros((rows.shape[1], len(names)))
    for _ in range(STEPS):
        weights -= RATE * (rows.T @ (likely(rows, weights) - truth) / len(rows) + DECAY * weights)
    return names, lambda some: likely(ready(some), weights)


def order(how: str, ids: list[str], features: Numbers, classes: list[str], seed: int) -> list[int]:
    """Rows in the order in which they are labelled."""
    row = {image_id: at for at, image_id in enumerate(ids)}
    start = [row[image_id] for image_id in tie_order(ids, seed)]
    if how == "random":
        return start[:LAST]
    if how == "diverse":
        small = features.astype(np.float32)
        return [row[one.image_id] for one in diverse(ids, small, small[:0], LAST, seed=seed)]
    chosen = start[:ROUND]
    while len(chosen) < LAST:
        left = [at for at in range(len(ids)) if at not in set(chosen)]
        names, predict = model(features[chosen], [classes[at] for at in chosen])
        values = predict(features[left])
        ranked = np.sort(values, axis=1)
        doubts = 1 - (ranked[:, -1] - ranked[:, -2])
        given = Scores(tuple(ids[at] for at in left), names, values, doubts, "margin")
        chosen += [row[one.image_id] for one in next_round(how, given, [classes[at] for at in chosen], seed)]
    return chosen


def next_round(how: str, given: Scores, labelled: list[str], seed: int) -> list[Choice]:
    if how == "uncertain":
        return uncertain(given.image_ids, given, ROUND, seed=seed)
    counts = {name: labelled.count(name) for name in given.classes}
    return stratified(dict.fromkeys(given.image_ids, ""), given, counts, {}, ROUND, seed=seed)


def recalls(how: str, rare: str, data: Data, seed: int) -> tuple[float, float]:
    """Share of the rare class among the first 100 and 200."""
    ids, features, classes = data
    there = [at for at, name in enumerate(classes) if name == rare]
    few = np.random.default_rng(seed).choice(there, RARE, replace=False).tolist()
    kept = sorted({at for at, name in enumerate(classes) if name != rare} | set(few))
    left = [classes[at] for at in kept]
    ordered = order(how, [ids[at] for at in kept], features[kept], left, seed)
    found = [left[at] == rare for at in ordered]
    return sum(found[:FIRST]) / RARE, sum(found[:LAST]) / RARE


def speed() -> None:
    """Measure the seconds for 20,000 images: descriptors, and 500 chosen against 5,000 labelled ones."""
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (2000, 96, 96), np.uint8)
    start = time.perf_counter()
    describe(pictures)
    described = time.perf_counter() - start
    features = rng.normal(size=(25_000, 89)).astype(np.float32)
    start = time.perf_counter()
    diverse([f"{n:032x}" for n in range(20_000)], features[:20_000], features[20_000:], 500)
    chosen = time.perf_counter() - start
    print(f"20,000 images: described in {10 * described:.1f} s, 500 chosen in {chosen:.1f} s")


def main() -> None:
    """Print a table: mean recall by strategy and class, and for how many seeds it beats random choice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    data = read(options.folder)
    for rare in sorted(set(data[2])):
        run = partial(recalls, rare=rare, data=data)
        found = {
            how: np.array([run(how, seed=seed) for seed in range(options.seeds)])
            for how in ("random", "diverse", "uncertain", "stratified")
        }
        for how, shares in found.items():
            first, last = shares.mean(0)
            better, worse = (shares > found["random"]).sum(0), (shares < found["random"]).sum(0)
            print(
                f"{rare:16} {how:10} first 100: {first:.3f} (beats {better[0]}, loses {worse[0]})"
                f"  first 200: {last:.3f} (beats {better[1]}, loses {worse[1]})",
                flush=True,
            )
    speed()


if __name__ == "__main__":
    main()
