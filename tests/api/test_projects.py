"""`tundish.init`, `tundish.add` and `tundish.sample` as notebooks call them, rightly and wrongly."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import orjson
import pytest
import yaml
from tests.plants import make_plant

import tundish
from tundish.cli import main
from tundish.recipe.load import json_schema, load

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A project without Git and DVC, which `add` does not need."""
    folder = make_plant(tmp_path / "plant")
    (folder / "params.yaml").write_text("pipelines: []  # what DVC runs\n")
    return folder


def photos(folder: Path, *classes: str, count: int = 12, seed: int = 0) -> Path:
    """A folder for each class with pictures that do not look alike; without classes, pictures alone."""
    for number in range(count):
        pixels = np.random.default_rng((seed, number)).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        place = folder / classes[number % len(classes)] if classes else folder
        place.mkdir(parents=True, exist_ok=True)
        picture = cv2.imencode(".png", cv2.resize(pixels, (96, 64)))[1].tobytes()
        (place / f"p {seed} {number}.png").write_bytes(picture)
    return folder


def add(
    plant: Path, source: Path, name: str = "line1", *, force: bool = False, dry_run: bool = False
) -> tundish.AddedImages:
    added = tundish.add(name, source, project=plant, force=force, dry_run=dry_run)
    assert isinstance(added, tundish.AddedImages)
    return added


def recipe(plant: Path) -> Path:
    return plant / "pipelines/line1.yaml"


