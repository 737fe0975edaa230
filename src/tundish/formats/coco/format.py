"""COCO: one JSON file for many images; boxes, polygons, run-length masks, crowds, key points.

Images are found by the listed file names, wherever the JSON file lies (annotations/, or beside the images, as
Roboflow has it). A category's name is the label; its id means nothing beyond its file. Key points and all
else that an annotation says are kept as attributes; not `area`, which follows from the geometry. Panoptic
files are read with the option ``panoptic``, the folders of their PNG files separated by ';': each segment is
a mask. Option ``files``: patterns of the JSON files to read, separated by ';'. Option ``box``: ``xywh`` as
COCO has it (default), ``corners`` or ``yxhw`` where a converter wrote two corners, or y before x; `tundish
add` counts how many boxes leave their picture under each, and writes what it found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tundish.errors import SourceError
from tundish.formats.base import Evidence, Format, ImageRef, Options, Reading, parts_of, suffix_of
from tundish.formats.coco.boxes import BOXES, BoxDoubt, doubt_of_boxes
from tundish.formats.coco.panoptic import Panoptic, segments_of
from tundish.formats.coco.read import CocoFile, is_panoptic, load_coco, read_coco
from tundish.formats.coco.write import CocoWriter
from tundish.formats.frames import nothing_drawn
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.match import find_named
from tundish.formats.reading.roles import role_of_labels
from tundish.formats.reading.sniffing import (
    catalog_of,
    counted,
    in_folder,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["FORMAT", "Coco"]

_NO_DOUBT = BoxDoubt()

_SAMPLE = 50
"""JSON files read to find out about a source."""


@dataclass(frozen=True)
class Coco:
    """COCO instances and key points."""

    def role(self, path: str, options: Options) -> Role:
        """JSON is labels; the PNG of panoptic annotations are not images."""
        if suffix_of(path) == ".json":
            return role_of_labels(path, options)
        if parts_of(path)[0] in _panoptic_folders(options) and suffix_of(path) == ".png":
            return "annotation"
        return "image" if is_image(path) and not in_folder(path, "annotations") else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read COCO files; every listed image is covered."""
        box = options.extra.get("box", "xywh")
        if box not in BOXES:
            raise SourceError(f"box is '{box}'", where="format coco", fix=f"say one of {', '.join(BOXES)}")
        reading = Reading()
        panoptic, pictures = {}, {}
        for path, data in files:
            if suffix_of(path) != ".json":
                pictures[path] = data
            elif content := read_coco(path, data, catalog, reading, box=box):
                panoptic[path] = content
        segments = Panoptic(pictures, catalog, reading)
        for path, content in panoptic.items():
            segments.read(path, content)
        segments.finish()
        return reading

    def recognises(self, path: str, data: bytes) -> bool:
        """Whether a file has the names of COCO's lists: it is not parsed, as it may be very large.

        A PNG file is one of segments, by its folder.
        """
        lists = b'"images"' in data and (b'"annotations"' in data or b'"categories"' in data)
        return lists or suffix_of(path) == ".png"

    def sniff(self, listing: Listing) -> Evidence | None:
        """JSON files with COCO's lists, and how many of the images they list are here."""
        paths = [path for path in listing.paths if self.role(path, Options()) == "annotation"]
        images = [path for path in listing.paths if self.role(path, Options()) == "image"]
        catalog = catalog_of(images)
        pictures = catalog_of(path for path in listing.paths if suffix_of(path) == ".png")
        looks = [
            look
            for path in sample(paths, _SAMPLE)
            if (look := _look(path, listing, catalog, pictures)) is not None
        ]
        if not looks:
            return None
        chosen = _chosen(looks)
        matched = {image for look in chosen for image in look.matched}
        extra = {}
        folders = {folder for look in chosen for folder in look.folders}
        if folders:
            extra["panoptic"] = ";".join(sorted(folders))
            images = [path for path in images if parts_of(path)[0] not in folders]
        facts = [look.fact for look in looks] + unlabelled_note(len(images), len(matched))
        facts += read_note(min(len(paths), _SAMPLE), len(paths), "JSON files")
        if chosen and len(chosen) < len(paths) <= _SAMPLE:
            extra["files"] = ";".join(look.path for look in chosen)
            facts.append(
                f"of {len(paths)} JSON files these are read: {', '.join(look.path for look in chosen)}"
            )
        doubt = BoxDoubt.summed(look.doubt for look in chosen)
        if doubt.fact():
            facts.append(doubt.fact())
        if doubt.reading() != "xywh":
            extra["box"] = doubt.reading()
        classes = list(dict.fromkeys(name for look in chosen for name in look.classes))
        return Evidence(len(matched), facts, classes, extra=extra)


