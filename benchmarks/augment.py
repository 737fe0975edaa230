"""Augmentation against Albumentations 2.0.8: the same operations on the same images, boxes kept, one thread.

    python benchmarks/augment.py [--repeats 40]

Both sides run in one process, taking turns, so that whatever else the machine does falls on both. Each turn
draws new random numbers. Medians are over turns; the ratio is the median of the ratios of turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING, Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations  # type: ignore[import-not-found]  # an environment of its own
import cv2
import numpy as np

from tundish.imaging.augment import apply, generator, plan
from tundish.imaging.augment_labels import Region, apply_labels
from tundish.imaging.operations import parse_operations

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS: list[dict[str, dict[str, Any]]] = [
    {"flip": {"p": 0.5}},
    {"rotate": {"degrees": 5}},
    {"scale": {"share": 0.1}},
    {"shift": {"share": 0.05}},
    {"perspective": {"share": 0.04}},
    {"exposure": {"gain": 0.2}},
    {"gamma": {"share": 0.2}},
    {"noise": {"sigma": 0.02}},
    {"motion_blur": {"length": 7}},
]
BORDERS = {"mirrored": cv2.BORDER_REFLECT_101, "constant": cv2.BORDER_CONSTANT}
IMAGES = {"1600x256 gray": (256, 1600), "1600x256 colour": (256, 1600, 3), "640x640 colour": (640, 640, 3)}
BOXES = 5


def peer(border: int) -> dict[str, Callable[[], Any]]:
    """The peer's transforms by Tundish's names; rotation, scale and shift are one Affine, its fastest way."""
    every = {"p": 1.0}
    turn = {"rotate": (-5, 5)}
    scale = {"scale": (0.9, 1.1)}
    shift = {"translate_percent": (-0.05, 0.05)}
    affine = albumentations.Affine
    return {
        "flip": lambda: albumentations.HorizontalFlip(p=0.5),
        "rotate": lambda: affine(**turn, border_mode=border, **every),
        "scale": lambda: affine(**scale, border_mode=border, **every),
        "shift": lambda: affine(**shift, border_mode=border, **every),
        "affine": lambda: affine(**turn, **scale, **shift, border_mode=border, **every),
        "perspective": lambda: albumentations.Perspective(scale=(0.01, 0.04), border_mode=border, **every),
        "exposure": lambda: albumentations.RandomBrightnessContrast(0, (-0.2, 0.2), **every),
        "gamma": lambda: albumentations.RandomGamma((80, 120), **every),
        "noise": lambda: albumentations.GaussNoise(std_range=(0.0001, 0.02), **every),
        "motion_blur": lambda: albumentations.MotionBlur(blur_limit=(3, 7), **every),
    }


def theirs(names: list[str], border: int, image: Any, boxes: list[list[float]]) -> Callable[[], object]:
    table = peer(border)
    params = albumentations.BboxParams("coco", label_fields=["labels"], min_visibility=0.1, clip=True)
    compose = albumentations.Compose([table[name]() for name in names], bbox_params=params, seed=1)
    labels = list(range(len(boxes)))
    return lambda: compose(image=image, bboxes=boxes, labels=labels)


def ours(items: list[dict[str, Any]], image: Any, boxes: list[list[float]]) -> Callable[[], object]:
    operations = parse_operations(items)
    height, width = image.shape[:2]
    regions = [Region((x, y, w, h)) for x, y, w, h in boxes]
    copy = iter(range(10**9))

    def turn() -> object:
        drawn = plan(operations, width, height, generator(1, "0123456789abcdef", next(copy)))
        return apply(drawn, image), apply_labels(drawn, regions)

    return turn


def sample(shape: tuple[int, ...]) -> tuple[Any, list[list[float]]]:
    """A smooth textured picture and a few boxes in it."""
    rng = np.random.default_rng(3)
    height, width = shape[:2]
    noise = rng.integers(40, 216, (height // 8, width // 8, *shape[2:]), np.uint8)
    image = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    boxes = []
    for _ in range(BOXES):
        box_width, box_height = rng.uniform(20, width / 4), rng.uniform(20, height / 3)
        boxes.append(
            [rng.uniform(0, width - box_width), rng.uniform(0, height - box_height), box_width, box_height]
        )
    return image, boxes


def race(
    first: Callable[[], object], second: Callable[[], object], repeats: int
) -> tuple[float, float, float]:
    """Medians (ms) of both, and the median of second over first."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(repeats + 3):
        for side, work in enumerate((first, second) if turn % 2 else (second, first)):
            start = time.perf_counter()
            work()
            spent = 1000 * (time.perf_counter() - start)
            times[side if turn % 2 else 1 - side].append(spent)
    mine, peers = times[0][3:], times[1][3:]
    ratios = [theirs / mine for mine, theirs in zip(mine, peers, strict=True)]
    return statistics.median(mine), statistics.median(peers), statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    repeats = parser.parse_args().repeats
    cv2.setNumThreads(0)
    print(f"Albumentations {albumentations.__version__}, OpenCV {cv2.__version__}, numpy {np.__version__}")
    print(f"{'images':<18}{'work':<34}{'Tundish':>10}{'Albument.':>11}{'ratio':>8}")
    whole = ["flip", "affine", "perspective", "exposure", "gamma", "noise", "motion_blur"]
    for name, shape in IMAGES.items():
        image, boxes = sample(shape)
        rows = [(f"all, border {label}", OPERATIONS, whole, border) for label, border in BORDERS.items()]
        if shape == (640, 640, 3):
            few = [OPERATIONS[0], OPERATIONS[1], OPERATIONS[5]]
            rows.append(("flip, rotate, exposure", few, ["flip", "rotate", "exposure"], BORDERS["mirrored"]))
            rows += [
                (f"{one} alone, border constant", [item], [one], BORDERS["constant"])
                for item in OPERATIONS
                for one in item
            ]
        for work, items, names, border in rows:
            mine, peers, ratio = race(ours(items, image, boxes), theirs(names, border, image, boxes), repeats)
            print(f"{name:<18}{work:<34}{mine:>7.2f} ms{peers:>8.2f} ms{ratio:>7.1f}x")


if __name__ == "__main__":
    main()
