"""Pushing against a real server: once is enough, twice is no more, and the order is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tundish.errors import OutsideError, UsageError
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.project import prepare_project
from tundish.labeling.label_studio.push import push
from tundish.labeling.label_studio.tasks import Item, Prelabels

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
    monkeypatch.setattr("tundish.labeling.label_studio.push._BATCH", 2)
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
    answer: dict[str, Any] = world.client.get("reading", f"api/predictions/{tasks[0]['predictions'][0]}/")
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
    monkeypatch.setattr("tundish.labeling.label_studio.push._BATCH", 3)
    monkeypatch.setattr("tundish.labeling.label_studio.push._BATCH_REGIONS", 4)
    regions = {item.image_id: [world.box(1, 1, 2, 2)] * 3 for item in world.items(3)}
    world.push(world.items(8), Prelabels(regions))
    assert sent == [1, 1, 3, 3]


def test_a_push_that_was_cut_off_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tundish.labeling.label_studio.push._BATCH", 2)
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
            prepare_project(world.client, title, world.config, None)


def test_a_class_that_the_recipe_has_gained_comes_to_the_project(world: World) -> None:
    world.push(world.items(1))
    world.classes = ("scratch", "inclusion", "划伤")
    done = world.push(world.items(1))
    assert done.notes == (f"the labelling configuration of '{world.title}' was updated",)
    found = world.client.find_project(world.title)
    assert found is not None
    assert found["label_config"].strip() == world.config.xml()


def test_a_label_that_was_renamed_in_the_server_is_reported_and_left(world: World) -> None:
    world.push(world.items(1))
    renamed = LabelConfig(dict.fromkeys(("scrach", "inclusion"), ()), ("box", "mask")).xml()
    world.client.change_project(world.project, label_config=renamed)
    done = world.push(world.items(2))
    assert done.added == 1
    assert done.notes == tuple(
        f"the project '{world.title}' was left as it is: it does not offer the label 'scratch' in '{name}', "
        "but 'scrach' in its place; make it an alias of 'scratch' in the recipe, or rename it back "
        "in the project's settings"
        for name in ("box", "brush")
    )
    found = world.client.find_project(world.title)
    assert found is not None
    assert found["label_config"].strip() == renamed.strip()


def proposed(world: World) -> dict[str, list[str]]:
    """What the predictions of each image call its first region, in the order in which they were made."""
    reported: dict[str, list[str]] = {task["data"]["path"]: [] for task in world.tasks()}
    paths = {task["id"]: task["data"]["path"] for task in world.tasks()}
    for one in sorted(world.client.predictions(world.project), key=lambda one: int(one["id"])):
        reported[paths[one["task"]]] += one["result"][0]["value"]["rectanglelabels"]
    return reported


def test_a_class_renamed_in_the_recipe__is_shown_by_its_new_name_and_called_by_the_old(world: World) -> None:
    """New tasks, and another model's predictions for known ones, while what was drawn before is there."""
    old = {f"{1:032x}": [world.box(10, 20, 30, 40)]}
    world.push(world.items(2), Prelabels(old))
    world.answer(0, world.box(1, 2, 3, 4))
    world.classes, world.aliases = ("Kratzer", "inclusion"), {"Kratzer": ("scratch",)}
    new = {item.image_id: [world.box(10, 20, 30, 40, "Kratzer")] for item in world.items(3)}
    done = world.push(world.items(3), Prelabels(new))
    assert done.notes == (f"the labelling configuration of '{world.title}' was updated",)
    found = world.client.find_project(world.title)
    assert found is not None
    assert '<Label value="Kratzer" alias="scratch"' in found["label_config"]
    assert proposed(world) == {"0.jpg": [], "1.jpg": ["scratch"], "2.jpg": ["scratch"]}
    done = world.push(world.items(3), Prelabels(new, "model-7"))
    assert (done.added, done.proposed) == (0, 2)
    assert proposed(world) == {"0.jpg": [], "1.jpg": ["scratch"] * 2, "2.jpg": ["scratch"] * 2}
    # What is there is compared under the same name.
    assert world.push(world.items(3), Prelabels(new, "model-7")).notes == ()
    moved = {key: [world.box(50, 20, 30, 40, "Kratzer")] for key in new}
    (note,) = world.push(world.items(3), Prelabels(moved, "model-7")).notes
    assert "under that name before in 2 of 2 compared tasks" in note
    world.answer(2, world.box(1, 2, 3, 4))
    pulled = world.pull()
    assert (pulled.notes, pulled.problems) == ((), ())
    assert world.read("annotations")["label"].to_list() == ["Kratzer"] * 2
    # And renamed once more.
    world.classes, world.aliases = ("Riss", "inclusion"), {"Riss": ("Kratzer", "scratch")}
    assert len(world.push(world.items(3)).notes) == 1
    found = world.client.find_project(world.title)
    assert found is not None
    assert '<Label value="Riss" alias="scratch"' in found["label_config"]
    assert world.push(world.items(3)).notes == ()


