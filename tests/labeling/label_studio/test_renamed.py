"""A class renamed in the recipe after projects were made, against a real server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.labeling.disputing import TEAM, answer, counts, people, proposal, reported, settled, tasks
from tests.stages.answering import write_recipe
from tests.stages.curated import Picture, build

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

pytestmark = pytest.mark.label_studio

CLASSES = ["scratch", "no"]


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Context:
    """A picture that two call scratched and two not."""
    label = {"project": title, "files": str(label_studio.files), "shapes": ["class"]}
    pictures = [Picture("a.jpg", seed=1, state="unlabelled")]
    context = build(tmp_path, pictures, children=False, label=label, annotations={"classes": CLASSES})
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.account.token)
    reported("push", "small")
    (task,) = tasks(client, title).values()
    for name, given in zip(TEAM, sorted(CLASSES * 2), strict=True):
        answer(client, task["id"], [choices(given)], people(client)[name])
    return context


def choices(*names: str) -> dict[str, Any]:
    value = {"choices": list(names)}
    return {"id": "c", "from_name": "choice", "to_name": "image", "type": "choices", "value": value}


def renamed(context: Context, *names: str) -> Context:
    """The recipe calls 'scratch' by the first of the names now."""
    classes = {names[0]: (*names[1:], "scratch"), "no": ()}
    annotations = context.recipe.annotations.model_copy(update={"classes": classes})
    context = replace(context, recipe=context.recipe.model_copy(update={"annotations": annotations}))
    write_recipe(context)
    return context


def test_what_is_in_dispute_is_known_by_the_names_of_the_adjudicator_s_project(
    context: Context, client: Client, title: str
) -> None:
    settled(context)
    reported("adjudicate", "small")
    context = renamed(context, "Kratzer")
    settled(context)
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=1, renewed=1)
    assert f"the labelling configuration of '{title} · adjudication' was updated" in done["notes"]
    (task,) = tasks(client, f"{title} · adjudication").values()
    assert task["data"]["why"] == "Dispute 1 (whole image): 2 call it 'Kratzer', 2 call it 'no'"
    (shown,) = proposal(client, task["id"])
    assert sorted(shown["value"]["choices"]) == ["no", "scratch"]
    assert shown["meta"]["dispute"] == {"no": 1, "scratch": 1}
    assert reported("adjudicate", "small")["counts"] == counts(in_dispute=1, there_already=1)
    qi = people(client)["qi"]
    undecided = answer(client, task["id"], [shown], qi)
    assert settled(context)["a.jpg"][0] == "disputed"
    context = renamed(context, "Riss", "Kratzer")  # and once more, before it is decided
    assert settled(context)["a.jpg"][0] == "disputed"
    body = {"result": [shown | {"value": {"choices": ["scratch"]}}]}
    client.send("deciding", "PATCH", f"api/annotations/{undecided}/", json=body)
    assert settled(context)["a.jpg"] == ("labelled", 1, "adjudicator")
