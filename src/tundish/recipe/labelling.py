"""The recipe's section about labelling: how people label, what of theirs counts, and how it is accepted."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from tundish.recipe.sections import Section

__all__ = ["ADJUDICATION", "AQLS", "Acceptance", "Label", "Nonconformity"]

ADJUDICATION = "adjudication"
"""Purpose of the tasks whose answers settle what annotators dispute, and the name of their project."""

AQLS = (0.065, 0.10, 0.15, 0.25, 0.40, 0.65, 1.0, 1.5, 2.5, 4.0, 6.5, 10.0)
"""Acceptance quality limits of ISO 2859-1: percent of nonconforming items, as far as it counts those."""


def _of_the_standard(aql: float) -> float:
    if aql not in AQLS:
        allowed = ", ".join(f"{one:g}" for one in AQLS)
        raise ValueError(f"{aql:g} is no AQL of ISO 2859-1; allowed: {allowed} (percent)")
    return aql


_NAME = r"^[^\s,]{1,30}$"


def _of_a_person(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(
            f"'{name}' cannot be an annotator's name; write up to 30 letters, without blanks and commas"
        )
    return name


Annotator = Annotated[str, AfterValidator(_of_a_person), Field(json_schema_extra={"pattern": _NAME})]
Aql = Annotated[float, AfterValidator(_of_the_standard)]
Nonconformity = Literal["critical", "major", "minor"]
AqlByClass = Annotated[dict[Nonconformity, Aql], Field(min_length=1)]


class Acceptance(Section):
    """Inspection of what annotators labelled, in batches, by ISO 2859-1 (GB/T 2828.1)."""

    aql: Annotated[
        Annotated[Aql, Tag("[all]")] | Annotated[AqlByClass, Tag("[classes]")],
        Discriminator(lambda aql: "[classes]" if isinstance(aql, dict) else "[all]"),
    ] = Field(
        1.0,
        description="Percent of nonconforming images, one of the standard's; or one for each class of "
        "nonconformity that is judged: {critical: 1.0, major: 2.5, minor: 4.0}.",
    )
    per: Literal["dataset", "annotator"] = Field(
        "dataset",
        description="Whose work a batch holds: everybody's, or one annotator's, with a history of their own.",
    )
    miss_rate: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of nonconforming images that reviewers overlook; it corrects what is estimated.",
    )
    misplaced: float = Field(
        0.5,
        gt=0,
        le=1,
        description="IoU with the reviewer's below which a label lies elsewhere (major).",
    )
    loose: float = Field(
        0.75, gt=0, le=1, description="IoU with the reviewer's below which a label is not tight (minor)."
    )
    level: Literal["S-1", "S-2", "S-3", "S-4", "I", "II", "III"] = Field(
        "II", description="Inspection level: how many images of a batch are reviewed."
    )
    reduced: bool = Field(
        False,
        description="The work is steady, and whoever answers for the labels agrees to reduced inspection "
        "after good batches.",
    )
    gate: bool = Field(True, description="Whether only images of accepted batches come into the splits.")


class Label(Section):
    """How people label the images, in Label Studio."""

    server: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="Address of Label Studio; by default the one that 'tundish label start' started here.",
    )
    project: Annotated[str, StringConstraints(min_length=3, max_length=50)] | None = Field(
        None, description="Title of the project there; the dataset's name by default."
    )
    shapes: tuple[Literal["box", "polygon", "mask", "class"], ...] = Field(
        ("box",), description="What can be drawn; boxes can be turned."
    )
    severities: tuple[str, ...] = Field(
        (),
        description="How bad a defective image can be, from the least to the worst, asked once for each; "
        "none: it is not asked.",
    )
    images: Literal["files", "serve"] = Field(
        "files",
        description="How the browser gets the pictures: files below the server's document root, "
        "or from 'tundish label images'.",
    )
    files: str | None = Field(
        None,
        description="Document root of Label Studio's local files; by default that of 'tundish label start'.",
    )
    served_at: str = Field(
        "http://127.0.0.1:8090",
        pattern=r"^https?://[^\s@]+$",
        description="Where the annotators' browsers find what 'tundish label images' serves.",
    )
    annotators: tuple[Annotator, ...] = Field(
        (), description="Who labels, each in a project of their own; none: one project for all."
    )
    overlap: float = Field(
        0.0, ge=0, le=1, description="Share of the images that more than one annotator labels."
    )

    quorum: float = Field(
        2 / 3, gt=0, le=1, description="Share of those who saw an image that must agree on a label."
    )
    iou: float = Field(0.5, gt=0, le=1, description="Least overlap of two labels of one thing.")
    acceptance: Acceptance | None = Field(
        None,
        description="What annotators label must be accepted in batches; by default it need not be.",
    )

    @model_validator(mode="after")
    def _enough_annotators(self) -> Label:
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError("an annotator is named twice; name each once")
        if ADJUDICATION in self.annotators:
            raise ValueError(f"'{ADJUDICATION}' is the project of disputes; call the annotator otherwise")
        if self.overlap > 0 and len(self.annotators) < 2:
            raise ValueError("an overlap needs two annotators or more; name two, or set it to 0")
        return self
