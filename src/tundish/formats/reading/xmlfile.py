"""XML from strangers: no entities, no external references, and the encodings that expat does not know."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import decode_text

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
            return _feed(DefusedXMLParser(), data), ""
        except DefusedXmlException:
            raise
        except (ParseError, ValueError, LookupError):
            text, encoding = _decoded(data)
            return _feed(DefusedXMLParser(encoding="utf-8"), text.encode("utf-8", "replace")), encoding
    except DefusedXmlException as error:
        message = "the file defines entities or refers to other files, which is refused"
        raise Fault("forbidden_xml", message) from error
    except (ParseError, ValueError, LookupError) as error:
        raise Fault("broken_file", f"not readable as XML: {error}") from error


def _feed(parser: DefusedXMLParser, data: bytes) -> Element:
    parser.feed(data)
    root: Element = parser.close()
    return root


def _decoded(data: bytes) -> tuple[str, str]:
    declared = _DECLARED.match(data)
    if declared:
        try:
            return data.decode(declared[1].decode("ascii")), ""
        except (UnicodeDecodeError, LookupError):
            pass
    return decode_text(data)
