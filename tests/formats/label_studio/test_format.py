"""Label Studio's exports as a source: what people answered comes in as the bridge reads it."""

from __future__ import annotations

import base64
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk import converter as sdk
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.labeling.golden import CLASSES, LATER, Case, cases, config_of

from tundish.formats.base import ImageRef, Label, Reading
from tundish.formats.frames import labels_to_frame
from tundish.formats.label_studio.address import names_in
from tundish.formats.registry import load_reader
from tundish.imaging.geometry import mask_of_counts, mask_of_polygon
from tundish.labeling.label_studio.regions import regions_of

if TYPE_CHECKING:
    from pathlib import Path

SDK: Any = sdk

EXACT = 1e-6
"""px"""

SIZE = {"original_width": 200, "original_height": 100}
CORPUS = cases()


def region(kind: str, label: str | None = "crack", **value: Any) -> dict[str, Any]:
    named = {} if label is None else {f"{kind}labels": [label]}
    control = {"from_name": "tag", "to_name": "image", "type": f"{kind}labels"}
    return {**control, **SIZE, "value": value | named}


def rectangle(label: str | None = "crack", **more: float) -> dict[str, Any]:
    return region("rectangle", label, **({"x": 10, "y": 20, "width": 30, "height": 40} | more))


def choice(*names: str) -> dict[str, Any]:
    return {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": list(names)}}


def answer(*result: dict[str, Any], number: int = 7, by: object = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "completed_by": by, "was_cancelled": False, "result": list(result), **more}


def task(
    *answers: dict[str, Any], image: str = "/data/upload/1/8a7b6c5d-a.jpg", **data: Any
) -> dict[str, Any]:
    return {"id": 3, "data": {"image": image, **data}, "annotations": list(answers), "predictions": []}


def taken(*tasks: object, images: list[ImageRef] | None = None) -> Reading:
    return read("label-studio", {"export.json": orjson.dumps(tasks)}, images or refs("a.jpg", "b.jpg"))


def exported(corpus: list[Case]) -> list[dict[str, Any]]:
    """The corpus as the server exports it."""
    tasks = []
    for number, case in enumerate(corpus):
        answers = []
        for place, said in enumerate(case.answers):
            result = [
                {
                    "id": f"r{number}-{place}-{count}",
                    "from_name": one.control,
                    "to_name": "image",
                    "type": one.kind,
                    "original_width": case.size[0],
                    "original_height": case.size[1],
                    "image_rotation": 0,
                    "value": one.value,
                }
                for count, one in enumerate(said.regions)
            ]
            answers.append(
                answer(
                    *result,
                    number=10 * number + place,
                    by=said.author + 1,
                    was_cancelled=said.cancelled,
                    created_at="2026-01-01T00:00:00Z",
                    updated_at="2026-01-01T00:00:00Z",
                    lead_time=2.5,
                )
            )
        tasks.append(task(*answers, image=f"/data/local-files/?d=golden/{case.path}") | {"id": number})
    return tasks


def truths(reading: Reading, case: Case) -> None:
    """Check that a case's labels are those that were drawn, to a pixel and to 1e-6 px."""
    labels = [label for label in reading.labels if label.image.path == case.path]
    left = list(case.truth)
    for label in labels:
        found = next(
            one
            for one in left
            if one.label == label.raw_label and np.allclose(box(label), one.box, rtol=0, atol=EXACT)
        )
        np.testing.assert_array_equal(mask_of(label), found.mask)
        left = [one for one in left if one is not found]
    assert not left


def mask_of(label: Label) -> Any:
    width, height = label.image.width, label.image.height
    if label.rle is not None:
        return mask_of_counts(label.rle, width, height)
    x, y, across, down = box(label)
    rings = label.segmentation or [[x, y, x + across, y, x + across, y + down, x, y + down]]
    return mask_of_polygon(rings, width, height)


def images_of(corpus: list[Case]) -> list[ImageRef]:
    return [ImageRef(case.path, case.image_id, *case.size) for case in corpus]


@pytest.fixture(scope="module")
def golden() -> Reading:
    return taken(*exported(CORPUS), images=images_of(CORPUS))


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_the_golden_corpus_comes_in_as_it_was_drawn(case: Case, golden: Reading) -> None:
    assert golden.problems == []
    truths(golden, case)
    heard = [one for one in golden.judgements if one.image.path == case.path]
    assert {one.answer for one in heard} == ({case.state} if case.answers else set())
    assert {one.author for one in heard} == {str(given.author + 1) for given in case.answers}
    assert (case.path in golden.covered) == (case.state in ("labelled", "empty"))


def test_json_min_of_label_studios_own_converter_says_the_same(tmp_path: Path) -> None:
    corpus = [case for case in CORPUS if "" not in {thing.label for thing in case.truth}]
    (tmp_path / "in.json").write_bytes(orjson.dumps(exported(corpus)))
    converter = SDK.Converter(config_of((*CLASSES, LATER)).xml(), str(tmp_path))
    converter.convert_to_json_min(str(tmp_path / "in.json"), str(tmp_path), is_dir=False)
    data = (tmp_path / "result.json").read_bytes()
    reading = read("label-studio", {"min.json": data}, images_of(corpus))
    assert reading.problems == []
    for case in corpus:
        truths(reading, case)
        assert (case.path in reading.covered) == (case.state in ("labelled", "empty"))


def test_a_class_of_the_whole_image_in_json_min_is_a_word_or_a_list() -> None:
    about = {"annotator": 1, "annotation_id": 5, "created_at": "x", "updated_at": "x", "lead_time": 1}
    one = {"image": "a.jpg", "remark": "no class", "id": 1, "kind": "crack", **about}
    two = {"image": "b.jpg", "id": 2, "kind": {"choices": ["crack", "scale"]}, **about}
    reading = taken(one, two)
    assert [(label.image.path, label.raw_label, label.shape) for label in reading.labels] == [
        ("a.jpg", "crack", "class"),
        ("b.jpg", "crack", "class"),
        ("b.jpg", "scale", "class"),
    ]
    assert len({label.label_row for label in reading.labels}) == 3


def test_what_cloud_storage_holds_is_an_answer_a_file() -> None:
    stored = answer(rectangle()) | {"task": {"id": 3, "data": {"image": "s3://bucket/x/a.jpg"}}}
    reading = read("label-studio", {"7.json": orjson.dumps(stored)}, refs("a.jpg"))
    assert [label.image.path for label in reading.labels] == ["a.jpg"]


@given(
    st.tuples(*[st.floats(5, 60)] * 4),
    st.sampled_from([0, 90, 180, 270]) | st.floats(-720, 720),
    st.booleans(),
)
def test_what_tundish_pushes_comes_back_exactly(
    place: tuple[float, float, float, float], degrees: float, round_: bool
) -> None:
    """A pushed label that an annotator keeps, exported by the server, is the label it was."""
    drawn = (
        region("ellipse", x=place[0], y=place[1], radiusX=4, radiusY=9, rotation=degrees)
        if round_
        else rectangle(x=place[0], y=place[1], width=place[2], height=place[3], rotation=degrees)
    )
    first = taken(task(answer(drawn)))
    frame = labels_to_frame(first, "in").with_columns(label="raw_label")
    pushed = regions_of(frame, {"id-a.jpg": (200, 100)})
    again = taken(task(answer(*pushed.results.get("id-a.jpg", []))))
    for one, other in zip(first.labels, again.labels, strict=True):
        assert (one.shape, one.raw_label) == (other.shape, other.raw_label)
        np.testing.assert_allclose(box(one), box(other), rtol=0, atol=EXACT)
        for ring, same in zip(one.segmentation or [], other.segmentation or [], strict=True):
            np.testing.assert_allclose(ring, same, rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("a.jpg", "/data/upload/12/8a7b6c5d-a.jpg"),
        ("in/a.jpg", "/data/local-files/?d=line/in/a.jpg"),
        ("in/a b.jpg", "/data/local-files/?d=line/in/a%20b.jpg"),
        ("钢卷/划痕 1.jpg", "/data/local-files/?d=%E9%92%A2%E5%8D%B7/%E5%88%92%E7%97%95%201.jpg"),
        ("钢卷/划痕 1.jpg", "/data/upload/1/0123abcd-划痕_1.jpg"),
        ("in/coil (2) [top].jpg", "/data/upload/1/0123abcd-coil_2_top.jpg"),
        (unicodedata.normalize("NFD", "Räude.jpg"), "s3://bucket/x/R%C3%A4ude.jpg"),
        (unicodedata.normalize("NFD", "Räude.jpg"), "/data/upload/1/0123abcd-Räude.jpg"),
        ("IMG_0001.JPG", "https://host/x/img_0001.jpg?X-Amz-Expires=900"),
        ("a%20b.jpg", "a%20b.jpg"),
        ("a#1.jpg", "a#1.jpg"),
        ("what?.jpg", "what?.jpg"),
        ("x/deadbeef-a.jpg", "/data/upload/1/8a7b6c5d-deadbeef-a.jpg"),
        ("deadbeef-a.jpg", "deadbeef-a.jpg"),
        ("a.jpg", f"/tasks/3/resolve/?fileuri={base64.b64encode(b's3://bucket/a.jpg').decode()}"),
        ("a.jpg", "C:\\pictures\\a.jpg"),
        ("a.png", "gs://bucket/a.jpg"),
    ],
)
def test_the_address_of_a_picture_leads_to_its_file(path: str, address: str) -> None:
    reading = taken(task(answer(rectangle()), image=address), images=refs(path, "z/other.jpg"))
    assert [label.image.path for label in reading.labels] == [path], list(names_in(address))


