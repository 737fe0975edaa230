"""``tundish label accept`` as it is typed, against a real server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import polars as pl
import pytest
from click.testing import CliRunner, Result
from tests.stages.answering import answer, write_recipe
from tests.stages.curated import Picture, box, build

from tundish.cli import main
from tundish.recipe.labelling import Acceptance
from tundish.stages.consensus import STAGE
from tundish.storage.tables import STANDING

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.stages.base import Context

pytestmark = pytest.mark.label_studio

PICTURES = [Picture(f"{number}.jpg", seed=number, state="unlabelled") for number in range(12)]
DRAWN = [box("scratch", 16, 12, 32, 24)]


@pytest.fixture
def context(
    tmp_path: Path, title: str, label_studio: LabelStudio, monkeypatch: pytest.MonkeyPatch
) -> Context:
    """A dataset of twelve pictures of 64 x 48 px, in each of which li drew one box."""
    label = {"project": title, "files": str(label_studio.files), "acceptance": {"aql": 6.5}}
    context = build(tmp_path, PICTURES, children=False, label=label)
    answer(context, PICTURES, {picture.path: {"li": DRAWN} for picture in PICTURES})
    STAGE.run(context)
    write_recipe(context)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.account.token)
    return context


def accept(*words: str) -> Result:
    done = CliRunner().invoke(main, ["label", "accept", "small", *words])
    assert "Traceback" not in done.output
    return done


def reported(*words: str, code: int = 0) -> dict[str, Any]:
    done = accept("--json", *words)
    assert done.exit_code == code, done.output
    return dict(orjson.loads(done.stdout))


def review(client: Client, title: str, tasks: int, *, drawn: bool) -> None:
    """Answer the first tasks of a review project that have no answer: with the box, or with nothing."""
    project = client.find_project(title)
    assert project is not None
    for task in client.tasks(project["id"], ("id", "total_annotations")):
        if task["total_annotations"] or not tasks:
            continue
        tasks -= 1
        value = {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["scratch"]}
        region = {
            "id": "r1", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": value,
            "original_width": 64, "original_height": 48, "image_rotation": 0,
        }  # fmt: skip
        body = {"result": [region] if drawn else [], "lead_time": 1.0}
        client.post("answering", f"api/tasks/{task['id']}/annotations/", body)


def states(context: Context) -> set[str]:
    STAGE.run(context)
    return set(context.dataset.read(STANDING)["state"])


def test_pushed_blind_reviewed_and_accepted(
    context: Context, client: Client, title: str, label_studio: LabelStudio
) -> None:
    assert states(context) == {"unreviewed"}
    down = accept("--seed", "7", "--server", "http://127.0.0.1:9")
    assert down.exit_code == 3
    assert "Label Studio does not answer" in down.stderr
    first = reported()
    assert orjson.loads((context.dataset.labels / "batches" / "1" / "plan.json").read_bytes())["seed"] == 7
    n = first["plan"]["n"]
    assert (first["batch"], first["plan"]["lot_size"], first["verdict"]["accepted"]) == (1, 12, None)
    project = client.find_project(f"{title} review 1")
    assert project is not None
    tasks = client.tasks(project["id"], ("id", "data", "total_predictions"))
    header = {"Authorization": f"Token {label_studio.account.token}"}
    for task in tasks:
        assert httpx.get(label_studio.url + task["data"]["image"], headers=header).status_code == 200
    assert [task["total_predictions"] for task in tasks] == [0] * n, "a review is blind"
    sample = pl.read_parquet(context.dataset.labels / "batches" / "1" / "lot.parquet").drop_nulls("place")
    assert [task["data"]["image_id"] for task in tasks] == sample.sort("place")["image_id"].to_list()

    review(client, f"{title} review 1", n - 1, drawn=True)
    plain = accept()
    assert plain.exit_code == 0
    assert f"{n - 1} of {n} reviewed" in plain.stdout
    assert f"undecided: 0 of {n - 1} images nonconforming" in plain.stdout
    assert states(context) == {"unreviewed"}

    review(client, f"{title} review 1", 1, drawn=True)
    second = reported()
    assert (second["verdict"]["accepted"], second["verdict"]["defects"]) == (True, 0)
    assert len(client.tasks(project["id"])) == n, "nothing is pushed twice"
    assert states(context) == {"labelled"}
    assert "accepted: 0 of" in (last := accept().stdout)
    assert "all that annotators decided is in batches that have a verdict" in last


def test_a_class_renamed_while_a_batch_is_reviewed(context: Context, client: Client, title: str) -> None:
    n = reported()["plan"]["n"]
    review(client, f"{title} review 1", 1, drawn=True)
    annotations = context.recipe.annotations
    classes = {"Kratzer": ("scratch",)} | {name: () for name in annotations.classes if name != "scratch"}
    annotations = annotations.model_copy(update={"classes": classes})
    write_recipe(replace(context, recipe=context.recipe.model_copy(update={"annotations": annotations})))
    updated = f"the labelling configuration of '{title} review 1' was updated"
    assert updated in reported()["notes"]
    review(client, f"{title} review 1", n - 1, drawn=True)
    verdict = reported()["verdict"]
    assert (verdict["accepted"], verdict["inspected"], verdict["defects"]) == (True, n, 0)


def test_reviewers_find_nothing_there__refused(context: Context, client: Client, title: str) -> None:
    n = reported()["plan"]["n"]
    review(client, f"{title} review 1", n, drawn=False)
    done = accept()
    assert done.exit_code == 1
    assert f"not accepted: {n} of {n} images nonconforming" in done.stdout
    assert done.stderr.startswith("Error: small: batch 1 was not accepted; ")
    assert "datasets/small/labels/batches/1/findings.parquet, then pull" in done.stderr
    assert "datasets/small/labels/batches/1/oc.svg" in done.stdout
    assert done.stdout.endswith("Next: 'tundish run small'.\n")
    assert states(context) == {"refused"}
    assert reported(code=1)["batch"] == 1, "without other labels there is nothing more to review"
    assert not (context.dataset.labels / "batches" / "2").exists()


@pytest.fixture
def two(context: Context, title: str) -> Context:
    """The same, where li answered six pictures and wu six, and batches are an annotator's."""
    section = context.recipe.label.model_copy(
        update={
            "acceptance": Acceptance(aql={"critical": 6.5, "major": 10.0}, per="annotator", miss_rate=0.1)
        }
    )
    context = replace(context, recipe=context.recipe.model_copy(update={"label": section}))
    whose = {picture.path: "li" if number < 6 else "wu" for number, picture in enumerate(PICTURES)}
    answer(context, PICTURES, {path: {author: DRAWN} for path, author in whose.items()})
    STAGE.run(context)
    write_recipe(context)
    return context


