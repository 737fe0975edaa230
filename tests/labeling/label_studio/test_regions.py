from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.converter import brush
from label_studio_sdk.label_interface.interface import LabelInterface
from polars.testing import assert_frame_equal

from tundish.formats.label_studio.brush import rle_of_mask
from tundish.formats.label_studio.controls import CONTROLS, Shape
from tundish.imaging.geometry import area_of_polygon, counts_of_mask, mask_of_counts
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.read_answers import ReadAnswers, read_tasks
from tundish.labeling.label_studio.regions import regions_of
from tundish.labeling.tables import ANSWERS
from tundish.recipe.sections import Annotations
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SDK: Any = brush

EXACT = 1e-6
"""px"""

WIDTH, HEIGHT = 800, 200
IMAGE = "a" * 32
IMAGES = pl.DataFrame(
    {"image_id": [IMAGE], "source": ["line"], "path": ["a.tif"], "width": [WIDTH], "height": [HEIGHT]}
)
CLASSES = Annotations.model_validate({"classes": {"scratch": ["划伤"], "龟裂": [], "hole": []}})


def region(kind: str, labels: list[str] | None = None, **value: Any) -> dict[str, Any]:
    control = {"rectangle": "box", "choices": "choice"}.get(kind, kind)
    name = kind if kind == "choices" else f"{kind}labels"
    said = {} if labels is None else {name: labels}
    return {
        "id": "r1",
        "from_name": control,
        "to_name": "image",
        "type": name,
        "origin": "manual",
        "original_width": WIDTH,
        "original_height": HEIGHT,
        "image_rotation": 0,
        "value": value | said,
    }


def box(labels: list[str] | None = None, /, **more: float) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0} | more
    return region("rectangle", labels if labels is not None else ["scratch"], **value)


def task(*result: dict[str, Any], **annotation: Any) -> dict[str, Any]:
    reported = {"id": 7, "completed_by": 1, "was_cancelled": False, "lead_time": 4.5, "result": list(result)}
    return {"id": 3, "data": {"image_id": IMAGE}, "annotations": [reported | annotation], "drafts": []}


def pull(*tasks: object, images: pl.DataFrame = IMAGES) -> ReadAnswers:
    return read_tasks(tasks, images, CLASSES)


def row(pulled: ReadAnswers) -> dict[str, Any]:
    assert not [problem for problem in pulled.problems if problem.severity == "error"]
    (only,) = pulled.annotations.to_dicts()
    return only | {"attributes": json.loads(only["attributes"])}


def checks(pulled: ReadAnswers) -> list[tuple[str, str, int]]:
    return [(problem.check, problem.severity, problem.labels) for problem in pulled.problems]


