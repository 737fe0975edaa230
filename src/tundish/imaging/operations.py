"""The operations of ``augment``: what a recipe may request, and how their random numbers are drawn.

A recipe lists them as ``{name: {option: value}}``; every operation also has ``p``, its probability. Lengths
are shares of the image's width and height unless they are in pixels, and levels are shares of the full range,
so one recipe fits images of every size and depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tundish.errors import RecipeError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OPERATIONS", "Choice", "Kind", "Number", "Operation", "Step", "draw", "parse_operations"]

Step = dict[str, Any]
"""One operation with its numbers drawn, in JSON types only."""


@dataclass(frozen=True)
class Number:
    """An option that is a number: its default, its range, its meaning."""

    default: float
    low: float
    high: float
    about: str
    whole: bool = False

    def check(self, value: object) -> float:
        """Check the value and return it as a number; ValueError states what is allowed."""
        kinds = int if self.whole else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high
        if not fits:
            kind = "a whole number" if self.whole else "a number"
            raise ValueError(f"{kind} from {self.low:g} to {self.high:g}")
        return value  # type: ignore[return-value]  # narrowed by `fits`


@dataclass(frozen=True)
class Choice:
    """An option that is one of a few words."""

    default: str
    words: tuple[str, ...]
    about: str

    def check(self, value: object) -> str:
        """Check the value and return it as a word; ValueError states what is allowed."""
        if value not in self.words:
            raise ValueError(f"one of {', '.join(self.words)}")
        return str(value)


Drawing = Callable[["Operation", "np.random.Generator", int, int], Step]


@dataclass(frozen=True)
class Kind:
    """A kind of operation: its options besides ``p``, and how its numbers are drawn."""

    about: str
    options: Mapping[str, Number | Choice]
    draw: Drawing
    p: float = 1.0


@dataclass(frozen=True)
class Operation:
    """One operation as a recipe requests it, with defaults filled in."""

    name: str
    p: float
    options: Mapping[str, float | str]

    def number(self, option: str) -> float:
        """The value of a numeric option."""
        return float(self.options[option])


def parse_operations(items: Sequence[object]) -> tuple[Operation, ...]:
    """Read the recipe's list of operations, such as ``[{"flip": {"p": 0.5}}, {"rotate": {"degrees": 5}}]``.

    Raises:
        RecipeError: An unknown operation or option, or a value out of range; it lists what is allowed.
    """
    return tuple(_operation(item, f"augment.operations[{place}]") for place, item in enumerate(items))


def draw(operation: Operation, rng: np.random.Generator, width: int, height: int) -> Step:
    """Draw the numbers of one operation for an image of this size."""
    return {"op": operation.name, **OPERATIONS[operation.name].draw(operation, rng, width, height)}


def _operation(item: object, where: str) -> Operation:
    if isinstance(item, str):
        item = {item: {}}
    if not isinstance(item, Mapping) or len(item) != 1:
        raise RecipeError(f"{item!r} is not an operation", where=where, fix="write {name: {option: value}}")
    [(name, given)] = item.items()
    if name not in OPERATIONS:
        raise RecipeError(
            f"unknown operation {name!r}", where=where, fix=f"use one of {', '.join(OPERATIONS)}"
        )
    kind = OPERATIONS[name]
    options: dict[str, Number | Choice] = {"p": Number(kind.p, 0.001, 1, "chance"), **kind.options}
    values = {option: rule.default for option, rule in options.items()}
    for option, value in _mapping(given, f"{where}.{name}").items():
        if option not in options:
            fix = f"use {', '.join(options)}"
            raise RecipeError(f"{name} has no option {option!r}", where=f"{where}.{name}", fix=fix)
        try:
            values[option] = options[option].check(value)
        except ValueError as error:
            raise RecipeError(
                f"{option} is {value!r}", where=f"{where}.{name}", fix=f"give {error}"
            ) from None
    p = float(values.pop("p"))
    return Operation(name, p, values)


def _mapping(given: object, where: str) -> Mapping[object, object]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    raise RecipeError(f"{given!r} is not a set of options", where=where, fix="write {option: value}")


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    # Six decimals are far below a pixel or a gray level, and keep lineage rows readable.
    return round(low + (high - low) * rng.random(), 6)


def _flip(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    axis = operation.options["axis"]
    if axis == "any":
        axis = ("horizontal", "vertical", "both")[int(3 * rng.random())]
    return {"axis": axis}


def _rotate(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    limit = operation.number("degrees")
    return {"degrees": _uniform(rng, -limit, limit)}


def _scale(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    share = operation.number("share")
    return {"factor": _uniform(rng, 1 - share, 1 + share)}


def _shift(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    share = operation.number("share")
    return {"x": _uniform(rng, -share, share), "y": _uniform(rng, -share, share)}


def _perspective(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    share = operation.number("share")
    return {"corners": [_uniform(rng, -share, share) for _ in range(8)]}


def _exposure(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    gain = operation.number("gain")
    return {"factor": _uniform(rng, 1 - gain, 1 + gain)}


def _gamma(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    share = operation.number("share")
    return {"exponent": _uniform(rng, 1 - share, 1 + share)}


def _noise(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    return {"sigma": _uniform(rng, 0, operation.number("sigma")), "seed": int(rng.integers(2**32))}


def _motion_blur(operation: Operation, rng: np.random.Generator, _width: int, _height: int) -> Step:
    return {"length": _uniform(rng, 1, operation.number("length")), "degrees": _uniform(rng, 0, 180)}


def _cutout(operation: Operation, rng: np.random.Generator, width: int, height: int) -> Step:
    size = operation.number("size")
    boxes = []
    for _ in range(int(operation.number("count"))):
        box_width = max(1, round(_uniform(rng, size / 2, size) * width))
        box_height = max(1, round(_uniform(rng, size / 2, size) * height))
        x, y = int(rng.random() * (width - box_width + 1)), int(rng.random() * (height - box_height + 1))
        boxes.append([x, y, box_width, box_height])
    return {"boxes": boxes}


OPERATIONS: dict[str, Kind] = {
    "flip": Kind(
        "mirror",
        {"axis": Choice("horizontal", ("horizontal", "vertical", "both", "any"), "which way")},
        _flip,
        p=0.5,
    ),
    "rotate": Kind(
        "turn about the centre, clockwise where positive",
        {"degrees": Number(10, 0.01, 180, "at most, either way")},
        _rotate,
    ),
    "scale": Kind(
        "enlarge or shrink about the centre",
        {"share": Number(0.1, 0.001, 0.9, "at most, either way")},
        _scale,
    ),
    "shift": Kind(
        "move", {"share": Number(0.05, 0.001, 0.9, "of width and height, at most, either way")}, _shift
    ),
    "perspective": Kind(
        "move each corner", {"share": Number(0.04, 0.001, 0.2, "of width and height, at most")}, _perspective
    ),
    "exposure": Kind("multiply levels", {"gain": Number(0.2, 0.001, 0.95, "at most, either way")}, _exposure),
    "gamma": Kind(
        "raise levels to a power", {"share": Number(0.2, 0.001, 0.95, "of 1, at most, either way")}, _gamma
    ),
    "noise": Kind(
        "add Gaussian noise", {"sigma": Number(0.02, 0.0001, 0.5, "at most, of full range")}, _noise
    ),
    "motion_blur": Kind("smear along a line", {"length": Number(7, 1, 101, "px, at most")}, _motion_blur),
    "cutout": Kind(
        "black out rectangles",
        {
            "count": Number(2, 1, 64, "how many", whole=True),
            "size": Number(0.15, 0.001, 0.9, "side as a share of the image's, at most"),
        },
        _cutout,
    ),
}
"""Every operation a recipe may name."""
