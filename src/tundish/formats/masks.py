"""Pairs of an image and a mask image, whose pixel values are classes.

A mask is found by its folder (``masks/a.png`` for ``images/a.jpg``; SegmentationClass, ground_truth, labels)
or by its name (``a_mask.png``, ``_gt``, ``_label``, ``_seg``). Options: ``folder`` and ``suffix`` say
so where the usual names do not. Each value but 0 gives one 'mask' label of all its pixels, connected or not:

* value v is called ``names[v]`` where the recipe names it, else its number ("255"), which `classes` may
  rename;
* with exactly two names, a mask of 0 and 255 means the second;
* else 255 beside other values is VOC's border, which is not a class: it is left out and reported;
* a mask in colours is read by ``labelmap.txt`` (``name:r,g,b``), or else gives colours as names ("#c08040").
"""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from tundish.formats.base import (
    IMAGE_SUFFIXES,
    Evidence,
    Format,
    ImageRef,
    Label,
    Options,
    Reading,
    parts_of,
    suffix_of,
)
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_beside
from tundish.formats.reading.sniffing import INSTANCES, catalog_of, counted, in_folder, read_note, sample
from tundish.formats.reading.text import decode_text
from tundish.formats.reading.upright import means_stored, turn_mask
from tundish.imaging.geometry import box_of_counts, counts_of_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["FORMAT", "Masks"]

_SAMPLE = 100
"""Masks decoded to find out about a source."""

_SUFFIXES_OF_MASKS = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"})
_MASK_FORMATS = ("PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP", "PPM")
"""What Pillow may take a mask for; left to itself it starts Ghostscript on a file that holds PostScript."""

_FOLDERS = frozenset(
    {
        "mask",
        "masks",
        "segmentationclass",
        "segmentation",
        "segmentations",
        "gt",
        "ground_truth",
        "groundtruth",
        "label",
        "labels",
        "annotation",
        "annotations",
    }
)
_SUFFIX = re.compile(r"(?i)(.+)[-_ .](?:masks?|gt|labels?|seg)")
_VOID = 255


@dataclass(frozen=True)
class Masks:
    """Image and mask pairs."""

    def role(self, path: str, options: Options) -> Role:
        """Images in a mask folder or with a mask's name are labels; instance masks of VOC are left alone."""
        if parts_of(path)[1].lower() == "labelmap.txt":
            return "classes"
        if suffix_of(path) not in IMAGE_SUFFIXES or in_folder(path, *INSTANCES):
            return "other"
        return "image" if _image_stem(path, options) is None else "annotation"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read mask images; a mask of zeros alone makes its image a negative."""
        reading = Reading()
        masks = []
        colours: dict[int, str] = {}
        for path, data in files:
            if self.role(path, options) == "classes":
                colours |= _labelmap(data)
            else:
                masks.append((path, data))
        for path, data in masks:
            image = _find(catalog, path, options)
            notes = Notes(path, reading)
            try:
                _read_file(data, image, _Names(options.names, colours), notes)
            except Fault as fault:
                notes.refuse(fault)
                if isinstance(image, ImageRef):
                    reading.refused.add(image.path)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """Masks that belong to an image, and the values in them."""
        roles = {path: self.role(path, Options()) for path in listing.paths}
        catalog = catalog_of(path for path, role in roles.items() if role == "image")
        paths = [path for path, role in roles.items() if role == "annotation"]
        matched = [path for path in paths if isinstance(_find(catalog, path, Options()), ImageRef)]
        if not matched:
            return None
        names = _Names((), {})
        for path in (path for path, role in roles.items() if role == "classes"):
            names.colours |= _labelmap(listing.read(path))
        classes: Counter[str] = Counter()
        empty = 0
        for path in sample(matched, _SAMPLE):
            try:
                found = _classes_of(_decode(listing.read(path), None), names)
            except Fault:
                continue
            empty += not found
            classes.update(name for _, name in found)
        facts = [f"{len(matched)} of {len(paths)} masks belong to an image that is here"]
        facts.append(
            f"values in them: {', '.join(f'{name} in {count}' for name, count in sorted(classes.items()))}"
        )
        if empty:
            facts.append(f"{counted(empty, 'mask')} without a mark: negatives")
        facts += read_note(min(_SAMPLE, len(matched)), len(matched), "masks")
        return Evidence(len(matched), facts, sorted(classes))


@dataclass
class _Names:
    """What pixel values are called: `stated` by number, `colours` by 0xRRGGBB."""

    stated: tuple[str, ...]
    colours: dict[int, str]

    def of(self, value: int, *, coloured: bool, alone: bool) -> str | None:
        """The class of a value, None for VOC's border; `alone`: the mask has no other value but 0."""
        if coloured:
            return self.colours.get(value, f"#{value:06x}")
        if value == _VOID and alone and len(self.stated) == 2:
            return self.stated[1]
        if value < len(self.stated):
            return self.stated[value] or str(value)
        return None if value == _VOID and not alone else str(value)