def test_a_class_renamed_in_the_recipe__where_the_configuration_is_refused(world: World) -> None:
    world.push(world.items(1))
    bare = world.box(1, 2, 3, 4)
    bare["value"].pop("rectanglelabels")
    answer = world.answer(0, bare | {"type": "rectangle"}, world.box(5, 6, 7, 8))
    world.classes, world.aliases = ("Kratzer", "inclusion"), {"Kratzer": ("scratch",)}
    new = Prelabels({f"{1:032x}": [world.box(10, 20, 30, 40, "Kratzer")]})
    (note,) = world.push(world.items(2), new).notes
    assert "most likely regions without a label; label or delete them and push again to get what was" in note
    assert proposed(world)["1.jpg"] == ["scratch"]
    world.client.send("mending", "PATCH", f"api/annotations/{answer}/", json={"result": []})
    assert world.push(world.items(2), new).notes == (
        f"the labelling configuration of '{world.title}' was updated",
    )


def test_classes_made_one_in_the_recipe__are_left_as_they_are_and_called_by_the_first(world: World) -> None:
    world.push(world.items(1))
    world.classes, world.aliases = ("defect",), {"defect": ("scratch", "inclusion")}
    new = Prelabels({item.image_id: [world.box(10, 20, 30, 40, "defect")] for item in world.items(2)})
    before = world.client.find_project(world.title)
    done = world.push(world.items(2), new)
    assert before is not None
    assert done.notes == tuple(
        f"the project '{world.title}' was left as it is: it offers the label 'inclusion' in '{name}', "
        "another name of 'defect'; its answers count as 'defect'"
        for name in ("box", "brush")
    )
    assert (world.client.find_project(world.title) or {})["label_config"] == before["label_config"]
    assert proposed(world) == {"0.jpg": ["scratch"], "1.jpg": ["scratch"]}


def versions_of(world: World) -> dict[str, list[str]]:
    """The versions of each image's predictions, in the order in which they were made."""
    reported: dict[str, list[str]] = {task["data"]["path"]: [] for task in world.tasks()}
    paths = {task["id"]: task["data"]["path"] for task in world.tasks()}
    for one in sorted(world.client.predictions(world.project), key=lambda one: int(one["id"])):
        reported[paths[one["task"]]].append(one["model_version"])
    return reported


def drawn_by(world: World, version: str, count: int, at: float = 10) -> Prelabels:
    regions = {item.image_id: [world.box(at, 20, 30, 40)] for item in world.items(count)}
    return Prelabels(regions, version, dict.fromkeys(regions, 0.5))


def shown(world: World) -> str:
    found = world.client.find_project(world.title)
    assert found is not None
    return str(found["model_version"])


def test_known_tasks_get_what_another_model_says(world: World) -> None:
    world.push(world.items(4), drawn_by(world, "model-7", 4))
    world.answer(0, world.box(1, 2, 3, 4))
    world.answer(1, was_cancelled=True)
    model_8 = drawn_by(world, "model-8", 5)
    done = world.push(world.items(5), model_8)
    assert (done.added, done.known, done.proposed) == (1, 4, 2)
    assert done.notes == ("annotators now see the predictions of 'model-8' instead of 'model-7'",)
    assert versions_of(world) == {
        "0.jpg": ["model-7"],
        "1.jpg": ["model-7"],
        "2.jpg": ["model-7", "model-8"],
        "3.jpg": ["model-7", "model-8"],
        "4.jpg": ["model-8"],
    }
    assert shown(world) == "model-8"
    again = world.push(world.items(5), model_8)
    assert (again.added, again.known, again.proposed, again.notes) == (0, 5, 0, ())
    assert sum(world.client.count_predictions(world.project).values()) == 7