def test_the_folder_of_an_address_decides_between_equal_names() -> None:
    said = task(answer(rectangle()), image="/data/local-files/?d=all/two/a.jpg")
    reading = taken(said, images=refs("one/a.jpg", "two/a.jpg"))
    assert [label.image.path for label in reading.labels] == ["two/a.jpg"]
    unclear = taken(task(answer(rectangle()), image="s3://b/a.jpg"), images=refs("one/a.jpg", "two/a.jpg"))
    assert (only(unclear).check, only(unclear).labels) == ("ambiguous_image", 1)


def test_a_task_that_tundish_pushed_names_its_image_by_id() -> None:
    said = task(answer(rectangle()), image="http://host/0/abc.png", image_id="id-b.jpg", path="was/b.jpg")
    assert [label.image.path for label in taken(said).labels] == ["b.jpg"]


def test_several_people_stay_apart_and_a_later_answer_of_the_same_person_counts() -> None:
    first = answer(rectangle(), number=1, by={"id": 4, "email": "li@example.com"}, updated_at="2026-01-01")
    second = answer(rectangle(x=12), number=2, by=5, updated_at="2026-01-02")
    again = answer(
        rectangle(x=14), rectangle(x=50), number=3, by={"email": "li@example.com"}, updated_at="2026-02"
    )
    reading = taken(task(first, second), task(again))
    assert [(label.author, label.x) for label in reading.labels] == [
        ("5", 24),
        ("li@example.com", 28),
        ("li@example.com", 100),
    ]
    assert (only(reading).check, only(reading).labels) == ("superseded_answer", 1)
    assert [(one.author, one.answer, one.labels) for one in reading.judgements] == [
        ("5", "labelled", 1),
        ("li@example.com", "labelled", 2),
    ]


