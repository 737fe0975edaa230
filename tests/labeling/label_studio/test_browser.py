"""An annotator's way in a real browser: log in, open a task, see what is drawn, draw a box, submit."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest

from tundish.gallery.gallery import Gallery
from tundish.gallery.server import ImageServer
from tundish.imaging.files.decode import encode
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.pull import pull
from tundish.labeling.label_studio.push import push
from tundish.labeling.label_studio.tasks import Item, Prelabels
from tundish.recipe.sections import Annotations
from tundish.storage.shards import Blob, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.labeling.conftest import World

    from tundish.labeling.label_studio.server import LabelStudio

pytestmark = [pytest.mark.label_studio, pytest.mark.browser, pytest.mark.slow]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH, HEIGHT = 800, 200
KEY = "1" * 32
DRAWN = (440.0, 100.0, 240.0, 60.0)
"""x, y, width, height in px of the image: away from what is proposed, where a drag would move that."""


@pytest.fixture(scope="module")
def page(label_studio: LabelStudio) -> Iterator[Any]:
    """A page, logged in, that reaches nothing but this machine."""
    sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium; Debian has it in the package 'chromium'")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, headless=True)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        local = ("http://127.0.0.1:", "data:", "blob:")
        page.route(
            lambda url: not url.startswith(local),
            lambda route: route.abort(),
        )
        page.goto(f"{label_studio.url}/user/login/", wait_until="domcontentloaded")
        page.fill("input[name=email]", label_studio.account.email)
        page.fill("input[name=password]", label_studio.account.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/user/login" not in url, timeout=60_000)
        yield page
        browser.close()


def gallery(folder: Path, *keys: str) -> Gallery:
    """Pictures, each a strip of gray with a bright square at (80, 40) to (160, 120)."""
    pixels = np.full((HEIGHT, WIDTH), 90, np.uint8)
    pixels[40:120, 80:160] = 240
    shard = write_shard(folder, [Blob(key, encode(pixels, "png")) for key in keys])
    return Gallery(folder, dict.fromkeys(keys, shard))


def drag(page: Any, frame: dict[str, float], box: tuple[float, float, float, float]) -> None:
    """Draw a box (px of the image) in several moves: one jump is not taken for a drag."""
    scale = frame["width"] / WIDTH
    left, top = frame["x"] + box[0] * scale, frame["y"] + box[1] * scale
    page.mouse.move(left, top)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(left + box[2] * scale * step / 10, top + box[3] * scale * step / 10)
    page.mouse.up()


def regions(page: Any, count: int, seconds: float = 60) -> bool:
    """Wait until the annotation in the editor holds so many regions; whether it came to that."""
    from playwright.sync_api import TimeoutError as Late  # noqa: PLC0415  (the fixture has found it)

    holds = "count => window.Htx?.annotationStore?.selected?.regions?.length === count"
    try:
        page.wait_for_function(holds, arg=count, timeout=seconds * 1000)
    except Late:
        return False
    return True


def draw(page: Any, frame: dict[str, float], label: str) -> None:
    """Draw `DRAWN` beside one proposal; what is drawn before the editor listens is lost, and repeated."""
    for _ in range(3):
        page.locator("[class*=label]").get_by_text(label, exact=True).first.click()
        drag(page, frame, DRAWN)
        if regions(page, 2, seconds=10):
            break


def brightness(page: Any, frame: dict[str, float], x: float, y: float) -> float:
    """Mean gray of a small patch of what is on the screen at a place of the image."""
    scale = frame["width"] / WIDTH
    clip = {"x": frame["x"] + x * scale - 4, "y": frame["y"] + y * scale - 4, "width": 8, "height": 8}
    shot = cv2.imdecode(np.frombuffer(page.screenshot(clip=clip), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shot is not None
    return float(shot.mean())


def submit(page: Any) -> None:
    """Submit the answer, and wait until the server has it."""
    button = page.get_by_role("button", name="Submit").or_(
        page.get_by_role("button", name="submit current annotation")
    )
    with page.expect_response(
        lambda reported: reported.request.method == "POST" and "/annotations" in reported.url
    ):
        button.first.click()


def test_an_annotator_sees_a_picture_and_a_proposal_and_draws(
    page: Any, world: World, label_studio: LabelStudio, tmp_path: Path
) -> None:
    world.width, world.height = WIDTH, HEIGHT
    config = LabelConfig({"scratch": (), "划伤": ()})
    proposal = world.box(80, 40, 80, 80)
    with ImageServer(gallery(tmp_path / "images", KEY)) as server:
        done = push(
            world.client,
            world.title,
            config,
            [Item(KEY, "a.png", "line", WIDTH, HEIGHT)],
            lambda image_id: f"{server.url}/{image_id}",
            Prelabels({KEY: [proposal]}),
        )
        (task,) = world.tasks()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # Nobody has been to this project before.
        page.goto(f"{label_studio.url}/projects/{done.project}/data?task={task['id']}")
        page.wait_for_selector(".konvajs-content canvas", timeout=60_000)
        assert regions(page, 1)
        (lists, opened) = ([url for url in asked if sign in url] for sign in ("api/tasks?", "api/tasks/"))
        assert asked.index(lists[0]) < asked.index(opened[0])
        image = page.locator("img[alt='image']").first
        image.wait_for(state="visible", timeout=60_000)
        assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [WIDTH, HEIGHT]
        frame = image.bounding_box()
        # The picture is there: its bright square is brighter than its ground, also under the proposal.
        assert brightness(page, frame, 120, 80) > brightness(page, frame, 600, 40) + 50
        draw(page, frame, "划伤")
        submit(page)

    images = pl.DataFrame(
        [(KEY, "line", "a.png", WIDTH, HEIGHT)],
        schema=["image_id", "source", "path", "width", "height"],
        orient="row",
    )
    section = Annotations.model_validate({"classes": ["scratch", "划伤"]})
    outcome = pull(world.client, {world.title: config}, images, section, world.folder)
    assert (outcome.answers, outcome.labels, outcome.problems) == (1, 2, ())
    labels = {row["label"]: row for row in world.read("annotations").iter_rows(named=True)}
    drawn = [labels["划伤"][name] for name in ("x", "y", "width", "height")]
    assert drawn == pytest.approx(DRAWN, abs=0.5)
    copied = [labels["scratch"][name] for name in ("x", "y", "width", "height")]
    assert copied == pytest.approx((80, 40, 80, 80), abs=1e-6)
    answer = world.read("answers").row(0, named=True)
    assert (answer["manual"], answer["prediction"], answer["author"]) == (1, 1, label_studio.account.email)
    assert answer["parent_prediction"] is not None
    assert answer["lead_time_s"] > 0


def test_label_all_tasks_goes_by_the_order_of_the_push(
    page: Any, world: World, label_studio: LabelStudio, tmp_path: Path
) -> None:
    world.width, world.height = WIDTH, HEIGHT
    order = [f"{number:032x}" for number in (3, 1, 4, 2)]
    items = [Item(key, f"{key}.png", "line", WIDTH, HEIGHT) for key in order]
    drawn = Prelabels({key: [world.box(80, 40, 80, 80)] for key in order})
    shown = "key => window.Htx?.task?.dataObj?.image_id === key"
    with ImageServer(gallery(tmp_path / "images", *order)) as server:
        for some in (items[:3], items):
            done = push(
                world.client, world.title, world.config, some, lambda key: f"{server.url}/{key}", drawn
            )
        page.goto(f"{label_studio.url}/projects/{done.project}/data")
        page.get_by_role("button", name="Label All Tasks").first.click(timeout=60_000)
        for key in order:
            page.wait_for_function(shown, arg=key, timeout=60_000)
            assert regions(page, 1)
            submit(page)
    reported = world.client.tasks(done.project, ("id", "total_annotations"))
    assert [task["total_annotations"] for task in reported] == [1] * 4


def test_an_annotator_sees_what_was_pushed_last(
    page: Any, world: World, label_studio: LabelStudio, tmp_path: Path
) -> None:
    """In a task opened from the list and in the stream of tasks, whatever was pushed before."""
    world.width, world.height = WIDTH, HEIGHT
    places = "window.Htx.annotationStore.selected.regions.map(one => Math.round(one.x))"
    with ImageServer(gallery(tmp_path / "images", KEY)) as server:

        def send(version: str, x: float) -> list[int]:
            """Push a box at x percent; where annotators see one then, from the list and in the stream."""
            items = [Item(KEY, "a.png", "line", WIDTH, HEIGHT)]
            drawn = Prelabels({KEY: [world.box(x * WIDTH / 100, 40, 80, 80)]}, version)
            push(world.client, world.title, world.config, items, f"{server.url}/{{}}".format, drawn)
            (task,) = world.tasks()
            seen = []
            for asked in (f"task={task['id']}", "labeling=1"):
                page.goto(f"{label_studio.url}/projects/{world.project}/data?{asked}")
                page.wait_for_selector(".konvajs-content canvas", timeout=60_000)
                assert regions(page, 1)
                seen += page.evaluate(places)
            return seen

        assert send("import", 10) == [10, 10]
        assert send("model-7", 30) == [30, 30]
        assert send("model-8", 60) == [60, 60]
        assert send("model-7", 30) == [30, 30]


def test_a_class_renamed_in_the_recipe_is_shown_by_its_new_name(
    page: Any, world: World, label_studio: LabelStudio, tmp_path: Path
) -> None:
    """What is proposed and what is drawn; in results both have the name that the project had before."""
    world.width, world.height = WIDTH, HEIGHT
    items = [Item(KEY, "a.png", "line", WIDTH, HEIGHT)]
    with ImageServer(gallery(tmp_path / "images", KEY)) as server:
        address = f"{server.url}/{{}}".format
        push(world.client, world.title, world.config, items, address)
        world.classes, world.aliases = ("Kratzer", "inclusion"), {"Kratzer": ("scratch",)}
        drawn = Prelabels({KEY: [world.box(80, 40, 80, 80, "Kratzer")]})
        push(world.client, world.title, world.config, items, address, drawn)
        (task,) = world.tasks()
        page.goto(f"{label_studio.url}/projects/{world.project}/data?task={task['id']}")
        page.wait_for_selector(".konvajs-content canvas", timeout=60_000)
        assert regions(page, 1)
        shown = "window.Htx.annotationStore.selected.regions[0].labeling.selectedLabels[0].value"
        assert page.evaluate(shown) == "Kratzer"
        frame = page.locator("img[alt='image']").first.bounding_box()
        draw(page, frame, "Kratzer")
        submit(page)
    ((answered,),) = world.client.export(world.project, [task["id"]])
    (answer,) = answered["annotations"]
    assert [one["value"]["rectanglelabels"] for one in answer["result"]] == [["scratch"]] * 2
