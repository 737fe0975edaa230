from __future__ import annotations

import csv
import io
import json
import pickle
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, TypeVar

import polars as pl
import pytest
from PIL import Image
from tests.formats.packages import ROOT, install, install_page, tundish
from tests.stages.curated import build, detection

from tundish.errors import RecipeError, UsageError
from tundish.formats import registry
from tundish.formats.base import Listing, Options
from tundish.formats.plugins import PluginError
from tundish.propose.images.several import combine
from tundish.recipe.load import json_schema, load
from tundish.stages.export.stage import STAGE, export_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
R = TypeVar("R")

ROWS = [
    *(f"images/coil-{number}.png,scratch,{number},2,20,10" for number in range(8)),
    "images/coil-0.png,dent,30,10,12,9",
    "images/coil-8.png,,,,,",
    "images/coil-9.png,dent,a few,3,4,5",
    "images/gone.png,dent,1,2,3,4",
]


def make_source(folder: Path) -> Path:
    """Eight images with boxes, a negative, one whose label is refused, and one that nobody labelled."""
    (folder / "images").mkdir(parents=True)
    for number in range(11):
        picture = Image.effect_noise((64, 48), 10 + number)
        picture.save(folder / "images" / f"coil-{number}.png")
    text = "\n".join(["image,class,x,y,width,height", *ROWS, ""])
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    install_page(tmp_path / "packages")
    return tmp_path / "packages"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Path]]:
    """This process with packages: call it when they are installed."""

    def look_again() -> Path:
        registry.forget()
        return tmp_path / "packages"

    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    known = set(sys.modules)
    yield look_again
    monkeypatch.undo()
    registry.forget()
    for name in set(sys.modules) - known:
        if name.startswith(("tundish_", "broken_")):
            del sys.modules[name]


def make_plant(folder: Path) -> Path:
    """A project as `tundish init` lays it out, without what Git and DVC need."""
    (folder / "pipelines").mkdir(parents=True)
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "params.yaml").write_text("pipelines: []\n", encoding="utf-8")
    return folder