def test_an_adjudicators_answer_is_final() -> None:
    one, other = answer(rectangle(), number=1), answer(rectangle(x=50), number=2, by=2)
    final = task(answer(rectangle(x=30), number=3, by=9), purpose="adjudication")
    reading = taken(task(one, other), final)
    assert [label.author for label in reading.labels] == ["9"]
    assert checks(reading) == ["superseded_answer"] * 2


def test_cancelled_says_nothing_and_empty_says_that_nothing_is_there() -> None:
    cancelled = task(answer(rectangle(), was_cancelled=True), image="b.jpg")
    old = {"id": 1, "data": {"image": "c.jpg"}, "completions": [answer(skipped=True)]}
    reading = taken(task(answer()), cancelled, old, images=refs("a.jpg", "b.jpg", "c.jpg"))
    assert (reading.labels, reading.problems) == ([], [])
    assert negatives(reading) == {"a.jpg"}
    assert [one.answer for one in reading.judgements] == ["empty", "cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        (region("keypoint", x=1, y=1, width=1), "unsupported_region"),
        (region("vector", vertices=[]), "unsupported_region"),
        (region("video", sequence=[]), "unsupported_region"),
        (region("brush", format="rle", rle=[1, 2]), "broken_mask"),
        (rectangle() | {"original_width": 400}, "size_mismatch"),
        (rectangle(x=200), "outside_image"),
        ({"type": "rectanglelabels"}, "broken_region"),
    ],
)
def test_what_has_no_place_here_is_counted_and_told(entry: dict[str, Any], check: str) -> None:
    reading = taken(task(answer(entry)))
    assert (only(reading).check, only(reading).severity, only(reading).labels) == (check, "error", 1)
    assert reading.refused == {"a.jpg"}
    assert not reading.covered


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"{}", b"[1]", b'[{"data": {"image": "a.jpg"}}]'])
def test_a_file_that_is_no_export_is_refused_as_a_whole(content: bytes) -> None:
    reading = read("label-studio", {"x.json": content}, refs("a.jpg"))
    assert only(reading).check in ("broken_file", "not_label_studio")