def standing(context: Context) -> dict[str, set[str]]:
    """The states of li's pictures, and of wu's."""
    STAGE.run(context)
    rows = dict(context.dataset.read(STANDING).select("path", "state").iter_rows())
    states = [rows[picture.path] for picture in PICTURES]
    return {"li": set(states[:6]), "wu": set(states[6:])}


def test_two_annotators__each_their_own_batches(two: Context, client: Client, title: str) -> None:
    first = reported()
    assert (first["batch"], first["producer"], set(first["plans"])) == (1, "li", {"critical", "major"})
    assert {name: (one["n"], one["ac"]) for name, one in first["plans"].items()} == {
        "critical": (2, 0),
        "major": (5, 1),
    }
    review(client, f"{title} review 1", 5, drawn=True)
    plain = accept()
    assert plain.exit_code == 0
    assert "batch 1 (li): 6 images, sample 5 (critical: AQL 6.5 %, level II, normal; major:" in plain.stdout
    assert "accepted: critical accepted, major accepted, minor not judged, 0 found." in plain.stdout
    assert "  major: accepted: 0 of 5 images nonconforming, Ac 1; " in plain.stdout
    assert "if reviewers overlook 10 % of them" in plain.stdout
    assert standing(two) == {"li": {"labelled"}, "wu": {"unreviewed"}}

    nothing = accept("--annotator", "li").stdout
    assert "batch 1 (li): " in nothing
    assert "all that li decided is in batches that have a verdict" in nothing
    second = reported("--annotator", "wu")
    assert (second["batch"], second["producer"]) == (2, "wu")
    project = client.find_project(f"{title} review 2")
    assert project is not None
    data = [task["data"] for task in client.tasks(project["id"], ("id", "data"))]
    whole = client.get("reading", f"api/projects/{project['id']}/")
    assert b"wu" not in orjson.dumps([whole["title"], whole["description"], data]), "a review is blind"
    review(client, f"{title} review 2", 5, drawn=False)
    refused = accept()
    assert refused.exit_code == 1
    assert "not accepted: critical accepted, major not accepted" in refused.stdout
    assert refused.stderr.startswith("Error: small: batch 2 (wu) was not accepted; ")
    assert standing(two) == {"li": {"labelled"}, "wu": {"refused"}}
    verdict = orjson.loads((two.dataset.labels / "batches" / "2" / "verdict.json").read_bytes())
    counted = {name: one["switching"] for name, one in verdict["classes"].items()}
    assert (counted["critical"]["score"], counted["major"]["score"]) == (2, 0)
    assert counted["major"]["recent"] == [False], "li's accepted batch is none of wu's"

    found = pl.read_parquet(two.dataset.labels / "batches" / "2" / "findings.parquet").drop_nulls("worst")
    bad = set(found["image_id"])
    anew: dict[str, dict[str, Any]] = {
        picture.path: {"wu": []} if picture.image_id in bad else {"li" if number < 6 else "wu": DRAWN}
        for number, picture in enumerate(PICTURES)
    }
    answer(two, PICTURES, anew)
    stale = accept()
    assert stale.exit_code == 2
    assert "answers were pulled since the labels that count were determined" in stale.stderr
    assert "run 'tundish run small --to consensus'" in stale.stderr
    assert standing(two)["wu"] == {"refused"}
    third = reported()
    assert (third["batch"], third["producer"], third["verdict"]["accepted"]) == (3, "wu", None)
    review(client, f"{title} review 3", 5, drawn=False)
    last = reported()
    assert last["verdict"]["accepted"] is True
    again = {name: one["switching"] for name, one in last["verdict"]["classes"].items()}
    assert again == counted, "a batch that comes again counts for nothing"
    assert standing(two) == {"li": {"labelled"}, "wu": {"labelled", "negative"}}
    assert accept().exit_code == 0