def exported(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_format_of_another_package_is_added_run_and_exported(packages: Path, tmp_path: Path) -> None:
    """The package is that of docs/your-own-format.md; nothing of Tundish knows it."""
    plant, source = make_plant(tmp_path / "plant"), make_source(tmp_path / "photos")
    added = tundish(packages, plant, "add", "line", str(source))
    assert (added.returncode, added.stderr) == (0, "")
    assert "looks like 'csv-boxes':\n  - labels.csv: 12 rows on 11 images" in added.stdout
    recipe = plant / "pipelines" / "line.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert "format: csv-boxes" in text
    recipe.write_text(
        text.replace("formats: [parquet, coco]", "formats: [csv-boxes, coco]"), encoding="utf-8"
    )

    ran = tundish(packages, plant, "run", "line", "--accept-losses")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert (
        "CSV images written 9, CSV images left as they were 0, CSV images removed 0, CSV boxes 9"
        in ran.stdout
    )
    data = plant / "datasets" / "line"
    faults = pl.read_parquet(data / "curated" / "quarantine.parquet").filter(pl.col("severity") == "error")
    assert sorted(faults["check"]) == ["image_not_found", "not_a_number"]
    rows = exported(data / "exports" / "csv-boxes")
    assert len(rows) == 10
    assert [row["class"] for row in rows].count("scratch") == 8
    coco = [json.loads(path.read_text()) for path in (data / "exports/coco/annotations").glob("instances_*")]
    assert sorted(box for one in coco for label in one["annotations"] for box in [label["bbox"]]) == sorted(
        [float(row[name]) for name in ("x", "y", "width", "height")] for row in rows if row["class"]
    )
    for row in rows:
        file = data / "exports" / "csv-boxes" / row["image"]
        assert file.read_bytes() == (source / "images" / file.name).read_bytes()

    listed = tundish(packages, plant, "status", "line")
    assert "exports/csv-boxes" in listed.stdout
    again = tundish(packages, plant, "export", "line", "--format", "csv-boxes")
    assert "CSV images written 0, CSV images left as they were 9" in again.stdout
    helped = tundish(packages, plant, "export", "--help")
    assert "[parquet|yolo|coco|csv-boxes]" in helped.stdout


def test_what_it_wrote_it_reads_and_a_recipe_that_no_longer_names_it_removes_it(
    packages: Path, tmp_path: Path
) -> None:
    plant, source = make_plant(tmp_path / "plant"), make_source(tmp_path / "photos")
    tundish(packages, plant, "add", "line", str(source))
    assert tundish(packages, plant, "run", "line", "--accept-losses").returncode == 0
    assert tundish(packages, plant, "export", "line", "--format", "csv-boxes").returncode == 0
    folder = plant / "datasets" / "line" / "exports" / "csv-boxes"
    first = sorted(map(str, exported(folder)))
    shutil.copytree(folder, tmp_path / "again")
    added = tundish(packages, plant, "add", "again", str(tmp_path / "again"))
    assert "labels.csv: 10 rows on 9 images" in added.stdout

    without = tundish(tmp_path, plant, "run", "line")
    assert without.returncode == 2
    assert without.stderr.startswith("Error: pipelines/line.yaml:") or "line.yaml" in without.stderr
    assert "unknown format 'csv-boxes'; choose one of voc, parquet, " in without.stderr
    assert "or install the package that offers it." in without.stderr
    assert sorted(map(str, exported(folder))) == first

    ran = tundish(packages, plant, "run", "line", "--from", "export")
    assert "exports/csv-boxes was removed: the recipe's export.formats does not name it" in ran.stdout
    assert not folder.exists()


def test_the_schema_of_recipes_knows_other_packages(here: Callable[[], Path], tmp_path: Path) -> None:
    assert "csv-boxes" not in registry.reader_names()
    install_page(tmp_path / "packages")
    here()
    schema = json_schema()["$defs"]
    assert schema["Source"]["properties"]["format"]["enum"] == registry.reader_names()
    assert schema["Export"]["properties"]["formats"]["items"]["enum"] == registry.writer_names()
    assert registry.reader_names()[-1] == registry.writer_names()[-1] == "csv-boxes"


def test_the_options_of_a_format_of_another_package_are_checked_too(
    here: Callable[[], Path], tmp_path: Path
) -> None:
    install_page(tmp_path / "packages")
    here()
    with pytest.raises(UsageError, match="the format 'csv-boxes' has no option 'unit'; it has masks"):
        registry.check_options("csv-boxes", ["unit"])
    registry.check_options("csv-boxes", ["masks"])
    registry.check_options("csv-boxes", [])


class Pickling:
    """An engine that sends its work as a cluster would: pickled."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Results in the order of `items`."""
        for item in items:
            work, one = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(work(one)))


def test_the_work_of_an_export_travels_to_a_cluster(here: Callable[[], Path], tmp_path: Path) -> None:
    install_page(tmp_path / "packages")
    here()
    context = build(tmp_path / "plant", detection())
    cluster = type(context)(context.recipe, context.project, Pickling())
    for name in registry.writer_names():
        export_one(cluster, name)
    assert len(exported(context.dataset.exports / "csv-boxes")) == 10


# --- packages that are broken

GOOD = """
from tundish.formats.base import Format, Reading
class Part:
    def sniff(self, listing):
        return None
    def role(self, path, options):
        return "other"
    def read(self, files, catalog, options):
        return Reading()
    def write(self, selection, target):
        return {}
"""

BROKEN = {
    "raises": ("1 / 0", "cannot be loaded: ZeroDivisionError: division by zero"),
    "exits": ("import sys; sys.exit('bye')", "cannot be loaded: SystemExit: bye"),
    "missing": ("import not_installed_anywhere", "cannot be loaded: ModuleNotFoundError: No module named"),
    "other": ("FORMAT = {}", "is a dict, not a tundish.formats.base.Format"),
    "nameless": (f"{GOOD}FORMAT = Format('else', '', reader=Part())", "calls itself 'else'"),
    "empty": (f"{GOOD}FORMAT = Format('empty', '')", "has neither a reader nor a writer"),
    "half": (f"{GOOD}FORMAT = Format('half', '', reader=object())", "a reader without sniff() and role()"),
    "silent": (f"{GOOD}FORMAT = Format('silent', '', reader=Part(), reads='a')", "evidence and reports"),
    "mute": (f"{GOOD}FORMAT = Format('mute', '', writer=object())", "has a writer without write()"),
    "records": (f"{GOOD}FORMAT = Format('records', '', writer=Part())", "has a name that cannot be"),
    "Upper": (f"{GOOD}FORMAT = Format('Upper', '', writer=Part())", "has a name that cannot be"),
}


