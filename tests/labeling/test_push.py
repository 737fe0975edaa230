"""Pushing against a real server: once is enough, twice is no more, and the order is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tundish.errors import OutsideError, UsageError
from tundish.labeling.config import label_config
from tundish.labeling.push import Item, Prelabels, project_of, push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.labeling.conftest import World

pytestmark = pytest.mark.label_studio


def test_tasks_say_which_image_they_are_about(world: World) -> None:
    done = world.push(world.items(2))
    assert (done.created, done.added, done.known) == (True, 2, 0)
    assert [task["data"] for task in world.tasks()] == [
        {
            "image": f"http://127.0.0.1:1/{i:032x}",
            "image_id": f"{i:032x}",
            "path": f"{i}.jpg",
            "source": "line",
            "width": 400,
            "height": 100,
            "coil_id": f"C{i}",
        }
        for i in range(2)
    ]


def test_levels_are_recorded(world: World) -> None:
    world.push([Item("0" * 32, "a.tif", "line", 4, 4, levels=(120, 3900))])
    (task,) = world.tasks()
    assert (task["data"]["black"], task["data"]["white"]) == (120, 3900)


def test_pushing_twice_adds_nothing(world: World) -> None:
    world.push(world.items(3))
    again = world.push(world.items(3))
    assert (again.created, again.added, again.known, again.notes) == (False, 0, 3, ())
    more = world.push(world.items(5) * 2)
    assert (more.added, more.known) == (2, 3)
    assert len(world.tasks()) == 5


def test_the_order_of_work_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tundish.labeling.push._BATCH", 2)
    items = [world.items(6)[i] for i in (4, 0, 5, 2, 1, 3)]
    world.push(items)
    assert [task["data"]["image_id"] for task in world.tasks()] == [item.image_id for item in items]


def test_what_is_known_is_drawn_already(world: World) -> None:
    regions = {f"{0:032x}": [world.box(10, 20, 30, 40)], f"{1:032x}": []}
    scores = {f"{0:032x}": 0.75}
    world.push(world.items(3), Prelabels(regions, "model-7", scores))
    ids = [task["id"] for task in world.tasks()]
    (tasks,) = world.client.export(world.project, ids)
    assert [task["total_predictions"] for task in tasks] == [1, 0, 0]
    answer: dict[str, Any] = world.client._get("reading", f"api/predictions/{tasks[0]['predictions'][0]}/")
    assert (answer["model_version"], answer["score"]) == ("model-7", 0.75)
    assert answer["result"] == regions[f"{0:032x}"]


def test_batches_stay_small(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three bounds: tasks, regions and bytes of masks."""
    sent: list[int] = []
    send = world.client.import_tasks

    def watch(project: int, tasks: Sequence[dict[str, Any]]) -> None:
        sent.append(len(tasks))
        send(project, tasks)

    monkeypatch.setattr(world.client, "import_tasks", watch)
    monkeypatch.setattr("tundish.labeling.push._BATCH", 3)
    monkeypatch.setattr("tundish.labeling.push._BATCH_REGIONS", 4)
    regions = {item.image_id: [world.box(1, 1, 2, 2)] * 3 for item in world.items(3)}
    world.push(world.items(8), Prelabels(regions))
    assert sent == [1, 1, 3, 3]


def test_a_push_that_was_cut_off_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tundish.labeling.push._BATCH", 2)
    send = world.client.import_tasks
    calls = []

    def fail(project: int, tasks: Sequence[dict[str, Any]]) -> None:
        calls.append(len(tasks))
        if len(calls) == 3:
            raise OutsideError("Label Studio broke off")
        send(project, tasks)

    with monkeypatch.context() as patch:
        patch.setattr(world.client, "import_tasks", fail)
        with pytest.raises(OutsideError):
            world.push(world.items(7))
    assert len(world.tasks()) == 4
    done = world.push(world.items(7))
    assert (done.added, done.known) == (3, 4)
    assert [task["data"]["path"] for task in world.tasks()] == [f"{i}.jpg" for i in range(7)]


def test_new_items_are_prepared_before_they_are_sent(world: World) -> None:
    world.push(world.items(2))
    seen: list[tuple[int, list[str]]] = []
    address = "http://127.0.0.1:1/{}".format
    for _ in range(2):
        push(
            world.client,
            world.title,
            world.config,
            world.items(3),
            address,
            prepare=lambda project, items: seen.append((project, [item.path for item in items])),
        )
    assert seen == [(world.project, ["2.jpg"])]


def test_the_title_must_suit_label_studio(world: World) -> None:
    for title in ("ab", "a" * 51):
        with pytest.raises(UsageError, match="3 to 50 characters"):
            project_of(world.client, title, world.config)


def test_a_class_that_the_recipe_has_gained_comes_to_the_project(world: World) -> None:
    world.push(world.items(1))
    world.classes = ("scratch", "inclusion", "划伤")
    done = world.push(world.items(1))
    assert done.notes == (f"the labelling configuration of '{world.title}' was brought up to date",)
    found = world.client.find_project(world.title)
    assert found is not None
    assert found["label_config"].strip() == world.config.strip()


def test_a_label_that_was_renamed_in_the_server_is_told_and_left(world: World) -> None:
    world.push(world.items(1))
    renamed = label_config(dict.fromkeys(("scrach", "inclusion"), ()), ("box", "mask"))
    world.client.change_project(world.project, label_config=renamed)
    done = world.push(world.items(2))
    assert done.added == 1
    assert any("no label 'scratch'" in note and "it was left as it is" in note for note in done.notes)
    found = world.client.find_project(world.title)
    assert found is not None
    assert found["label_config"].strip() == renamed.strip()
