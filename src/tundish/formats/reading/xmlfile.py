"""XML from strangers: no entities, no external references, and the encodings that expat does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn
from xml.etree.ElementTree import ParseError, XMLParser
from xml.parsers import expat

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import decode_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["parse_xml"]

_DECLARED = re.compile(rb"^\s*<\?xml[^>]*?encoding=[\"']([\w.-]+)[\"']")


def parse_xml(data: bytes) -> tuple[Element, str]:
    """The root of an XML file, and the encoding it was taken for: empty where it is UTF-8 or declared.

    Raises:
        Fault: It is empty or no XML, or it defines entities or refers to other files.
    """
    if not data.strip():
        raise Fault("broken_file", "the file is empty")
    try:
        try:
            return _parse(data), ""
        except (ParseError, expat.ExpatError, ValueError, LookupError):
            text, encoding = _decoded(data)
            return _parse(text.encode("utf-8", "replace"), "utf-8"), encoding
    except (ParseError, expat.ExpatError, ValueError, LookupError) as error:
        raise Fault("broken_file", f"not readable as XML: {error}") from error


def _parse(data: bytes, encoding: str | None = None) -> Element:
    """The root; a first pass, which makes nothing, sees that no entity is defined.

    So the tree can be made by the parser in C, which would expand them.
    """
    guard = expat.ParserCreate(encoding)
    guard.EntityDeclHandler = guard.UnparsedEntityDeclHandler = guard.ExternalEntityRefHandler = _forbid
    guard.Parse(data, True)
    parser = XMLParser(encoding=encoding)  # noqa: S314  (the first pass has refused entities)
    parser.feed(data)
    root: Element = parser.close()
    return root


def _forbid(*_: object) -> NoReturn:
    raise Fault("forbidden_xml", "the file defines entities or refers to other files, which is refused")


def _decoded(data: bytes) -> tuple[str, str]:
    declared = _DECLARED.match(data)
    if declared:
        try:
            return data.decode(declared[1].decode("ascii")), ""
        except (UnicodeDecodeError, LookupError):
            pass
    return decode_text(data)
