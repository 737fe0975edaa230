"""split: nothing leaks, nothing moves when data is added, and every image has a split or a reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from tundish.engine import LocalEngine
from tundish.recipe.load import Recipe
from tundish.stages import load_stage
from tundish.stages.base import Context
from tundish.stages.split.stage import STAGE
from tundish.storage.tables import ANNOTATIONS, COVERAGE, DUPLICATES, IMAGES, PAIRS, QUARANTINE, SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.stages.base import Outcome


@dataclass(frozen=True)
class Shot:
    """An image for the tables; its id is its name."""

    name: str
    coil: str | None = None
    classes: tuple[str, ...] = ("scratch",)
    state: str = "labelled"
    valid: bool = True
    copy_of: str | None = None
    kept: bool = False
    relation: str = "same picture"
    conflict: str | None = None

    @property
    def path(self) -> str:
        return f"{self.coil}/{self.name}" if self.coil else self.name


def shots(coils: int, each: int = 5, start: int = 0) -> list[Shot]:
    classes = (("scratch",), ("scratch", "scale"), (), ("scale",))
    return [
        Shot(
            f"i{coil:03}-{number}",
            f"C{coil:03}",
            classes[(coil + number) % 4],
            "labelled" if (coil + number) % 4 != 2 else "negative",
        )
        for coil in range(start, start + coils)
        for number in range(each)
    ]


def split(
    project: Path, pictures: Sequence[Shot], **section: Any
) -> tuple[dict[str, dict[str, Any]], Outcome]:
    section = {"group_by": ["coil_id"], "ratios": {"train": 0.6, "val": 0.2, "test": 0.2}} | section
    source = {"path": "raw", "format": "voc", "keys": {"coil_id": "^(?P<coil_id>C[^/]+)/"}}
    dedup = {"conflicts": section.pop("conflicts", "keep")}
    recipe = Recipe.model_validate(
        {
            "dataset": "d",
            "sources": [source],
            "annotations": {"classes": ["scratch", "scale"]},
            "split": section,
            "dedup": dedup,
        }
    )
    context = Context(recipe, project, LocalEngine(), accept_losses=True)
    place: dict[str, object] = {"source": "raw"}
    images = IMAGES.frame([{"image_id": s.name, "path": s.path, "valid": s.valid} | place for s in pictures])
    context.dataset.write(IMAGES, images)
    COVERAGE.write(
        COVERAGE.frame(
            [{"path": s.path, "image_id": s.name, "state": s.state} | place for s in pictures if s.valid]
        ),
        context.dataset.table("coverage"),
    )
    labels = [
        {"annotation_id": f"{s.name}/{n}", "image_id": s.name, "path": s.path, "label": label, "valid": True}
        | place
        for s in pictures
        for n, label in enumerate(s.classes)
    ]
    context.dataset.write(ANNOTATIONS, ANNOTATIONS.frame(labels))
    context.dataset.write(QUARANTINE, QUARANTINE.empty())
    DUPLICATES.write(DUPLICATES.frame(_clusters(pictures)), context.dataset.table("duplicates"))
    PAIRS.write(PAIRS.empty(), context.dataset.table("pairs"))
    load_stage("consensus").run(context)
    outcome = STAGE.run(context)
    rows = context.dataset.read(SPLITS).iter_rows(named=True)
    return {row["image_id"]: row for row in rows}, outcome


def _clusters(pictures: Sequence[Shot]) -> list[dict[str, Any]]:
    rows = []
    path = {s.name: s.path for s in pictures}
    for keeper in {s.copy_of for s in pictures if s.copy_of}:
        cluster = {"cluster_id": keeper, "representative_id": keeper, "source": "raw"}
        rows.append(
            {"image_id": keeper, "path": path[keeper], "relation": "representative", "kept": True} | cluster
        )
        rows += [
            {
                "image_id": s.name,
                "path": s.path,
                "relation": s.relation,
                "kept": s.kept,
                "label_conflict": s.conflict,
            }
            | cluster
            for s in pictures
            if s.copy_of == keeper
        ]
    return rows


def splits_by_coil(rows: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for row in rows.values():
        if row["split"]:
            found[row["group_id"]].add(row["split"])
    return found


def test_split__a_coil_is_never_split(tmp_path: Path) -> None:
    rows, outcome = split(tmp_path, shots(40))
    by_coil = splits_by_coil(rows)
    assert len(by_coil) == 40
    assert all(len(found) == 1 for found in by_coil.values())
    assert outcome.counts == {"train": 120, "val": 40, "test": 40, "left out": 0, "groups": 40}
    told = next(note for note in outcome.notes if note.startswith("largest distance"))
    assert all(f"{name} " in told for name in ("images", "negatives", "scratch", "scale"))


def test_split__growth_moves_nothing(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(40))
    after, _ = split(tmp_path, shots(44))
    assert {name: after[name]["split"] for name in before} == {
        name: row["split"] for name, row in before.items()
    }
    assert len(after) == 220


def test_split__new_images_of_an_old_coil_join_it(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(10))
    after, _ = split(tmp_path, [*shots(10), Shot("new", "C003")])
    assert after["new"]["split"] == before["i003-0"]["split"]


def test_split__removing_data_moves_nothing_and_bringing_it_back_neither(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(20))
    split(tmp_path, [shot for shot in shots(20) if not shot.name.endswith("-1")])
    after, _ = split(tmp_path, shots(20))
    assert {name: row["split"] for name, row in after.items()} == {
        name: row["split"] for name, row in before.items()
    }


def test_split__an_image_left_out_for_a_while_returns_to_its_split(tmp_path: Path) -> None:
    """Its annotators may not agree for a time; what was test data must not come back as training data."""
    alone = [Shot(f"i{number}") for number in range(40)]
    before, _ = split(tmp_path, alone)
    out = [
        replace(shot, state="disputed") if before[shot.name]["split"] == "test" else shot for shot in alone
    ]
    between, _ = split(tmp_path, [*out, *(Shot(f"new{number}") for number in range(40))])
    assert all(between[shot.name]["split"] is None for shot in out if shot.state == "disputed")
    after, _ = split(tmp_path, alone)
    assert {name: row["split"] for name, row in after.items()} == {
        name: row["split"] for name, row in before.items()
    }


def test_split__keeps_what_an_earlier_version_assigned(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(20))
    (path,) = tmp_path.rglob("curated/splits.parquet")
    table = pq.read_table(path)
    pq.write_table(table.drop_columns("last_split"), path)
    after, _ = split(tmp_path, [*shots(20), *shots(20, start=20)])
    assert {name: after[name]["split"] for name in before} == {
        name: row["split"] for name, row in before.items()
    }


def test_split__where_groups_of_two_splits_meet_the_smaller_moves_and_it_is_reported(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(30))
    of = {f"C{coil:03}": before[f"i{coil:03}-0"]["split"] for coil in range(30)}
    large = next(coil for coil, name in of.items() if name == "train")
    small = next(coil for coil, name in of.items() if name == "test")
    bridge = [Shot(f"{large}-more", large), Shot("b1", large), Shot("b2", small, copy_of="b1", kept=True)]
    after, outcome = split(tmp_path, [*shots(30), *bridge])
    moved = [row for row in after.values() if row["reason"] == "moved from test"]
    assert {row["image_id"] for row in moved} == {f"i{small[1:]}-{n}" for n in range(5)}
    assert all(row["split"] == "train" for row in moved)
    assert any("merges groups of different splits" in note for note in outcome.notes)
    untouched = [name for name in before if not name.startswith(f"i{small[1:]}-")]
    assert all(after[name]["split"] == before[name]["split"] for name in untouched)


def test_split__another_salt_assigns_again(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(40), salt="1")
    after, _ = split(tmp_path, shots(40), salt="2")
    assert any(after[name]["split"] != before[name]["split"] for name in before)


def test_split__same_tables_in_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    pictures = shots(30)
    split(tmp_path / "a", pictures)
    split(tmp_path / "b", pictures[::-1])
    path = "datasets/d/curated/splits.parquet"
    assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_split__what_is_left_out_has_its_reason(tmp_path: Path) -> None:
    pictures = [
        *shots(4),
        Shot("bad", "C001", valid=False),
        Shot("nobody", "C001", classes=(), state="unlabelled"),
        Shot("all-wrong", "C001", classes=(), state="rejected"),
        Shot("copy", "C002", copy_of="i000-0", relation="identical pixels"),
    ]
    rows, outcome = split(tmp_path, pictures)
    assert {name: rows[name]["reason"] for name in ("bad", "nobody", "all-wrong", "copy")} == {
        "bad": "quarantined",
        "nobody": "unlabelled",
        "all-wrong": "all its labels are quarantined",
        "copy": "duplicate: identical pixels as i000-0",
    }
    assert all(row["split"] for name, row in rows.items() if name.startswith("i"))
    assert outcome.counts["left out"] == 4
    assert len(rows) == len(pictures)


def test_split__unlabelled_images_are_assigned_where_the_recipe_says_so(tmp_path: Path) -> None:
    rows, _ = split(
        tmp_path, [Shot(f"n{n}", classes=(), state="unlabelled") for n in range(10)], unlabelled="include"
    )
    assert sum(row["split"] == "train" for row in rows.values()) == 6


def test_split__conflicting_copies_are_held_out_where_the_recipe_says_so(tmp_path: Path) -> None:
    pictures = [*shots(4), Shot("copy", copy_of="i000-0", conflict="class")]
    kept, _ = split(tmp_path / "keep", pictures)
    held, _ = split(tmp_path / "hold", pictures, conflicts="hold")
    assert kept["i000-0"]["split"]
    assert held["i000-0"]["split"] is None
    assert held["i000-0"]["reason"].startswith("held")


def test_split__split_of_a_copy_passes_to_the_image_that_now_represents_it(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(30), group_by=[])
    old = next(name for name, row in before.items() if row["split"] == "test")
    better = Shot("better")
    pictures = [
        Shot(shot.name, shot.coil, shot.classes, shot.state, copy_of="better" if shot.name == old else None)
        for shot in shots(30)
    ]
    after, _ = split(tmp_path, [*pictures, better], group_by=[])
    assert after["better"]["split"] == "test"
    assert after[old]["split"] is None


def test_split__nothing_to_deal(tmp_path: Path) -> None:
    rows, outcome = split(tmp_path, [Shot("bad", valid=False)])
    assert rows["bad"]["split"] is None
    assert outcome.counts["left out"] == 1


def test_split__a_copy_that_is_left_out_ties_its_coil_to_that_of_the_one_that_stays(tmp_path: Path) -> None:
    copy = Shot("copy", "C005", copy_of="i000-0")
    rows, _ = split(tmp_path, [*shots(10), copy])
    assert rows["copy"]["split"] is None
    assert rows["i000-1"]["group_id"] == rows["i005-1"]["group_id"] == "coil_id=C000"
    assert rows["i000-1"]["split"] == rows["i005-1"]["split"]


def test_split__a_damaged_table_is_brought_back_and_no_image_changes_sides(tmp_path: Path) -> None:
    """To delete it and run again, as was once advised, moved 10 of 120 images from test into train."""
    before, _ = split(tmp_path, shots(20))
    (path,) = tmp_path.rglob("curated/splits.parquet")
    path.write_bytes(path.read_bytes()[:300])
    after, outcome = split(tmp_path, [*shots(20), *shots(20, start=20)])
    assert any("was damaged; it was restored" in note for note in outcome.notes)
    assert {name: after[name]["split"] for name in before} == {
        name: row["split"] for name, row in before.items()
    }


def sides(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: row["split"] for name, row in rows.items()}


RATIOS = {"train": 0.4, "val": 0.3, "test": 0.3}


def test_split__changed_ratios_move_nothing_and_the_run_says_what_the_salt_would_do(tmp_path: Path) -> None:
    before, first = split(tmp_path, shots(20))
    assert not any("ratios" in note for note in first.notes)
    after, outcome = split(tmp_path, [*shots(20), *shots(2, start=20)], ratios=RATIOS)
    assert {name: after[name]["split"] for name in before} == sides(before)
    [note] = [note for note in outcome.notes if "split.ratios" in note]
    assert "assigned by the ratios train 0.6, val 0.2, test 0.2" in note
    assert "split.ratios is train 0.4, val 0.3, test 0.3 now: the 100 images" in note
    assert "Another split.salt than '1' assigns all groups" in note
    # It stays true, and is said again, until the images follow the ratios.
    _, outcome = split(tmp_path, [*shots(20), *shots(2, start=20)], ratios=RATIOS)
    assert any("assigned by the ratios train 0.6" in note for note in outcome.notes)
    grown = [*shots(20), *shots(60, start=20)]
    _, outcome = split(tmp_path, grown, ratios=RATIOS)
    assert not any("split.ratios" in note for note in outcome.notes)
    _, outcome = split(tmp_path, grown, ratios=RATIOS, salt="2")
    assert not any("split.ratios" in note for note in outcome.notes)


def test_split__a_split_that_the_ratios_no_longer_have_is_named(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(20))
    _, outcome = split(tmp_path, shots(20), ratios={"train": 0.7, "val": 0.3})
    tested = sum(side == "test" for side in sides(before).values())
    assert f"split.ratios has no 'test' any more: its {tested} images" in " ".join(outcome.notes)


def test_split__group_by_after_a_first_run_says_what_moves_and_names_the_salt(tmp_path: Path) -> None:
    before, _ = split(tmp_path, shots(12), group_by=[])
    after, outcome = split(tmp_path, shots(12))
    moved = [name for name in before if before[name]["split"] != after[name]["split"]]
    [note] = [note for note in outcome.notes if "group_by" in note]
    assert note.startswith("split.group_by was empty and is coil_id: ")
    assert f"{len(moved)} images moved (" in note
    assert "Another split.salt than '1' assigns all groups as if for the first time" in note
    assert not any("merges groups" in note for note in outcome.notes)
    _, outcome = split(tmp_path, shots(12), salt="2")
    assert not any("group_by" in note for note in outcome.notes)


def test_split__many_groups_that_new_data_merges_are_one_note(tmp_path: Path) -> None:
    """A table of an earlier version does not say by which keys it was grouped."""
    split(tmp_path, shots(12), group_by=[])
    (path,) = tmp_path.rglob("curated/splits.parquet")
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"tundish.salt": "1"}), path)
    _, outcome = split(tmp_path, shots(12))
    [note] = [note for note in outcome.notes if "merges groups" in note]
    assert " groups, such as coil_id=C000: 1 from val moved to train; in all " in note
    assert "Another split.salt" in note
