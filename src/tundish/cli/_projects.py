"""The projects of a dataset in Label Studio: whose they are, and who gets which images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.tasks import Existing, Item
    from tundish.recipe.load import Recipe

__all__ = ["Work", "adjudication_of", "dealt", "found_titles"]


class Work(NamedTuple):
    """What goes into one project, and what is there already."""

    title: str
    items: Sequence[Item]
    there: Existing


def adjudication_of(recipe: Recipe) -> str:
    """Title of the project in which disputes are settled."""
    from tundish.recipe.labelling import ADJUDICATION

    return _title(recipe, ADJUDICATION)


def found_titles(client: Client, recipe: Recipe) -> list[str]:
    """Titles of the projects whose answers are the dataset's, whoever was named when they were pushed.

    Those the recipe names are among them even where they are missing: that is to be told. The one for all
    may be missing where annotators were named at a push.
    """
    there = _projects(client, recipe)
    dealt = set(there) - {adjudication_of(recipe)}
    wanted = _titles(recipe).values() if recipe.label.annotators or not dealt else []
    return list(dict.fromkeys([*wanted, *there]))


def dealt(
    client: Client, recipe: Recipe, items: Sequence[Item], labels: Path
) -> tuple[list[Work], list[str]]:
    """Who gets which of the items, and what is to be said of it.

    What annotators who are not named have answered is not asked again, though their project is gone and only
    `labels`, as pulled, tells of it; what they have left goes to the named.

    Raises:
        UsageError: Annotators have a project each, and nobody is named.
        OutsideError: The server fails.
    """
    from tundish.labeling.assignment import deal
    from tundish.labeling.label_studio.push import look_up_existing
    from tundish.labeling.tables import answered_images

    projects = _projects(client, recipe)
    titles = _titles(recipe)
    others = [one for one in projects if one not in (*titles.values(), adjudication_of(recipe))]
    if others and not recipe.label.annotators and recipe.label_title not in projects:
        raise _nobody_named(recipe, others)
    there = {name: look_up_existing(client, projects.get(title)) for name, title in titles.items()}
    unnamed = {title: look_up_existing(client, projects[title]) for title in others}
    by_id = {item.image_id: item for item in items}
    has = {name: one.image_ids for name, one in there.items()}
    gone = {
        title: ids
        for title, ids in answered_images(labels).items()
        if _is_of(recipe, title) and title not in (*projects, *titles.values())
    }
    answered = gone | {title: one.answered for title, one in unnamed.items()}
    chosen = deal(by_id, list(titles), recipe.label.overlap, has, answered)
    work = [Work(titles[name], [by_id[key] for key in mine], there[name]) for name, mine in chosen.items()]
    asked = {key for mine in chosen.values() for key in mine}
    left = {title: len((one.image_ids - one.answered) & asked) for title, one in unnamed.items()}
    notes = [_left(recipe, title, count) for title, count in left.items() if count]
    kept = {title: len(ids.intersection(by_id)) for title, ids in gone.items()}
    return work, [*notes, *(_kept(title, count) for title, count in kept.items() if count)]


def _kept(title: str, count: int) -> str:
    """That answers count whose project is gone."""
    images = "images" if count > 1 else "image"
    return (
        f"{count:,} {images} answered in '{title}', which the server has no longer: the answers count as "
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
    """The dataset's projects by title, the oldest first; those of reviews are not among them."""
    found = client.projects(recipe.label_title).items()
    return {key: one for key, one in found if _is_of(recipe, key)}


def _is_of(recipe: Recipe, title: str) -> bool:
    """Whether a project of this title is the dataset's, for all or for one annotator."""
    return title == recipe.label_title or title.startswith(_title(recipe, ""))


def _titles(recipe: Recipe) -> dict[str, str]:
    """Title of the project by annotator; one for all has no name."""
    return {name: _title(recipe, name) for name in recipe.label.annotators} or {"": recipe.label_title}


def _title(recipe: Recipe, name: str) -> str:
    return f"{recipe.label_title} · {name}"


def _annotator(recipe: Recipe, title: str) -> str:
    """Whose project has this title."""
    return title.removeprefix(_title(recipe, ""))


def _nobody_named(recipe: Recipe, titles: Iterable[str]) -> UsageError:
    """That all images would go to one project more, where annotators have a project each."""
    names = [_annotator(recipe, title) for title in titles]
    return UsageError(
        f"its images were dealt to {', '.join(names)} before, and now nobody is named",
        where=recipe.dataset,
        fix=f"push with --annotators {','.join(names)}, or name them in the recipe's label.annotators",
    )
