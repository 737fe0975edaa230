"""JSON from strangers: a byte order mark, another encoding, NaN and Infinity, nesting without end."""

from __future__ import annotations

import json
from typing import Any

import orjson

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import decode_text

__all__ = ["parse_json"]


def parse_json(data: bytes) -> Any:
    """The content of a JSON file.

    Raises:
        Fault: It is empty or not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _load_leniently(data)


def _load_leniently(data: bytes) -> Any:
    """JSON with a byte order mark, in another encoding, or with NaN and Infinity, which Python writes."""
    try:
        content = json.loads(decode_text(data)[0])
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except (ValueError, RecursionError) as error:
        message = f"not readable as JSON: {error}" if data.strip() else "the file is empty"
        raise Fault("broken_file", message) from error
    return content
