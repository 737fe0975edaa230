"""label agree: from the tables of a dataset to measures; what cannot be compared is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner
from tests.stages.answering import answer, write_recipe
from tests.stages.curated import Picture, box, build

from tundish.cli.label_review import agree
from tundish.errors import MissingStepError
from tundish.labeling.opinions import confusions, opinions, said_of
from tundish.tables import ANNOTATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

PICTURES = [Picture(f"{name}.jpg", seed=seed, state="unlabelled") for seed, name in enumerate("abcdef", 1)]
HERE, NEAR = box("scratch", 10, 10, 20, 20), box("scratch", 12, 10, 20, 20)


def dataset(folder: Path, said: dict[str, dict[str, Any]]) -> Context:
    context = build(folder, PICTURES, children=False)
    answer(context, PICTURES, said)
    return context


def shared(folder: Path) -> Context:
    other = box("no", 10, 10, 20, 20)
    return dataset(
        folder,
        {
            "a.jpg": {"li": [HERE], "wu": [NEAR], "xu": [HERE]},
            "b.jpg": {"li": [HERE], "wu": [other], "xu": [HERE]},
            "c.jpg": {"li": [other], "wu": [other], "xu": []},
            "d.jpg": {"li": [], "wu": [], "xu": "refused"},
            "e.jpg": {"li": [HERE]},
            "f.jpg": {"li": [HERE], "wu": "cancelled"},
        },
    )


def test_shared_images__measured_by_annotator_pair_and_class(tmp_path: Path) -> None:
    found = opinions(said_of(shared(tmp_path).dataset), iou=0.5)
    assert found.shared == 4
    assert found.agreement.annotators.select("author", "images").rows() == [("li", 4), ("wu", 4), ("xu", 3)]
    pairs = {row["author"] + row["other"]: row for row in found.agreement.pairs.iter_rows(named=True)}
    assert pairs["liwu"]["images"] == 4
    assert pairs["lixu"]["images"] == 3, "a region that could not be taken is no 'nothing'"
    assert pairs["liwu"]["mean_iou"] == pytest.approx((18 / 22 + 1 + 1) / 3)
    assert found.quality["author"].to_list() == ["li", "wu", "xu"]
    assert not found.notes


def test_confusions__each_two_counted_once(tmp_path: Path) -> None:
    found = opinions(said_of(shared(tmp_path).dataset), iou=0.5)
    assert confusions(found.agreement).to_dicts() == [
        {"label": "no", "no": 1, "scratch": 1, "(nothing)": 2},
        {"label": "scratch", "no": 1, "scratch": 4, "(nothing)": 0},
    ]


def test_nobody_shares_an_image__one_sentence(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE]}, "b.jpg": {"wu": [HERE]}})
    found = opinions(said_of(context.dataset), iou=0.5)
    assert found.notes == ["fewer than two annotators answered the same images: there is nothing to compare"]
    assert found.quality.is_empty()


def test_nothing_was_judged_by_three__no_reliability(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE], "wu": []}, "b.jpg": {"li": [HERE], "wu": [HERE]}})
    found = opinions(said_of(context.dataset), iou=0.5)
    assert found.quality.is_empty()
    assert found.notes == ["no thing was judged by three: two who differ do not say who errs"]


def test_nobody_drew_anything__no_reliability(tmp_path: Path) -> None:
    found = opinions(said_of(dataset(tmp_path, {"a.jpg": {"li": [], "wu": []}}).dataset), iou=0.5)
    assert (found.shared, found.quality.height) == (1, 0)


def test_pulled_and_not_validated__said_so(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE]}})
    ANNOTATIONS.write(ANNOTATIONS.empty(), context.table("annotations"))
    with pytest.raises(MissingStepError, match="not in the annotations table"):
        said_of(context.dataset)


def test_command__tables_for_people_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(shared(tmp_path))
    monkeypatch.chdir(tmp_path)
    plain = CliRunner().invoke(agree, ["small"], catch_exceptions=False)
    assert plain.output.startswith(
        "4 images that two annotators or more answered\n\noverall (low, high: 95 % interval)"
    )
    assert "alpha" in plain.output
    assert "\nannotators (extra: others drew nothing there;" in plain.output
    told = orjson.loads(CliRunner().invoke(agree, ["small", "--json"], catch_exceptions=False).output)
    assert set(told) == {"images", "overall", "classes", "annotators", "pairs", "confusion", "notes"}
    assert [row["accuracy"] is not None for row in told["annotators"]] == [True, True, True]
