"""Four annotators who dispute things, on a real server: what the tests of adjudication begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from click.testing import CliRunner
from tests.stages.answering import write_recipe
from tests.stages.curated import Picture, build

from tundish.cli import main
from tundish.formats.label_studio.shapes import brush_value
from tundish.imaging.geometry import counts_of_mask
from tundish.labeling.tables import answers_fingerprint
from tundish.stages.consensus import STAGE
from tundish.storage.tables import ANNOTATIONS, STANDING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

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


def dispute(
    tmp_path: Path, title: str, label_studio: LabelStudio, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Context:
    """Five pictures of 64 x 48 px in front of four annotators, who have answered all of them."""
    label = {"project": title, "files": str(label_studio.files), "shapes": ["box", "mask"], "iou": 0.08}
    context = build(tmp_path, PICTURES, children=False, label=label)
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.account.token)
    reported("push", "small")
    numbers = people(client)
    for path, task in tasks(client, title).items():
        for name, drawn in zip(TEAM, DRAWN[path], strict=True):
            result = [region(f"{name}{row}", *one) for row, one in enumerate(drawn)]
            answer(client, task["id"], result, numbers[name])
    return context


def reported(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["label", *words, "--json"])
    assert done.exit_code == 0, done.output or done.exception
    return dict(orjson.loads(done.stdout))


def counts(**given: int) -> dict[str, int]:
    """What `tundish label adjudicate` counts."""
    names = ("in dispute", "new tasks", "there already", "renewed", "taken out", "labels not shown")
    return dict.fromkeys(names, 0) | {name.replace("_", " "): count for name, count in given.items()}


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
    reported("pull", "small")
    # As validate does, the labels that were pulled take the place of those pulled before.
    labels = ANNOTATIONS.read(context.dataset.labels / "annotations.parquet")
    ANNOTATIONS.write(
        labels, context.dataset.table("annotations"), metadata=answers_fingerprint(context.dataset.labels)
    )
    STAGE.run(context)
    rows = context.dataset.read(STANDING).select("path", "state", "labels", "decided_by")
    return {path: (state, labels, by) for path, state, labels, by in rows.iter_rows()}


def answered_by(client: Client, task: int, author: int) -> int:
    """The number of somebody's answer."""
    listed = client.get("reading", f"api/tasks/{task}/annotations/")
    (number,) = (one["id"] for one in listed if one["completed_by"] == author)
    return int(number)