def mask_with_hole() -> NDArray[np.uint8]:
    """Two parts, one with a hole."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[20:120, 100:300] = 1
    mask[50:70, 150:200] = 0
    mask[150:190, 700:780] = 1
    return mask


class TestGeometry:
    def test_box(self) -> None:
        only = row(pull(task(box())))
        assert (only["shape"], only["label"], only["raw_label"]) == ("box", "scratch", "scratch")
        assert (only["x"], only["y"], only["width"], only["height"]) == (80, 40, 240, 80)
        assert (only["image_id"], only["source"], only["path"]) == (IMAGE, "line", "a.tif")
        assert (only["author"], only["origin"], only["valid"], only["score"]) == (
            "1",
            "annotator",
            True,
            None,
        )

    def test_percent_of_a_published_vector(self) -> None:
        images = IMAGES.with_columns(width=640, height=480)
        said = box(x=10, y=20, width=30, height=40) | {"original_width": 640, "original_height": 480}
        only = row(pull(task(said), images=images))
        assert (only["x"], only["y"], only["width"], only["height"]) == (64, 96, 192, 192)

    @pytest.mark.parametrize(
        ("rotation", "corners"),
        [
            (90, [(100, 50), (100, 70), (80, 70), (80, 50)]),
            (30, [(100, 50), (117.320508, 60), (107.320508, 77.320508), (90, 67.320508)]),
        ],
    )
    def test_turned_boxes_of_published_vectors(
        self, rotation: float, corners: list[tuple[float, float]]
    ) -> None:
        images = IMAGES.with_columns(width=200, height=100)
        said = box(x=50, y=50, width=10, height=20, rotation=rotation)
        only = row(pull(task(said | {"original_width": 200, "original_height": 100}), images=images))
        xs, ys = np.array(corners, np.float64).T
        expected = xs.min(), ys.min(), xs.max() - xs.min(), ys.max() - ys.min()
        got = only["x"], only["y"], only["width"], only["height"]
        np.testing.assert_allclose(got, expected, atol=1e-5, rtol=0)
        assert only["attributes"]["rotation"] == rotation
        assert only["attributes"]["box"] == [100, 50, 20, 20]
        if rotation % 90:
            np.testing.assert_allclose(only["segmentation"], [np.ravel(corners).tolist()], atol=1e-5, rtol=0)
        else:
            assert only["shape"] == "box"

    def test_the_box_that_the_servers_own_export_turns_wrongly(self) -> None:
        images = IMAGES.with_columns(width=400)
        said = box(x=50, y=50, width=10, height=10, rotation=45) | {"original_width": 400}
        only = row(pull(task(said), images=images))
        half = math.sqrt(0.5)
        expected = (200 - 20 * half, 100, 60 * half, 60 * half)
        np.testing.assert_allclose(
            (only["x"], only["y"], only["width"], only["height"]), expected, atol=EXACT, rtol=0
        )
        assert area_of_polygon(only["segmentation"]) == pytest.approx(40 * 20, abs=EXACT)

    def test_an_ellipse_is_a_polygon_on_its_rim(self) -> None:
        said = region("ellipse", ["hole"], x=50, y=50, radiusX=5, radiusY=10, rotation=90)
        only = row(pull(task(said)))
        assert only["shape"] == "polygon"
        got = only["x"], only["y"], only["width"], only["height"]
        np.testing.assert_allclose(got, (400 - 20, 100 - 40, 40, 80), atol=EXACT, rtol=0)
        points = np.array(only["segmentation"][0]).reshape(-1, 2) - (400, 100)
        np.testing.assert_allclose((points[:, 0] / 20) ** 2 + (points[:, 1] / 40) ** 2, 1, atol=1e-9)

    def test_the_turn_of_the_view_changes_nothing(self) -> None:
        turned = box() | {"image_rotation": 90}
        plain, seen = row(pull(task(box()))), row(pull(task(turned)))
        assert seen["attributes"]["image_rotation"] == 90
        assert [seen[name] for name in ("x", "y", "width", "height")] == [
            plain[name] for name in ("x", "y", "width", "height")
        ]

    def test_polygon(self) -> None:
        only = row(pull(task(region("polygon", ["龟裂"], points=[[0, 0], [50, 0], [50, 100]], closed=True))))
        assert only["segmentation"] == [[0, 0, 400, 0, 400, 200]]
        assert (only["x"], only["y"], only["width"], only["height"]) == (0, 0, 400, 200)

    def test_brush_with_a_hole_and_two_parts(self) -> None:
        mask = mask_with_hole()
        only = row(pull(task(region("brush", ["hole"], format="rle", rle=SDK.mask2rle(mask * 255)))))
        np.testing.assert_array_equal(mask_of_counts(only["rle"], WIDTH, HEIGHT), mask)
        assert (only["x"], only["y"], only["width"], only["height"]) == (100, 20, 680, 170)

    def test_a_region_partly_outside_is_clipped_and_reported(self) -> None:
        pulled = pull(task(box(x=-10, width=30)))
        assert checks(pulled) == [("clipped", "warning", 0)]
        assert (row(pulled)["x"], row(pulled)["width"]) == (0, 160)
        pulled = pull(task(region("polygon", ["hole"], points=[[50, 50], [110, 50], [50, 100]])))
        assert checks(pulled) == [("clipped", "warning", 0)]
        assert row(pulled)["x"] + row(pulled)["width"] == WIDTH

    @pytest.mark.parametrize("rotation", [0, 10, 90])
    def test_a_box_that_is_cut_goes_back_whole(self, rotation: float) -> None:
        said = box(x=95, y=-10, width=10, height=30, rotation=rotation)
        pulled = pull(task(said))
        assert checks(pulled) == [("clipped", "warning", 0)]
        (back,) = regions_of(pulled.annotations, {IMAGE: (WIDTH, HEIGHT)}).results[IMAGE]
        names = ("x", "y", "width", "height", "rotation")
        assert [back["value"][name] for name in names] == pytest.approx(
            [said["value"][name] for name in names]
        )

    @pytest.mark.parametrize(
        ("said", "check"),
        [
            (box(x=101), "outside_image"),
            (box(y=-50), "outside_image"),
            (box(x=120, rotation=15), "outside_image"),
            (region("polygon", ["hole"], points=[[-9, 1], [-1, 1], [-1, 9]]), "outside_image"),
            (box(width=-3), "negative_size"),
            (box(x=math.nan), "not_finite"),
            (box() | {"value": {"x": 1, "rectanglelabels": ["hole"]}}, "not_a_number"),
            (box() | {"value": {"x": [1], "rectanglelabels": ["hole"]}}, "not_a_number"),
            (box(x=1e308), "not_finite"),
            (region("polygon", ["hole"], points=[[1, 1], [2, 2]]), "broken_polygon"),
            (region("polygon", ["hole"], points=[[1, 1], [2], [3, 3]]), "broken_polygon"),
            (region("polygon", ["hole"], points=[[1, 1], [math.inf, 2], [3, 3]]), "not_finite"),
            (region("polygon", ["hole"]), "broken_polygon"),
            (region("brush", ["hole"], format="rle", rle=[1, 2, 3]), "broken_mask"),
            (region("brush", ["hole"], touches=[]), "broken_mask"),
            (region("brush", ["hole"], rle=rle_of_mask(np.zeros((HEIGHT, WIDTH), np.uint8))), "empty_mask"),
            (
                region("brush", ["hole"], rle=rle_of_mask(np.ones((WIDTH, HEIGHT + 1), np.uint8))),
                "broken_mask",
            ),
            (region("ellipse", ["hole"], x=50, y=50, radiusX=-5, radiusY=9, rotation=0), "negative_size"),
            (region("ellipse", ["hole"], x=50, y=50, radiusX=5), "not_a_number"),
            (region("keypoint", ["hole"], x=50, y=50, width=0.2), "unsupported_region"),
            (region("bitmask", ["hole"], imageDataURL="data:"), "unsupported_region"),
            (box() | {"original_width": 200, "original_height": 800}, "size_mismatch"),
            (box() | {"value": None}, "broken_region"),
            (box() | {"type": None}, "broken_region"),
        ],
    )
    def test_what_cannot_be_taken_is_a_problem(self, said: dict[str, Any], check: str) -> None:
        pulled = pull(task(said, box() | {"id": "good"}))
        assert checks(pulled) == [(check, "error", 1)]
        (problem,) = pulled.problems
        assert (problem.path, problem.row) == ("task-3/annotation-7", 0)
        assert pulled.annotations.height == 1
        assert pulled.answers.select("answer", "labels", "refused").row(0) == ("labelled", 1, 1)

    def test_regions_without_a_stated_size_are_of_the_image(self) -> None:
        said = box()
        del said["original_width"]
        assert row(pull(task(said)))["width"] == 240


class TestLabels:
    def test_an_alias_and_a_chinese_class(self) -> None:
        pulled = pull(task(box(["划伤"]), box(["龟裂"]) | {"id": "r2"}))
        assert pulled.annotations["label"].to_list() == ["scratch", "龟裂"]
        assert pulled.annotations["raw_label"].to_list() == ["划伤", "龟裂"]

    def test_an_unknown_label_is_kept_and_not_valid(self) -> None:
        pulled = pull(task(box(["rust"])))
        assert checks(pulled) == [("unknown_class", "error", 0)]
        assert pulled.annotations.select("label", "raw_label", "valid").row(0) == (None, "rust", False)

    def test_a_region_without_label_is_kept_and_not_valid(self) -> None:
        said = region("rectangle", x=1, y=2, width=3, height=4)
        pulled = pull(task(said, region("polygon", [], points=[[0, 0], [9, 0], [9, 9]]) | {"id": "r2"}))
        assert checks(pulled) == [("no_label", "error", 0)] * 2
        assert pulled.annotations.select("label", "raw_label", "valid").rows() == [(None, "", False)] * 2

    def test_a_label_given_in_an_entry_of_its_own(self) -> None:
        bare = region("rectangle", x=1, y=2, width=3, height=4) | {"type": "rectangle"}
        given_ = bare | {
            "type": "labels",
            "from_name": "names",
            "value": bare["value"] | {"labels": ["hole"]},
        }
        alone = bare | {"type": "labels", "value": {"labels": ["hole"]}}
        for result in ([bare, given_], [given_, bare], [bare, alone], [given_]):
            assert row(pull(task(*result)))["label"] == "hole"

    def test_several_labels_of_one_region(self) -> None:
        pulled = pull(task(box(["scratch", "hole"])))
        assert pulled.annotations["label"].to_list() == ["scratch", "hole"]
        assert pulled.annotations["annotation_id"].n_unique() == 2

    def test_answers_about_one_region_are_its_attributes(self) -> None:
        about = region("choices", ["deep"]) | {"from_name": "depth"}
        text = box() | {
            "type": "textarea",
            "from_name": "remark",
            "value": {"text": ["?"], "textarea": ["?"]},
        }
        only = row(pull(task(about, box() | {"meta": {"text": ["m"]}}, text)))
        assert only["attributes"]["depth"] == ["deep"]
        assert only["attributes"]["remark"] == ["?"]
        assert only["attributes"]["meta"] == {"text": ["m"]}

    def test_two_regions_of_the_same_id_are_both_kept(self) -> None:
        pulled = pull(task(box(), box(x=50)))
        assert checks(pulled) == [("repeated_id", "warning", 0)]
        assert pulled.annotations["x"].to_list() == [80, 400]
        assert pulled.annotations["annotation_id"].n_unique() == 2

    def test_regions_without_an_id(self) -> None:
        pulled = pull(task(box() | {"id": None}, box() | {"id": None}))
        assert pulled.annotations["annotation_id"].n_unique() == 2

    def test_relations_are_reported(self) -> None:
        pulled = pull(task(box(), {"type": "relation", "from_id": "r1", "to_id": "r1", "direction": "right"}))
        assert checks(pulled) == [("relation", "warning", 0)]

    def test_choices_are_labels_of_the_whole_image_and_severity_is_not(self) -> None:
        severe = region("choices", ["重"]) | {"from_name": "severity", "id": "s"}
        pulled = pull(task(region("choices", ["scratch", "hole"]), severe))
        assert pulled.annotations.select("label", "shape", "x", "y", "width", "height").rows() == [
            ("scratch", "class", 0, 0, WIDTH, HEIGHT),
            ("hole", "class", 0, 0, WIDTH, HEIGHT),
        ]
        assert pulled.answers.select("answer", "severity").row(0) == ("labelled", "重")

    def test_a_note_about_the_image_stays_with_the_answer(self) -> None:
        note = box() | {"type": "textarea", "from_name": "remark", "value": {"textarea": ["脏"]}}
        pulled = pull(task(note))
        assert pulled.answers.select("answer", "notes").row(0) == ("empty", '{"remark":["脏"]}')


class TestAnswers:
    def test_columns_and_types(self) -> None:
        for pulled in (pull(), pull(task(box()))):
            assert_frame_equal(pulled.annotations.clear(), ANNOTATIONS.empty())
            assert_frame_equal(pulled.answers.clear(), ANSWERS.empty())

    def test_empty_cancelled_and_labelled_are_distinguished(self) -> None:
        pulled = pull(
            task(),
            task(box(), was_cancelled=True, id=8),
            task(box(), id=9),
            task(box(x=200), id=10),
            {"id": 4, "data": {"image_id": IMAGE}, "annotations": [], "drafts": [{}, {}]},  # not submitted
        )
        assert pulled.answers.select("answer", "labels", "refused").rows() == [
            ("empty", 0, 0),
            ("cancelled", 0, 0),
            ("labelled", 1, 0),
            ("labelled", 0, 1),
        ]
        assert pulled.annotations.height == 1

    def test_an_empty_answer_that_ignores_what_was_proposed_is_reported(self) -> None:
        shown = {"prediction": {"id": 12}}
        assert checks(pull(task(**shown))) == [("empty_unseen", "warning", 0)]
        assert checks(pull(task(parent_prediction=12, **shown))) == []
        assert checks(pull(task(was_cancelled=True, **shown))) == []
        assert checks(pull(task(prediction={"id": None}))) == []

    def test_all_authors_are_kept(self) -> None:
        reported = task(box())
        second = reported["annotations"][0] | {"id": 8, "completed_by": {"id": 2, "email": "b@example.com"}}
        third = reported["annotations"][0] | {"id": 9, "completed_by": 5}
        fourth = {key: value for key, value in second.items() if key != "completed_by"} | {"id": 10}
        reported["annotations"] += [second, third, fourth]
        pulled = pull(reported)
        assert pulled.annotations["author"].to_list() == ["1", "b@example.com", "5", None]
        assert pulled.answers["author"].to_list() == ["1", "b@example.com", "5", None]
        assert pulled.annotations["annotation_id"].n_unique() == 4

    def test_proposals_that_are_kept_are_the_annotators(self) -> None:
        stands = box() | {"origin": "prediction", "score": 0.75}
        changed = box() | {"origin": "prediction-changed", "score": 0.75, "id": "r2"}
        pulled = pull(task(stands, changed, box() | {"id": "r3"}, parent_prediction=12))
        assert pulled.annotations.select("origin", "score").rows() == [
            ("annotator", 0.75),
            ("annotator", None),
            ("annotator", None),
        ]
        assert json.loads(pulled.annotations["attributes"][1])["score"] == 0.75
        counts = pulled.answers.select("manual", "prediction", "prediction_changed", "parent_prediction")
        assert counts.row(0) == (1, 1, 1, 12)

    def test_times(self) -> None:
        pulled = pull(
            task(created_at="2024-01-30T02:40:43Z", updated_at="2024-01-30T10:40:43.893565+08:00"),
            task(created_at="yesterday", updated_at=None),
        )
        assert str(pulled.answers["created_at"][0]) == "2024-01-30 02:40:43+00:00"
        assert str(pulled.answers["updated_at"][0]) == "2024-01-30 02:40:43.893565+00:00"
        assert pulled.answers.select("created_at", "updated_at").row(1) == (None, None)
        assert pulled.answers["lead_time_s"][0] == 4.5

    def test_ids_stay_whatever_is_added_or_moved(self) -> None:
        before = pull(task(box(), box(x=50) | {"id": "r2"})).annotations
        later = pull(task(box(["hole"], x=11) | {"id": "r2"}, box(x=1) | {"id": "r3"}, box())).annotations
        ids = dict(zip(["r2", "r3", "r1"], later["annotation_id"], strict=True))
        assert before["annotation_id"].to_list() == [ids["r1"], ids["r2"]]
        other = pull(task(box(), id=8)).annotations
        assert other["annotation_id"][0] not in set(later["annotation_id"])

    def test_the_key_of_old_exports(self) -> None:
        reported = task(box())
        reported["completions"] = reported.pop("annotations")
        assert row(pull(reported))["label"] == "scratch"

    @pytest.mark.parametrize(
        ("reported", "expected"),
        [
            ("nonsense", [("broken_task", "error", 0)]),
            (task(box()) | {"data": {}}, [("unknown_image", "error", 1)]),
            (task(box()) | {"data": None}, [("unknown_image", "error", 1)]),
            (task(box(), box()) | {"data": {"image_id": "b" * 32}}, [("unknown_image", "error", 2)]),
            (task(result="x"), [("broken_answer", "error", 1)]),
            (task() | {"annotations": ["x"]}, [("broken_answer", "error", 1)]),
            (task() | {"annotations": 5}, [("broken_answer", "error", 1)]),
            (task(result=None), []),
            (task(*[5]), [("broken_region", "error", 1)]),  # type: ignore[arg-type]
            (task(region("choices", None, choices=None) | {"from_name": None}), []),
        ],
    )
    def test_tasks_that_are_not_tasks(self, reported: object, expected: list[tuple[str, str, int]]) -> None:
        assert checks(pull(reported)) == expected


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    base: dict[str, object] = {
        "image_id": IMAGE,
        "path": "a.tif",
        "source": "line",
        "label": "scratch",
        "raw_label": "scratch",
    }
    base |= {"label_path": "a.xml", "valid": True}
    numbered: list[dict[str, object]] = [
        base | {"annotation_id": f"{place:032x}", "label_row": place} | row for place, row in enumerate(rows)
    ]
    return ANNOTATIONS.frame(numbered)


def there_and_back(labels: pl.DataFrame) -> tuple[list[dict[str, Any]], ReadAnswers]:
    pushed = regions_of(labels, {IMAGE: (WIDTH, HEIGHT)})
    assert not pushed.problems
    result = pushed.results[IMAGE]
    sent = json.loads(json.dumps([entry | {"origin": "prediction"} for entry in result]))
    return result, pull(task(*sent))


BOX = {"shape": "box", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
LEFT = st.floats(0, WIDTH - 1, allow_subnormal=False)
TOP = st.floats(0, HEIGHT - 1, allow_subnormal=False)


class TestPush:
    @given(LEFT, TOP, st.floats(0.01, 1), st.floats(0.01, 1))
    def test_boxes_come_back(self, x: float, y: float, across: float, down: float) -> None:
        width, height = across * (WIDTH - x), down * (HEIGHT - y)
        _, pulled = there_and_back(frame({"shape": "box", "x": x, "y": y, "width": width, "height": height}))
        only = row(pulled)
        got = [only[name] for name in ("x", "y", "width", "height")]
        np.testing.assert_allclose(got, [x, y, width, height], atol=EXACT, rtol=0)
        assert only["shape"] == "box"

    @given(
        st.floats(30, 60),
        st.floats(30, 60),
        st.floats(1, 20),
        st.floats(1, 20),
        st.one_of(st.floats(-720, 720), st.sampled_from([90, 180, 270, -90, 450])),
    )
    def test_turned_boxes_come_back_as_turned_boxes(
        self, x: float, y: float, width: float, height: float, rotation: float
    ) -> None:
        first = pull(task(box(x=x, y=y, width=width / 8, height=height, rotation=rotation)))
        (sent,), second = there_and_back(first.annotations)
        value = {"x": x, "y": y, "width": width / 8, "height": height, "rotation": rotation}
        if rotation % 360:
            assert (sent["type"], sent["from_name"]) == ("rectanglelabels", "box")
            assert {name: sent["value"][name] for name in value} == pytest.approx(value, abs=1e-9)
        one, other = row(first), row(second)
        assert one["shape"] == other["shape"] == ("polygon" if rotation % 90 else "box")
        for name in ("x", "y", "width", "height"):
            assert other[name] == pytest.approx(one[name], abs=EXACT)
        if one["segmentation"]:
            np.testing.assert_allclose(other["segmentation"], one["segmentation"], atol=EXACT, rtol=0)

    @given(st.lists(st.lists(st.tuples(LEFT, TOP), min_size=3, max_size=9), min_size=1, max_size=3))
    def test_polygons_come_back(self, polygon: list[list[tuple[float, float]]]) -> None:
        rings = [[float(number) for point in ring for number in point] for ring in polygon]
        labels = frame(
            {"shape": "polygon", "segmentation": rings, **{name: 0.0 for name in BOX if name != "shape"}}
        )
        result, pulled = there_and_back(labels)
        assert len(result) == len(rings)
        got = row(pulled)["segmentation"]
        assert [len(ring) for ring in got] == [len(ring) for ring in rings]
        np.testing.assert_allclose(np.concatenate(got), np.concatenate(rings), atol=EXACT, rtol=0)

    @given(st.integers(0, 2**32 - 1))
    def test_masks_come_back(self, seed: int) -> None:
        mask = (np.random.default_rng(seed).random((HEIGHT // 20, WIDTH // 20)) < 0.3).astype(np.uint8)
        mask = np.kron(mask, np.ones((20, 20), np.uint8))
        if not mask.any():
            return
        _, pulled = there_and_back(frame({**BOX, "shape": "mask", "rle": counts_of_mask(mask)}))
        np.testing.assert_array_equal(mask_of_counts(row(pulled)["rle"], WIDTH, HEIGHT), mask)

    def test_the_classes_of_an_image_are_one_answer(self) -> None:
        labels = frame({**BOX, "shape": "class"}, {**BOX, "shape": "class", "label": "hole"})
        (sent,), pulled = there_and_back(labels)
        assert sent["value"] == {"choices": ["scratch", "hole"]}
        assert pulled.annotations["label"].to_list() == ["scratch", "hole"]

    def test_ids_and_scores(self) -> None:
        (sent,), pulled = there_and_back(frame({**BOX, "score": 0.5}))
        assert (sent["id"], sent["score"]) == (f"{0:032x}", 0.5)
        assert row(pulled)["score"] == 0.5
        assert row(pulled)["attributes"]["region"] == f"{0:032x}"

    def test_a_ring_relabelled_by_hand_is_a_label_of_its_own(self) -> None:
        rings = [[0.0, 0.0, 9.0, 0.0, 9.0, 9.0], [20.0, 20.0, 30.0, 20.0, 30.0, 30.0]]
        result, _ = there_and_back(frame({**BOX, "shape": "polygon", "segmentation": rings}))
        result[1]["value"]["polygonlabels"] = ["hole"]
        pulled = pull(task(*result))
        assert pulled.annotations["label"].to_list() == ["scratch", "hole"]

    def test_a_turned_box_that_was_moved_since_is_a_polygon(self) -> None:
        pulled = pull(task(box(rotation=10)))
        moved = pulled.annotations.with_columns(
            segmentation=pl.col("segmentation").list.eval(pl.element().list.eval(pl.element() + 3))
        )
        (sent,) = regions_of(moved, {IMAGE: (WIDTH, HEIGHT)}).results[IMAGE]
        assert sent["type"] == "polygonlabels"

    @pytest.mark.parametrize("said", ["", '{"rotation":"x","box":3}', '{"rotation":1,"box":[1,2]}'])
    def test_a_rotation_that_is_not_ours(self, said: str) -> None:
        (sent,), _ = there_and_back(frame(BOX | {"attributes": said or None}))
        assert sent["value"]["rotation"] == 0

    @pytest.mark.parametrize(
        ("more", "check"),
        [
            ({"image_id": "b" * 32}, "unknown_image"),
            ({"label": None}, "unknown_class"),
            ({"shape": "mask", "rle": "42102"}, "broken_mask"),
            ({"shape": "mask", "rle": None}, "broken_mask"),
            ({"shape": "polygon"}, "broken_polygon"),
            ({"shape": "polygon", "segmentation": [[0, 0, 1, 0, 1, 1]]}, "no_control"),
        ],
    )
    def test_what_cannot_be_shown_is_a_problem(self, more: dict[str, Any], check: str) -> None:
        shapes: set[Shape] = {"box", "mask"} if check == "no_control" else {"box", "mask", "polygon"}
        pushed = regions_of(frame(BOX, BOX | more), {IMAGE: (WIDTH, HEIGHT)}, shapes)
        assert [(problem.check, problem.row, problem.labels) for problem in pushed.problems] == [
            (check, 1, 1)
        ]
        assert [len(result) for result in pushed.results.values()] == [1]

    def test_label_studio_accepts_what_is_pushed(self) -> None:
        ring = [0.0, 0.0, 9.0, 0.0, 9.0, 9.0]
        labels = frame(
            BOX,
            {**BOX, "shape": "polygon", "segmentation": [ring, ring], "label": "龟裂"},
            {**BOX, "shape": "mask", "rle": counts_of_mask(mask_with_hole()), "score": 0.5},
            {**BOX, "shape": "class", "label": "hole"},
        )
        result, _ = there_and_back(labels)
        interface: Any = LabelInterface(LabelConfig(CLASSES.classes, tuple(CONTROLS), ("minor",)).xml())
        assert (
            interface.validate_prediction({"model_version": "import", "result": result}, return_errors=True)
            == []
        )


SAMPLES = [
    ("brush_generated", 4, 0),
    ("json_min_source", 1, 0),
    ("keypoints", 1, 3),
    ("polygons", 1, 0),
    ("rect_polygon_mixed", 2, 2),
    ("rectangles", 6, 0),
    ("rotated_rectangles", 25, 0),
    ("text_choices", 3, 0),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "taken", "refused"), SAMPLES)
def test_real_projects_come_through(shared_data: Path, name: str, taken: int, refused: int) -> None:
    """Every region is a label or a refused key point, in place, and goes back to what it was."""
    tasks = json.loads((shared_data / "annotation_samples" / "label_studio" / f"{name}.json").read_text())
    regions: dict[str, dict[str, Any]] = {}
    images: list[dict[str, Any]] = []
    classes: set[str] = set()
    for number, reported in enumerate(tasks):
        reported["data"]["image_id"] = f"{number:032x}"
        entries = [entry for said in reported["annotations"] for entry in said["result"] if "value" in entry]
        images.append(
            {"image_id": f"{number:032x}", "source": "s", "path": f"{number}.jpg"} | size_of(entries[0])
        )
        regions |= {entry["id"]: entry for entry in entries}
        classes |= {label.lower() for entry in entries for label in entry["value"][entry["type"]]}
    catalog = pl.DataFrame(images)
    pulled = read_tasks(tasks, catalog, Annotations.model_validate({"classes": sorted(classes)}))
    assert pulled.annotations.height == taken
    assert pulled.annotations["valid"].all()
    assert pulled.answers["refused"].sum() == refused
    assert pulled.answers.height == sum(len(reported["annotations"]) for reported in tasks)
    assert {problem.check for problem in pulled.problems} <= {"unsupported_region", "relation", "clipped"}
    sizes = {image["image_id"]: (image["width"], image["height"]) for image in images}
    pushed = regions_of(pulled.annotations, sizes)
    assert not pushed.problems
    sent = {entry["id"]: entry for result in pushed.results.values() for entry in result}
    for label in pulled.annotations.iter_rows(named=True):
        source = regions[json.loads(label["attributes"])["region"]]
        assert label["raw_label"] == source["value"][source["type"]][0]
        hold_alike(sent[label["annotation_id"]]["value"], source["value"], sizes[label["image_id"]])


def size_of(entry: dict[str, Any]) -> dict[str, int]:
    return {"width": entry["original_width"], "height": entry["original_height"]}


def hold_alike(sent: dict[str, Any], source: dict[str, Any], size: tuple[int, int]) -> None:
    """The region that goes back is the one that came, within 1e-6 px; a mask bit for bit."""
    if "points" in source:
        off = np.abs(np.array(sent["points"]) - source["points"]) * size / 100
        assert off.max() <= EXACT
    elif "rle" in source:
        width, height = size
        expected = SDK.decode_rle(source["rle"]).reshape(height, width, 4)[..., 3] > 127
        got = SDK.decode_rle(sent["rle"]).reshape(height, width, 4)[..., 3] > 127
        assert hashlib.sha256(got.tobytes()).digest() == hashlib.sha256(expected.tobytes()).digest()
    else:
        assert sent["x"] == pytest.approx(source["x"], abs=1e-9)
        assert sent["y"] == pytest.approx(source["y"], abs=1e-9)
        assert sent["width"] == pytest.approx(source["width"], abs=1e-9)
        assert sent["height"] == pytest.approx(source["height"], abs=1e-9)
        assert sent["rotation"] == pytest.approx(source["rotation"])