@pytest.mark.parametrize(
    "broken",
    [7, None, {"data": {"image": "a.jpg"}, "annotations": [3]}, {"data": 1, "annotations": [answer()]}],
)
def test_a_broken_task_costs_itself(broken: object) -> None:
    reading = taken(broken, task(answer(rectangle()), image="b.jpg"))
    assert [label.image.path for label in reading.labels] == ["b.jpg"]
    assert checks(reading)[0] in ("broken_task", "broken_answer")


def test_an_image_that_is_not_here_costs_its_labels() -> None:
    reading = taken(task(answer(rectangle(), rectangle(x=2)), image="gone.jpg"))
    assert (only(reading).check, only(reading).labels) == ("image_not_found", 2)


def test_add_says_what_it_saw() -> None:
    data = orjson.dumps(
        [
            task(
                answer(rectangle(), region("keypoint", x=1, y=1)),
                answer(choice("scale"), by=2),
                image="a.jpg",
            ),
            task(answer(), image="b.jpg"),
            task(answer(rectangle()), image="gone.jpg"),
        ]
    )
    evidence = sniff_all(listing({"a.jpg": b"", "b.jpg": b"", "c.jpg": b"", "labels/out.json": data}))[0]
    assert (evidence.format, evidence.weight, evidence.classes) == ("label-studio", 2, ["crack", "scale"])
    facts = "\n".join(evidence.facts)
    assert "2 of 3 images named in labels/out.json of Label Studio are here" in facts
    assert "3 labels of 2 classes: 2 rectangle, 1 class" in facts
    assert "not read, and reported by `tundish run`: 1 keypoint" in facts
    assert "answered by 2 people" in facts
    assert "1 image answered by several people" in facts


def test_json_of_others_is_not_taken_for_an_export() -> None:
    coco = orjson.dumps({"images": [], "annotations": [], "categories": []})
    assert load_reader("label-studio").sniff(listing({"a.jpg": b"", "x.json": coco})) is None