def test_the_next_task_comes_with_what_was_pushed_last(world: World) -> None:
    """The calls that the editor makes: the stream of tasks, and a task opened from the list."""
    world.push(world.items(1), drawn_by(world, "model-7", 1, at=10))
    world.push(world.items(1), drawn_by(world, "model-8", 1, at=40))

    def streamed() -> list[str]:
        task = world.client.get("reading", f"api/projects/{world.project}/next")
        return [one["model_version"] for one in task["predictions"]]

    assert streamed() == ["model-8"]
    task = world.client.get("reading", f"api/tasks/{world.tasks()[0]['id']}/", project=world.project)
    assert [one["model_version"] for one in task["predictions"]] == ["model-7", "model-8"]
    back = world.push(world.items(1), drawn_by(world, "model-7", 1, at=10))
    assert (back.proposed, back.notes) == (
        0,
        ("annotators now see the predictions of 'model-7' instead of 'model-8'",),
    )
    assert streamed() == ["model-7"]


def test_versions_of_which_one_is_a_part_of_the_other(world: World) -> None:
    for version, count in (("model-80", 2), ("Model-8", 3), ("model-8", 4)):
        world.push(world.items(4), drawn_by(world, version, count))
    assert versions_of(world) == {
        "0.jpg": ["model-80", "Model-8", "model-8"],
        "1.jpg": ["model-80", "Model-8", "model-8"],
        "2.jpg": ["Model-8", "model-8"],
        "3.jpg": ["model-8"],
    }
    world.push(world.items(5), drawn_by(world, "model-8", 5))
    assert world.push(world.items(5), drawn_by(world, "model-8", 5)).proposed == 0
    assert world.client.count_predictions(world.project) == {"model-80": 2, "Model-8": 3, "model-8": 5}


def test_labels_that_were_imported_after_their_task_was_pushed(world: World) -> None:
    world.push(world.items(3))
    assert shown(world) in ("", "None")
    later = Prelabels({f"{1:032x}": [world.box(10, 20, 30, 40)], f"{2:032x}": []})
    done = world.push(world.items(3), later)
    assert (done.added, done.known, done.proposed, done.notes) == (0, 3, 1, ())
    assert versions_of(world) == {"0.jpg": [], "1.jpg": ["import"], "2.jpg": []}
    assert shown(world) == "import"
    assert world.push(world.items(3), later).proposed == 0


def test_other_predictions_under_the_same_name_are_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.push(world.items(3), drawn_by(world, "model-7", 3))
    assert world.push(world.items(3), drawn_by(world, "model-7", 3)).notes == ()  # other ids, the same boxes
    regions = {item.image_id: [world.box(40, 20, 30, 40)] for item in world.items(3)}
    regions[f"{0:032x}"] = [world.box(10, 20, 30, 40)]
    rewritten = Prelabels(regions, "model-7")
    for compared, reported in ((100, "2 of 3"), (2, "1 of 2")):
        monkeypatch.setattr("tundish.labeling.label_studio.predictions._COMPARED", compared)
        done = world.push(world.items(3), rewritten)
        assert done.proposed == 0
        (note,) = done.notes
        assert f"'model-7' differ from those pushed under that name before in {reported} compared" in note
        assert "left as they are" in note
    assert sum(world.client.count_predictions(world.project).values()) == 3
    body = {"model_version": "model-7"}
    world.client.send("deleting", "DELETE", f"api/projects/{world.project}/model-versions/", json=body)
    assert world.push(world.items(3), rewritten).proposed == 3
    assert shown(world) == "model-7"


def test_predictions_that_were_cut_off_go_on_where_they_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tundish.labeling.label_studio.push._PREDICTIONS", 2)
    world.push(world.items(7), drawn_by(world, "model-7", 7))
    model_8 = drawn_by(world, "model-8", 7)
    send = world.client.import_predictions
    calls = []

    def fail(project: int, predictions: Sequence[dict[str, Any]]) -> int:
        calls.append(len(predictions))
        if len(calls) == 3:
            raise OutsideError("Label Studio broke off")
        return send(project, predictions)

    with monkeypatch.context() as patch:
        patch.setattr(world.client, "import_predictions", fail)
        with pytest.raises(OutsideError):
            world.push(world.items(7), model_8)
    assert world.client.count_predictions(world.project) == {"model-7": 7, "model-8": 4}
    assert world.push(world.items(7), model_8).proposed == 3
    assert world.client.count_predictions(world.project) == {"model-7": 7, "model-8": 7}
    assert shown(world) == "model-8"


