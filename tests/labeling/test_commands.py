"""``tundish label`` as it is typed, against a real server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import orjson
import polars as pl
import pytest
from click.testing import CliRunner, Result

from tundish.cli import main
from tundish.imaging.files.decode import encode
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.server import running_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tundish.labeling.label_studio.server import LabelStudio

pytestmark = pytest.mark.label_studio

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """
dataset: {name}
timezone: UTC
sources: [{{path: raw, format: folders}}]
records: {{}}
images: {{}}
annotations: {{classes: [scratch, 划伤]}}
dedup: {{}}
link: {{}}
label: {label}
split: {{}}
augment: {{}}
export: {{}}
"""


@pytest.fixture
def plant(tmp_path: Path, title: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with six pictures in two classes, one of them of 16 bits, ready to be labelled."""
    name = title.replace(" ", "-")
    folder = tmp_path / "plant"
    raw = folder / "datasets" / name / "raw"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "schemas").symlink_to(ROOT / "schemas")
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8), np.uint8)
        picture = np.kron(pixels, np.ones((30, 40), np.uint8))
        path = raw / ("scratch" if number % 2 else "划伤") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture.astype(np.uint16) * 16 if number == 5 else picture, "png"))
    monkeypatch.chdir(folder)
    describe(folder, name, "{shapes: [box, class]}")
    for stage in ("ingest", "measure", "records", "validate", "dedup"):
        done = CliRunner().invoke(main, [stage, name])
        assert done.exit_code == 0, done.output
    return folder


def describe(folder: Path, name: str, label: str) -> None:
    (folder / "pipelines" / f"{name}.yaml").write_text(RECIPE.format(name=name, label=label), "utf-8")


def name_of(plant: Path) -> str:
    return next((plant / "pipelines").glob("*.yaml")).stem