def install_module(folder: Path, name: str, text: str) -> None:
    """A package with one module, which offers the format `name`."""
    points, modules = {name: f"broken_{name}:FORMAT"}, {f"broken_{name}.py": text}
    install(folder / "packages", f"tundish-{name}", points, modules)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_one_sentence(here: Callable[[], Path], tmp_path: Path, name: str) -> None:
    text, sentence = BROKEN[name]
    install_module(tmp_path, name, text)
    here()
    with pytest.raises(UsageError) as caught:
        registry.load_format(name)
    assert str(caught.value).startswith(f"the package tundish-{name} 1.0 (broken_{name}:FORMAT): the format")
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("; update the package, or uninstall it.")
    assert [str(fault) for fault in registry.plugin_faults()] == [str(caught.value)]
    assert name not in [*registry.reader_names(), *registry.writer_names()]
    assert registry.load_reader("voc").role("a.xml", Options()) == "annotation"


def test_the_name_of_a_format_of_tundish_is_taken(here: Callable[[], Path], tmp_path: Path) -> None:
    install(tmp_path / "packages", "tundish-coco", {"coco": "nowhere:FORMAT"}, {})
    here()
    (fault,) = registry.plugin_faults()
    assert str(fault) == (
        "the package tundish-coco 1.0: the format 'coco' is not used: Tundish has one of this name; "
        "give it another name, or uninstall the package."
    )
    assert registry.load_format("coco").about.startswith("COCO")


def test_two_packages_that_offer_one_format_are_named(here: Callable[[], Path], tmp_path: Path) -> None:
    for package in ("tundish-one", "tundish-two"):
        install(tmp_path / "packages", package, {"csv": "nowhere:FORMAT"}, {})
    here()
    with pytest.raises(UsageError, match=r"tundish-one 1.0 and tundish-two 1.0 both offer a format 'csv'"):
        registry.load_writer("csv")


CRASHING = f"""{GOOD}
class Crash:
    def role(self, path, options):
        return "image"
    def __getattr__(self, name):
        def crash(*arguments):
            raise KeyError("x y")
        return crash
FORMAT = Format("crash", "", reader=Crash(), writer=Crash(), evidence="a", reads="b", reports="c")
"""


def test_a_format_that_fails_at_work_is_named(here: Callable[[], Path], tmp_path: Path) -> None:
    install_module(tmp_path, "crash", CRASHING)
    here()
    found, faults = registry.look(Listing(["a.png"], lambda _: b""))
    assert [evidence.format for evidence in found] == ["images"]
    (fault,) = faults
    assert str(fault) == (
        "the package tundish-crash 1.0: the format 'crash' failed when it looked at the source: "
        "KeyError: 'x y'; report it to those who made the package, or uninstall it."
    )
    context = build(tmp_path / "plant", detection())
    export_one(context, "yolo")
    with pytest.raises(PluginError, match=r"the format 'crash' failed when it wrote the export: KeyError"):
        export_one(context, "crash")
    assert [path.name for path in context.dataset.exports.iterdir() if path.is_dir()] == ["yolo"]


DRAWN = f"""
from tundish.formats.base import Evidence
{GOOD}
class Reader(Part):
    def sniff(self, listing):
        return Evidence(5, ["a"], ["pit"])
    def role(self, path, options):
        return "image" if path.startswith("images/") else "annotation" if path == "own.txt" else "other"
class Drawing(Reader):
    def redraws(self, path):
        return path.startswith("drawn/")
SAID = {{"evidence": "a", "reads": "b", "reports": "c"}}
FORMAT = Format("NAME", "", reader=READER(), **SAID)
"""


