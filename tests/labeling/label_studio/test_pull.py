"""What annotators answered on a real server comes into ``labels/``: all of it, once, as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import polars as pl
import pytest

from tundish.errors import OutsideError
from tundish.labeling.label_studio.pull import pull
from tundish.labeling.label_studio.tasks import Prelabels
from tundish.recipe.sections import Annotations

if TYPE_CHECKING:
    from tests.labeling.conftest import World

pytestmark = pytest.mark.label_studio

NAMES = ("annotations", "answers", "problems", "tasks")


def counts(world: World) -> tuple[int, int]:
    done = world.pull()
    return done.changed, done.unchanged


def test_answers_come_with_who_and_how_long(world: World) -> None:
    world.push(world.items(4))
    world.answer(1, world.box(10, 20, 30, 40), world.box(100.5, 2.25, 7, 9, "inclusion"))
    world.answer(2)
    world.answer(3, was_cancelled=True)
    done = world.pull()
    assert (done.changed, done.unchanged, done.gone, done.answers, done.labels) == (3, 0, 0, 3, 2)
    assert (done.problems, done.notes) == ((), ())
    answers = world.read("answers").sort("image_id")
    assert answers["answer"].to_list() == ["labelled", "empty", "cancelled"]
    assert answers["author"].unique().to_list() == ["admin@example.com"]
    assert answers["lead_time_s"].to_list() == [2.5] * 3
    labels = world.read("annotations").sort("x")
    assert labels["label"].to_list() == ["scratch", "inclusion"]
    assert labels.select("x", "y", "width", "height").rows() == [
        pytest.approx((10, 20, 30, 40), abs=1e-6),
        pytest.approx((100.5, 2.25, 7, 9), abs=1e-6),
    ]


def test_a_project_nobody_has_answered_gives_empty_tables(world: World) -> None:
    world.push(world.items(2))
    done = world.pull()
    assert (done.changed, done.answers, done.labels) == (0, 0, 0)
    assert all(world.read(name).is_empty() for name in NAMES)


def test_what_is_begun_and_not_submitted_is_counted_and_left(world: World) -> None:
    world.push(world.items(4))
    draft = {"result": [world.box(1, 2, 3, 4)], "lead_time": 1.0}
    first, second = (task["id"] for task in world.tasks()[:2])
    begun = world.client.post("beginning", f"api/tasks/{first}/drafts", draft)
    done = world.pull()
    assert (done.drafts, done.changed, done.answers, done.labels) == (1, 0, 0, 0)
    world.client.post("beginning", f"api/tasks/{second}/drafts", draft)
    world.answer(0, world.box(1, 2, 3, 4), draft_id=begun["id"])  # as the editor does
    assert (world.pull().drafts, world.pull().answers) == (1, 1)


def test_only_what_changed_is_asked_for(world: World) -> None:
    world.push(world.items(4))
    first = world.answer(0, world.box(1, 2, 3, 4))
    world.answer(1, world.box(5, 6, 7, 8))
    assert counts(world) == (2, 0)
    assert counts(world) == (0, 2)
    world.answer(2)  # a new answer
    world.answer(0, world.box(9, 9, 9, 9))  # a second one to the same image
    assert counts(world) == (2, 1)
    world.client.send(
        "editing",
        "PATCH",
        f"api/annotations/{first}/",
        json={"result": [world.box(2, 2, 3, 4), world.box(50, 50, 3, 4)]},
    )
    assert counts(world) == (1, 2)
    assert world.read("annotations").filter(path="0.jpg")["x"].sort().to_list() == pytest.approx([2, 9, 50])
    world.delete(f"annotations/{first}")
    assert counts(world) == (1, 2)
    assert world.read("annotations").filter(path="0.jpg")["x"].to_list() == pytest.approx([9])


def test_an_answer_that_was_deleted_leaves(world: World) -> None:
    world.push(world.items(2))
    number = world.answer(0, world.box(1, 2, 3, 4))
    world.pull()
    world.delete(f"annotations/{number}")
    done = world.pull()
    assert (done.changed, done.answers, done.gone) == (1, 0, 0)
    assert counts(world) == (0, 0)


def test_the_number_of_a_deleted_task_comes_again__its_answers_stay(world: World) -> None:
    world.push(world.items(2))
    world.answer(1, world.box(1, 2, 3, 4))
    world.pull()
    number = max(task["id"] for task in world.tasks())
    world.delete(f"tasks/{number}")
    world.push([world.items(3)[2]])
    assert max(task["id"] for task in world.tasks()) == number
    done = world.pull()
    assert (done.gone, done.answers, done.labels) == (1, 1, 1)
    assert [one.check for one in done.problems] == ["task_gone"]
    assert counts(world) == (0, 0)
    world.answer(2)
    assert counts(world) == (1, 0)
    assert world.read("answers")["path"].to_list() == ["1.jpg", "2.jpg"]
    world.push(world.items(3))
    world.answer(1)  # its image was pushed again, and is answered anew
    done = world.pull()
    assert (done.gone, done.answers, done.labels) == (0, 2, 0)


def test_tasks_that_an_earlier_version_pulled_are_known_again(world: World) -> None:
    world.push(world.items(1))
    world.answer(0, world.box(1, 2, 3, 4))
    world.pull()
    tasks = world.folder / "tasks.parquet"
    pl.read_parquet(tasks).drop("created_at").write_parquet(tasks)
    assert counts(world) == (0, 1)


def test_equal_answers_give_equal_bytes(world: World) -> None:
    world.push(world.items(3))
    for number in range(3):
        world.answer(number, world.box(1, 2, 3, 4))
    world.pull()
    before = {name: (world.folder / f"{name}.parquet").read_bytes() for name in NAMES}
    world.pull()
    assert before == {name: (world.folder / f"{name}.parquet").read_bytes() for name in NAMES}
    for name in NAMES:
        (world.folder / f"{name}.parquet").unlink()
    world.pull()
    assert before == {name: (world.folder / f"{name}.parquet").read_bytes() for name in NAMES}


def test_a_proposal_that_was_accepted_is_distinguished_from_one_that_was_drawn(world: World) -> None:
    proposed = world.box(10, 10, 20, 20)
    world.push(world.items(1), Prelabels({f"{0:032x}": [proposed]}, "import"))
    ids = [task["id"] for task in world.tasks()]
    ((task,),) = world.client.export(world.project, ids)
    world.answer(
        0,
        proposed | {"origin": "prediction"},
        world.box(50, 50, 9, 9) | {"origin": "manual"},
        parent_prediction=task["predictions"][0],
    )
    world.pull()
    answer = world.read("answers").row(0, named=True)
    assert (answer["manual"], answer["prediction"]) == (1, 1)
    assert answer["parent_prediction"] == task["predictions"][0]
    # What was pushed is not kept once more beside each answer.
    assert "model_version" not in world.read("tasks")["json"][0]


def test_an_empty_answer_that_passed_over_a_proposal_is_reported(world: World) -> None:
    world.push(world.items(2), Prelabels({f"{0:032x}": [world.box(1, 2, 3, 4)]}))
    world.answer(0)
    world.answer(1)
    reported = world.pull().problems
    assert [(one.check, one.severity) for one in reported] == [("empty_unseen", "warning")]
    assert world.pull().problems == reported, "of what was pulled before, too"
    for prediction in world.client.predictions(world.project):
        world.client.delete_prediction(prediction["id"])
    assert world.pull().problems == reported, "it was there when the answer was given"


def test_another_project_s_answers_stay(world: World) -> None:
    world.push(world.items(1))
    world.answer(0, world.box(1, 2, 3, 4))
    world.pull()
    first, world.title = world.title, world.title + " b"
    world.push(world.items(2))
    world.answer(1, world.box(1, 2, 3, 4))
    done = world.pull()
    assert (done.changed, done.answers) == (1, 2)
    assert set(world.read("tasks")["title"]) == {first, world.title}
    (note,) = done.notes
    assert note.startswith(f"the answers of 1 task of '{first}' stay"), "a deleted project is reported"


def test_a_project_that_is_missing_does_not_hold_up_the_others(world: World) -> None:
    world.push(world.items(2))
    world.answer(0, world.box(1, 2, 3, 4))
    world.pull()
    first, world.title = world.title, world.title + " b"
    world.push(world.items(2))
    world.answer(1, world.box(5, 6, 7, 8))
    number = world.client.find_project(first)
    assert number is not None
    world.delete(f"projects/{number['id']}")
    section = Annotations.model_validate({"classes": list(world.classes)})
    configs = dict.fromkeys((first, world.title, "nobody's"), world.config)
    done = pull(world.client, configs, world.images(2), section, world.folder)
    assert (done.changed, done.answers, done.notes) == (1, 2, ())
    assert str(done.missing) == (
        f"{world.client.address}: the server has no project '{first}' (the answers of 1 task pulled before "
        "stay) and no project 'nobody's'; the others were pulled; push first, then pull again."
    )
    assert world.read("annotations").sort("path")["x"].to_list() == pytest.approx([1, 5])


def test_a_class_that_gains_an_alias_needs_no_new_pull(world: World) -> None:
    world.push(world.items(1))
    world.answer(0, world.box(1, 2, 3, 4, "Kratzer"))
    world.pull()
    assert world.read("annotations").select("label", "valid").row(0) == (None, False)
    world.classes = ("scratch", "inclusion", "Kratzer")
    done = world.pull()
    assert done.changed == 0
    assert world.read("annotations").select("label", "valid").row(0) == ("Kratzer", True)


def test_there_is_no_such_project(world: World) -> None:
    with pytest.raises(OutsideError, match=r"no project '.*'; push first"):
        world.pull()
    assert not world.folder.exists()


def test_the_task_is_kept_as_the_server_says_it(world: World) -> None:
    world.push(world.items(1))
    world.answer(0, world.box(1, 2, 3, 4))
    world.pull()
    row = world.read("tasks").row(0, named=True)
    task = orjson.loads(row["json"])
    assert task["data"] == world.tasks()[0]["data"]
    assert task["annotations"][0]["completed_by"]["email"] == "admin@example.com"
    assert row["answers"] == 1
    assert row["image_id"] == f"{0:032x}"