@pytest.fixture
def run(label_studio: LabelStudio, plant: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Type a command; the server and its token are in the environment."""
    monkeypatch.setenv("LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.account.token)

    def type_(*words: str) -> Result:
        done = CliRunner().invoke(main, ["label", *words])
        assert label_studio.account.token not in done.output
        assert "Traceback" not in done.output
        return done

    return type_


def in_files(label_studio: LabelStudio, plant: Path) -> str:
    """The recipe's section, with the pictures where this server may show them."""
    del plant
    return f"{{shapes: [box, class], files: '{label_studio.files}'}}"


def test_there_and_back(run: Any, plant: Path, label_studio: LabelStudio, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, in_files(label_studio, plant))
    first = run("push", name, "--json")
    assert first.exit_code == 0, first.output
    counts = {
        "projects": 1,
        "new tasks": 6,
        "there already": 0,
        "given other proposals": 0,
        "labels not shown": 0,
    }
    assert orjson.loads(first.stdout)["counts"] == counts
    assert orjson.loads(run("push", name, "--json").stdout)["counts"] == counts | {
        "new tasks": 0,
        "there already": 6,
    }

    project = client.find_project(name)
    assert project is not None
    tasks = client.tasks(project["id"])
    header = {"Authorization": f"Token {label_studio.account.token}"}
    for task in tasks:
        answer = httpx.get(label_studio.url + task["data"]["image"], headers=header)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    (deep,) = (task["data"] for task in tasks if "white" in task["data"])
    assert deep["path"].endswith("5.png")
    assert deep["white"] > 255

    # The annotator agrees with the proposal.
    ((whole,),) = client.export(project["id"], [tasks[0]["id"]])
    proposal = client.get("reading", f"api/predictions/{whole['predictions'][0]}/")
    body = {"result": proposal["result"], "parent_prediction": proposal["id"], "lead_time": 1.0}
    client.post("answering", f"api/tasks/{tasks[0]['id']}/annotations/", body)
    done = run("pull", name)
    assert done.exit_code == 0, done.output
    assert "changed tasks 1" in done.stdout
    assert done.stdout.endswith(f"Next: 'tundish run {name}'.\n")
    (plant / ".dvc").mkdir()
    assert run("pull", name).stdout.endswith(f"Next: 'dvc add datasets/{name}/labels', then 'dvc repro'.\n")
    labels = pl.read_parquet(plant / "datasets" / name / "labels" / "annotations.parquet")
    row = labels.row(0, named=True)
    assert (row["path"], row["shape"]) == (tasks[0]["data"]["path"], "class")
    assert row["label"] == ("scratch" if row["path"].startswith("scratch") else "划伤")


def test_a_pull_before_anybody_has_answered_says_what_is_next(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    run("push", name)
    project = client.find_project(name)
    assert project is not None
    again = f"Next: annotators answer there, then 'tundish label pull {name}' again.\n"
    nobody = run("pull", name)
    assert nobody.exit_code == 0, nobody.output
    assert nobody.stdout.endswith(f"- nobody has submitted an answer yet\n{again}")
    task = client.tasks(project["id"])[0]["id"]
    client.post("beginning", f"api/tasks/{task}/drafts", {"result": [], "lead_time": 1.0})
    begun = run("pull", name).stdout
    assert "answers 0, labels 0, not submitted 1," in begun
    assert begun.endswith(f"- nobody has submitted an answer yet; begun and not submitted: 1\n{again}")
    told = orjson.loads(run("pull", name, "--json").stdout)
    assert told["notes"] == ["nobody has submitted an answer yet; begun and not submitted: 1"]
    number = client.post("answering", f"api/tasks/{task}/annotations/", {"result": []})["id"]
    assert run("pull", name).stdout.endswith(f"Next: 'tundish run {name}'.\n")
    client.send("withdrawing", "DELETE", f"api/annotations/{number}/")
    assert run("pull", name).stdout.endswith(f"Next: 'tundish run {name}'.\n"), "labels/ has changed"
    assert run("pull", name).stdout.endswith(again)


def test_a_label_that_cannot_count__is_quarantined_once_and_until_the_recipe_knows_it(
    run: Any, plant: Path, label_studio: LabelStudio, client: Client
) -> None:
    name = name_of(plant)
    describe(plant, name, in_files(label_studio, plant))
    before = annotations_in(name)
    run("push", name)
    project = client.find_project(name)
    assert project is not None
    size = {"original_width": 320, "original_height": 240}
    regions = [
        {"id": str(row), "from_name": "box", "to_name": "image", "type": "rectanglelabels", **size}
        | {"value": {"x": 10, "y": 10, "width": place, "height": 20, "rectanglelabels": names}}
        for row, (place, names) in enumerate([(5, ["groove"]), (10, []), (15, ["scratch"])])
    ]
    client.post(
        "answering",
        f"api/tasks/{client.tasks(project['id'])[0]['id']}/annotations/",
        {"result": regions, "lead_time": 1.0},
    )
    run("pull", name)
    assert annotations_in(name) == (before[0] + 3, before[1] + 1, {"unknown_class": 1, "no_label": 1})
    recipe = plant / "pipelines" / f"{name}.yaml"
    text = recipe.read_text("utf-8").replace("[scratch, 划伤]", "{scratch: [groove], 划伤: []}")
    recipe.write_text(text, "utf-8")
    assert annotations_in(name) == (before[0] + 3, before[1] + 2, {"no_label": 1})


def annotations_in(name: str) -> tuple[int, int, dict[str, int]]:
    """Validate, and what the ledger says of labels: how many came, were accepted, and were taken out why."""
    done = CliRunner().invoke(main, ["validate", name])
    assert done.exit_code == 0, done.output
    tally = orjson.loads(CliRunner().invoke(main, ["status", name, "--json"]).stdout)[name]["labels"]
    return tally["input"], tally["accepted"], tally["quarantined"]


def test_a_batch_is_made_of_the_answers_pulled_last(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [class], images: serve, acceptance: {per: annotator}}")
    made = CliRunner().invoke(main, ["run", name, "--to", "consensus"])
    assert made.exit_code == 0, made.output
    run("push", name)
    project = client.find_project(name)
    assert project is not None
    none = run("accept", name)
    assert (none.exit_code, none.stdout) == (2, "")
    assert f"there is no answers table; run 'tundish label pull {name}' first" in none.stderr
    for task in client.tasks(project["id"])[:3]:
        client.post("answering", f"api/tasks/{task['id']}/annotations/", {"result": []})
    run("pull", name)
    stale = run("accept", name)
    assert (stale.exit_code, stale.stdout) == (2, "")
    assert f"run 'tundish run {name} --to consensus'" in stale.stderr
    assert CliRunner().invoke(main, ["run", name, "--to", "consensus"]).exit_code == 0
    run("pull", name)  # nothing new
    told = orjson.loads(run("accept", name, "--json").stdout)
    assert (told["batch"], told["plan"]["lot_size"]) == (1, 3)
    assert told["producer"] in client.users().values()


def test_annotators_get_a_project_each(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box, class], images: serve, annotators: [li, wu], overlap: 1.0}")
    done = run("push", name, "--json")
    assert done.exit_code == 0, done.output
    assert orjson.loads(done.stdout)["counts"]["new tasks"] == 12
    assert orjson.loads(run("push", name, "--json").stdout)["counts"]["new tasks"] == 0
    for annotator in ("li", "wu"):
        project = client.find_project(f"{name} · {annotator}")
        assert project is not None
        tasks = client.tasks(project["id"])
        assert len(tasks) == 6
        assert all(task["data"]["image"].startswith("http://127.0.0.1:8090/") for task in tasks)
        client.post("answering", f"api/tasks/{tasks[0]['id']}/annotations/", {"result": []})
    assert "changed tasks 2" in run("pull", name).stdout
    assert "changed tasks 0, unchanged 2" in run("pull", name).stdout


def test_a_folder_that_the_server_may_not_show(run: Any, plant: Path) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [class], files: elsewhere}")
    done = run("push", name)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "Label Studio may not show the pictures in" in done.stderr
    assert "set label.files to the server's document root" in done.stderr


