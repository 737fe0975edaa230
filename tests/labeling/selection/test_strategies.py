"""What to label next."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import SourceError
from tundish.imaging.descriptor import DESCRIPTOR_LENGTH, describe
from tundish.labeling.selection.candidates import candidates, features_of, read_scores
from tundish.labeling.selection.strategies import Choice, Scores, conflicts, diverse, stratified, uncertain
from tundish.storage.tables import DUPLICATES, FEATURES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IDS = [f"{i * 7919:032x}" for i in range(60)]


def images(numbers: Sequence[int], invalid: Sequence[int] = ()) -> pl.DataFrame:
    return IMAGES.frame([{"image_id": IDS[i], "valid": i not in invalid} for i in numbers])


def copies(clusters: Sequence[Sequence[int]], conflict: str | None = None) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "cluster_id": IDS[members[0]],
            "representative_id": IDS[members[0]],
            "image_id": IDS[member],
            "label_conflict": conflict if at else None,
        }
        for members in clusters
        for at, member in enumerate(members)
    ]
    return DUPLICATES.frame(rows)


def scores_of(values: dict[int, Sequence[float]]) -> Scores:
    table = np.array(list(values.values()), np.float64)
    ranked = np.sort(table, axis=1)
    ids = tuple(IDS[i] for i in values)
    return Scores(ids, ("scratch", "patch", "crack"), table, 1 - (ranked[:, -1] - ranked[:, -2]), "margin")


def random_scores(seed: int) -> Scores:
    return scores_of(
        dict(enumerate(np.random.default_rng(seed).dirichlet([2, 1, 0.3], len(IDS)).round(1).tolist()))
    )


def chosen(choices: Sequence[Choice]) -> list[int]:
    return [IDS.index(choice.image_id) for choice in choices]


numbers = st.lists(st.integers(0, 59), unique=True, max_size=60)


@st.composite
def partitions(draw: st.DrawFn) -> list[list[int]]:
    """Clusters of two and more of the images."""
    order = draw(st.permutations(range(60)))
    sizes = draw(st.lists(st.integers(2, 6), max_size=10))
    starts = np.cumsum([0, *sizes])
    return [list(order[start : start + size]) for start, size in zip(starts, sizes, strict=False)]


@given(numbers, numbers, numbers, partitions())
def test_candidates_are_new_valid_and_one_of_a_cluster(
    there: list[int], invalid: list[int], known: list[int], clusters: list[list[int]]
) -> None:
    cluster = {member: members[0] for members in clusters for member in members}
    found = candidates(images(there, invalid), [IDS[i] for i in known], copies(clusters))
    ours = [IDS.index(image_id) for image_id in found["image_id"]]
    groups = [cluster.get(i, i) for i in ours]
    assert len(set(groups)) == len(groups)
    taken = {cluster.get(i, i) for i in known}
    # Nothing that could be asked for is lost.
    assert set(groups) == {cluster.get(i, i) for i in there if i not in invalid} - taken
    assert not {*ours} & {*invalid}
    backwards = [IDS[i] for i in known[::-1]]
    again = candidates(images(there[::-1], invalid), backwards, copies(clusters[::-1]))
    assert again["image_id"].to_list() == found["image_id"].to_list()


def test_the_representative_of_a_cluster_is_asked_for() -> None:
    found = candidates(images([1, 2, 5, 3]), [], copies([[5, 1, 2]]))
    assert set(found["image_id"]) == {IDS[5], IDS[3]}


@given(numbers, st.integers(0, 70), st.integers(0, 3))
def test_every_strategy_keeps_the_budget_whatever_the_order_of_rows(
    there: list[int], budget: int, seed: int
) -> None:
    scores = random_scores(1)
    features = np.random.default_rng(2).normal(size=(60, 5)).astype(np.float32)
    known = features[:0] if seed % 2 else features[::7]
    order = np.random.default_rng(seed).permutation(len(IDS))
    shuffled = Scores(
        tuple(IDS[i] for i in order), scores.classes, scores.values[order], scores.doubts[order], "margin"
    )

    def runs(own: list[int], said: Scores) -> list[list[Choice]]:
        ids = [IDS[i] for i in own]
        groups = {IDS[i]: f"coil {i % 5}" for i in own}
        return [
            uncertain(ids, said, budget, seed=seed),
            diverse(ids, features[own].reshape(-1, 5), known, budget, seed=seed),
            stratified(groups, said, {"scratch": 9}, {"coil 1": 3}, budget, seed=seed),
            conflicts(images(own), copies([there], "class"), [], budget, seed=seed),
        ]

    first, again = runs(there, scores), runs(there[::-1], shuffled)
    assert first == again
    for choices in first:
        assert len(choices) <= budget
        assert len(set(chosen(choices))) == len(choices)
        assert set(chosen(choices)) <= set(there)
    assert [len(choices) for choices in first[:3]] == [min(budget, len(there))] * 3
    assert len(first[3]) == min(budget, len(there) > 1)  # never two of one cluster


def test_the_model_s_doubts_go_first() -> None:
    said = scores_of({1: (1, 0, 0), 2: (0.5, 0.4, 0.1), 4: (0.5, 0.5, 0)})
    found = uncertain([IDS[i] for i in (1, 2, 3, 4)], said, 10)
    assert chosen(found) == [4, 2, 1, 3]
    assert found[1].reason == "doubt 0.90 (scratch 0.50, patch 0.40)"
    assert found[3].reason == "the model has no scores for it"


def test_the_furthest_from_what_is_labelled_goes_first() -> None:
    points = np.array([[0.0], [1.0], [5.0], [9.0], [11.0]], np.float32)
    found = diverse(IDS[:5], points, points[:1] + 0.1, 5)
    assert chosen(found)[:3] == [4, 2, 3]
    assert chosen(diverse(IDS[:5], points, points[:0], 5))[:2] == [2, 4]  # the mean is nearest to the third


def test_no_labels_of_far_off_values_are_needed() -> None:
    """A column in which all are alike, or one is beyond all measure, does not decide alone."""
    points = np.random.default_rng(5).normal(size=(60, 3)).astype(np.float32)
    points[:, 0] = 3.0
    points[7, 1] = 1e9
    found = diverse(IDS, points, points[:0], 60)
    assert sorted(chosen(found)) == list(range(60))


def test_rare_classes_and_rare_coils_take_turns() -> None:
    said = scores_of({i: (0.8, 0.2, 0) if i < 40 else (0.1, 0.9, 0) for i in range(50)})
    groups = {IDS[i]: f"coil {i % 10}" for i in range(52)}
    found = stratified(groups, said, {"scratch": 4, "patch": 1}, {f"coil {i}": 5 for i in range(9)}, 52)
    names = [choice.reason.split()[0] for choice in found]
    assert names[:3] == ["patch"] * 3
    assert Counter(names[:13])["patch"] == 8  # 4 + 5 scratches, 1 + 8 patches
    assert chosen(found)[0] == 49  # the only coil without a label
    assert found[0].reason == "patch 0.90 (1 so far), coil 9 (0 so far)"
    assert set(chosen(found)[-2:]) == {50, 51}  # the model says nothing of them


def test_copies_that_differ_gravest_first_until_they_were_answered() -> None:
    differ = pl.concat(
        [
            copies([[1, 2]], "geometry"),
            copies([[3, 4, 5]], "class"),
            copies([[6, 7]], "class"),
            copies([[8, 9]]),
        ]
    )
    found = conflicts(images(range(30)), differ, [IDS[6]], 10)
    assert chosen(found) == [3, 1]
    assert found[1].reason == "copies are labelled differently (geometry)"


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud])
def test_a_mirrored_picture_looks_alike(turn: object) -> None:
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (3, 12, 12)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    pictures[2] = 128
    mirrored = np.stack([turn(one) for one in pictures])  # type: ignore[operator]
    one, other = describe(pictures), describe(mirrored)
    assert one.shape == (3, DESCRIPTOR_LENGTH)
    assert np.isfinite(one).all()
    assert np.abs(one - other).max() < 0.2
    assert np.linalg.norm(one[0] - other[0]) < 0.5 * np.linalg.norm(one[0] - one[2])


def test_features_are_read_part_by_part(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (6, 96, 96)).astype(np.uint8)
    quality = {
        "sharpness": 9.0,
        "brightness": 0.4,
        "contrast": 0.1,
        "clipped_dark": 0.25,
        "clipped_bright": 0.0,
    }
    rows: list[dict[str, object]] = [
        {"image_id": IDS[i], "decodable": True, "thumbnail": one.tobytes(), **quality}
        for i, one in enumerate(pictures)
    ]
    FEATURES.write(FEATURES.frame(rows[:4]), tmp_path / "a.parquet")
    FEATURES.write(FEATURES.frame(rows[4:]), tmp_path / "b.parquet")
    found = features_of([tmp_path / "a.parquet", tmp_path / "b.parquet"], [IDS[5], IDS[0]])
    assert np.allclose(found[:, :DESCRIPTOR_LENGTH], describe(pictures[[5, 0]]), atol=1e-6)
    assert np.allclose(found[:, DESCRIPTOR_LENGTH:], [np.log(10), 0.4, 0.1, 0.5, 0])


def written(folder: Path, **columns: Sequence[object]) -> Path:
    file = folder / "scores.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return file


def test_scores_of_classes(tmp_path: Path) -> None:
    found = read_scores(written(tmp_path, image_id=["b", "a"], x=[0.5, 0.7], y=[0.4, 0.3], z=[0.1, 0.0]))
    assert (found.image_ids, found.classes) == (("a", "b"), ("x", "y", "z"))
    assert found.doubts == pytest.approx([0.6, 0.9])
    assert "margin" in found.measure


def test_scores_that_stand_alone(tmp_path: Path) -> None:
    found = read_scores(written(tmp_path, image_id=["a", "b"], x=[0.9, 0.99], y=[0.9, 0.4]))
    assert found.doubts == pytest.approx([0.2, 0.8])
    assert "most doubtful" in found.measure


def test_scores_of_predictions(tmp_path: Path) -> None:
    file = written(tmp_path, image_id=["b", "a", "a"], label=["x", "y", "y"], score=[1.0, 0.9, 0.6])
    found = read_scores(file)
    assert found.doubts == pytest.approx([0.8, 0.0])
    assert found.values.tolist() == [[0, 0.9], [1, 0]]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"image_id": ["a"]}, "lacks image_id or scores"),
        ({"x": [0.5]}, "lacks image_id or scores"),
        ({"image_id": ["a"], "x": ["high"]}, "its column 'x' does not hold numbers"),
        ({"image_id": ["a"], "x": [1.5]}, "1 of its rows have a score that is missing or not from 0 to 1"),
        ({"image_id": ["a"], "x": [float("nan")]}, "missing or not from 0 to 1"),
        ({"image_id": ["a"], "x": [None], "y": [0.1]}, "does not hold numbers"),
        ({"image_id": ["a", "a"], "x": [0.5, 0.6]}, "several rows of class scores"),
    ],
)
def test_tables_that_are_no_scores(tmp_path: Path, columns: dict[str, list[object]], told: str) -> None:
    with pytest.raises(SourceError, match=told):
        read_scores(written(tmp_path, **columns))


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").write_text("image_id,x\n")
    with pytest.raises(SourceError, match="not a Parquet table"):
        read_scores(tmp_path / "scores.parquet")
