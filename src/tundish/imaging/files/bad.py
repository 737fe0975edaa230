"""The fault of bytes that are not a usable image."""

from __future__ import annotations

from typing import Literal

__all__ = ["BadImage", "Reason"]

Reason = Literal["empty_file", "not_an_image", "truncated", "corrupt", "too_large", "unsupported"]


class BadImage(Exception):  # noqa: N818  (a value that is raised: the fault lies in the data)
    """Bytes that cannot become pixels.

    Attributes:
        reason: 'empty_file', 'not_an_image', 'truncated' (bytes missing at the end), 'corrupt' (bytes wrong
            inside), 'too_large' (more pixels than allowed) or 'unsupported' (intact, but of a kind that
            would not be read correctly).
        message: The fault in a clause for people.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason: Reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
