"""Reads pairs of an image and a mask image, whose pixel values are classes.

A mask is found by its folder (``masks/a.png`` for ``images/a.jpg``; SegmentationClass, ground_truth, labels)
or by its name (``a_mask.png``, ``_gt``, ``_label``, ``_seg``). The options ``masks``, ``folder`` and
``suffix`` say so where the usual names do not; `tundish add` writes what it finds by content. Each value but
0 gives one 'mask' label of all its pixels, connected or not:

* value v is called ``names[v]`` where the recipe names it, else its number ("255"), which `classes` may
  rename; the option ``class: folder`` names it by the folder of its image;
* with exactly two names, a mask of 0 and 255 means the second;
* grays that only are the rims of marks are not classes: foreground is what reaches ``threshold``;
* else 255 beside other values is VOC's border, which is not a class: it is left out and reported;
* a mask in colours is read by ``labelmap.txt`` (``name:r,g,b``), or else gives colours as names ("#c08040").
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tundish.formats.base import IMAGE_SUFFIXES, ImageRef, Label, Options, Reading, parts_of, suffix_of
from tundish.formats.masks.look import look_for_masks
from tundish.formats.masks.rules import find_image, image_stem, is_omitted
from tundish.formats.masks.values import (
    VOID,
    ClassNames,
    MaskPixels,
    classes_of,
    cut_at,
    decode_mask,
    soft_values,
    threshold_for,
    value_counts,
)
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, class_folder
from tundish.formats.reading.sniffing import INSTANCES, counted, in_folder
from tundish.formats.reading.text import decode_text
from tundish.formats.reading.upright import means_stored, turn_mask
from tundish.imaging.geometry import box_of_counts, counts_of_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from tundish.formats.base import Catalog, Evidence, Listing, Role

__all__ = ["Masks"]

_GRAYS = 8
"""Gray values that are only rims, from which a mask is refused where nothing says what is foreground."""


@dataclass(frozen=True)
class Masks:
    """Image and mask pairs."""

    def role(self, path: str, options: Options) -> Role:
        """Images in a mask folder or with a mask's name are labels; instance masks of VOC are left alone."""
        if parts_of(path)[1].lower() == "labelmap.txt":
            return "classes"
        if suffix_of(path) not in IMAGE_SUFFIXES or in_folder(path, *INSTANCES) or is_omitted(path, options):
            return "other"
        return "image" if image_stem(path, options) is None else "annotation"

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
        names = ClassNames(options.names, colours)
        threshold = _threshold(options, masks)
        by_folder = options.extra.get("class") == "folder"
        for path, data in masks:
            image = find_image(catalog, path, options)
            notes = Notes(path, reading)
            if by_folder and isinstance(image, ImageRef):
                names = ClassNames(options.names, colours, class_folder(image.path))
            try:
                _read_file(data, image, names, threshold, notes)
            except Fault as fault:
                notes.refuse(fault)
                if isinstance(image, ImageRef):
                    reading.refused.add(image.path)
        _cover_negatives(reading, catalog, options)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """Masks that belong to an image, by names and by content, and the values in them."""
        colours: dict[int, str] = {}
        for path in listing.paths:
            if self.role(path, Options()) == "classes":
                colours |= _labelmap(listing.read(path))
        return look_for_masks(listing, self.role, ClassNames((), colours))


def _threshold(options: Options, masks: list[tuple[str, bytes]]) -> int | None:
    """The recipe's threshold; or half the range, where two names are given and the masks hold grays."""
    if options.extra.get("threshold", "").isdecimal():
        return int(options.extra["threshold"])
    if len(options.names) != 2:
        return None
    return threshold_for(_readable(data for _, data in masks))


def _readable(masks: Iterable[bytes]) -> Iterator[MaskPixels]:
    for data in masks:
        with suppress(Fault):
            yield decode_mask(data, None)


def _read_file(
    data: bytes, image: ImageRef | Miss, names: ClassNames, threshold: int | None, notes: Notes
) -> None:
    if isinstance(image, Miss):
        raise Fault(image.check, f"{image.message}; its mask was not taken")
    mask = decode_mask(data, image)
    if threshold is not None:
        mask = _with_threshold(mask, threshold, notes)
    elif not names.stated and not names.whole and len(soft_values(mask)) >= _GRAYS:
        raise Fault(
            "gray_mask",
            f"its {len(value_counts(mask.values))} gray values are soft edges, not classes; options.threshold"
            " says from which value a pixel is foreground, such as 128",
        )
    values: NDArray[Any] = mask.values
    if means_stored(image, values.shape[1], values.shape[0]):
        values = turn_mask(image, values)
        notes.warn(Fault("exif_turn", "the mask is of the image before EXIF turns it and was turned too"))
    classes = classes_of(mask, names)
    marks = [(value, name, np.equal(values, value)) for value, name in classes]
    if names.whole and classes:
        marks = [(classes[0][0], names.whole, np.not_equal(values, 0))]
    for value, name, pixels in marks:
        counts = counts_of_mask(pixels)
        box = box_of_counts(counts, image.width, image.height) or (0.0, 0.0, 0.0, 0.0)
        notes.reading.labels.append(Label(image, name, "mask", *box, notes.path, value, rle=counts))
    border = int(np.equal(values, VOID).sum()) if not mask.coloured else 0
    if border and VOID not in dict(classes):
        message = f"{counted(border, 'pixel')} of value 255 are a border without a class and were left out"
        notes.warn(Fault("border_pixels", message, value=border), VOID)
    notes.reading.covered.add(image.path)


def _with_threshold(mask: MaskPixels, threshold: int, notes: Notes) -> MaskPixels:
    grays = [value for value in value_counts(mask.values) if value not in (0, VOID)]
    cut = cut_at(mask, threshold)
    if grays and not mask.coloured:
        message = f"{counted(len(grays), 'gray value')} between 0 and 255: from {threshold} on is foreground"
        notes.warn(Fault("gray_mask", message, "threshold", threshold), VOID)
    return cut


def _cover_negatives(reading: Reading, catalog: Catalog, options: Options) -> None:
    """Images in the folders that the option names have no mark, and need no mask to say so."""
    folders = {one.strip().lower() for one in options.extra.get("negative", "").split("|")} - {""}
    for image in catalog.images if folders else ():
        if image.path not in reading.refused and not folders.isdisjoint(image.path.lower().split("/")[:-1]):
            reading.covered.add(image.path)


def _labelmap(data: bytes) -> Mapping[int, str]:
    """Classes by colour from a labelmap.txt: lines of ``name:r,g,b:parts:actions``."""
    colours: dict[int, str] = {}
    for line in decode_text(data)[0].splitlines():
        found = re.match(r"\s*([^#:][^:]*):(\d{1,3}),(\d{1,3}),(\d{1,3})(?::|\s*$)", line)
        if found:
            red, green, blue = (int(found[place]) & 255 for place in (2, 3, 4))
            colours[(red << 16) | (green << 8) | blue] = found[1].strip()
    return colours
