"""The formats by name: those that come with Tundish, and those that installed packages add.

A new format here is one file and one line in `BUILT_IN`. Another package names its format as an entry point
of the group ``tundish.formats``; docs/your-own-format.md shows how. Nothing is imported before it is needed:
the command line starts quickly, and a package that is broken affects only those who use its format.
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import TundishError, UsageError
from tundish.formats.base import Evidence  # noqa: TC001  (a NamedTuple reads its annotations)
from tundish.formats.plugins import Guarded, PluginError, load_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from importlib.metadata import EntryPoint

    from tundish.formats.base import Format, Listing, Reader, Writer

__all__ = [
    "BUILT_IN",
    "GROUP",
    "Look",
    "check_options",
    "check_reader",
    "check_writer",
    "forget",
    "format_names",
    "load_format",
    "load_reader",
    "load_writer",
    "look",
    "plugin_faults",
    "reader_names",
    "writer_names",
]

GROUP = "tundish.formats"
"""The group of entry points by which packages add formats."""


class _Place(NamedTuple):
    """The module that offers `FORMAT`, and what it can do: known without importing it."""

    module: str
    reads: bool = False
    writes: bool = False


BUILT_IN = {
    "voc": _Place("tundish.formats.voc", reads=True),
    "parquet": _Place("tundish.formats.parquet.write", reads=True, writes=True),
    "yolo": _Place("tundish.formats.yolo.format", reads=True, writes=True),
    "coco": _Place("tundish.formats.coco.format", reads=True, writes=True),
    "label-studio": _Place("tundish.formats.label_studio.format", reads=True),
    "labelme": _Place("tundish.formats.tools.labelme", reads=True),
    "cvat": _Place("tundish.formats.tools.cvat", reads=True),
    "via": _Place("tundish.formats.tools.via", reads=True),
    "createml": _Place("tundish.formats.tools.createml", reads=True),
    "supervisely": _Place("tundish.formats.tools.supervisely", reads=True),
    "segment-anything": _Place("tundish.formats.tools.segment_anything", reads=True),
    "vott": _Place("tundish.formats.tools.vott", reads=True),
    "cityscapes": _Place("tundish.formats.tools.cityscapes", reads=True),
    "masks": _Place("tundish.formats.masks.format", reads=True),
    "dota": _Place("tundish.formats.dota", reads=True),
    "imagefolder": _Place("tundish.formats.huggingface.format", reads=True),
    "runs-csv": _Place("tundish.formats.csv.runs", reads=True),
    "boxes-csv": _Place("tundish.formats.csv.boxes", reads=True),
    "classes-csv": _Place("tundish.formats.csv.classes", reads=True),
    "folders": _Place("tundish.formats.folders", reads=True),
    "class-in-name": _Place("tundish.formats.class_in_name", reads=True),
    "images": _Place("tundish.formats.images", reads=True),
}
"""The formats that come with Tundish; of those that read a source equally well, the first is proposed."""


@cache
def _points() -> dict[str, list[EntryPoint]]:
    """The entry points of installed packages by the name of their format, sorted."""
    from importlib.metadata import entry_points  # noqa: PLC0415  (costs more than the formats' names)

    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, _package(one))):
        found.setdefault(point.name, []).append(point)
    return found


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


@cache
def load_format(name: str) -> Format:
    """The format called `name`.

    Raises:
        UsageError: The format is unknown, or the package that offers it is broken.
    """
    if name in BUILT_IN:
        built_in: Format = importlib.import_module(BUILT_IN[name].module).FORMAT
        return built_in
    points = _points().get(name, [])
    if not points:
        raise _unknown(name, format_names())
    if len(points) > 1:
        packages = " and ".join(_package(point) for point in points)
        raise UsageError(f"{packages} both offer a format '{name}'", fix="uninstall one of them")
    return load_plugin(points[0], _package(points[0]))


def _unknown(name: str, names: list[str]) -> UsageError:
    fix = f"choose one of {', '.join(names)}, or install the package that offers it"
    return UsageError(f"unknown format '{name}'", fix=fix)


def forget() -> None:
    """Look for installed packages again when they are next needed: some came or went in this process."""
    importlib.invalidate_caches()
    _points.cache_clear()
    load_format.cache_clear()


def plugin_faults() -> list[UsageError]:
    """What is wrong with the formats of installed packages, an error each; none is raised."""
    faults = []
    for name, points in _points().items():
        if name in BUILT_IN:
            what = f"the format '{name}' is not used: Tundish has one of this name"
            fix = "give it another name, or uninstall the package"
            faults += [UsageError(what, where=f"the package {_package(point)}", fix=fix) for point in points]
            continue
        try:
            load_format(name)
        except UsageError as fault:
            faults.append(fault)
    return faults


def _working() -> dict[str, Format]:
    """The formats of installed packages that can be used."""
    found = {}
    for name in _points():
        if name not in BUILT_IN:
            try:
                found[name] = load_format(name)
            except UsageError:
                continue  # `plugin_faults` reports it
    return found


def format_names() -> list[str]:
    """Names of all formats, without loading any: also of those that turn out broken."""
    return [*BUILT_IN, *(name for name in _points() if name not in BUILT_IN)]


def reader_names() -> list[str]:
    """Names of the formats that can be read."""
    own = [name for name, place in BUILT_IN.items() if place.reads]
    return own + [name for name, form in _working().items() if form.reader is not None]


def writer_names() -> list[str]:
    """Names of the formats that can be written."""
    own = [name for name, place in BUILT_IN.items() if place.writes]
    return own + [name for name, form in _working().items() if form.writer is not None]


def check_reader(name: str) -> str:
    """The name of a format that can be read; formats that come with Tundish are not loaded for it.

    Raises:
        UsageError: The format is unknown, is broken, or cannot be read.
    """
    return _check(name, "written, not read", reader_names, lambda form: form.reads, lambda form: form.reader)


def check_writer(name: str) -> str:
    """The name of a format that can be written; formats that come with Tundish are not loaded for it.

    Raises:
        UsageError: The format is unknown, is broken, or cannot be written.
    """
    return _check(name, "read, not written", writer_names, lambda form: form.writes, lambda form: form.writer)


def _check(
    name: str,
    problem: str,
    names: Callable[[], list[str]],
    of_ours: Callable[[_Place], bool],
    of_theirs: Callable[[Format], object | None],
) -> str:
    if name not in BUILT_IN and name not in _points():
        raise _unknown(name, names())
    fits = of_ours(BUILT_IN[name]) if name in BUILT_IN else of_theirs(load_format(name)) is not None
    if not fits:
        raise UsageError(f"the format '{name}' is {problem}", fix=f"choose one of {', '.join(names())}")
    return name


_OF_ALL = ("masks",)
"""Options that a source of any format may have: ingest itself reads them."""

_KEYS = ("names",)
"""What a format lists among its options, and what is a key of the source itself."""


def check_options(name: str, options: Iterable[str]) -> None:
    """See that a format knows the options of a source: one that nobody reads would be ignored in silence.

    Args:
        name: Name of the format.
        options: Names of the options.

    Raises:
        UsageError: The format does not have one of them, or as `load_format`.
    """
    asked = list(options)
    if not asked:
        return
    known = sorted({*load_format(name).options, *_OF_ALL} - set(_KEYS))
    for option in asked:
        if option in known:
            continue
        if option in _KEYS:
            fix = f"write '{option}' as a key of the source, beside 'format'"
        else:
            close = difflib.get_close_matches(option, known, n=1)
            hint = f"did you mean '{close[0]}'? " if close else ""
            fix = f"{hint}it has {', '.join(known)}"
        raise UsageError(f"the format '{name}' has no option '{option}'", fix=fix)


def load_reader(name: str) -> Reader:
    """The reader of a format.

    Raises:
        UsageError: As `check_reader`.
    """
    reader = load_format(check_reader(name)).reader
    assert reader is not None
    return reader if name in BUILT_IN else Guarded(name, _package(_points()[name][0]), reader=reader)


def load_writer(name: str) -> Writer:
    """The writer of a format.

    Raises:
        UsageError: As `check_writer`.
    """
    writer = load_format(check_writer(name)).writer
    assert writer is not None
    return writer if name in BUILT_IN else Guarded(name, _package(_points()[name][0]), writer=writer)


class Look(NamedTuple):
    """What the formats found in a listing.

    Attributes:
        found: What suggests each format, best first; formats that find nothing are left out.
        faults: What is wrong with the formats of installed packages; their evidence is missing.
    """

    found: list[Evidence]
    faults: list[TundishError]


def look(listing: Listing, without: Collection[str] = ()) -> Look:
    """Let every format that can be read look at a listing, but those that are named."""
    found: list[Evidence] = []
    faults: list[TundishError] = [*plugin_faults()]
    for name in reader_names():
        if name in without:
            continue
        try:
            evidence = load_reader(name).sniff(listing)
        except PluginError as fault:
            faults.append(fault)
        else:
            found += [] if evidence is None else [replace(evidence, format=name)]
    return Look(sorted(found, key=lambda evidence: -evidence.weight), faults)