def test_annotators_may_be_named_at_a_push(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [class], images: serve}")
    done = run("push", name, "--annotators", "li, wu", "--overlap", "1", "--json")
    assert done.exit_code == 0, done.output
    assert orjson.loads(done.stdout)["counts"]["new tasks"] == 12
    again = run("push", name, "--annotators", "li,wu", "--overlap", "1", "--json")
    assert orjson.loads(again.stdout)["counts"]["new tasks"] == 0
    # Pull finds both projects, whoever was named; a plain push does not deal all images once more.
    for who in ("li", "wu"):
        project = client.find_project(f"{name} · {who}")
        assert project is not None
        task = client.tasks(project["id"])[0]
        client.post("answering", f"api/tasks/{task['id']}/annotations/", {"result": []})
    assert orjson.loads(run("pull", name, "--json").stdout)["counts"]["answers"] == 2
    plain = run("push", name)
    assert (plain.exit_code, plain.stdout) == (2, "")
    assert "push with --annotators li,wu" in plain.stderr
    assert client.find_project(name) is None


def test_annotators_named_after_all_images_went_to_one_project(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    before = run("push", name).stdout
    project = client.find_project(name)
    assert project is not None
    assert f"- '{name}': {client.address}/projects/{project['id']}/data\n" in before
    assert before.endswith(f"Next: annotators answer there, then 'tundish label pull {name}'.\n")
    answer(client, name, range(2))
    after = orjson.loads(run("push", name, "--annotators", "li,wu", "--json").stdout)
    assert after["counts"]["new tasks"] == 4
    (note,) = (note for note in after["notes"] if "without an answer" in note)
    assert note.startswith(f"4 images without an answer in '{name}' went to others, since annotators are")
    assert orjson.loads(run("pull", name, "--json").stdout)["counts"]["answers"] == 2


def answer(client: Client, title: str, which: range, **fields: object) -> list[str]:
    """Answer some tasks of a project; the images of all of them."""
    project = client.find_project(title)
    assert project is not None
    tasks = client.tasks(project["id"])
    for number in which:
        body = {"result": [], "lead_time": 1.0, **fields}
        client.post("answering", f"api/tasks/{tasks[number]['id']}/annotations/", body)
    return [task["data"]["image_id"] for task in tasks]


def test_what_those_not_named_left_goes_to_the_named(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    run("push", name, "--annotators", "li,wu", "--overlap", "1")
    images = answer(client, f"{name} · li", range(2))
    assert answer(client, f"{name} · wu", range(2, 3), was_cancelled=True) == images

    def pushed(*words: str) -> tuple[int, list[str]]:
        told = orjson.loads(run("push", name, "--overlap", "0", "--json", "--annotators", *words).stdout)
        return told["counts"]["new tasks"], [note for note in told["notes"] if "without an answer" in note]

    added, notes = pushed("qi")
    assert (added, answer(client, f"{name} · qi", range(0))) == (4, images[2:])  # skipped is not answered
    assert notes == [
        f"4 images without an answer in '{name} · {who}' went to others, since '{who}' was not named: delete "
        "the tasks without an answer there, or they are labelled twice; whoever is named keeps what they have"
        for who in ("li", "wu")
    ]
    assert pushed("qi") == (0, notes)
    assert pushed("qi,wu") == (0, notes[:1])
    for who in ("li", "wu"):
        project = client.find_project(f"{name} · {who}")
        assert project is not None
        listed = client.tasks(project["id"], ("id", "total_annotations"))
        client.delete_tasks(project["id"], [task["id"] for task in listed if not task["total_annotations"]])
    assert pushed("qi") == (0, [])


def test_what_was_pulled_is_not_asked_again_though_its_project_is_gone(
    run: Any, plant: Path, client: Client
) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    run("push", name, "--annotators", "li,wu", "--overlap", "1")
    images = answer(client, f"{name} · li", range(2))
    run("pull", name)
    for who in ("li", "wu"):
        project = client.find_project(f"{name} · {who}")
        assert project is not None
        client.send("deleting", "DELETE", f"api/projects/{project['id']}/")
    again = run("push", name, "--annotators", "qi", "--overlap", "0", "--json")
    told = orjson.loads(again.stdout)
    assert told["counts"]["new tasks"] == 4
    assert answer(client, f"{name} · qi", range(0)) == images[2:]
    (note,) = (note for note in told["notes"] if "no longer on the server" in note)
    assert note.startswith(
        f"2 images answered in '{name} · li', which is no longer on the server: the answers"
    )
    # Whoever is named is asked again: their project was deleted so that they begin anew.
    named = run("push", name, "--annotators", "li", "--overlap", "0", "--json")
    assert answer(client, f"{name} · li", range(0)) == images, named.stdout


def test_an_image_of_the_overlap_still_wants_its_second_annotator(
    run: Any, plant: Path, client: Client
) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    run("push", name, "--annotators", "li,wu", "--overlap", "1")
    images = answer(client, f"{name} · wu", range(1))
    told = orjson.loads(run("push", name, "--annotators", "li,qi", "--overlap", "1", "--json").stdout)
    assert (told["counts"]["new tasks"], told["counts"]["there already"]) == (5, 6)
    assert answer(client, f"{name} · qi", range(0)) == images[1:]


def test_a_push_looks_once_for_the_projects_and_lists_the_tasks_of_each_once(
    run: Any, plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [class], images: serve, annotators: [li, wu], overlap: 0.5}")
    asked: list[str] = []
    get = Client.get

    def listening(self: Client, doing: str, path: str, **query: Any) -> Any:
        asked.append(path + ("" if path != "api/tasks/" else str("data" in query["include"])))
        return get(self, doing, path, **query)

    monkeypatch.setattr(Client, "get", listening)
    for listed in (0, 2):
        asked.clear()
        assert run("push", name).exit_code == 0
        assert asked.count("api/projects/") == 1
        assert asked.count("api/tasks/True") == listed


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--annotators", "li,li"), "an annotator is listed twice; list each once"),
        (("--annotators", " , "), "--annotators: no annotator is named; name them, as in li,wu"),
        (("--annotators", "li"), "an overlap needs at least two annotators; name two, or set it to 0"),
        (
            ("--annotators", "li,wu zhao"),
            "--annotators: 'wu zhao' is not a valid name of an annotator; write up to 30 letters",
        ),
        (
            ("--annotators", "li,adjudication"),
            "'adjudication' is the project of disputes; choose another name",
        ),
        (("--annotators", "li,wu", "--overlap", "nan"), "'--overlap' is nan: input should be"),
    ],
)
def test_names_that_cannot_be(run: Any, plant: Path, words: tuple[str, ...], what: str) -> None:
    done = run("push", name_of(plant), "--overlap", "0.5", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr


def test_a_model_s_table_and_a_list_of_images(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    images = pl.read_parquet(plant / "datasets" / name / "curated" / "images.parquet")["image_id"]
    Path("next.txt").write_text(f"{images[4]}\n{images[1]}\n")
    columns = ["image_id", "label", "shape", "score", "x", "y", "width", "height"]
    rows = [(images[4], "scratch", "box", 0.9, 1.0, 2.0, 30.0, 40.0)]
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet("model-7.parquet")
    done = run("push", name, "--images", "next.txt", "--predictions", "model-7.parquet")
    assert done.exit_code == 0, done.output
    project = client.find_project(name)
    assert project is not None
    assert [task["data"]["image_id"] for task in client.tasks(project["id"])] == [images[4], images[1]]
    (prediction,) = client.get("reading", "api/predictions/", project=project["id"])
    assert (prediction["model_version"], prediction["score"]) == ("model-7", 0.9)

    # A better model comes: the task that nobody has answered yet gets what it says.
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet("model-8.parquet")
    push = ("push", name, "--predictions", "model-8.parquet", "--images", "next.txt", "--json")
    told = orjson.loads(run(*push).stdout)
    assert (told["counts"]["there already"], told["counts"]["given other proposals"]) == (2, 1)
    assert "annotators now see the predictions of 'model-8' instead of 'model-7'" in told["notes"]
    again = orjson.loads(run(*push).stdout)
    assert (again["counts"]["there already"], again["counts"]["given other proposals"]) == (2, 0)
    assert sorted(client.count_predictions(project["id"]).items()) == [("model-7", 1), ("model-8", 1)]


def test_the_images_worth_most_come_first(run: Any, plant: Path, client: Client) -> None:
    name = name_of(plant)
    describe(plant, name, "{shapes: [box], images: serve}")
    coverage = plant / "datasets" / name / "curated" / "coverage.parquet"
    labelled = pl.read_parquet(coverage)
    some = pl.col("image_id").is_in(labelled["image_id"][:4].implode())
    labelled.with_columns(state=pl.when(some).then(pl.lit("unlabelled")).otherwise("state")).write_parquet(
        coverage
    )
    select = ("push", name, "--select", "diverse", "--budget")
    told = orjson.loads(run(*select, "3", "--json").stdout)
    assert told["counts"]["new tasks"] == 3
    assert told["notes"][0] == "3 of 4 images without labels were chosen"
    more = orjson.loads(run(*select, "9", "--json").stdout)
    assert (more["counts"]["new tasks"], more["counts"]["there already"]) == (1, 3)
    assert "fewer than the budget of 9: no more are left" in more["notes"]
    project = client.find_project(name)
    assert project is not None
    pushed = {task["data"]["image_id"] for task in client.tasks(project["id"])}
    assert pushed == set(labelled["image_id"][:4])
    # Annotators read why, in a column of the list of tasks.
    whys = [task["data"]["why"] for task in client.tasks(project["id"])]
    assert told["notes"][1].endswith(f": {whys[0]}")
    columns = client.get("reading", "api/dm/columns", project=project["id"])["columns"]
    (column,) = (one for one in columns if one["id"] == "why")
    assert column["visibility_defaults"]["explore"]
    nothing = run("push", name, "--select", "conflicts", "--budget", "3")
    assert nothing.exit_code == 0, nothing.output
    assert "new tasks 0" in nothing.stdout


def test_refusals(
    run: Any, plant: Path, label_studio: LabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = name_of(plant)

    def told(code: int, *words: str) -> str:
        done = run(*words)
        assert done.exit_code == code, done.output
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith("Error: ")
        assert line.endswith(".")
        return str(line)

    assert "push first" in told(3, "pull", name)
    assert "no such recipe" in told(2, "push", "nothing")
    assert "no such recipe" in told(2, "start", "--push", "nothing")
    assert "this is not the address" in told(2, "pull", name, "--server", f"{label_studio.url} please")
    describe(plant, name, "{images: serve, served_at: 'http://127.0.0.1:99999'}")
    assert "label.served_at" in told(2, "images", name)
    describe(plant, name, "{shapes: [box, class]}")
    readable = tmp_path / "token"
    readable.write_text(label_studio.account.token)
    readable.chmod(0o644)
    assert "chmod 600" in told(2, "push", name, "--token-file", str(readable))
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "f" * 40)
    assert "refuses the token" in told(3, "push", name)
    assert "refuses the token" in told(3, "pull", name)
    monkeypatch.delenv("LABEL_STUDIO_TOKEN")
    assert "set LABEL_STUDIO_TOKEN" in told(2, "pull", name)
    monkeypatch.delenv("LABEL_STUDIO_URL")
    assert "tundish label start" in told(2, "pull", name)
    shutil.rmtree(plant / "datasets" / name / "curated")
    assert f"run 'tundish validate {name}' first" in told(2, "push", name)


@pytest.fixture
def background(plant: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Commands that run until they are stopped."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, **env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tundish", "label", *words],
            cwd=plant,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def lines_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            break
    return lines


def test_a_server_of_one_s_own(
    background: Any, plant: Path, label_studio_executable: Path, label_studio_template: Path
) -> None:
    name = name_of(plant)
    home = plant / ".label-studio"
    shutil.copytree(label_studio_template, home)
    process = background("start", "--push", name, TUNDISH_LABEL_STUDIO=str(label_studio_executable))
    lines = lines_until(process, "Ctrl-C")
    assert any("new tasks 6" in line for line in lines), lines
    address = (home / "address").read_text().strip()
    assert any(address in line for line in lines)
    assert (home / "token").read_text().strip() not in "".join(lines)
    assert answers(f"{address}/health")
    # Its address and token are known by now.
    done = CliRunner().invoke(main, ["label", "push", name])
    assert "new tasks 0, there already 6" in done.stdout, done.output
    # A second one would share its database, and take its address away when it ends.
    second = background("start", TUNDISH_LABEL_STUDIO=str(label_studio_executable))
    assert "is already running here" in second.communicate(timeout=60)[1]
    assert second.returncode == 3
    assert (home / "address").read_text().strip() == address
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert not answers(f"{address}/health")
    assert not (home / "address").exists()
    # What one that was killed has left behind.
    (home / "address").write_text(f"{address}\n")
    done = CliRunner().invoke(main, ["label", "push", name])
    assert done.exit_code == 3
    assert "start it again with 'tundish label start'" in done.stderr


def test_a_server_that_dies_is_told(
    background: Any, plant: Path, label_studio_executable: Path, label_studio_template: Path
) -> None:
    home = plant / ".label-studio"
    shutil.copytree(label_studio_template, home)
    process = background("start", TUNDISH_LABEL_STUDIO=str(label_studio_executable))
    lines_until(process, "Ctrl-C")
    server = running_process(home)
    assert server
    os.kill(server, signal.SIGKILL)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    what = "Label Studio ended by itself (signal 9); check the log, and start it again."
    assert stderr.splitlines()[-1] == f"Error: {home / 'log.txt'}: {what}"
    assert not (home / "address").exists()


def test_a_server_where_the_port_is_taken(
    background: Any, label_studio: LabelStudio, label_studio_executable: Path
) -> None:
    port = label_studio.url.rpartition(":")[2]
    process = background("start", "--port", port, TUNDISH_LABEL_STUDIO=str(label_studio_executable))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert f"port {port} is taken" in stderr


def test_an_image_server(background: Any, plant: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = name_of(plant)
    describe(plant, name, f"{{images: serve, served_at: 'http://127.0.0.1:{port}'}}")
    process = background("images", name)
    lines_until(process, "Ctrl-C")
    image_id = pl.read_parquet(plant / "datasets" / name / "curated" / "images.parquet")["image_id"][0]
    deadline = time.monotonic() + 10
    while not answers(f"http://127.0.0.1:{port}/{image_id}"):
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    process.wait(30)
    assert process.returncode == 0