@pytest.mark.parametrize(
    ("name", "reader", "chosen"), [("own", "Drawing", ["own"]), ("plain", "Reader", ["plain", "masks"])]
)
def test_a_reader_may_say_that_masks_only_draw_its_labels_again(
    here: Callable[[], Path], tmp_path: Path, name: str, reader: str, chosen: list[str]
) -> None:
    install_module(tmp_path, name, DRAWN.replace("NAME", name).replace("READER", reader))
    here()
    files = {"own.txt": b"what labels are"}
    for number in range(4):
        with io.BytesIO() as photo, io.BytesIO() as mask:
            Image.effect_noise((64, 48), 10 + number).save(photo, "png")
            drawing = Image.new("L", (64, 48))
            drawing.paste(255, (10 + number, 8, 30, 20))
            drawing.save(mask, "png")
            files |= {f"images/{number}.png": photo.getvalue(), f"drawn/{number}.png": mask.getvalue()}
    source = Listing(sorted(files), files.__getitem__)
    found = registry.look(source).found
    assert found[0].format == name
    assert "masks" in {evidence.format for evidence in found}
    assert [one.format for one in combine(found, source).chosen] == chosen


OUTSIDE = f"""{GOOD}
class Out:
    def write(self, selection, target):
        target.write("../parquet/README.md", b"")
FORMAT = Format("out", "", writer=Out())
"""


def test_a_writer_stays_in_its_folder(here: Callable[[], Path], tmp_path: Path) -> None:
    install_module(tmp_path, "out", OUTSIDE)
    here()
    with pytest.raises(UsageError, match=r"the format 'out' is written, not read; choose one of voc, "):
        registry.load_reader("out")
    context = build(tmp_path / "plant", detection())
    with pytest.raises(PluginError, match=r"'../parquet/README.md' is not a path in the export's folder"):
        export_one(context, "out")
    assert not list(context.dataset.exports.iterdir())


def test_a_recipe_that_names_a_broken_format_says_so(here: Callable[[], Path], tmp_path: Path) -> None:
    install_module(tmp_path, "raises", "1/0")
    here()
    plant = make_plant(tmp_path / "plant")
    recipe = plant / "pipelines" / "line.yaml"
    sections = ("records", "images", "annotations", "dedup", "label", "link", "split", "augment", "export")
    text = "dataset: line\ntimezone: UTC\nsources:\n  - {path: raw, format: raises}\n"
    recipe.write_text(text + "".join(f"{name}: {{}}\n" for name in sections), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load(recipe)
    assert str(caught.value) == (
        f"{recipe}:4: sources.0.format: the format 'raises' cannot be loaded: ZeroDivisionError: division by "
        "zero (the package tundish-raises 1.0 (broken_raises:FORMAT)); update the package, or uninstall it."
    )


def test_broken_packages_leave_the_commands_alone(tmp_path: Path) -> None:
    packages, plant = tmp_path / "packages", make_plant(tmp_path / "plant")
    for name, (text, _) in BROKEN.items():
        install_module(tmp_path, name, text)
    (tmp_path / "photos").mkdir()
    for number in range(3):
        Image.effect_noise((64, 48), 10 + number).save(tmp_path / "photos" / f"{number}.png")
    added = tundish(packages, plant, "add", "line", str(tmp_path / "photos"))
    assert added.returncode == 0
    assert "looks like 'images'" in added.stdout
    warnings = added.stderr.splitlines()
    assert len(warnings) == len(BROKEN)
    assert all(line.startswith("Warning: the package tundish-") for line in warnings)
    ran = tundish(packages, plant, "run", "line", "--accept-losses")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("update the package, or uninstall it") == len(BROKEN)
    refused = tundish(packages, plant, "export", "line", "--format", "raises")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(
        "Error: the package tundish-raises 1.0 (broken_raises:FORMAT): the format"
    )
    assert len(refused.stderr.splitlines()) == 1
    assert "[parquet|yolo|coco]" in tundish(packages, plant, "export", "--help").stdout


def test_exports_of_a_package_that_is_gone_are_left_and_reported(tmp_path: Path) -> None:
    context = build(tmp_path, detection())
    (context.dataset.exports / "csv-boxes").mkdir(parents=True)
    outcome = STAGE.run(context)
    assert outcome.notes == ["exports/csv-boxes was left as it is: no format of this name can be written"]
    assert (context.dataset.exports / "csv-boxes").is_dir()


def test_the_command_line_starts_without_looking_for_formats() -> None:
    code = (
        "import sys\nfrom tundish.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('loaded:', [name for name in sys.modules if name.startswith('tundish.formats')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("loaded: []\n")
