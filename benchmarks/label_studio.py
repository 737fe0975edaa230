"""5,000 tasks with predictions to a real Label Studio and back: push and pull, again, and a second model;
and to two annotators, each with a project.

Usage: python benchmarks/label_studio.py [--tasks 5000] [--label-studio PATH]
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from tundish.cli import main as tundish
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.prelabels import items_of
from tundish.labeling.label_studio.pull import pull
from tundish.labeling.label_studio.push import Push, push
from tundish.labeling.label_studio.regions import regions_of
from tundish.labeling.label_studio.server import LabelStudio, prepare_template
from tundish.labeling.label_studio.tasks import Prelabels
from tundish.recipe.sections import Annotations
from tundish.storage.tables import ANNOTATIONS, IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

CLASSES = ("scratch", "inclusion", "patch")
LABELS_AN_IMAGE = 2
RECIPE = """
dataset: line
timezone: UTC
sources: [{path: raw, format: folders}]
records: {}
images: {}
annotations: {classes: [scratch, inclusion, patch]}
dedup: {}
link: {}
label: {images: serve, annotators: [li, wu], overlap: 0.2}
split: {}
augment: {}
export: {}
"""


def timed(name: str, limit: float | None, call: Callable[[], Any]) -> Any:
    begin = time.perf_counter()
    answer = call()
    took = time.perf_counter() - begin
    print(f"{name:<44} {took:7.2f} s" + (f"   (at most {limit:g} s)" if limit else ""), flush=True)
    return answer


def data(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Images of 1024 x 768 px with two boxes each."""
    image: dict[str, object] = {"source": "line", "width": 1024, "height": 768, "bit_depth": 8, "valid": True}
    images = [image | {"image_id": f"{i:032x}", "path": f"images/{i:06d}.jpg"} for i in range(count)]
    labels = [
        {
            "annotation_id": f"{LABELS_AN_IMAGE * i + k:032x}",
            "image_id": f"{i:032x}",
            "path": f"images/{i:06d}.jpg",
            "source": "line",
            "label": CLASSES[(i + k) % 3],
            "shape": "box",
            "x": 10.0 + i % 700,
            "y": 20.0 + i % 500,
            "width": 30.5,
            "height": 40.25,
            "score": 0.5,
            "valid": True,
        }
        for i in range(count)
        for k in range(LABELS_AN_IMAGE)
    ]
    return IMAGES.frame(images), ANNOTATIONS.frame(labels)


def answer_all(client: Client, project: int, count: int, results: dict[str, list[dict[str, object]]]) -> None:
    """Answered tasks, as the server imports them in bulk: drawing by hand would take days."""
    tasks = [
        {
            "data": {"image": "x", "image_id": key, "width": 1024, "height": 768},
            "predictions": [{"model_version": "model", "score": 0.5, "result": results[key]}],
            "annotations": [{"result": results[key], "lead_time": 4.5}],
        }
        for key in (f"{i:032x}" for i in range(count))
    ]
    for start in range(0, count, 1000):
        client.import_tasks(project, tasks[start : start + 1000])


def measure(client: Client, folder: Path, count: int) -> None:
    images, labels = data(count)
    section = Annotations.model_validate({"classes": list(CLASSES)})
    config = LabelConfig(dict.fromkeys(CLASSES, ()))
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{count:,} tasks, {LABELS_AN_IMAGE} boxes each; {load}")

    def send(version: str) -> Push:
        sizes = dict.fromkeys(images["image_id"], (1024, 768))
        prelabels = Prelabels(regions_of(labels, sizes).results, version, dict.fromkeys(sizes, 0.5))
        address = "http://127.0.0.1:1/{}".format
        return push(client, "pushed", config, items_of(images, ()), address, prelabels)

    timed("push", 15, lambda: send("model-1"))
    timed("second push, nothing new", 3, lambda: send("model-1"))
    done = timed("another model's predictions for known tasks", None, lambda: send("model-2"))
    assert (done.known, done.proposed) == (count, count)
    done = timed("the same again, nothing new", 3, lambda: send("model-2"))
    assert (done.known, done.proposed) == (count, 0)
    project = int(client.create_project("answered", config.xml())["id"])
    results = regions_of(labels, dict.fromkeys(images["image_id"], (1024, 768))).results
    answer_all(client, project, count, results)

    def fetch() -> None:
        done = pull(client, {"answered": config}, images, section, folder)
        assert (done.answers, done.labels, done.problems) == (count, LABELS_AN_IMAGE * count, ())

    timed("pull, all of them answered", 15, fetch)
    timed("second pull, nothing changed", None, fetch)
    number = client.tasks(project, ("id",))[7]["id"]
    body = {"result": [], "lead_time": 1.0}
    client.post("answering", f"api/tasks/{number}/annotations/", body)
    done = timed(
        "third pull, one changed",
        None,
        lambda: pull(client, {"answered": config}, images, section, folder),
    )
    assert (done.changed, done.answers) == (1, count + 1)


def measure_two_annotators(server: LabelStudio, folder: Path, count: int) -> None:
    """The command as it is typed: it assigns the images, a fifth of them to both, and pushes two projects."""
    curated = folder / "datasets" / "line" / "curated"
    curated.mkdir(parents=True)
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "line.yaml").write_text(RECIPE)
    images, labels = data(count)
    IMAGES.write(images, curated / "images.parquet")
    ANNOTATIONS.write(labels, curated / "annotations.parquet")
    os.environ |= {"LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_TOKEN": server.account.token}

    def send() -> None:
        done = CliRunner().invoke(tundish, ["label", "push", "line"])
        assert done.exit_code == 0, done.output

    here = Path.cwd()
    os.chdir(folder)
    timed("push to two annotators", None, send)
    timed("the same again, nothing new", None, send)
    os.chdir(here)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=5000)
    here = Path(__file__).resolve().parents[1] / ".venv-label-studio" / "bin" / "label-studio"
    named = os.environ.get("TUNDISH_LABEL_STUDIO", str(here))
    parser.add_argument("--label-studio", type=Path, default=Path(named))
    parser.add_argument("--template", type=Path, help="A ready data folder, to start sooner.")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "server"
        if args.template:
            shutil.copytree(args.template, folder)
        else:
            timed(
                "first start (an empty data folder)",
                None,
                lambda: prepare_template(args.label_studio, folder),
            )
        server = LabelStudio(args.label_studio, folder)
        timed("start (a ready data folder)", None, server.start)
        try:
            with Client(server.url, server.account.token) as client:
                measure(client, Path(scratch) / "labels", args.tasks)
            measure_two_annotators(server, Path(scratch) / "plant", args.tasks)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
