"""The versions of the stages' code, which decide what DVC runs again."""

from __future__ import annotations

__all__ = ["VERSIONS"]

VERSIONS = {
    "measure": 5,
    "records": 3,
    "validate": 7,
    "dedup": 3,
    "consensus": 3,
    "link": 1,
    "split": 3,
    "augment": 2,
    "export": 3,
    "report": 2,
}
"""Versions of the stages' code: raised when the same input would give another result.

`ingest`, which always runs, writes them to ``steps.json``, and DVC runs again the stages whose number was
raised. Those of `measure` and `augment` also name the files that these keep: raised, all images are processed
again.
"""
