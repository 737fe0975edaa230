"""What every recipe must say, at its least: DVC watches each of these sections by name."""

from __future__ import annotations

__all__ = ["least"]

_SECTIONS = ("records", "images", "annotations", "dedup", "label", "link", "split", "augment", "export")


def least(*said: str, timezone: str = "UTC") -> str:
    """The sections that the test itself does not write, with their defaults."""
    rest = "".join(f"{name}: {{}}\n" for name in _SECTIONS if name not in said)
    return f"timezone: {timezone}\n{rest}"
