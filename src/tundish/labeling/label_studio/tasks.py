"""What a task is made of: the image asked about, what is drawn in it already, what the server has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from typing import Any

__all__ = ["Existing", "Item", "Prelabels", "RegionJson", "tasks_by_image"]


RegionJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """An image to be labelled.

    Args:
        image_id: Its key on the server.
        path: Of its file, relative to `source`.
        source: Its source in the recipe.
        width: Of the upright image, px.
        height: Of the upright image, px.
        keys: What its file's name tells (coil, side, ...); shown to the annotator.
        levels: Gray values that its picture shows as black and as white, where they are not the image's own.
        why: Why it is asked for, for the annotator to read.
        purpose: What the answer is for, where it is not one annotator's opinion.
        made_of: What it says, as a fingerprint: so a task that says otherwise by now is known.
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
    made_of: str | None = None


@dataclass(frozen=True)
class Prelabels:
    """What the annotator finds drawn already.

    Args:
        regions: Label Studio regions by image_id.
        version: Who drew them: `import`, or the name of a model.
        scores: A model's confidence by image_id, 0 to 1.
    """

    regions: Mapping[str, Sequence[RegionJson]] = field(default_factory=dict)
    version: str = "import"
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Existing:
    """What is on the server already.

    Args:
        project: What the server says of the project; None where there is none yet.
        tasks: Its tasks, as they are listed.
    """

    project: Mapping[str, Any] | None = None
    tasks: Sequence[Mapping[str, Any]] = ()

    @property
    def image_ids(self) -> set[str]:
        """The images of its tasks."""
        return set(tasks_by_image(self.tasks))

    @property
    def answered(self) -> set[str]:
        """The images that somebody submitted; a task that was skipped has no answer, here as in consensus."""
        return set(tasks_by_image([task for task in self.tasks if task["total_annotations"]]))


def tasks_by_image(tasks: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Numbers of tasks by the image_id that each asks about."""
    by_key: dict[str, list[int]] = {}
    for task in tasks:
        data = task.get("data")
        if isinstance(data, dict) and data.get("image_id"):
            by_key.setdefault(str(data["image_id"]), []).append(int(task["id"]))
    return by_key
