"""What the pixels of a mask mean: values or colours that are classes, or grays with a threshold."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.upright import means_stored
from tundish.imaging.files.decode import MAX_PIXELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tundish.formats.base import ImageRef

__all__ = [
    "MASK_FORMATS",
    "VOID",
    "ClassNames",
    "MaskPixels",
    "classes_of",
    "cut_at",
    "decode_mask",
    "open_picture",
    "soft_values",
    "threshold_for",
    "value_counts",
]

MASK_FORMATS = ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP", "PPM")
"""What Pillow may take a mask for; left to itself it starts Ghostscript on a file that holds PostScript."""

VOID = 255
_BLOCK = 1 << 22
_SOFT = 8
"""Gray values from which a mask may be one with soft edges."""


@dataclass(frozen=True)
class MaskPixels:
    """Pixel values (height, width), or colours as 0xRRGGBB; `indexed` where a palette gives them."""

    values: NDArray[np.uint8] | NDArray[np.uint32]
    coloured: bool = False
    indexed: bool = False


@dataclass
class ClassNames:
    """What pixel values are called: `stated` by number, `colours` by 0xRRGGBB, `whole` by the folder."""

    stated: tuple[str, ...]
    colours: dict[int, str]
    whole: str = ""

    def of(self, value: int, *, coloured: bool, alone: bool) -> str | None:
        """The class of a value, None for VOC's border; `alone`: the mask has no other value but 0."""
        if self.whole:
            return self.whole
        if coloured:
            return self.colours.get(value, f"#{value:06x}")
        if value == VOID and alone and len(self.stated) == 2:
            return self.stated[1]
        if value < len(self.stated):
            return self.stated[value] or str(value)
        return None if value == VOID and not alone else str(value)


def classes_of(mask: MaskPixels, names: ClassNames) -> list[tuple[int, str]]:
    """Values that are classes with their names, by value."""
    found = [value for value in value_counts(mask.values) if value != 0]
    named = [(value, names.of(value, coloured=mask.coloured, alone=len(found) == 1)) for value in found]
    return [(value, name) for value, name in named if name is not None]


def value_counts(values: NDArray[np.uint8] | NDArray[np.uint32]) -> dict[int, int]:
    """How many pixels have each value, by value."""
    if values.dtype != np.uint8:
        found, counts = np.unique(values, return_counts=True)
        return dict(zip(found.tolist(), counts.tolist(), strict=True))
    flat = values.ravel()
    total = np.zeros(256, np.int64)
    for start in range(0, flat.size, _BLOCK):
        total += np.bincount(flat[start : start + _BLOCK], minlength=256)
    return {value: int(count) for value, count in enumerate(total.tolist()) if count}


def soft_values(mask: MaskPixels) -> set[int]:
    """Gray values that are only rims: those of a brush, of a resize, or of JPEG. Classes have an inside."""
    if mask.coloured or mask.indexed or mask.values.dtype != np.uint8 or min(mask.values.shape) < 2:
        return set()
    counts = value_counts(mask.values)
    between = [value for value in counts if 0 < value < max(counts)]
    if not between:
        return set()
    own = mask.values[:-1, :-1]
    inside = own[(own == mask.values[:-1, 1:]) & (own == mask.values[1:, :-1])]
    solid = value_counts(inside)
    rims = {value for value in between if solid.get(value, 0) < counts[value] / 2}
    return rims if len(rims) >= 0.8 * len(between) else set()


def threshold_for(masks: Iterable[MaskPixels]) -> int | None:
    """The gray value from which pixels are foreground, where the values of the masks cannot be classes."""
    soft: set[int] = set()
    most = 0
    for mask in masks:
        soft |= soft_values(mask)
        most = max(most, int(mask.values.max(initial=0)) if not mask.coloured else 0)
    return (most + 1) // 2 if len(soft) >= _SOFT else None


def cut_at(mask: MaskPixels, threshold: int) -> MaskPixels:
    """A mask of 0 and 255: foreground is what has this gray value or more; colours count by their luma."""
    values = mask.values
    if mask.coloured:
        red, green, blue = values >> 16, (values >> 8) & 255, values & 255
        values = (299 * red + 587 * green + 114 * blue) // 1000
    return MaskPixels(np.where(values >= threshold, VOID, 0).astype(np.uint8))


def open_picture(data: bytes) -> Image.Image:
    """A picture by its bytes, not decoded yet; without Pillow's own limit of pixels, which is global.

    Raises:
        OSError: It is none of `MASK_FORMATS`, or broken.
    """
    Image.preinit()
    if not all(kind in Image.OPEN for kind in MASK_FORMATS):
        Image.init()
    for kind in MASK_FORMATS:
        factory, accepts = Image.OPEN[kind]
        if accepts is not None and not _accepted(accepts(data[:16])):
            continue
        try:
            return factory(io.BytesIO(data), "")
        except (SyntaxError, IndexError, TypeError, struct.error, ValueError) as error:
            raise OSError(str(error)) from error
    raise OSError("unknown kind of image")


def _accepted(answer: object) -> bool:
    """Pillow's plugins answer with a truth, or with a sentence that says why not."""
    return bool(answer) and not isinstance(answer, str)


def decode_mask(data: bytes, image: ImageRef | None, most_pixels: int = MAX_PIXELS) -> MaskPixels:
    """The values of a mask image; where `image` is given, nothing of another size is decoded.

    The image itself has passed the limit of pixels that the recipe sets, so its mask has too.

    Raises:
        Fault: It is not a readable image, has another size, or has too many pixels.
    """
    try:
        with open_picture(data) as opened:
            _check_size(opened.size, image)
            if image is None and opened.width * opened.height > most_pixels:
                raise Fault("too_large", "the mask is absurdly large and was not decoded")
            return _values_of(opened)
    except Image.DecompressionBombError as error:
        raise Fault("too_large", "the mask is absurdly large and was not decoded") from error
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise Fault("broken_file", "not readable as a mask image") from error


def _check_size(size: tuple[int, int], image: ImageRef | None) -> None:
    if image is None or size == (image.width, image.height) or means_stored(image, *size):
        return
    stated = f"{size[0]}x{size[1]}"
    raise Fault(
        "size_mismatch", f"the mask is {stated}, its image {image.width}x{image.height}", "size", stated
    )


def _values_of(opened: Image.Image) -> MaskPixels:
    """A palette's indices and gray values as they are; colours only where the three channels differ."""
    if opened.mode in ("1", "L", "P"):
        values = np.asarray(opened).astype(np.uint8)
        return MaskPixels(values * VOID if opened.mode == "1" else values, indexed=opened.mode == "P")
    if opened.mode.startswith("I"):
        return MaskPixels(np.asarray(opened).astype(np.uint32))
    red, green, blue = np.moveaxis(np.asarray(opened.convert("RGB")), 2, 0)
    if (red == green).all() and (green == blue).all():
        return MaskPixels(np.ascontiguousarray(red))
    red, green, blue = (channel.astype(np.uint32) for channel in (red, green, blue))
    return MaskPixels((red << 16) | (green << 8) | blue, coloured=True)
