"""The parts of a push: the images, their pre-annotations, and the tasks that the server has already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from typing import Any

__all__ = ["Existing", "Item", "Prelabels", "RegionJson", "tasks_by_image"]


RegionJson = dict[str, Any]
"""A region, or another entry of a result, as Label Studio's JSON has it."""


@dataclass(frozen=True, slots=True)
class Item:
    """An image to be labelled.

    Args:
        image_id: Identifies the image on the server.
        path: Path of its file, relative to `source`.
        source: Name of its source in the recipe.
        width: Width of the upright image, px.
        height: Height of the upright image, px.
        keys: What the file name says (coil, side, ...); shown to the annotator.
        levels: Gray values that the picture shows as black and as white, where they are not the image's own.
        why: The reason why the image is to be labelled, for the annotator to read.
        purpose: The purpose of the answer, where it is not one annotator's judgement.
        fingerprint: Fingerprint of the task's content, by which outdated tasks are recognised.
    """

    image_id: str
    path: str
    source: str
    width: int
    height: int
    keys: Mapping[str, str | None] = field(default_factory=dict)
    levels: tuple[int, int] | None = None
    why: str | None = None
    purpose: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Prelabels:
    """Pre-annotations: labels that the annotator finds drawn already.

    Args:
        regions: Label Studio regions by image_id.
        version: Their origin: `import`, or the name of a model.
        scores: A model's confidence by image_id, 0 to 1.
    """

    regions: Mapping[str, Sequence[RegionJson]] = field(default_factory=dict)
    version: str = "import"
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Existing:
    """A project and its tasks as the server has them already.

    Args:
        project: The project as the server describes it; None where it does not exist yet.
        tasks: The project's tasks as the server lists them.
    """

    project: Mapping[str, Any] | None = None
    tasks: Sequence[Mapping[str, Any]] = ()

    @property
    def image_ids(self) -> set[str]:
        """The images of its tasks."""
        return set(tasks_by_image(self.tasks))

    @property
    def answered(self) -> set[str]:
        """The images with a submitted answer; a skipped task has no answer, here as in consensus."""
        return set(tasks_by_image([task for task in self.tasks if task["total_annotations"]]))


def tasks_by_image(tasks: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Numbers of tasks by the image_id of their image; tasks without one are omitted."""
    by_key: dict[str, list[int]] = {}
    for task in tasks:
        data = task.get("data")
        if isinstance(data, dict) and data.get("image_id"):
            by_key.setdefault(str(data["image_id"]), []).append(int(task["id"]))
    return by_key