@dataclass(frozen=True)
class _Mask:
    """Pixel values (height, width), or colours as 0xRRGGBB."""

    values: NDArray[np.uint32]
    coloured: bool


def _read_file(data: bytes, image: ImageRef | Miss, names: _Names, notes: Notes) -> None:
    if isinstance(image, Miss):
        raise Fault(image.check, f"{image.message}; its mask was not taken")
    mask = _decode(data, image)
    values = mask.values
    if means_stored(image, values.shape[1], values.shape[0]):
        values = turn_mask(image, values)
    classes = _classes_of(mask, names)
    for value, name in classes:
        counts = counts_of_mask(np.equal(values, value))
        box = box_of_counts(counts, image.width, image.height) or (0.0, 0.0, 0.0, 0.0)
        notes.reading.labels.append(Label(image, name, "mask", *box, notes.path, value, rle=counts))
    border = int(np.equal(values, _VOID).sum()) if not mask.coloured else 0
    if border and _VOID not in dict(classes):
        message = f"{counted(border, 'pixel')} of value 255 are a border without a class and were left out"
        notes.warn(Fault("border_pixels", message, value=border), _VOID)
    notes.reading.covered.add(image.path)


def _classes_of(mask: _Mask, names: _Names) -> list[tuple[int, str]]:
    """Values that are classes with their names, by value."""
    found = [value for value in np.unique(mask.values).tolist() if value != 0]
    named = [(value, names.of(value, coloured=mask.coloured, alone=len(found) == 1)) for value in found]
    return [(value, name) for value, name in named if name is not None]


def _decode(data: bytes, image: ImageRef | None) -> _Mask:
    """The values of a mask image; where `image` is given, nothing of another size is decoded.

    Raises:
        Fault: It is not a readable image, or has another size.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_MASK_FORMATS) as opened:
                _check_size(opened.size, image)
                return _values_of(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Fault("too_large", "the mask is absurdly large and was not decoded") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise Fault("broken_file", "not readable as a mask image") from error


def _check_size(size: tuple[int, int], image: ImageRef | None) -> None:
    if image is None or size == (image.width, image.height) or means_stored(image, *size):
        return
    stated = f"{size[0]}x{size[1]}"
    raise Fault(
        "size_mismatch", f"the mask is {stated}, its image {image.width}x{image.height}", "size", stated
    )


def _values_of(opened: Image.Image) -> _Mask:
    """A palette's indices and gray values as they are; colours only where the three channels differ."""
    if opened.mode in ("1", "L", "P") or opened.mode.startswith("I"):
        values = np.asarray(opened).astype(np.uint32)
        return _Mask(values * _VOID if opened.mode == "1" else values, coloured=False)
    red, green, blue = np.moveaxis(np.asarray(opened.convert("RGB")).astype(np.uint32), 2, 0)
    if (red == green).all() and (green == blue).all():
        return _Mask(red, coloured=False)
    return _Mask((red << 16) | (green << 8) | blue, coloured=True)


def _image_stem(path: str, options: Options) -> str | None:
    """The stem of the image that a mask is for, or None where the path is not that of a mask."""
    folder, name, stem = parts_of(path)
    asked_folder, asked_suffix = options.extra.get("folder", ""), options.extra.get("suffix", "")
    folders = folder.lower().split("/")
    if asked_folder or asked_suffix:
        in_folder = not asked_folder or f"/{asked_folder.strip('/').lower()}/" in f"/{folder.lower()}/"
        if not in_folder or not stem.endswith(asked_suffix):
            return None
        return stem[: len(stem) - len(asked_suffix)]
    if suffix_of(name) not in _SUFFIXES_OF_MASKS:
        return None
    named = _SUFFIX.fullmatch(stem)
    if named:
        return named[1]
    return None if _FOLDERS.isdisjoint(folders) else stem


def _find(catalog: Catalog, path: str, options: Options) -> ImageRef | Miss:
    folder, _, stem = parts_of(path)
    wanted = _image_stem(path, options) or stem
    asked = options.extra.get("folder", "").strip("/")
    if asked:
        folder = "/".join(part for part in folder.split("/") if part.lower() != asked.lower())
    return find_beside(catalog, f"{folder}/{wanted}".lstrip("/"))


def _labelmap(data: bytes) -> Mapping[int, str]:
    """Classes by colour from a labelmap.txt: lines of ``name:r,g,b:parts:actions``."""
    colours: dict[int, str] = {}
    for line in decode_text(data)[0].splitlines():
        found = re.match(r"\s*([^#:][^:]*):(\d{1,3}),(\d{1,3}),(\d{1,3})(?::|\s*$)", line)
        if found:
            red, green, blue = (int(found[place]) & 255 for place in (2, 3, 4))
            colours[(red << 16) | (green << 8) | blue] = found[1].strip()
    return colours


FORMAT = Format(
    "masks",
    "an image and a PNG mask whose values are classes",
    reader=Masks(),
    options={
        "folder": "name of the folders of masks",
        "suffix": "how the stems of masks end",
        "names": "class names by value, a key of the source",
    },
)
