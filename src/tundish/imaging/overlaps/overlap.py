"""Two pictures that show in part the same surface, and how one lies on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Overlap", "Relation", "better"]

Relation = Literal["overlapping", "probably overlapping", "same scene"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two pictures that show in part the same surface.

    Attributes:
        first: Index of one picture.
        second: Index of the other, larger.
        relation: 'overlapping' or 'probably overlapping' by the scores; 'same scene' where a part of what
            both show differs, as in two frames of a fixed camera.
        code: The code that turns the first (`framehash.apply_code`) before it is laid on the second.
        angle: Then it is turned by this angle, degrees clockwise as a person sees it.
        scale: Then it is enlarged so many times, px of the second per px of the first.
        dx: Then its centre lies so far right of the second's centre, px of the second.
        dy: So far below.
        share: The area that both show, as a share of the smaller picture's area.
        score: The correlation that three quarters of the blocks of this area reach.
        votes: Distinct places whose corners agree.
        blocks: Blocks with texture of this area.
        distinctive: Those of them that fit in one place only.
        worst: The correlation in the worst place of what both show (`verify.worst_place`).
    """

    first: int
    second: int
    relation: Relation
    code: int
    angle: float
    scale: float
    dx: float
    dy: float
    share: float
    score: float
    votes: int
    blocks: int
    distinctive: int
    worst: float


def better(one: Overlap, other: Overlap) -> Overlap:
    """The better of two ways to lay a pair.

    A scene that has not moved says why a pair agrees, so that it comes before all other ways to lay it.
    """
    still, still_other = one.relation == "same scene", other.relation == "same scene"
    if still != still_other:
        return one if still else other
    return one if one.score >= other.score else other
