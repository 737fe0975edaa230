"""Which images are chosen of a dataset, up to where a server would be asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from tundish.cli import main
from tundish.errors import UsageError
from tundish.imaging.files.decode import encode
from tundish.labeling.pool import images_of
from tundish.labeling.selection.choose import Selection, SelectionOptions, choose, selection_options
from tundish.recipe import load as recipes
from tundish.storage.dataset import DatasetFolder
from tundish.storage.tables import DISPUTES

ROOT = Path(__file__).resolve().parents[3]
RECIPE = """
dataset: strip
timezone: UTC
sources: [{path: raw, format: voc, keys: {coil_id: '^(?P<coil_id>[A-Z])'}}]
records: {}
images: {}
annotations: {classes: [scratch, patch]}
dedup: {}
link: {}
label: {}
split: {group_by: [coil_id]}
augment: {}
export: {}
"""
XML = """<annotation><filename>{name}</filename>
<size><width>240</width><height>240</height><depth>1</depth></size>
<object><name>scratch</name><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>50</xmax><ymax>60</ymax></bndbox></object>
</annotation>"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten pictures of coils A and B; the first two, of coil A, are labelled, and A9 is a copy of A8."""
    raw = tmp_path / "datasets" / "strip" / "raw"
    raw.mkdir(parents=True)
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    (tmp_path / "pipelines" / "strip.yaml").write_text(RECIPE)
    for number in range(10):
        name = f"{'B' if number in (4, 5) else 'A'}{number}"
        pixels = np.random.default_rng(min(number, 8)).integers(0, 255, (8, 8), np.uint8)
        (raw / f"{name}.png").write_bytes(encode(np.kron(pixels, np.ones((30, 30), np.uint8)), "png"))
        if number < 2:
            (raw / f"{name}.xml").write_text(XML.format(name=f"{name}.png"))
    monkeypatch.chdir(tmp_path)
    for stage in ("ingest", "measure", "records", "validate", "dedup"):
        done = CliRunner().invoke(main, [stage, "strip"])
        assert done.exit_code == 0, done.output
    return tmp_path


def chosen(plant: Path, how: str, budget: int = 100, scores: Path | None = None) -> Selection:
    recipe = recipes.load(plant / "pipelines" / "strip.yaml")
    dataset = DatasetFolder("strip", plant)
    return choose(dataset, recipe, images_of(dataset), SelectionOptions(how, budget, scores))


def names(found: Selection) -> list[str]:
    return [path.removesuffix(".png") for path in found.images["path"]]


def written(plant: Path, scores: dict[str, float]) -> Path:
    """A model's scores for scratch by file name."""
    images = images_of(DatasetFolder("strip", plant))
    ids = {
        path.removesuffix(".png"): image_id
        for path, image_id in images.select("path", "image_id").iter_rows()
    }
    file = plant / "scores.parquet"
    pl.DataFrame(
        {
            "image_id": [ids[name] for name in scores],
            "scratch": list(scores.values()),
            "patch": [1 - score for score in scores.values()],
        }
    ).write_parquet(file)
    return file


def test_each_way_takes_what_is_new(plant: Path) -> None:
    found = chosen(plant, "uncertain", 3, written(plant, {"A2": 0.9, "A3": 0.55, "A0": 0.5}))
    assert names(found)[:2] == ["A3", "A2"]
    assert found.notes[:2] == (
        "3 of 7 images without labels were chosen by 1 - margin of the two best classes",
        "the model has no scores for 1 of them; they come last",
    )
    everything = ["A2", "A3", "A6", "A7", "A8", "B4", "B5"]
    different = chosen(plant, "diverse")
    assert sorted(names(different)) == everything
    assert "fewer than the budget of 100: no more are left" in different.notes
    assert sorted(names(chosen(plant, "stratified", 2))) == ["B4", "B5"]  # the coil without labels
    by_class = chosen(plant, "stratified", 1, written(plant, {"A2": 0.9, "A3": 0.2, "B4": 0.9}))
    assert names(by_class) == ["A3"]  # there is no patch yet
    assert names(chosen(plant, "conflicts")) == []


def test_what_is_in_dispute_is_not_chosen_but_named(plant: Path) -> None:
    dataset = DatasetFolder("strip", plant)
    ids = images_of(dataset)["image_id"]
    rows: list[dict[str, object]] = [
        {"image_id": ids[at], "unit": at, "annotation_id": str(at), "settled_by": by}
        for at, by in enumerate([None, None, "qi"])
    ]
    dataset.write(DISPUTES, DISPUTES.frame(rows))
    found = chosen(plant, "conflicts")
    assert names(found) == []
    assert found.notes[-1] == "2 images in dispute go to 'tundish label adjudicate strip'"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--select", "uncertain", "--budget", "5"), "needs a model's scores; name them with --scores FILE"),
        (("--select", "diverse"), "--select needs --budget"),
        (("--budget", "5"), "go with --select"),
        (("--select", "diverse", "--budget", "5", "--scores", "x.parquet"), "does not use a model"),
        (("--select", "uncertain", "--budget", "5", "--scores", "x.parquet"), "there is no such file"),
    ],
)
@pytest.mark.usefixtures("plant")
def test_what_is_missing_is_told_in_one_sentence(words: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(main, ["label", "push", "strip", *words])
    assert done.exit_code == 2, done.output
    (line,) = done.stderr.strip().splitlines()
    assert told in line


def test_options_of_a_selection_go_together() -> None:
    assert selection_options(None, None, None, 0) is None
    assert selection_options("diverse", 5, None, 3) == SelectionOptions("diverse", 5, None, 3)
    with pytest.raises(
        UsageError, match="--select: unknown strategy 'best'; choose one of uncertain, diverse"
    ):
        selection_options("best", 5, None, 0)
    with pytest.raises(UsageError, match="--budget: a budget of 0 images; choose 1 or more"):
        selection_options("diverse", 0, None, 0)