class TestInit:
    """A new project."""

    def test_a_new_folder_has_everything_and_its_readme_names_it(self, tmp_path: Path) -> None:
        project = tundish.init(tmp_path / "my plant")
        here = project.folder
        assert project == tundish.Project(tmp_path / "my plant")
        assert (here / "dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
        assert {path.name for path in (here / "schemas").iterdir()} == {
            path.name for path in (ROOT / "schemas").iterdir() if path.suffix in {".py", ".yaml"}
        }
        readme = (here / "README.md").read_text(encoding="utf-8")
        assert readme.startswith("# my plant\n")
        for folder in ("pipelines", "schemas", "datasets", ".dvc", ".git", ".tundish"):
            assert (here / folder).is_dir()
        named = set(re.findall(r"`([\w.]+)[/*`]", readme)) & {path.name for path in here.iterdir()}
        assert named == {
            "pipelines",
            "schemas",
            "datasets",
            "params.yaml",
            "dvc.yaml",
            ".tundish",
            ".gitignore",
        }

    def test_the_readme_shows_commands_that_exist(self, tmp_path: Path) -> None:
        readme = (tundish.init(tmp_path).folder / "README.md").read_text(encoding="utf-8")
        commands = re.findall(r"^\$ tundish (\w+)", readme, re.MULTILINE)
        assert commands == ["add", "status", "label", "export"]
        assert set(commands) <= set(main.list_commands(None))  # type: ignore[arg-type]

    def test_the_current_folder_works(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        tundish.init(".")
        assert (tmp_path / "README.md").read_text(encoding="utf-8").startswith(f"# {tmp_path.name}\n")

    def test_files_that_are_there_already_stay_as_they_are(self, tmp_path: Path) -> None:
        ours = {
            "README.md": "# ours\n",
            "schemas/steel.py": "# ours\n",
            "params.yaml": "lr: 0.1",
            ".gitignore": "*.tmp",
        }
        for name, text in ours.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        project = tundish.init(tmp_path)
        assert project.notes == ("kept as they were: schemas/steel.py, README.md",)
        assert (tmp_path / "README.md").read_text() == "# ours\n"
        assert (tmp_path / "schemas/steel.py").read_text() == "# ours\n"
        assert yaml.safe_load((tmp_path / "params.yaml").read_text()) == {"lr": 0.1, "pipelines": []}
        assert (tmp_path / ".gitignore").read_text().startswith("*.tmp\n#")

    def test_a_project_is_not_laid_out_twice_and_the_error_says_how_to_go_on(self, tmp_path: Path) -> None:
        tundish.init(tmp_path / "plant")
        with pytest.raises(
            tundish.UsageError, match="a Tundish project already; go on in it with 'tundish add'"
        ):
            tundish.init(tmp_path / "plant")

    def test_inside_another_project_it_warns(self, tmp_path: Path) -> None:
        tundish.init(tmp_path / "plant")
        project = tundish.init(tmp_path / "plant/line 2")
        assert len(project.notes) == 1
        assert str(tmp_path / "plant") in project.notes[0]
        assert (project.folder / ".dvc").is_dir()

    def test_a_file_and_a_pipeline_of_something_else_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("x")
        with pytest.raises(tundish.UsageError, match="this is a file"):
            tundish.init(tmp_path / "notes")
        (tmp_path / "dvc.yaml").write_text("stages: {}\n")
        with pytest.raises(tundish.UsageError, match=r"dvc\.yaml of its own"):
            tundish.init(tmp_path)
        assert not (tmp_path / "pipelines").exists()

    def test_without_git_it_says_so_and_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        project = tundish.init(tmp_path / "plant")
        assert project.notes[0].startswith("Git is not installed")
        assert (project.folder / ".dvc").is_dir()

    def test_the_caller_may_be_anywhere(self, tmp_path: Path) -> None:
        """Also where a folder of the caller's looks like a template."""
        (tmp_path / "_template").mkdir()
        (tmp_path / "dvc.yaml").write_text("stages: {}\n")
        command = [sys.executable, "-c", "import tundish; tundish.init('plant')"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert (tmp_path / "plant/dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()


class TestAddOneSource:
    """The first source of a dataset."""

    def test_the_recipe_is_written_listed_and_can_be_read(self, plant: Path, tmp_path: Path) -> None:
        added = add(plant, photos(tmp_path / "in", "good", "cracked"))
        assert (added.action, added.written, added.format, added.label) == ("created", True, "folders", "in")
        assert added.classes == added.new_classes == ("cracked", "good")
        assert load(added.recipe).annotations.classes == {"cracked": (), "good": ()}
        assert added.recipe.read_text(encoding="utf-8") == added.text
        assert (plant / "params.yaml").read_text() == "pipelines:  # what DVC runs\n  - line1\n"

    def test_a_dry_run_finds_everything_and_writes_nothing(self, plant: Path, tmp_path: Path) -> None:
        before = sorted(plant.rglob("*"))
        added = add(plant, photos(tmp_path / "in", "good", "cracked"), dry_run=True)
        assert not added.written
        assert "cracked: []" in added.text
        assert sorted(plant.rglob("*")) == before

    def test_a_notebook_shows_it_as_a_table(self, plant: Path, tmp_path: Path) -> None:
        shown = add(plant, photos(tmp_path / "in", "good", "cracked"))._repr_html_()
        assert "cracked" in shown
        assert "timezone" not in shown, "the recipe's text is long"

    @pytest.mark.parametrize("name", ["2024", "on", "1e3", "line1.yaml"])
    def test_a_name_that_yaml_would_read_as_something_else(
        self, plant: Path, tmp_path: Path, name: str
    ) -> None:
        added = add(plant, photos(tmp_path / "in"), name)
        assert load(added.recipe).dataset == name.removesuffix(".yaml")
        assert yaml.safe_load((plant / "params.yaml").read_text()) == {"pipelines": [added.dataset]}

    @pytest.mark.parametrize("label", ["a, b", "x: y", "[1]", "#3", "锈 斑"])
    def test_a_class_with_signs_that_mean_something_in_yaml(
        self, plant: Path, tmp_path: Path, label: str
    ) -> None:
        added = add(plant, photos(tmp_path / "in", label, "good"))
        assert set(load(added.recipe).annotations.classes) == {label, "good"}

    def test_classes_that_differ_in_case_alone_are_one(self, plant: Path, tmp_path: Path) -> None:
        added = add(plant, photos(tmp_path / "in", "Good", "good", "bad"))
        assert added.new_classes == ("Good", "bad")
        assert set(load(added.recipe).annotations.classes) == {"Good", "bad"}

    def test_a_file_name_that_would_break_the_comment(self, plant: Path, tmp_path: Path) -> None:
        photos(tmp_path / "in", count=2)
        (tmp_path / "in/odd\x07\nname.yaml").write_text("names: [a]\n")
        (tmp_path / "in/p 0 0.txt").write_text("0 0.5 0.5 0.1 0.1\n")
        load(add(plant, tmp_path / "in").recipe)

    def test_the_first_line_names_a_schema_that_the_recipe_keeps(self, plant: Path, tmp_path: Path) -> None:
        added = add(plant, photos(tmp_path / "in"))
        first = added.text.partition("\n")[0]
        target = added.recipe.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert orjson.loads(target.read_bytes()) == json_schema()


class TestAddAnotherSource:
    """A recipe that exists gets one more source."""

    def test_both_sources_are_in_and_the_rest_of_the_text_stays(self, plant: Path, tmp_path: Path) -> None:
        add(plant, photos(tmp_path / "june", "good", "cracked"))
        ours = (
            recipe(plant).read_text(encoding="utf-8").replace("salt: '1'", "salt: '7'   # ours: do not touch")
        )
        recipe(plant).write_text(ours, encoding="utf-8")
        added = add(plant, photos(tmp_path / "july", "cracked", "rusty", seed=1))
        assert (added.action, added.label, added.new_classes) == ("extended", "july", ("rusty",))
        after = recipe(plant).read_text(encoding="utf-8")
        assert [line for line in ours.splitlines() if line not in after.splitlines()] == []
        assert [source.label for source in load(recipe(plant)).sources] == ["june", "july"]
        assert list(load(recipe(plant)).annotations.classes) == ["cracked", "good", "rusty"]
        assert (plant / "params.yaml").read_text().count("line1") == 1
        tundish.run("line1", project=plant, last="split")
        images = tundish.read_table("images", "line1", project=plant)
        assert dict(images["source"].value_counts().iter_rows()) == {"june": 12, "july": 12}
        splits = tundish.read_table("splits", "line1", project=plant)
        assert set(splits["source"]) == {"june", "july"}
        assert set(splits["split"].drop_nulls()) >= {"train"}

    def test_the_same_source_is_refused_however_it_is_spelt(
        self, plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(plant, photos(tmp_path / "in"))
        before = recipe(plant).read_bytes()
        (tmp_path / "link").symlink_to(tmp_path / "in")
        monkeypatch.chdir(plant)
        for source in (tmp_path / "in", Path("../in"), tmp_path / "link", tmp_path / "in/../in"):
            with pytest.raises(tundish.UsageError, match="has this source already, as 'in'"):
                add(plant, source)
        assert recipe(plant).read_bytes() == before

    def test_sources_of_one_name_are_told_apart_in_the_tables(self, plant: Path, tmp_path: Path) -> None:
        labels = []
        for number, place in enumerate(("a/images", "b/images", "c/b/images", "d/b/images")):
            labels.append(add(plant, photos(tmp_path / place, seed=number)).label)
        assert labels == ["images", "b-images", "images-2", "images-3"]
        assert [source.label for source in load(recipe(plant)).sources] == labels
        counts = tundish.run("line1", project=plant, last="ingest")["ingest"].counts
        assert counts["accepted"] == counts["images in them"] == 48

    def test_a_recipe_that_has_only_tables_gets_its_first_images(self, plant: Path, tmp_path: Path) -> None:
        (tmp_path / "coils.csv").write_text("coil_no,T_finish\nA1,880\n")
        tundish.add("line1", tmp_path / "coils.csv", schema="schemas/steel.py:HotStripCoil", project=plant)
        add(plant, photos(tmp_path / "in", "good", "cracked"))
        both = load(recipe(plant))
        assert ([one.label for one in both.sources], list(both.records)) == (["in"], ["coils"])
        assert list(both.annotations.classes) == ["cracked", "good"]

    @pytest.mark.parametrize(
        ("section", "expected"),
        [
            ("annotations:\n  classes: [good, cracked]\n", ["good", "cracked", "rusty"]),
            ("annotations: {classes: {good: [], cracked: [Riss]}}\n", ["good", "cracked", "rusty"]),
            ("annotations:\n  classes:\n  - good\n  - CRACKED\n", ["good", "CRACKED", "rusty"]),
            ("annotations: {}\n", ["cracked", "rusty"]),
        ],
    )
    def test_new_classes_go_behind_those_of_a_recipe_written_by_hand(
        self, plant: Path, tmp_path: Path, section: str, expected: list[str]
    ) -> None:
        add(plant, photos(tmp_path / "june"))
        text = recipe(plant).read_text(encoding="utf-8")
        text = re.sub(r"(?ms)^annotations:.*?^(?=dedup)", lambda _: section, text)
        recipe(plant).write_text(text, encoding="utf-8")
        add(plant, photos(tmp_path / "july", "cracked", "rusty", seed=1))
        assert list(load(recipe(plant)).annotations.classes) == expected

    def test_what_the_other_sections_mean_for_it_is_reported(self, plant: Path, tmp_path: Path) -> None:
        add(plant, photos(tmp_path / "june", "good", "bad"))
        text = recipe(plant).read_text(encoding="utf-8")
        text = text.replace("    # keys: {coil", "    keys: {coil").replace(
            "group_by: []", "group_by: [coil_id]"
        )
        recipe(plant).write_text(text, encoding="utf-8")
        notes = add(plant, photos(tmp_path / "june/unlabelled", seed=1)).notes
        assert [note.partition(":")[0] for note in notes] == [
            "it lies inside 'june'",
            "its images have no labels",
            "split.group_by names coil_id",
        ]

    def test_force_replaces_the_recipe(self, plant: Path, tmp_path: Path) -> None:
        add(plant, photos(tmp_path / "june", "good", "cracked"))
        added = add(plant, photos(tmp_path / "july", "rusty", "good", seed=1), force=True)
        assert added.action == "replaced"
        assert [source.label for source in load(recipe(plant)).sources] == ["july"]

    @pytest.mark.parametrize("text", ["dataset: line1\nsources: [\n", "dataset: line1\nsorces: []\n"])
    def test_a_recipe_that_cannot_be_read_stays_as_it_is(
        self, plant: Path, tmp_path: Path, text: str
    ) -> None:
        recipe(plant).write_text(text)
        with pytest.raises(tundish.UsageError, match=r"line1\.yaml"):
            add(plant, photos(tmp_path / "in"))
        assert recipe(plant).read_text() == text

    @pytest.mark.shared
    @pytest.mark.slow
    def test_two_real_sets_in_one_dataset(self, plant: Path, shared_data: Path) -> None:
        steel = add(plant, shared_data / "neu_det")
        belt = add(plant, shared_data / "coal_belt_foreign")
        assert (steel.format, belt.format, belt.new_classes) == ("voc", "yolo", ("maogan", "bang"))
        tundish.run("line1", project=plant, last="split")
        assert tundish.status("line1", project=plant).closes
        images = tundish.read_table("images", "line1", project=plant)
        assert dict(images["source"].value_counts().iter_rows()) == {
            "neu_det": 1799,
            "coal_belt_foreign": 388,
        }
        splits = tundish.read_table("splits", "line1", project=plant).drop_nulls("split")
        for source in ("neu_det", "coal_belt_foreign"):
            assert set(splits.filter(source=source)["split"]) == {"train", "val", "test"}


class TestAddRefuses:
    """Wrong use: one sentence, and nothing is written."""

    @pytest.fixture(autouse=True)
    def _nothing_is_written(self, plant: Path) -> Iterator[None]:
        def written() -> list[Path]:
            # Python may keep bytecode beside the schemas that it reads.
            passed_over = {"datasets", "__pycache__"}
            return sorted(path for path in plant.rglob("*") if passed_over.isdisjoint(path.parts))

        before = written()
        yield
        assert written() == before

    def refusal(self, plant: Path, source: Path | str, name: str = "line1", **options: str) -> str:
        with pytest.raises(tundish.UsageError) as caught:
            tundish.add(name, source, project=plant, **options)  # type: ignore[arg-type]
        return str(caught.value)

    def test_a_misspelt_path(self, plant: Path, tmp_path: Path) -> None:
        photos(tmp_path / "photos/line1", count=1)
        assert f"did you mean '{tmp_path / 'photos/line1'}'?" in self.refusal(plant, tmp_path / "fotos/line1")
        assert f"did you mean '{tmp_path / 'photos/line1'}'?" in self.refusal(
            plant, tmp_path / "photos/line 1"
        )
        assert "nothing is here; name a folder" in self.refusal(plant, tmp_path / "xyz/qwertz")

    def test_an_empty_folder_and_one_without_images(self, plant: Path, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        assert "holds no files" in self.refusal(plant, tmp_path / "in")
        (tmp_path / "in/notes.docx").write_text("x")
        assert "none of its 1 files is an image" in self.refusal(plant, tmp_path / "in")
        (tmp_path / "in/lab.xlsb").write_text("x")
        assert "lab.xlsb: the file is plain text" in self.refusal(plant, tmp_path / "in"), (
            "a folder of tables"
        )

    @pytest.mark.parametrize(
        ("name", "data", "expected"),
        [
            ("report.pdf", b"%PDF-1.4", "neither a folder or an archive of images nor a table"),
            ("one.png", b"\x89PNG", "a single image; name the folder"),
            ("all.rar", b"Rar!", "unpack it"),
            ("all.zip", b"PK\x03\x04 cut off", "not an archive that can be opened"),
            ("empty.csv", b"", "the file is empty"),
        ],
    )
    def test_a_file_of_another_kind(
        self, plant: Path, tmp_path: Path, name: str, data: bytes, expected: str
    ) -> None:
        (tmp_path / name).write_bytes(data)
        assert expected in self.refusal(plant, tmp_path / name)

    @pytest.mark.parametrize("name", ["a/b", "a b", "", "../x", "-x", "x" * 101])
    def test_a_name_that_cannot_be_one(self, plant: Path, tmp_path: Path, name: str) -> None:
        photos(tmp_path / "in", count=1)
        assert f"'{name}' cannot be the name of a dataset" in self.refusal(plant, tmp_path / "in", name)

    def test_name_and_source_swapped(self, plant: Path, tmp_path: Path) -> None:
        photos(tmp_path / "in", count=1)
        refusal = self.refusal(plant, "line1", str(tmp_path / "in"))
        assert f"the name comes first, then the source: 'line1' '{tmp_path / 'in'}'" in refusal

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            ("datasets/line1/store", "Tundish itself writes this folder"),
            ("datasets/line1/exports/coco", "Tundish itself writes this folder"),
            (
                "datasets/other/curated",
                "Tundish itself writes this folder; name the files as they came, such as datasets/other/raw",
            ),
            ("datasets/other", "Tundish itself writes this folder"),
            ("datasets/line1", "this folder holds datasets/line1"),
            ("datasets", "this folder holds datasets/line1"),
            (".", "this folder holds datasets/line1"),
        ],
    )
    def test_a_folder_that_tundish_writes(self, plant: Path, place: str, expected: str) -> None:
        photos(plant / place / "pictures", count=1)
        assert expected in self.refusal(plant, plant / place)
        shutil.rmtree(plant / place / "pictures")

    def test_a_table_that_tundish_writes(self, plant: Path) -> None:
        (plant / "datasets/line1/curated").mkdir(parents=True)
        (plant / "datasets/line1/curated/images.parquet").write_bytes(b"PAR1")
        refusal = self.refusal(plant, plant / "datasets/line1/curated/images.parquet")
        assert "Tundish itself writes this file" in refusal

    def test_options_of_tables_for_a_folder_of_images(self, plant: Path, tmp_path: Path) -> None:
        photos(tmp_path / "in", count=1)
        assert "'sheet' is for a table of records" in self.refusal(plant, tmp_path / "in", sheet="Mai")

    def test_a_folder_that_is_not_a_project(self, plant: Path, tmp_path: Path) -> None:
        photos(tmp_path / "in", count=1)
        assert "not a Tundish project" in self.refusal(tmp_path, tmp_path / "in")
        assert sorted(plant.glob("pipelines/*")) == []


def test_add__the_landing_zone_and_another_datasets_exports_are_sources(plant: Path) -> None:
    assert add(plant, photos(plant / "datasets/line1/raw/june")).place == "raw/june"
    assert add(plant, photos(plant / "datasets/other/exports/coco", seed=1)).place == "../other/exports/coco"


@pytest.mark.slow
def test_sample__makes_two_datasets_with_recipes_once(plant: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    made = tundish.sample(project=plant, progress=lambda *step: steps.append(step))
    assert [one.dataset for one in made] == ["steel-surface", "coal-belt"]
    assert steps == [("steel-surface", 0, 2), ("coal-belt", 1, 2), ("sample", 2, 2)]
    for one in made:
        assert one.truth.is_file()
        assert one.planted > 10
        text = one.recipe.read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=../.tundish/recipe.schema.json\n# ")
        assert text.count("yaml-language-server") == 1
        assert load(one.recipe).dataset == one.dataset
    made[0].recipe.write_text("# ours\n")
    tundish.sample(project=plant)
    assert made[0].recipe.read_text() == "# ours\n"
    assert yaml.safe_load((plant / "params.yaml").read_text()) == {
        "pipelines": ["steel-surface", "coal-belt"]
    }


def test_recipes_of_this_repository_name_a_schema_that_is_there() -> None:
    for path in (ROOT / "pipelines").glob("*.yaml"):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        target = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert orjson.loads(target.read_bytes()) == json_schema()


def test_add__a_label_file_that_cannot_be_read_is_one_sentence(plant: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in", count=2)
    (tmp_path / "in/p 0 0.txt").symlink_to(tmp_path / "in/p 0 0.txt2")
    (tmp_path / "in/p 0 1.xml").symlink_to("/proc/self/mem")
    with pytest.raises(tundish.TundishError, match=r"'p 0 0\.txt' cannot be read"):
        add(plant, tmp_path / "in")


def test_classes_that_differ_only_in_case_are_one_and_reported(plant: Path, tmp_path: Path) -> None:
    photos(tmp_path / "a", "Dent", "rust", "dent", count=6)
    added = add(plant, tmp_path / "a")
    assert list(load(recipe(plant)).annotations.classes) == ["Dent", "rust"]
    assert "'dent' is read as 'Dent': they differ only in case or width" in added.notes
    photos(tmp_path / "b", "DENT", "scale", count=6, seed=1)
    added = add(plant, tmp_path / "b")
    assert list(load(recipe(plant)).annotations.classes) == ["Dent", "rust", "scale"]
    assert "'DENT' is read as 'Dent': they differ only in case or width" in added.notes