def test_predictions_that_were_sent_twice_are_on_the_server_once(world: World) -> None:
    """A push that gave up waiting was repeated before the server was done with it."""
    world.push(world.items(3))
    model_8 = drawn_by(world, "model-8", 3)
    world.push(world.items(3), model_8)
    twice = [
        {"task": task["id"], "model_version": "model-8", "result": model_8.regions[task["data"]["image_id"]]}
        for task in world.tasks()[:2]
    ]
    assert world.client.import_predictions(world.project, twice) == 2
    done = world.push(world.items(3), model_8)
    assert (done.proposed, done.notes) == (
        0,
        ("2 predictions that were in their tasks twice were removed",),
    )
    assert world.client.count_predictions(world.project) == {"model-8": 3}


def test_predictions_that_do_not_fit_the_configuration_are_reported(world: World) -> None:
    """The server leaves them out without a word; the project's configuration is another's."""
    world.push(world.items(2))
    renamed = LabelConfig(dict.fromkeys(("scrach", "inclusion"), ()), ("box", "mask")).xml()
    world.client.change_project(world.project, label_config=renamed)
    regions = {
        f"{0:032x}": [world.box(1, 2, 3, 4)],
        f"{1:032x}": [world.box(1, 2, 3, 4, "inclusion")],
    }
    done = world.push(world.items(2), Prelabels(regions, "model-7"))
    assert done.proposed == 1
    assert any("refuses the predictions of 1 existing task" in note for note in done.notes)


# What becomes of the configuration while answers exist


def test_a_class_is_added_although_a_region_has_no_label(world: World) -> None:
    world.push(world.items(3))
    bare = world.box(1, 2, 3, 4)
    bare["value"].pop("rectanglelabels")
    bare["type"] = "rectangle"
    answer = world.answer(1, bare, world.box(5, 6, 7, 8))
    world.answer(2, world.box(5, 6, 7, 8))
    number = world.tasks()[1]["id"]
    world.classes = ("scratch", "inclusion", "划伤")
    done = world.push(world.items(4))
    assert done.added == 1
    (note,) = done.notes
    assert "refuses the new labelling configuration" in note
    assert f"in task {number}, most likely regions without a label" in note
    # Mended as the note says, a repeat completes it.
    world.client.send(
        "mending", "PATCH", f"api/annotations/{answer}/", json={"result": [world.box(5, 6, 7, 8)]}
    )
    assert world.push(world.items(4)).notes == (
        f"the labelling configuration of '{world.title}' was updated",
    )
    found = world.client.find_project(world.title)
    assert found is not None
    assert found["label_config"].strip() == world.config.xml()


@pytest.mark.parametrize(
    ("classes", "shapes", "severities", "reported"),
    [
        (("scratch",), ("box", "mask"), (), "offers the label 'inclusion' in 'box'"),
        (("scratch", "inclusion"), ("mask",), (), "has a control 'box'"),
        (("scratch", "inclusion"), ("box",), (), "has a control 'brush'"),
        (("scratch", "inclusion"), ("box", "mask", "polygon"), (), "was updated"),
        (("scratch", "inclusion"), ("box", "mask"), ("minor", "major"), "was updated"),
        (("划伤",), ("box", "mask"), (), "not offer the label '划伤' in 'box'"),
    ],
)
def test_what_a_recipe_gains_and_loses_while_answers_exist(
    world: World,
    classes: tuple[str, ...],
    shapes: tuple[Any, ...],
    severities: tuple[str, ...],
    reported: str,
) -> None:
    world.push(world.items(1))
    world.answer(0, world.box(1, 2, 3, 4), world.box(5, 6, 7, 8, "inclusion"))
    before = world.client.find_project(world.title)
    config = LabelConfig(dict.fromkeys(classes, ()), shapes, severities)
    done = push(world.client, world.title, config, world.items(2), "http://127.0.0.1:1/{}".format)
    assert done.added == 1
    assert any(reported in note for note in done.notes), done.notes
    after = world.client.find_project(world.title)
    assert before is not None
    assert after is not None
    kept = reported != "was updated"
    assert (after["label_config"] == before["label_config"]) == kept
    assert all("was left as it is: it " in note for note in done.notes) == kept