@pytest.fixture
def plain(context: Context) -> Context:
    """The same, where the recipe says nothing of acceptance and li answered the first nine pictures."""
    section = context.recipe.label.model_copy(update={"acceptance": None})
    context = replace(context, recipe=context.recipe.model_copy(update={"label": section}))
    answer(context, PICTURES, {picture.path: {"li": DRAWN} for picture in PICTURES[:9]})
    STAGE.run(context)
    write_recipe(context)
    return context


def test_batch_after_batch(plain: Context, client: Client, title: str) -> None:
    """As somebody reads it who types the same command again and again."""
    first = accept("--aql", "6.5", "--level", "I").stdout.splitlines()
    assert first[:2] == [
        "opens batch 1: 9 images, 9 not in a batch before; AQL 6.5 %, level I",
        "batch 1: 9 images, sample 2 (AQL 6.5 %, level I, normal), 0 of 2 reviewed",
    ]
    ignored = accept("--aql", "2.5", "--seed", "3").stdout
    assert "- --aql, --seed apply to a new batch; batch 1 is reviewed as it was opened\n" in ignored
    answer(plain, PICTURES, {p.path: {"li": [] if n == 4 else DRAWN} for n, p in enumerate(PICTURES[:11])})
    STAGE.run(plain)
    review(client, f"{title} review 1", 2, drawn=True)
    verdict = accept().stdout.splitlines()
    assert verdict[0].endswith("2 of 2 reviewed")
    assert verdict[1].startswith("accepted: 0 of 2 images nonconforming")
    assert verdict[2] == "- waiting for the next batch, which another call opens: 3 images"
    second = accept()
    lines = second.stdout.splitlines()
    assert lines[0] == (
        "opens batch 2: 3 images, 2 not in a batch before, 1 labelled again since acceptance;"
        " AQL 6.5 %, level I, as batch 1"
    )
    assert lines[1].startswith("batch 2: 3 images, sample 2 (AQL 6.5 %, level I, normal), 0 of 2 reviewed")
    assert reported()["opened"] == ""
    review(client, f"{title} review 2", 2, drawn=False)
    done = accept()
    found = [line for line in done.stdout.splitlines() if line.startswith("  ")]
    assert all(line.endswith(".jpg: rejected: scratch") for line in found)
    assert done.exit_code == bool(found)


