"""The section of the recipe on labelling: how people label, which labels count, how they are accepted."""

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

from tundish.recipe.section import Section

__all__ = ["ADJUDICATION", "AQLS", "Acceptance", "Label", "Nonconformity"]

ADJUDICATION = "adjudication"
"""Purpose of the tasks that settle disputes between annotators, and the name of their project."""

AQLS = (0.065, 0.10, 0.15, 0.25, 0.40, 0.65, 1.0, 1.5, 2.5, 4.0, 6.5, 10.0)
"""Acceptance quality limits of ISO 2859-1: percent of nonconforming items, up to 10."""


def _of_the_standard(aql: float) -> float:
    if aql not in AQLS:
        allowed = ", ".join(f"{one:g}" for one in AQLS)
        raise ValueError(f"{aql:g} is not an AQL of ISO 2859-1; allowed: {allowed} (percent)")
    return aql


_NAME = r"^[^\s,]{1,30}$"


def _of_a_person(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ValueError(
            f"'{name}' is not a valid name of an annotator; write up to 30 letters, without blanks and commas"
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
        description="Percent of nonconforming images, a value of the standard; or one for each class of "
        "nonconformity that is judged: {critical: 1.0, major: 2.5, minor: 4.0}.",
    )
    per: Literal["dataset", "annotator"] = Field(
        "dataset",
        description="The work in a batch: of everybody, or of one annotator with a history of their own.",
    )
    miss_rate: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of nonconforming images that reviewers overlook; it corrects the estimates.",
    )
    misplaced: float = Field(
        0.5,
        gt=0,
        le=1,
        description="IoU with the reviewer's label below which a label is misplaced (major).",
    )
    loose: float = Field(
        0.75,
        gt=0,
        le=1,
        description="IoU with the reviewer's label below which a label is not tight (minor).",
    )
    level: Literal["S-1", "S-2", "S-3", "S-4", "I", "II", "III"] = Field(
        "II", description="Inspection level: how many images of a batch are reviewed."
    )
    reduced: bool = Field(
        False,
        description="Whether reduced inspection after good batches is approved: the work is steady, and the "
        "person responsible for the labels agrees.",
    )
    gate: bool = Field(True, description="Whether only images of accepted batches enter the splits.")


class Label(Section):
    """How people label the images, in Label Studio."""

    server: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="Address of Label Studio; by default the server that 'tundish label start' started here.",
    )
    project: Annotated[str, StringConstraints(min_length=3, max_length=50)] | None = Field(
        None, description="Title of the project there; by default the name of the dataset."
    )
    shapes: tuple[Literal["box", "polygon", "mask", "class"], ...] = Field(
        ("box",), description="The shapes that can be drawn; boxes can be rotated."
    )
    severities: tuple[str, ...] = Field(
        (),
        description="Severities of a defective image, from the least to the worst, asked once per image; "
        "by default not asked.",
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
        description="Address at which the browsers of the annotators reach 'tundish label images'.",
    )
    annotators: tuple[Annotator, ...] = Field(
        (), description="The annotators, each with a project of their own; by default one project for all."
    )
    overlap: float = Field(
        0.0, ge=0, le=1, description="Share of the images that more than one annotator labels."
    )

    quorum: float = Field(
        2 / 3, gt=0, le=1, description="Share of the annotators of an image who must agree on a label."
    )
    iou: float = Field(0.5, gt=0, le=1, description="Least IoU of two labels of the same object.")
    acceptance: Acceptance | None = Field(
        None,
        description="Acceptance of labels in batches; by default they need no acceptance.",
    )

    @model_validator(mode="after")
    def _enough_annotators(self) -> Label:
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError("an annotator is listed twice; list each once")
        if ADJUDICATION in self.annotators:
            raise ValueError(
                f"'{ADJUDICATION}' is the project of disputes; choose another name for the annotator"
            )
        if self.overlap > 0 and len(self.annotators) < 2:
            raise ValueError("an overlap needs at least two annotators; name two, or set it to 0")
        return self
