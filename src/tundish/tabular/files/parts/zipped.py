"""Which part of a zipped workbook holds which sheet: relations of xlsx and xlsb alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Mapping

__all__ = ["part_names", "related_parts"]


def part_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The names in an archive, by the name with slashes: some writers have backslashes."""
    return {name.replace("\\", "/"): name for name in archive.namelist()}


def related_parts(archive: zipfile.ZipFile, names: Mapping[str, str], relations: str) -> dict[str, str]:
    """The parts that a workbook names, by the key of their relation, as far as the archive has them.

    Raises:
        KeyError: The archive has no such relations.
        ParseError: They are not XML.
    """
    found: dict[str, str] = {}
    for relation in fromstring(archive.read(names[relations])):
        target = relation.get("Target", "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            found[relation.get("Id", "")] = names[part]
    return found