def test_an_isolated_batch(plain: Context, client: Client, title: str) -> None:
    done = accept("--lq", "40", "--ac", "1", "--json")
    assert done.stderr.startswith("opens batch 1: 9 images, 9 not in a batch before; LQ 40 %, Ac 1\n")
    of = orjson.loads(done.stdout)
    assert (of["opened"], of["plan"]["lq"], of["plan"]["n"]) == (done.stderr.splitlines()[0], 40.0, 6)
    review(client, f"{title} review 1", 6, drawn=True)
    given = accept().stdout
    assert given.startswith("batch 1: 9 images, sample 6 (LQ 40 %, Ac 1), 6 of 6 reviewed\naccepted: 0 of 6")
    assert "LQ 40 % (4 of 9)" in (plain.dataset.labels / "batches" / "1" / "oc.svg").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--lq", "5", "--aql", "1"), "--lq: an AQL and an LQ do not go together; name one of them."),
        (("--ac", "1"), "--ac: an AQL has its Ac from the standard; name it with --lq alone."),
        (("--lq", "5", "--level", "I"), "lq: an isolated batch has no level; omit it"),
    ],
)
def test_what_does_not_go_together(plain: Context, words: tuple[str, ...], sentence: str) -> None:
    done = accept(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert not (plain.dataset.labels / "batches").exists()


def test_a_batch_is_reported_though_no_server_answers(plain: Context) -> None:
    down = accept("--server", "http://127.0.0.1:9")
    assert down.exit_code == 3
    assert down.stdout == "opens batch 1: 9 images, 9 not in a batch before; AQL 1 %, level II\n"
    assert (plain.dataset.labels / "batches" / "1" / "plan.json").is_file()


def test_nothing_decided__reported(context: Context) -> None:
    answer(context, PICTURES, {"0.jpg": {"li": "cancelled"}})
    STAGE.run(context)
    assert "annotators decided nothing yet" in accept().stdout


def test_project_deleted_by_hand__made_again(context: Context, client: Client, title: str) -> None:
    n = reported()["plan"]["n"]
    review(client, f"{title} review 1", 1, drawn=True)
    assert reported()["verdict"]["inspected"] == 1
    project = client.find_project(f"{title} review 1")
    assert project is not None
    client.send("deleting", "DELETE", f"api/projects/{project['id']}/")
    again = reported()
    assert again["verdict"]["inspected"] == 1, "an answer once pulled stays"
    project = client.find_project(f"{title} review 1")
    assert project is not None
    assert len(client.tasks(project["id"])) == n - 1, "and is not asked for twice"
    assert reported()["verdict"]["inspected"] == 1
    assert len(client.tasks(project["id"])) == n - 1
    review(client, f"{title} review 1", n - 1, drawn=True)
    assert reported()["verdict"]["accepted"] is True
    assert accept().exit_code == 0, "once there is a verdict the project is not needed"
