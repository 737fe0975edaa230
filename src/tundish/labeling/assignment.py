"""Who labels which images: the annotators, their projects in Label Studio, and what each of them gets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from tundish.errors import UsageError
from tundish.formats.label_studio.controls import ADJUDICATION
from tundish.labeling.label_studio.push import look_up_existing
from tundish.labeling.tables import answered_images
from tundish.recipe.labelling import Label
from tundish.recipe.load import sentence

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Existing, Item
    from tundish.recipe.load import Recipe

__all__ = [
    "Assignment",
    "adjudication_title",
    "assign",
    "assign_items",
    "projects_to_pull",
    "with_annotators",
]


class Assignment(NamedTuple):
    """What goes into one project.

    Attributes:
        title: The project's title.
        items: What is to be labelled there, in the order of work.
        existing: What the server has of the project already.
    """

    title: str
    items: Sequence[Item]
    existing: Existing


def with_annotators(recipe: Recipe, annotators: str | Sequence[str] | None, overlap: float | None) -> Recipe:
    """The recipe with other annotators or another overlap.

    Args:
        recipe: The dataset's recipe.
        annotators: Their names, in one text with commas between them or one by one; None as in the recipe.
        overlap: Share of the images that two of them get; None as in the recipe.

    Raises:
        UsageError: A name cannot be an annotator's, or there are too few for an overlap.
    """
    changes: dict[str, Any] = {}
    if annotators is not None:
        names = annotators.split(",") if isinstance(annotators, str) else annotators
        changes["annotators"] = tuple(filter(None, map(str.strip, names)))
        if not changes["annotators"]:
            raise UsageError("no annotator is named", where="--annotators", fix="name them, as in li,wu")
    if overlap is not None:
        changes["overlap"] = overlap
    if not changes:
        return recipe
    try:
        label = Label.model_validate(dict(recipe.label) | changes)
    except ValidationError as error:
        first = error.errors()[0]
        option = first["loc"][0] if first["loc"] else "annotators"
        what, fix = sentence(first, f"--{option}")
        raise UsageError(what, fix=fix) from None
    return recipe.model_copy(update={"label": label})


def adjudication_title(recipe: Recipe) -> str:
    """Title of the project in which disputes are settled."""
    return _title(recipe, ADJUDICATION)


def projects_to_pull(client: Client, recipe: Recipe) -> list[str]:
    """Titles of the projects that hold answers about the dataset, whoever was named when they were pushed.

    Those that the recipe names are among them even where the server lacks them, so that it is reported. The
    one for all may be missing where annotators were named at a push.

    Args:
        client: The server.
        recipe: The dataset's recipe.

    Raises:
        OutsideError: The server fails.
    """
    existing = _projects(client, recipe)
    of_annotators = set(existing) - {adjudication_title(recipe)}
    wanted = _titles(recipe).values() if recipe.label.annotators or not of_annotators else []
    return list(dict.fromkeys([*wanted, *existing]))


def assign_items(
    client: Client, recipe: Recipe, items: Sequence[Item], labels: Path
) -> tuple[list[Assignment], list[str]]:
    """Assign items to the annotators' projects, with sentences worth reading.

    What annotators who are not named have answered is not asked again, even where their project was deleted
    and only the answers pulled to `labels` are left; what they have not answered goes to the named.

    Args:
        client: The server.
        recipe: The dataset's recipe.
        items: What is to be labelled, in the order of work.
        labels: The dataset's ``labels/``.

    Raises:
        UsageError: Annotators have a project each, and nobody is named.
        OutsideError: The server fails.
    """
    projects = _projects(client, recipe)
    titles = _titles(recipe)
    others = [one for one in projects if one not in (*titles.values(), adjudication_title(recipe))]
    if others and not recipe.label.annotators and recipe.label_title not in projects:
        raise _nobody_named(recipe, others)
    existing = {name: look_up_existing(client, projects.get(title)) for name, title in titles.items()}
    unnamed = {title: look_up_existing(client, projects[title]) for title in others}
    by_id = {item.image_id: item for item in items}
    gone = {
        title: ids
        for title, ids in answered_images(labels).items()
        if _belongs(recipe, title) and title not in (*projects, *titles.values())
    }
    assigned = assign(
        by_id,
        list(titles),
        recipe.label.overlap,
        {name: one.image_ids for name, one in existing.items()},
        gone | {title: one.answered for title, one in unnamed.items()},
    )
    work = [
        Assignment(titles[name], [by_id[key] for key in mine], existing[name])
        for name, mine in assigned.items()
    ]
    wanted = {key for mine in assigned.values() for key in mine}
    left = {title: len((one.image_ids - one.answered) & wanted) for title, one in unnamed.items()}
    kept = {title: len(ids.intersection(by_id)) for title, ids in gone.items()}
    return work, [
        *(_left(recipe, title, count) for title, count in left.items() if count),
        *(_kept(title, count) for title, count in kept.items() if count),
    ]


def assign(
    image_ids: Iterable[str],
    annotators: Sequence[str],
    overlap: float,
    existing: Mapping[str, Collection[str]],
    answered: Mapping[str, Collection[str]],
) -> dict[str, list[str]]:
    """Assign images, in the order given: one annotator each, and a second for a share of them.

    It goes by hashes of image and annotator, so that it stays as it is when images come; what an annotator
    has already stays with them when annotators come.

    Args:
        image_ids: All images to be labelled.
        annotators: Who labels.
        overlap: Share of the images that two annotators get.
        existing: The images that each of them has already.
        answered: The images that each former annotator has answered: so many fewer are wanted.

    Returns:
        The image_ids of each annotator.
    """
    assigned: dict[str, list[str]] = {name: [] for name in annotators}
    for image_id in image_ids:
        wanted = 1 + (_share(image_id, "") < overlap)
        have = sum(image_id in existing.get(name, ()) for name in annotators)
        others = sum(image_id in ids for ids in answered.values())
        order = sorted(
            annotators, key=lambda name: (image_id not in existing.get(name, ()), _share(image_id, name))
        )
        for name in order[: max(wanted - others, min(have, wanted))]:
            assigned[name].append(image_id)
    return assigned


def _share(image_id: str, name: str) -> float:
    """A number from 0 to 1 that looks random and never changes."""
    digest = hashlib.sha256(f"{image_id}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _kept(title: str, count: int) -> str:
    """That answers from a deleted project count."""
    images = "images" if count > 1 else "image"
    return (
        f"{count:,} {images} answered in '{title}', which is no longer on the server: the answers count as "
        "they were pulled; to be rid of them delete labels/, and pull the others again"
    )


def _left(recipe: Recipe, title: str, count: int) -> str:
    """That others are asked for what somebody has not answered, and how not to have it labelled twice."""
    reason = (
        "since annotators are named now"
        if title == recipe.label_title
        else f"since '{_annotator(recipe, title)}' was not named"
    )
    images, are = ("images", "they are") if count > 1 else ("image", "it is")
    return (
        f"{count:,} {images} without an answer in '{title}' went to others, {reason}: delete the tasks "
        f"without an answer there, or {are} labelled twice; whoever is named keeps what they have"
    )


def _projects(client: Client, recipe: Recipe) -> dict[str, dict[str, Any]]:
    """The dataset's projects by title, the oldest first; projects of reviews are not among them."""
    found = client.projects(recipe.label_title).items()
    return {key: one for key, one in found if _belongs(recipe, key)}


def _belongs(recipe: Recipe, title: str) -> bool:
    """Whether a project of this title is the dataset's, for all or for one annotator."""
    return title == recipe.label_title or title.startswith(_title(recipe, ""))


def _titles(recipe: Recipe) -> dict[str, str]:
    """Title of the project by annotator; the name is empty for one project for all."""
    return {name: _title(recipe, name) for name in recipe.label.annotators} or {"": recipe.label_title}


def _title(recipe: Recipe, name: str) -> str:
    return f"{recipe.label_title} · {name}"


def _annotator(recipe: Recipe, title: str) -> str:
    """The annotator whose project has this title."""
    return title.removeprefix(_title(recipe, ""))


def _nobody_named(recipe: Recipe, titles: Iterable[str]) -> UsageError:
    """That all images would go to one project more, where annotators have a project each."""
    names = [_annotator(recipe, title) for title in titles]
    return UsageError(
        f"its images were assigned to {', '.join(names)} before, and no annotator is named now",
        where=recipe.dataset,
        fix=f"push with --annotators {','.join(names)}, or name them in the recipe's label.annotators",
    )
