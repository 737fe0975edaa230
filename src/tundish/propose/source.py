"""Where a source is: refuses a place that cannot be one, and names it as a recipe does."""

from __future__ import annotations

import difflib
import os
import tarfile
import zipfile
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import IMAGE_SUFFIXES, parts_of, suffix_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES
from tundish.sources.files import ARCHIVE_SUFFIXES
from tundish.sources.rows import has_pictures, holds_pictures, is_columnar
from tundish.tabular.files.open import is_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tundish.storage.dataset import DatasetFolder

__all__ = ["as_written", "check_source", "is_table"]

_PEEKED = 256 << 20
"""Bytes up to which the Parquet files in a zip are opened to see whether they hold pictures."""

_MOST = 20_000
"""Files of a folder that are looked at to see what it holds."""


def is_table(source: Path) -> bool:
    """Whether a source is records: a table by its name, or a folder or a zip with tables and no images.

    Texts (.txt) in a folder may be labels: they make it no source of records.
    """
    if source.is_dir():
        columnar: list[Path] = []
        return _are_tables(_names(source, columnar)) and not any(map(has_pictures, columnar))
    if source.suffix.lower() == ".zip" and zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                return _holds_tables(archive)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError):
            return False
    return is_table_name(source.name) and not has_pictures(source)


def _names(folder: Path, columnar: list[Path]) -> Iterator[str]:
    """The names of the files of a folder; the Parquet files among them are noted."""
    for path in islice(folder.rglob("*"), _MOST):
        if path.is_file():
            columnar += [path] * is_columnar(path.name)
            yield path.name


def _holds_tables(archive: zipfile.ZipFile) -> bool:
    members = [info for info in archive.infolist() if not info.is_dir()]
    names = [info.filename for info in members]
    if "xl/workbook.xml" in map(str.lower, names):
        return True  # a workbook, whatever it is called
    if not _are_tables(names):
        return False
    left = _PEEKED
    for info in (one for one in members if is_columnar(one.filename)):
        if info.file_size <= left:
            left -= info.file_size
            if holds_pictures(archive.read(info)):
                return False
    return True


def _are_tables(names: Iterable[str]) -> bool:
    """Whether there are tables among these files, and no images and no labels; ends at the first of these."""
    tables, others = False, IMAGE_SUFFIXES | {".json", ".xml", ".txt"}
    for name in names:
        _, plain, _ = parts_of(name.lower())
        if plain.startswith((".", "~$")):
            continue
        if suffix_of(plain) in others:
            return False
        tables = tables or (is_table_name(plain) and not plain.endswith((".dat", ".data")))
    return tables


def check_source(source: Path, dataset: DatasetFolder) -> None:
    """Refuse what cannot be a source of this dataset.

    Args:
        source: A folder, an archive or a table.
        dataset: The dataset that it is for.

    Raises:
        SourceError: Nothing is there, the file is of another kind, or Tundish itself writes that folder.
    """
    if not source.exists():
        raise SourceError("nothing is here", where=str(source), fix=_meant(source))
    _check_kind(source)
    _check_place(source.resolve(), source, dataset)


def _meant(source: Path) -> str:
    """The path that a misspelt one may mean."""
    first = source
    while not first.parent.is_dir() and first.parent != first:
        first = first.parent
    try:
        names = [path.name for path in first.parent.iterdir()]
    except OSError:
        names = []
    close = difflib.get_close_matches(first.name, names, n=1)
    if close:
        return f"did you mean '{first.parent / close[0] / source.relative_to(first)}'?"
    return "name a folder, a .zip, a .tar or a table"


def _check_kind(source: Path) -> None:
    if source.is_dir() or is_table_name(source.name):
        return
    if not source.is_file():
        raise SourceError("this is not a regular file", where=str(source), fix="name a folder or a file")
    if zipfile.is_zipfile(source) or tarfile.is_tarfile(source):
        return
    suffix = source.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        raise SourceError("this is a single image", where=str(source), fix="name the folder that holds it")
    if suffix in ARCHIVE_SUFFIXES - {".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2"}:
        what = f"archives of this kind ({suffix}) cannot be read"
        raise SourceError(what, where=str(source), fix="unpack it, and add the folder")
    if suffix in UNREAD_IMAGES:
        what = f"{suffix[1:].upper()} pictures cannot be decoded here"
        raise SourceError(what, where=str(source), fix="convert to PNG, and add the folder")
    if suffix in ARCHIVE_SUFFIXES:
        raise SourceError("this is not an archive that can be opened", where=str(source), fix="copy it again")
    raise SourceError(
        "this is neither a folder or an archive of images nor a table",
        where=str(source),
        fix="name a folder, a .zip, a .tar, or a table such as .csv, .xlsx or .parquet",
    )


def _check_place(real: Path, source: Path, dataset: DatasetFolder) -> None:
    root = dataset.root.resolve()
    if root.is_relative_to(real):
        raise SourceError(
            f"this folder holds datasets/{dataset.name}, where Tundish writes: its own files would come in",
            where=str(source),
            fix=f"move the files to datasets/{dataset.name}/raw and add that folder",
        )
    if not real.is_relative_to(root.parent):
        return
    other, *inside = real.relative_to(root.parent).parts
    mine = {dataset.exports.name} if other == dataset.name else set()
    written = (dataset.store, dataset.curated, dataset.labels, dataset.augmented, dataset.reports)
    if not inside or inside[0] in {folder.name for folder in written} | mine:
        raise SourceError(
            f"Tundish itself writes this {'folder' if source.is_dir() else 'file'}",
            where=str(source),
            fix=f"name the files as they came, such as datasets/{other}/raw",
        )


def as_written(source: Path, dataset: DatasetFolder) -> str:
    """The source as the recipe names it: relative to the dataset's folder, unless it was given absolute."""
    inside = source.resolve().is_relative_to(dataset.project.resolve())
    if source.is_absolute() and not inside:
        return source.as_posix()
    try:
        return Path(os.path.relpath(source.resolve(), dataset.root.resolve())).as_posix()
    except ValueError:  # on Windows: the source is on another drive
        return source.resolve().as_posix()
