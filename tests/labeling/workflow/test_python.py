"""Labelling from Python, against a real server: what a notebook does in place of the command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.labeling.disputing import DRAWN, PICTURES, TEAM, answer, people, region, tasks
from tests.labeling.reviewing import validated
from tests.stages.answering import write_recipe
from tests.stages.curated import build

import tundish
from tundish.errors import OutsideError
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

pytestmark = pytest.mark.label_studio

SETTINGS = {"shapes": ["box", "mask"], "iou": 0.08, "acceptance": {"aql": 6.5}}


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> Context:
    """Five pictures of 64 x 48 px, not labelled yet; nothing about the server in the environment."""
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_TOKEN", raising=False)
    label = {"project": title, "files": str(label_studio.files), **SETTINGS}
    context = build(tmp_path, PICTURES, children=False, label=label)
    write_recipe(context)
    return context


@pytest.fixture
def where(context: Context, label_studio: LabelStudio) -> dict[str, Any]:
    """The arguments that say which project and server are meant."""
    token_file = label_studio.folder / "token"
    return {"project": context.project, "server": label_studio.url, "token_file": token_file}


def pulled(context: Context, where: dict[str, Any]) -> tundish.LabelPull:
    """Pull, and run the stages up to consensus, as validate would leave the labels."""
    done = tundish.label_pull("small", **where)
    labels = ANNOTATIONS.read(context.dataset.labels / "annotations.parquet")
    context.dataset.write(ANNOTATIONS, labels)
    validated(context)
    return done


def test_pushed_pulled_compared_and_adjudicated(
    context: Context, client: Client, title: str, where: dict[str, Any]
) -> None:
    seen: list[tuple[str, int, int]] = []
    first = tundish.label_push("small", progress=lambda *step: seen.append(step), **where)
    assert (first.new_tasks, first.existing_tasks, first.updated_proposals) == (5, 0, 0)
    assert list(first.projects) == [title]
    assert first.projects[title].startswith(f"{client.address}/projects/")
    assert ("pictures", 5, 5) in seen
    assert seen[-1] == ("push", 5, 5)
    assert tundish.label_push("small", **where).existing_tasks == 5
    chosen = context.project / "next.txt"
    chosen.write_text("".join(f"{picture.image_id}\n" for picture in PICTURES[:2]))
    some = tundish.label_push("small", images=chosen, annotators=["qi", "wu"], **where)
    assert (some.new_tasks, list(some.projects)) == (2, [f"{title} · qi", f"{title} · wu"])
    assert some.notes[0].startswith(f"2 images without an answer in '{title}' went to others")

    assert pulled(context, where).notes == ("nobody has submitted an answer yet",)
    numbers = people(client)
    for path, task in tasks(client, title).items():
        for name, drawn in zip(TEAM, DRAWN[path], strict=True):
            result = [region(f"{name}{row}", *one) for row, one in enumerate(drawn)]
            answer(client, task["id"], result, numbers[name])
    done = pulled(context, where)
    assert (done.changed_tasks, done.answers, done.missing) == (5, 20, None)

    agreement = tundish.label_agree("small", project=context.project)
    assert agreement.images == 5
    assert set(agreement.annotators["author"]) == {f"{name}@plant.example" for name in TEAM}
    assert agreement.confusion_matrix["label"].to_list()[:2] == ["no", "scratch"]
    assert "<table" in agreement._repr_html_()

    asked = tundish.label_adjudicate("small", **where)
    assert (asked.in_dispute, asked.new_tasks, asked.labels_not_shown) == (4, 4, 0)
    assert asked.address is not None
    assert len(tasks(client, f"{title} · adjudication")) == 4
    again = tundish.label_adjudicate("small", **where)
    assert (again.new_tasks, again.existing_tasks, again.address) == (0, 4, asked.address)


def test_a_batch_is_opened_reviewed_and_refused(
    context: Context, client: Client, title: str, where: dict[str, Any]
) -> None:
    tundish.label_push("small", **where)
    number = people(client)["li"]
    drawn = [region("r", "scratch", (10, 10, 20, 20))]
    for task in tasks(client, title).values():
        answer(client, task["id"], drawn, number)
    pulled(context, where)
    with pytest.raises(OutsideError, match="Label Studio does not answer") as down:
        tundish.label_accept("small", aql=10.0, seed=7, **where | {"server": "http://127.0.0.1:9"})
    (note,) = down.value.__notes__
    assert note.startswith("opens batch 1: 5 images, 5 not in a batch before; AQL 10 %, level II")

    opened = tundish.label_accept("small", aql=1.0, **where)
    assert (opened.batch, opened.images, opened.reviewed, opened.accepted) == (1, 5, 0, None)
    assert opened.notes[0] == "--aql applies to a new batch; batch 1 is reviewed as it was opened"
    assert opened.address == opened.notes[-1]
    for task in tasks(client, f"{title} review 1").values():
        answer(client, task["id"], [], people(client)["qi"])
    judged = tundish.label_accept("small", **where)
    assert (judged.reviewed, judged.accepted) == (judged.sample, False)
    assert judged.findings is not None
    assert judged.findings.height == judged.sample
    assert judged.folder == context.dataset.labels / "batches" / "1"
    assert str(judged.refusal).startswith("small: batch 1 was not accepted; correct the images in datasets/")
    assert "<table" in judged._repr_html_()


SCRIPT = """
import polars
import tundish

with tundish.label_start(push="small", progress=lambda *step: print(*step, flush=True)) as server:
    print(server.url, len(server.pushed["small"].projects), server, flush=True)
    server.wait()
"""


def test_a_server_of_one_s_own_is_stopped_by_an_interrupt(
    context: Context, label_studio_executable: Path, label_studio_template: Path
) -> None:
    label = context.recipe.label.model_copy(update={"files": None})
    recipe = context.recipe.model_copy(update={"label": label})
    write_recipe(type(context)(recipe, context.project, context.engine))
    home = context.project / ".label-studio"
    shutil.copytree(label_studio_template, home)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=context.project,
        env=os.environ | {"TUNDISH_LABEL_STUDIO": str(label_studio_executable)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip()]
    while lines[-1] and not lines[-1].startswith("http"):
        lines.append(process.stdout.readline().strip())
    assert lines[:2] == ["start 0 1", "start 1 1"], process.communicate()
    url, projects, *shown = lines[-1].split()
    assert projects == "1"
    assert (home / "token").read_text().strip() not in " ".join(shown)
    assert url == (home / "address").read_text().strip()
    assert httpx.get(f"{url}/health").status_code == 200
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert error.strip().endswith("KeyboardInterrupt")
    assert not (home / "address").exists()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/health")


def test_a_server_of_pictures(context: Context) -> None:
    label = context.recipe.label.model_copy(update={"images": "serve", "served_at": "http://127.0.0.1:0"})
    recipe = context.recipe.model_copy(update={"label": label})
    write_recipe(type(context)(recipe, context.project, context.engine))
    with tundish.label_images("small", project=context.project) as server:
        found = httpx.get(f"{server.url}/{PICTURES[0].image_id}")
        assert (found.status_code, found.content) == (200, PICTURES[0].data)
    with pytest.raises(httpx.TransportError):
        httpx.get(server.url)