@dataclass(frozen=True)
class _Look:
    """What sniffing found in one COCO file."""

    path: str
    matched: frozenset[str]
    classes: list[str]
    fact: str
    doubt: BoxDoubt = _NO_DOUBT
    panoptic: bool = False
    folders: frozenset[str] = frozenset()


def _panoptic_folders(options: Options) -> list[str]:
    """Folders of the PNG files of panoptic files; '.' is the source itself."""
    folders = (folder.strip().strip("/") for folder in options.extra.get("panoptic", "").split(";"))
    return ["" if folder == "." else folder for folder in folders if folder]


def _chosen(looks: list[_Look]) -> list[_Look]:
    """The files to read: no key points, captions or segments of images that an instances file mentions."""
    readable = [look for look in looks if not look.panoptic]
    spoken_of = {image for look in readable for image in look.matched}
    readable += [look for look in looks if look.panoptic and look.folders and not look.matched & spoken_of]
    instances = [look for look in readable if parts_of(look.path)[1].startswith("instances")]
    spoken_of = {image for look in instances for image in look.matched}
    again = [
        look for look in readable if look not in instances and look.matched and look.matched <= spoken_of
    ]
    return [look for look in readable if look not in again]


def _look(path: str, listing: Listing, catalog: Catalog, pictures: Catalog) -> _Look | None:
    try:
        content = load_coco(listing.read(path))
    except Fault:
        return None
    annotations = content.get("annotations", [])
    file = CocoFile(path, catalog, Reading())
    file.take_lists(content)
    images = (listed.image for listed in file.images.values())
    matched = frozenset(image.path for image in images if image is not None)
    fact = f"{len(matched)} of {len(content['images'])} images listed in {path} are here, with "
    names = list(file.categories.values())
    if is_panoptic(annotations):
        return _look_panoptic(_Look(path, matched, names, fact, panoptic=True), annotations, pictures)
    fact += f"{counted(len(annotations), 'annotation')} of {len(file.categories)} categories"
    roots = _roots(content, annotations)
    if roots:
        named = ", ".join(f"'{name}'" for name in roots)
        fact += f"; {named} only groups the others and has no annotation: not one of the classes"
    classes = [name for name in names if name not in roots]
    return _Look(path, matched, classes, fact, doubt_of_boxes(content))


def _look_panoptic(look: _Look, annotations: list[object], pictures: Catalog) -> _Look:
    """Which of the PNG files that a panoptic file names are here, and in which folders."""
    found = [
        find_named(pictures, look.path, entry["file_name"])
        for entry in annotations
        if isinstance(entry, dict) and isinstance(entry.get("file_name"), str)
    ]
    here = [picture.path for picture in found if isinstance(picture, ImageRef)]
    folders = frozenset(parts_of(path)[0] or "." for path in here)
    fact = (
        f"{look.fact}{counted(sum(len(segments_of(entry)) for entry in annotations), 'panoptic segment')} of "
        f"{len(look.classes)} categories; {len(here)} of {counted(len(found), 'PNG file')} with the segments "
        f"are here{'' if here else ': not read'}"
    )
    return replace(look, fact=fact, folders=folders)


def _roots(content: dict[str, Any], annotations: list[Any]) -> list[str]:
    """Names of categories without annotations that are the supercategory of others: Roboflow's first."""
    categories = [one for one in content.get("categories") or () if isinstance(one, dict)]
    used = {str(one.get("category_id")) for one in annotations if isinstance(one, dict)}
    named = [(str(one.get("name")), str(one.get("supercategory")), str(one.get("id"))) for one in categories]
    parents = {parent for name, parent, _ in named if parent != name}
    return [name for name, _, number in named if name in parents and number not in used]


FORMAT = Format(
    "coco",
    "COCO instances and panoptic: boxes, polygons, RLE, crowd, segments; key points are kept as attributes",
    reader=Coco(),
    writer=CocoWriter(),
    options={
        "files": "which JSON files, as patterns separated by ';'",
        "box": "what bbox holds: `xywh` (default), `corners` or `yxhw`",
        "panoptic": "folders of the PNG files of panoptic files, separated by ';'",
    },
    nothing=nothing_drawn,
    lost="supercategories, key-point skeletons, licences and dates of images; sets without boxes, polygons"
    " and masks are not written",
    evidence="JSON with `images`, and how many of them are here; boxes that leave their picture; PNG files "
    "of panoptic segments",
    reads="boxes, polygons, masks, crowds, panoptic segments as masks; lists may be objects by id",
    reports="repeated ids, images that are not here, short rings, segments without a class; key points "
    "become attributes",
)
