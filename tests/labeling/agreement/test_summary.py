"""label agree: from the tables of a dataset to measures; what cannot be compared is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl
import pytest
from click.testing import CliRunner
from tests.stages.answering import answer, write_recipe
from tests.stages.curated import Picture, box, build

from tundish.cli.label.agree import agree
from tundish.errors import MissingStepError
from tundish.labeling.agreement.coefficients import cohen_kappa, krippendorff_alpha
from tundish.labeling.agreement.summary import confusion_table, read_judgements, summarise_agreement
from tundish.labeling.tables import ANSWERS
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

PICTURES = [Picture(f"{name}.jpg", seed=seed, state="unlabelled") for seed, name in enumerate("abcdef", 1)]
HERE, NEAR = box("scratch", 10, 10, 20, 20), box("scratch", 12, 10, 20, 20)


def dataset(folder: Path, given: dict[str, dict[str, Any]]) -> Context:
    context = build(folder, PICTURES, children=False)
    answer(context, PICTURES, given)
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


def test_what_an_annotator_answered_again_is_one_judgement(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE], "li again": [NEAR], "wu": [HERE]}})
    same = pl.col("author").str.replace(" again", "")
    for table, path in (
        (ANSWERS, context.dataset.labels / "answers.parquet"),
        (ANNOTATIONS, context.dataset.table("annotations")),
    ):
        table.write(table.read(path).with_columns(same), path)
    given = read_judgements(context.dataset)
    assert given.labels.select("author", "x").sort("author").rows() == [("li", NEAR["x"]), ("wu", HERE["x"])]
    assert given.answers.height == 2


def test_shared_images__measured_by_annotator_pair_and_class(tmp_path: Path) -> None:
    found = summarise_agreement(read_judgements(shared(tmp_path).dataset), iou=0.5)
    assert found.shared == 4
    assert found.agreement.annotators.select("author", "images").rows() == [("li", 4), ("wu", 4), ("xu", 3)]
    pairs = {row["author"] + row["other"]: row for row in found.agreement.pairs.iter_rows(named=True)}
    assert pairs["liwu"]["images"] == 4
    assert pairs["lixu"]["images"] == 3, "a region that could not be taken is no 'nothing'"
    assert pairs["liwu"]["mean_iou"] == pytest.approx((18 / 22 + 1 + 1) / 3)
    assert found.quality["author"].to_list() == ["li", "wu", "xu"]
    assert not found.notes


def test_confusions__each_two_counted_once(tmp_path: Path) -> None:
    found = summarise_agreement(read_judgements(shared(tmp_path).dataset), iou=0.5)
    assert confusion_table(found.agreement).to_dicts() == [
        {"label": "no", "no": 1, "scratch": 1, "(nothing)": 2},
        {"label": "scratch", "no": 1, "scratch": 4, "(nothing)": 0},
    ]


def test_nobody_shares_an_image__one_sentence(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE]}, "b.jpg": {"wu": [HERE]}})
    found = summarise_agreement(read_judgements(context.dataset), iou=0.5)
    assert found.notes == ["fewer than two annotators answered the same images: there is nothing to compare"]
    assert found.quality.is_empty()


def test_nothing_was_judged_by_three__no_reliability(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE], "wu": []}, "b.jpg": {"li": [HERE], "wu": [HERE]}})
    found = summarise_agreement(read_judgements(context.dataset), iou=0.5)
    assert found.quality.is_empty()
    (note,) = found.notes
    assert note == "no object was judged by three annotators: where two differ, nobody knows who errs"


def test_nobody_drew_anything__no_reliability(tmp_path: Path) -> None:
    found = summarise_agreement(
        read_judgements(dataset(tmp_path, {"a.jpg": {"li": [], "wu": []}}).dataset), iou=0.5
    )
    assert (found.shared, found.quality.height) == (1, 0)


def test_pulled_and_not_validated__reported(tmp_path: Path) -> None:
    context = dataset(tmp_path, {"a.jpg": {"li": [HERE]}})
    context.dataset.write(ANNOTATIONS, ANNOTATIONS.empty())
    with pytest.raises(MissingStepError, match="not in the annotations table"):
        read_judgements(context.dataset)


SEVERITIES = ("minor", "major", "critical")


def rated(folder: Path) -> Context:
    """Five images, as bad as each of two or three called them; wu was asked when there was one more."""
    given = {
        "a.jpg": {"li": "minor", "wu": "minor", "xu": "minor"},
        "b.jpg": {"li": "major", "wu": "critical", "xu": "major"},
        "c.jpg": {"li": "minor", "wu": "major"},
        "d.jpg": {"li": "critical", "wu": "critical"},
        "e.jpg": {"li": "minor", "wu": "gone"},
    }
    context = dataset(folder, {path: {author: [HERE] for author in who} for path, who in given.items()})
    path = context.dataset.labels / "answers.parquet"
    rows = ANSWERS.read(path)
    reported = [given[file][author] for file, author in rows.select("path", "author").iter_rows()]
    ANSWERS.write(rows.with_columns(severity=pl.Series(reported)), path)
    return context


def test_severities__in_their_order(tmp_path: Path) -> None:
    given = read_judgements(rated(tmp_path).dataset)
    found = summarise_agreement(given, iou=0.5, severities=SEVERITIES).agreement
    overall = {row["measure"]: row for row in found.overall.iter_rows(named=True)}
    ratings = np.array([[0, 1, 0, 2], [0, 2, 1, 2], [0, 1, np.nan, np.nan]])
    assert overall["severity_alpha"]["value"] == krippendorff_alpha(ratings, "ordinal").value
    # Of three and three and one and one pairs of answers 3, 1, 0 and 1 are the same.
    assert overall["severity_percent"]["value"] == pytest.approx(5 / 8)
    assert [overall[name]["items"] for name in ("severity_alpha", "severity_percent")] == [4, 4]
    kappas = {row["author"] + row["other"]: row["severity_kappa"] for row in found.pairs.to_dicts()}
    assert kappas["liwu"] == cohen_kappa([[1, 1, 0], [0, 0, 1], [0, 0, 1]], "linear").value
    assert (kappas["lixu"], kappas["wuxu"]) == (1.0, pytest.approx(0.5))


def test_severities__not_asked_for_or_not_answered(tmp_path: Path) -> None:
    given = read_judgements(shared(tmp_path).dataset)
    assert "severity_kappa" not in summarise_agreement(given, iou=0.5).agreement.pairs.columns
    found = summarise_agreement(given, iou=0.5, severities=SEVERITIES).agreement
    (row,) = found.overall.filter(measure="severity_alpha").to_dicts()
    assert (row["value"], row["items"], row["note"]) == (None, 0, "no item has two ratings")
    assert found.pairs["severity_kappa"].to_list() == [None, None, None]


def test_command__tables_for_people_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(shared(tmp_path))
    monkeypatch.chdir(tmp_path)
    plain = CliRunner().invoke(agree, ["small"], catch_exceptions=False)
    assert plain.output.startswith(
        "4 images that two annotators or more answered\n\noverall (low, high: 95 % interval)"
    )
    assert "alpha" in plain.output
    assert "\nannotators (extra: others drew nothing there;" in plain.output
    reported = orjson.loads(CliRunner().invoke(agree, ["small", "--json"], catch_exceptions=False).output)
    assert set(reported) == {"images", "overall", "classes", "annotators", "pairs", "confusion", "notes"}
    assert [row["accuracy"] is not None for row in reported["annotators"]] == [True, True, True]
