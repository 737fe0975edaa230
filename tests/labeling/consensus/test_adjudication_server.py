"""``tundish label adjudicate`` as it is typed, against a real server: four annotators, all disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner
from tests.labeling.disputing import (
    AWAY,
    DRAWN,
    PICTURES,
    TEAM,
    answer,
    counts,
    dispute,
    people,
    proposal,
    reported,
    settled,
    tasks,
)

from tundish.cli import main
from tundish.stages import load_stage
from tundish.storage.tables import CONSENSUS, DISPUTES, SPLITS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

pytestmark = pytest.mark.label_studio


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Context:
    return dispute(tmp_path, title, label_studio, client, monkeypatch)


def test_disputed_adjudicated_and_in(context: Context, client: Client, title: str) -> None:
    first = settled(context)
    assert {path for path, (state, _, _) in first.items() if state == "disputed"} == set(DRAWN) - {"e.jpg"}
    reasons = context.dataset.read(DISPUTES)["reason"]
    assert set(reasons) == {"quorum", "class", "geometry"}
    done = reported("adjudicate", "small")
    assert done["counts"] == counts(in_dispute=4, new_tasks=4)
    pushed = tasks(client, f"{title} · adjudication")
    ids = {picture.path: picture.image_id for picture in PICTURES}
    one = sorted(["a.jpg", "b.jpg", "d.jpg"], key=ids.__getitem__)
    assert list(pushed) == ["c.jpg", *one], "the most disputes first, then by image_id"
    assert pushed["b.jpg"]["data"]["why"] == "Dispute 1: 2 call it 'no', 2 call it 'scratch'"
    shown = {path: proposal(client, task["id"]) for path, task in pushed.items()}
    assert {path: len(drawn) for path, drawn in shown.items()} == {
        "a.jpg": 2, "b.jpg": 4, "c.jpg": 5, "d.jpg": 1
    }  # fmt: skip
    assert ["meta" in one for one in shown["a.jpg"]] == [True, False], "what is agreed has no note"
    everything = orjson.dumps([pushed, shown]).decode()
    assert not any(f"{name}@" in everything for name in TEAM), "the adjudicator does not see whose it is"

    qi = people(client)["qi"]
    answer(client, pushed["a.jpg"]["id"], shown["a.jpg"][1:], qi)
    hasty = answer(client, pushed["b.jpg"]["id"], shown["b.jpg"], qi)
    answer(client, pushed["c.jpg"]["id"], [], qi, was_cancelled=True)
    unseen = answer(client, pushed["d.jpg"]["id"], [], qi)
    assert settled(context)["d.jpg"][0] == "disputed", "it was not begun from what is drawn"
    (prediction,) = client.get("reading", "api/predictions/", task=pushed["d.jpg"]["id"])
    body: dict[str, Any] = {"result": [], "parent_prediction": prediction["id"]}
    client.send("changing", "PATCH", f"api/annotations/{unseen}/", json=body)
    second = settled(context)
    assert second["a.jpg"] == ("labelled", 1, "adjudicator")
    assert second["d.jpg"] == ("negative", 0, "adjudicator")
    assert second["b.jpg"][0] == second["c.jpg"][0] == "disputed"
    agreed = context.dataset.read(CONSENSUS).filter(path="a.jpg").row(0, named=True)
    assert (agreed["label"], agreed["decided_by"], agreed["votes"]) == ("no", "qi@plant.example", None)
    assert [agreed[name] for name in ("x", "y", "width", "height")] == pytest.approx(AWAY)
    again = reported("adjudicate", "small")
    assert again["counts"] == counts(in_dispute=2, there_already=2)

    body = {"result": shown["b.jpg"][:1]}
    client.send("changing", "PATCH", f"api/annotations/{hasty}/", json=body)
    third = settled(context)
    assert third["b.jpg"] == ("labelled", 1, "adjudicator")
    load_stage("split").run(context)
    splits = context.dataset.read(SPLITS)
    inside = splits.drop_nulls("split")["path"].to_list()
    assert sorted(inside) == ["a.jpg", "b.jpg", "d.jpg", "e.jpg"]
    agreement = CliRunner().invoke(main, ["label", "agree", "small"])
    assert "qi@plant.example" not in agreement.output


def test_nothing_in_dispute_and_a_deleted_project(context: Context, client: Client, title: str) -> None:
    settled(context)
    reported("adjudicate", "small")
    qi = people(client)["qi"]
    for task in tasks(client, f"{title} · adjudication").values():
        (prediction,) = client.get("reading", "api/predictions/", task=task["id"])
        answer(client, task["id"], [], qi, parent_prediction=prediction["id"])
    before = settled(context)
    project = client.find_project(f"{title} · adjudication")
    assert project is not None
    client.send("deleting", "DELETE", f"api/projects/{project['id']}/")
    assert settled(context) == before, "what was adjudicated stays when the project goes"
    done = reported("adjudicate", "small")
    assert (done["counts"]["in dispute"], done["notes"]) == (0, ["nothing is in dispute"])
    assert client.find_project(f"{title} · adjudication") is None


def test_the_annotators_project_was_deleted__reported_though_the_adjudicators_exists(
    context: Context, client: Client, title: str
) -> None:
    settled(context)
    reported("adjudicate", "small")
    (task,) = (task for path, task in tasks(client, f"{title} · adjudication").items() if path == "d.jpg")
    answer(client, task["id"], proposal(client, task["id"]), people(client)["qi"])
    project = client.find_project(title)
    assert project is not None
    client.send("deleting", "DELETE", f"api/projects/{project['id']}/")
    for changed in (1, 0):
        done = CliRunner().invoke(main, ["label", "pull", "small"])
        assert done.exit_code == 3
        assert f"changed tasks {changed}, unchanged {1 - changed}, answers 21" in done.stdout
        assert "Next: " not in done.stdout
        assert done.stderr.splitlines()[-1] == (
            f"Error: {client.address}: the server has no project '{title}' (the answers of 5 tasks pulled "
            "before stay); the others were pulled; push first, then pull again."
        )
    reported("push", "small")
    assert settled(context)["d.jpg"] == ("labelled", 1, "adjudicator")
