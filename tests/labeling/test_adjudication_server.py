"""``tundish label adjudicate`` as it is typed, against a real server: four annotators, all disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from click.testing import CliRunner
from tests.stages.answering import write_recipe
from tests.stages.curated import Picture, build

from tundish.cli import main
from tundish.imaging.geometry import counts_of_mask
from tundish.labeling.pull import pulled
from tundish.labeling.shapes import brush_value
from tundish.stages import load_stage
from tundish.stages.consensus import STAGE
from tundish.tables import ANNOTATIONS, CONSENSUS, DISPUTES, SPLITS, STANDING

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.client import Client
    from tundish.labeling.server import LabelStudio
    from tundish.stages.base import Context

pytestmark = pytest.mark.label_studio

TEAM = ("li", "wu", "xu", "yu")
PICTURES = [Picture(f"{name}.jpg", seed=seed, state="unlabelled") for seed, name in enumerate("abcde", 1)]
HERE, AWAY = (10, 10, 20, 20), (40, 24, 16, 16)
DRAWN: dict[str, tuple[list[tuple[str, tuple[int, int, int, int]]], ...]] = {
    # One of four drew something; they agree on the other.
    "a.jpg": ([("no", AWAY), ("scratch", HERE)], *[[("no", AWAY)]] * 3),
    # They drew one thing, and differ in what it is.
    "b.jpg": (*[[("scratch", HERE)]] * 2, *[[("no", HERE)]] * 2),
    # Neighbours' strokes overlap, and no pixel is in three of four; a box that one drew.
    "c.jpg": tuple([("stroke", (4 + 8 * at, 2, 16, 6)), *[("no", AWAY)] * (at == 3)] for at in range(4)),
    "d.jpg": ([("scratch", HERE)], [], [], []),
    "e.jpg": ([("scratch", HERE)],) * 4,
}


def region(key: str, name: str, place: tuple[int, int, int, int]) -> dict[str, Any]:
    """A box, or the stroke of a brush, in px."""
    x, y, width, height = place
    kind, control, classes = "rectanglelabels", "box", [name]
    value: dict[str, Any] = {"x": x / 0.64, "y": y / 0.48, "width": width / 0.64, "height": height / 0.48}
    if name == "stroke":
        pixels = np.zeros((48, 64), np.uint8)
        pixels[y : y + height, x : x + width] = 1
        kind, control, classes = "brushlabels", "brush", ["scratch"]
        value = brush_value(counts_of_mask(pixels), 64, 48)
    return {
        "id": key, "from_name": control, "to_name": "image", "type": kind, "value": value | {kind: classes},
        "original_width": 64, "original_height": 48, "image_rotation": 0, "origin": "manual",
    }  # fmt: skip


def people(client: Client) -> dict[str, int]:
    """Their numbers in the server by name."""
    known = {email: number for number, email in client.users().items()}
    for name in (*TEAM, "qi"):
        email = f"{name}@plant.example"
        if email not in known:
            body = {"email": email, "username": email, "first_name": "", "last_name": ""}
            known[email] = int(client.post("adding an annotator", "api/users/", body)["id"])
    return {name: known[f"{name}@plant.example"] for name in (*TEAM, "qi")}


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Context:
    """Five pictures of 64 x 48 px in front of four annotators, who have answered all of them."""
    label = {"project": title, "files": str(label_studio.files), "shapes": ["box", "mask"], "iou": 0.08}
    context = build(tmp_path, PICTURES, children=False, label=label)
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.account.token)
    told("push", "small")
    numbers = people(client)
    for path, task in tasks(client, title).items():
        for name, drawn in zip(TEAM, DRAWN[path], strict=True):
            result = [region(f"{name}{row}", *one) for row, one in enumerate(drawn)]
            answer(client, task["id"], result, numbers[name])
    return context


def told(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["label", *words, "--json"])
    assert done.exit_code == 0, done.output
    return dict(orjson.loads(done.stdout))


def tasks(client: Client, title: str) -> dict[str, dict[str, Any]]:
    project = client.find_project(title)
    assert project is not None
    fields = ("id", "data", "total_predictions")
    return {task["data"]["path"]: task for task in client.tasks(project["id"], fields)}


def answer(client: Client, task: int, result: list[dict[str, Any]], author: int, **more: Any) -> int:
    body = {"result": result, "completed_by": author, "lead_time": 1.0} | more
    return int(client.post("answering", f"api/tasks/{task}/annotations/", body)["id"])


def proposal(client: Client, task: int) -> list[dict[str, Any]]:
    (prediction,) = client.get("reading", "api/predictions/", task=task)
    assert prediction["model_version"] == "disputes"
    return [one | {"origin": "prediction"} for one in prediction["result"]]


def settled(context: Context) -> dict[str, tuple[str, int, str]]:
    """Pull, and run the stages up to consensus: state, labels and who decided, by path."""
    told("pull", "small")
    # As validate does, the labels that were pulled take the place of those pulled before.
    labels = ANNOTATIONS.read(context.labels / "annotations.parquet")
    ANNOTATIONS.write(labels, context.table("annotations"), metadata=pulled(context.labels))
    STAGE.run(context)
    rows = STANDING.read(context.table("standing")).select("path", "state", "labels", "decided_by")
    return {path: (state, labels, by) for path, state, labels, by in rows.iter_rows()}


def test_disputed_adjudicated_and_in(context: Context, client: Client, title: str) -> None:
    first = settled(context)
    assert {path for path, (state, _, _) in first.items() if state == "disputed"} == set(DRAWN) - {"e.jpg"}
    reasons = DISPUTES.read(context.table("disputes"))["reason"]
    assert set(reasons) == {"quorum", "class", "geometry"}
    done = told("adjudicate", "small")
    assert done["counts"] == {"in dispute": 4, "new tasks": 4, "there already": 0, "labels not shown": 0}
    asked = tasks(client, f"{title} · adjudication")
    ids = {picture.path: picture.image_id for picture in PICTURES}
    one = sorted(["a.jpg", "b.jpg", "d.jpg"], key=ids.__getitem__)
    assert list(asked) == ["c.jpg", *one], "the most disputes first, then by image_id"
    assert asked["b.jpg"]["data"]["why"] == "Dispute 1: 2 call it 'no', 2 call it 'scratch'"
    shown = {path: proposal(client, task["id"]) for path, task in asked.items()}
    assert {path: len(drawn) for path, drawn in shown.items()} == {
        "a.jpg": 2, "b.jpg": 4, "c.jpg": 5, "d.jpg": 1
    }  # fmt: skip
    assert ["meta" in one for one in shown["a.jpg"]] == [True, False], "what is agreed has no note"
    everything = orjson.dumps([asked, shown]).decode()
    assert not any(f"{name}@" in everything for name in TEAM), "the adjudicator does not see whose it is"

    qi = people(client)["qi"]
    answer(client, asked["a.jpg"]["id"], shown["a.jpg"][1:], qi)
    hasty = answer(client, asked["b.jpg"]["id"], shown["b.jpg"], qi)
    answer(client, asked["c.jpg"]["id"], [], qi, was_cancelled=True)
    unseen = answer(client, asked["d.jpg"]["id"], [], qi)
    assert settled(context)["d.jpg"][0] == "disputed", "it was not begun from what is drawn"
    (prediction,) = client.get("reading", "api/predictions/", task=asked["d.jpg"]["id"])
    body: dict[str, Any] = {"result": [], "parent_prediction": prediction["id"]}
    client.send("changing", "PATCH", f"api/annotations/{unseen}/", json=body)
    second = settled(context)
    assert second["a.jpg"] == ("labelled", 1, "adjudicator")
    assert second["d.jpg"] == ("negative", 0, "adjudicator")
    assert second["b.jpg"][0] == second["c.jpg"][0] == "disputed"
    agreed = CONSENSUS.read(context.table("consensus")).filter(path="a.jpg").row(0, named=True)
    assert (agreed["label"], agreed["decided_by"], agreed["votes"]) == ("no", "qi@plant.example", None)
    assert [agreed[name] for name in ("x", "y", "width", "height")] == pytest.approx(AWAY)
    again = told("adjudicate", "small")
    assert again["counts"] == {"in dispute": 2, "new tasks": 0, "there already": 2, "labels not shown": 0}

    body = {"result": shown["b.jpg"][:1]}
    client.send("changing", "PATCH", f"api/annotations/{hasty}/", json=body)
    third = settled(context)
    assert third["b.jpg"] == ("labelled", 1, "adjudicator")
    load_stage("split").run(context)
    splits = SPLITS.read(context.table("splits"))
    inside = splits.drop_nulls("split")["path"].to_list()
    assert sorted(inside) == ["a.jpg", "b.jpg", "d.jpg", "e.jpg"]
    agreement = CliRunner().invoke(main, ["label", "agree", "small"])
    assert "qi@plant.example" not in agreement.output


def test_nothing_in_dispute_and_a_project_that_went(context: Context, client: Client, title: str) -> None:
    settled(context)
    told("adjudicate", "small")
    qi = people(client)["qi"]
    for task in tasks(client, f"{title} · adjudication").values():
        (prediction,) = client.get("reading", "api/predictions/", task=task["id"])
        answer(client, task["id"], [], qi, parent_prediction=prediction["id"])
    before = settled(context)
    project = client.find_project(f"{title} · adjudication")
    assert project is not None
    client.delete_project(project["id"])
    assert settled(context) == before, "what was adjudicated stays when the project goes"
    done = told("adjudicate", "small")
    assert (done["counts"]["in dispute"], done["notes"]) == (0, ["nothing is in dispute"])
    assert client.find_project(f"{title} · adjudication") is None


def test_the_annotators_project_went__it_is_told_though_the_adjudicators_is_there(
    context: Context, client: Client, title: str
) -> None:
    settled(context)
    told("adjudicate", "small")
    project = client.find_project(title)
    assert project is not None
    client.delete_project(project["id"])
    done = CliRunner().invoke(main, ["label", "pull", "small"])
    assert done.exit_code == 3
    assert f"the server has no project '{title}'; the answers of 5 tasks" in done.output
