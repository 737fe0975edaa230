"""Tasks of the adjudication project that say otherwise than they would now, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.labeling.disputing import (
    AWAY,
    HERE,
    PICTURES,
    answer,
    answered_by,
    counts,
    dispute,
    people,
    proposal,
    region,
    reported,
    settled,
    tasks,
)

from tundish.cli import main
from tundish.labeling.label_studio.client import Client
from tundish.labeling.tables import LABEL_FAULTS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

Drawn = tuple[str, tuple[int, int, int, int]]

pytestmark = pytest.mark.label_studio


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Context:
    return dispute(tmp_path, title, label_studio, client, monkeypatch)


def numbers(client: Client, title: str) -> dict[str, int]:
    """Of the tasks in front of the adjudicator, by path."""
    return {path: task["id"] for path, task in tasks(client, f"{title} · adjudication").items()}


def say(client: Client, title: str, path: str, drawn: dict[str, list[Drawn]]) -> None:
    """Annotators change their answers about an image."""
    for name, boxes in drawn.items():
        number = answered_by(client, tasks(client, title)[path]["id"], people(client)[name])
        result = [region(f"{name}{row}", *one) for row, one in enumerate(boxes)]
        client.send("changing", "PATCH", f"api/annotations/{number}/", json={"result": result})


def test_changed_and_no_longer_disputed(context: Context, client: Client, title: str) -> None:
    settled(context)
    reported("adjudicate", "small")
    before = numbers(client, title)
    say(client, title, "a.jpg", {"li": [("no", AWAY)]})  # now all agree
    say(client, title, "b.jpg", {"li": [("scratch", HERE), ("no", AWAY)]})
    assert settled(context)["a.jpg"][0] == "labelled"
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=3, there_already=2, renewed=1, taken_out=1)
    after = numbers(client, title)
    assert list(after) == ["c.jpg", "d.jpg", "b.jpg"], "what is pushed anew comes last"
    assert [after[path] for path in ("c.jpg", "d.jpg")] == [before[path] for path in ("c.jpg", "d.jpg")]
    assert after["b.jpg"] > max(before.values()), "nobody who has an old task open answers another one"
    new = tasks(client, f"{title} · adjudication")["b.jpg"]
    assert new["data"]["why"].endswith("\nDispute 2: 1 of 4 who saw the image drew it (no)")
    assert len(proposal(client, new["id"])) == 5
    assert reported("adjudicate", "small")["counts"] == counts(in_dispute=3, there_already=3)
    settled(context)
    faults = LABEL_FAULTS.read(context.dataset.labels / "problems.parquet")["check"].to_list()
    assert "task_gone" not in faults, "nobody had answered what was taken out"


def test_nothing_in_dispute_any_more__the_project_is_looked_at(
    context: Context, client: Client, title: str
) -> None:
    settled(context)
    reported("adjudicate", "small")
    qi = people(client)["qi"]
    pushed = numbers(client, title)
    (prediction,) = client.get("reading", "api/predictions/", task=pushed["d.jpg"])
    answer(client, pushed["d.jpg"], [], qi, parent_prediction=prediction["id"])
    for path in "abc":
        say(client, title, f"{path}.jpg", {name: [("no", AWAY)] for name in ("li", "wu", "xu", "yu")})
    settled(context)
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(taken_out=3)
    assert done["notes"] == ["nothing is in dispute"]
    assert list(numbers(client, title)) == ["d.jpg"], "what was answered stays"
    assert settled(context)["d.jpg"] == ("negative", 0, "adjudicator")


def test_a_task_that_was_touched_stays_and_is_reported(context: Context, client: Client, title: str) -> None:
    settled(context)
    reported("adjudicate", "small")
    qi, pushed = people(client)["qi"], numbers(client, title)
    shown = proposal(client, pushed["b.jpg"])
    answer(client, pushed["a.jpg"], [], qi, was_cancelled=True)
    answer(client, pushed["b.jpg"], shown, qi)  # undecided
    draft = {"result": shown, "lead_time": 1.0}
    client.post("beginning", f"api/tasks/{pushed['d.jpg']}/drafts?project=1", draft)
    withdrawn = answer(client, pushed["c.jpg"], proposal(client, pushed["c.jpg"])[:1], qi)
    everything = {"li": [("no", HERE)], "wu": [("scratch", HERE)], "xu": [], "yu": []}
    for path in ("a.jpg", "b.jpg", "d.jpg"):
        say(client, title, path, everything)
    assert settled(context)["c.jpg"][2] == "adjudicator"
    client.send("withdrawing", "DELETE", f"api/annotations/{withdrawn}/")
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=3, there_already=3)
    assert numbers(client, title) == pushed, "to withdraw an answer is to touch its task"
    named = ", ".join(str(number) for number in sorted(pushed[f"{path}.jpg"] for path in "abd"))
    told_of, address = done["notes"]
    assert told_of == (
        f"3 tasks that somebody has begun or answered are outdated and stay ({named}): "
        "pull the answers first; if this is reported again, delete the task in the project to have the image "
        "adjudicated again"
    )
    assert "/projects/" in address
    client.delete_tasks(_project(client, title), [pushed["b.jpg"]])
    again = reported("adjudicate", "small")
    assert again["counts"] == counts(in_dispute=3, new_tasks=1, there_already=2)
    assert again["notes"][0].startswith("2 tasks that somebody")


def test_a_task_deleted_to_be_pushed_again__its_number_comes_again_and_is_nobody_s(
    context: Context, client: Client, title: str
) -> None:
    """The answer was empty by mistake: its task is deleted as told, and SQLite numbers on from there."""
    settled(context)
    reported("adjudicate", "small")
    path, number = max(numbers(client, title).items(), key=lambda one: one[1])
    answer(client, number, [], people(client)["qi"])
    assert settled(context)[path][0] == "disputed"
    client.send("deleting", "DELETE", f"api/tasks/{number}/")
    assert reported("adjudicate", "small")["counts"] == counts(in_dispute=4, new_tasks=1, there_already=3)
    assert numbers(client, title)[path] == number
    say(client, title, path, {"li": [("no", AWAY)], "wu": [("scratch", HERE)], "xu": [("no", (0, 0, 5, 5))]})
    assert settled(context)[path][0] == "disputed"
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=4, there_already=3, renewed=1)
    assert not any("somebody has begun" in note for note in done["notes"])


def test_the_last_task_removed__the_next_has_its_tab_and_its_proposal(
    context: Context, client: Client, title: str
) -> None:
    """Label Studio takes the tabs of a project with its last task; without one the editor opens too early."""
    settled(context)
    reported("adjudicate", "small")
    number = _project(client, title)
    for path in "abcd":
        say(client, title, f"{path}.jpg", {name: [("no", AWAY)] for name in ("li", "wu", "xu", "yu")})
    settled(context)
    assert reported("adjudicate", "small")["counts"] == counts(taken_out=4)
    assert client.get("reading", "api/dm/views/", project=number) == []
    say(client, title, "a.jpg", {name: [("scratch", AWAY)] for name in ("li", "wu")})
    settled(context)
    assert reported("adjudicate", "small")["counts"] == counts(in_dispute=1, new_tasks=1)
    assert len(client.get("reading", "api/dm/views/", project=number)) == 1
    assert len(proposal(client, numbers(client, title)["a.jpg"])) == 4
    found = client.find_project(f"{title} · adjudication")
    assert found is not None
    assert found["model_version"] == "disputes"


def test_tasks_of_others_and_of_an_earlier_version(context: Context, client: Client, title: str) -> None:
    settled(context)
    reported("adjudicate", "small")
    number = _project(client, title)
    for task in tasks(client, f"{title} · adjudication").values():
        old = {key: value for key, value in task["data"].items() if key != "made_of"}
        client.send("ageing", "PATCH", f"api/tasks/{task['id']}/", json={"data": old})
    image_id = PICTURES[4].image_id  # not in dispute
    strange: list[dict[str, Any]] = [
        {"image": "/x.jpg", "path": "without"},
        {"image": "/x.jpg", "path": "other", "image_id": "f" * 32, "purpose": "adjudication", "why": "x"},
        {"image": "/x.jpg", "path": "by hand", "image_id": image_id},
    ]
    client.import_tasks(number, [{"data": {"why": "", "width": 1, **data}} for data in strange])
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=4, renewed=4)
    paths = list(numbers(client, title))
    assert paths[:3] == ["without", "other", "by hand"]
    assert paths[3] == "c.jpg", "all pushed anew: the most disputes first"


class CutError(Exception):
    """The connection broke off."""


@pytest.mark.parametrize(
    ("call", "done", "repeated"),
    [
        ("import_tasks", False, counts(in_dispute=3, there_already=2, renewed=1, taken_out=1)),
        ("delete_tasks", False, counts(in_dispute=3, there_already=3, taken_out=2)),
        ("delete_tasks", True, counts(in_dispute=3, there_already=3)),
    ],
)
def test_killed_in_the_middle__a_repeat_completes(
    context: Context,
    client: Client,
    title: str,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    done: bool,
    repeated: dict[str, int],
) -> None:
    """Before the server did what it was asked for, or after it."""
    settled(context)
    reported("adjudicate", "small")
    say(client, title, "a.jpg", {"li": [("no", AWAY)]})
    say(client, title, "b.jpg", {"li": [("scratch", HERE), ("no", AWAY)]})
    settled(context)
    pushed = getattr(Client, call)

    def cut(self: Client, project: int, what: list[Any]) -> None:
        if done:
            pushed(self, project, what)
        raise CutError

    with monkeypatch.context() as patched:
        patched.setattr(Client, call, cut)
        broken = CliRunner().invoke(main, ["label", "adjudicate", "small"])
        assert isinstance(broken.exception, CutError)
    again = reported("adjudicate", "small")
    assert again["counts"] == repeated
    assert len(again["notes"]) == 1, "the address alone"
    assert len(client.tasks(_project(client, title))) == 3
    shown = tasks(client, f"{title} · adjudication")
    assert set(shown) == {"b.jpg", "c.jpg", "d.jpg"}
    assert len(proposal(client, shown["b.jpg"]["id"])) == 5


def _project(client: Client, title: str) -> int:
    found = client.find_project(f"{title} · adjudication")
    assert found is not None
    return int(found["id"])
