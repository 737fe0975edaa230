"""Formats of other packages: loaded and checked, and their failures turned into one sentence."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.errors import OutsideError, TundishError, UsageError
from tundish.formats.base import Evidence, Format, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import EntryPoint

    from tundish.formats.base import Catalog, Listing, Options, Reader, Role, Selection, Target, Writer

__all__ = ["Guarded", "PluginError", "load_plugin"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_RESERVED = frozenset({"records"})
"""Folders in ``exports/`` that are not those of a format."""

_SAID = ("evidence", "reads", "reports")
"""What a format that is read says of itself, a phrase each."""

_PARTS = {"reader": ("sniff", "role", "read"), "writer": ("write",)}


class PluginError(OutsideError):
    """The format of an installed package failed while it worked."""

    code = "plug-in"


def load_plugin(point: EntryPoint, package: str) -> Format:
    """Load a format of an installed package, and see that it has what a format needs.

    Args:
        point: Names the format and where it is.
        package: Name and version of the package, for people.

    Raises:
        UsageError: It cannot be imported, is not a format, or lacks something.
    """
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
        what = f"cannot be loaded: {_sentence(error)}"
        raise _broken(point, package, what) from error
    what = _fault_of(point.name, loaded)
    if what:
        raise _broken(point, package, what)
    form: Format = loaded
    return form


def _fault_of(name: str, loaded: object) -> str:
    """What a loaded object lacks to be the format `name`; empty where it lacks nothing."""
    if not isinstance(loaded, Format):
        return f"is a {type(loaded).__name__}, not a tundish.formats.base.Format"
    if not _NAME.fullmatch(name) or name in _RESERVED:
        return "has a name that cannot be that of a folder in exports/: use a-z, 0-9, '-' and '_'"
    if loaded.name != name:
        return f"calls itself '{loaded.name}'"
    if loaded.reader is None and loaded.writer is None:
        return "has neither a reader nor a writer"
    return _lacking(loaded)


def _lacking(loaded: Format) -> str:
    """Methods that its parts lack, and what it does not say of itself."""
    for part, methods in _PARTS.items():
        offered = getattr(loaded, part)
        lacking = [method for method in methods if not callable(getattr(offered, method, None))]
        if offered is not None and lacking:
            return f"has a {part} without {' and '.join(f'{method}()' for method in lacking)}"
    unsaid = [name for name in _SAID if not getattr(loaded, name)]
    if loaded.reader is not None and unsaid:
        return f"has a reader and does not say its {' and '.join(unsaid)}"
    return ""


def _broken(point: EntryPoint, package: str, what: str) -> UsageError:
    return UsageError(
        f"the format '{point.name}' {what}",
        where=f"the package {package} ({point.value})",
        fix="update the package, or uninstall it",
    )


def _sentence(error: BaseException) -> str:
    """An exception in a few words on one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass(frozen=True)
class Guarded:
    """The reader or writer of an installed package; what it raises comes out as one sentence.

    Args:
        name: Name of the format.
        package: Name and version of the package.
        reader: Its reader, where that is what is guarded.
        writer: Its writer, where that is what is guarded.
    """

    name: str
    package: str
    reader: Reader | None = None
    writer: Writer | None = None

    def sniff(self, listing: Listing) -> Evidence | None:
        """As the reader does it."""
        assert self.reader is not None
        with self._blamed("looked at the source"):
            evidence = self.reader.sniff(listing)
            if evidence is not None and not isinstance(evidence, Evidence):
                raise TypeError(f"sniff() gave a {type(evidence).__name__}, not an Evidence or None")
            return evidence

    def role(self, path: str, options: Options) -> Role:
        """As the reader does it."""
        assert self.reader is not None
        with self._blamed(f"was asked what {path} is"):
            return self.reader.role(path, options)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """As the reader does it."""
        assert self.reader is not None
        with self._blamed("read labels"):
            reading = self.reader.read(files, catalog, options)
            if not isinstance(reading, Reading):
                raise TypeError(f"read() gave a {type(reading).__name__}, not a Reading")
            return reading

    def recognises(self, path: str, data: bytes) -> bool:
        """As the reader does it; a reader that does not offer it takes all files that `role` gives it."""
        offered = getattr(self.reader, "recognises", None)
        with self._blamed(f"was shown {path}"):
            return offered is None or bool(offered(path, data))

    def redraws(self, path: str) -> bool:
        """As the reader does it; where it does not offer it, no picture draws its labels again."""
        offered = getattr(self.reader, "redraws", None)
        with self._blamed(f"was asked what {path} draws"):
            return offered is not None and bool(offered(path))

    def write(self, selection: Selection, target: Target) -> Mapping[str, int]:
        """As the writer does it."""
        assert self.writer is not None
        with self._blamed("wrote the export"):
            return dict(self.writer.write(selection, target))

    @contextmanager
    def _blamed(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (TundishError, OSError):
            raise
        except Exception as error:
            raise PluginError(
                f"the format '{self.name}' failed when it {doing}: {_sentence(error)}",
                where=f"the package {self.package}",
                fix="report it to those who made the package, or uninstall it",
            ) from error
