"""`tundish verify` finds a planted leak of each kind, in exports of several formats; none in clean ones."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import cv2
import orjson
import polars as pl
import pytest
from click.testing import CliRunner
from tests.imaging.pictures import colours, exif, jpeg, pillow, png, texture
from tests.plants import make_plant

import tundish
from tundish.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tundish.audit.verify.result import Leak

SIDE = 160


def surface(seed: int) -> NDArray[np.uint8]:
    return texture(seed, SIDE, SIDE)


STRIP = texture(900, SIDE, 2 * SIDE)


def put(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def clean_files() -> dict[str, bytes]:
    """Nine pictures that have nothing in common, in folders of splits."""
    names = [f"{split}/{name}.png" for split in ("train", "val", "test") for name in "abc"]
    return {path: png(surface(seed)) for seed, path in enumerate(names)}


def kinds(found: tundish.Verification) -> list[str]:
    return [leak.kind for leak in found.leaks]


def only(leaks: tuple[Leak, ...]) -> Leak:
    (leak,) = leaks
    return leak


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["verify", *arguments])
    return result.exit_code, result.output


PLANTED = {
    "equal bytes": {"train/new.png": png(surface(50)), "val/old.png": png(surface(50))},
    "equal pixels": {
        "train/new.png": png(colours(50)),
        "test/old.bmp": pillow(colours(50)[..., ::-1], "BMP"),
    },
    "same picture": {"train/new.png": png(surface(50)), "val/old.jpg": jpeg(surface(50), 70)},
    "mirrored or turned": {"val/new.png": png(surface(50)), "test/old.png": png(cv2.flip(surface(50), 1))},
    "overlapping": {"train/new.png": png(STRIP[:, :SIDE]), "test/old.png": png(STRIP[:, 60 : 60 + SIDE])},
    "derived child": {"train/x.png": png(surface(50)), "val/x_flip.png": png(surface(51))},
    "tile sibling": {
        f"{split}/x_tile_{place}.png": png(surface(60 + seed))
        for seed, (split, place) in enumerate([("train", "0_0"), ("train", "0_1"), ("val", "1_0")])
    },
    "near frame": {
        "train/cam1_20260301T081502_0007.png": png(surface(50)),
        "val/cam1_20260301T081503_0008.png": png(surface(51)),
    },
}


@pytest.mark.parametrize("kind", PLANTED)
def test_one_planted_leak_of_each_kind_is_found_and_nothing_else(kind: str, tmp_path: Path) -> None:
    found = tundish.verify(put(tmp_path, clean_files() | PLANTED[kind]))
    leak = only(found.leaks)
    assert leak.kind == kind
    assert leak.images == len(PLANTED[kind])
    assert set(PLANTED[kind]) >= {leak.examples[0].first, leak.examples[0].second}
    assert not found.clean


@pytest.mark.parametrize("kind", PLANTED)
def test_the_same_pictures_in_one_split_are_no_leak(kind: str, tmp_path: Path) -> None:
    together = {f"train/{path.partition('/')[2]}": data for path, data in PLANTED[kind].items()}
    found = tundish.verify(put(tmp_path, clean_files() | together))
    assert found.clean
    assert not found.warnings


def test_versions_without_their_original_are_a_warning_unless_their_form_is_sure(tmp_path: Path) -> None:
    ends = {"weak": ("_copy1.png", "_copy2.png"), "sure": (".rf.0a1b2c3d4e.png", ".rf.9f8e7d6c5b.png")}
    for name, (one, other) in ends.items():
        files = {f"train/x{one}": png(surface(50)), f"val/x{other}": png(surface(51))}
        found = tundish.verify(put(tmp_path / name, clean_files() | files))
        assert kinds(found) == (["derived child"] if name == "sure" else [])
        warned = [leak.kind for leak in found.warnings]
        assert warned == ([] if name == "sure" else ["probably derived child"])


def test_names_that_begin_again_in_each_split_make_no_family(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}.png": png(surface(10 * number + len(name)))
        for number, split in enumerate(("train", "val"))
        for name in ("1", "1_flip", "22", "22_rot90")
    }
    assert tundish.verify(put(tmp_path, files)).clean


def test_a_clean_set_has_no_leak_and_exit_status_0(tmp_path: Path) -> None:
    found = tundish.verify(put(tmp_path, clean_files()))
    assert (found.leaks, found.warnings, found.faults) == ((), (), ())
    assert found.images == {"train": 3, "val": 3, "test": 3}
    code, output = run(str(tmp_path))
    assert code == 0
    assert "No leak was found." in output


def test_a_leak_has_exit_status_1_and_says_which_files(tmp_path: Path) -> None:
    put(tmp_path, clean_files() | PLANTED["equal bytes"])
    code, output = run(str(tmp_path))
    assert code == 1
    assert "train/new.png and val/old.png" in output
    code, output = run(str(tmp_path), "--json")
    answer = orjson.loads(output)
    assert code == 1
    assert answer["clean"] is False
    assert answer["leaks"][0]["between"] == {"train and val": 1}


def test_each_pair_of_several_copies_is_counted_and_every_image_once(tmp_path: Path) -> None:
    copy = png(surface(50))
    files = {f"{split}/{name}.png": copy for split, name in (("train", "x"), ("train", "y"), ("val", "z"))}
    leak = only(tundish.verify(put(tmp_path, clean_files() | files)).leaks)
    assert (leak.pairs, leak.images, leak.by_split) == (2, 3, {"train": 2, "val": 1})


def test_an_image_in_several_leaks_is_touched_once(tmp_path: Path) -> None:
    files = {
        "train/C1_a.png": png(surface(50)),
        "val/C1_b.jpg": jpeg(surface(50)),
        "val/C2_c.png": png(surface(51)),
        "test/C2_d.png": png(surface(52)),
    }
    found = tundish.verify(put(tmp_path, clean_files() | files), key={"coil": "(C[0-9])_"})
    assert kinds(found) == ["same picture", "same key"]
    assert found.leaking == {"train": 1, "val": 2, "test": 1}


def test_near_frames_are_found_by_exif_times(tmp_path: Path) -> None:
    files = {
        f"{split}/belt/{number}.jpg": pillow(surface(50 + number), "JPEG", exif=exif(taken=taken))
        for number, (split, taken) in enumerate(
            [("train", "2026:03:01 08:15:02"), ("val", "2026:03:01 08:15:03"), ("val", "2026:03:01 09:00:00")]
        )
    }
    put(tmp_path, clean_files() | files)
    leak = only(tundish.verify(tmp_path).leaks)
    assert (leak.kind, leak.pairs, leak.examples[0].note) == ("near frame", 1, "1 s apart")
    assert tundish.verify(tmp_path, within=0.5).clean


def test_an_export_of_ours_is_clean_though_its_source_was_not(tmp_path: Path) -> None:
    """Copies and overlaps come in without splits, and in two splits; the export has neither in two."""
    strip = texture(700, SIDE, 9 * SIDE)
    files = {f"photos/strip{place}.png": png(strip[:, 80 * place : 80 * place + SIDE]) for place in range(9)}
    files |= {f"photos/other{seed}.png": png(surface(seed)) for seed in range(14)}
    files |= {f"photos/copy{seed}.jpg": jpeg(surface(seed), 80) for seed in range(3)}
    files |= {path.rpartition(".")[0] + ".txt": b"0 0.5 0.5 0.2 0.3\n" for path in files}
    files["classes.txt"] = b"scratch\n"
    plant = make_plant(tmp_path / "plant")
    tundish.add("line1", put(tmp_path / "in", files), project=plant)
    tundish.run("line1", project=plant)
    for form in ("coco", "parquet", "yolo"):
        tundish.export("line1", format=form, project=plant)
        found = tundish.verify(plant / "datasets/line1/exports" / form)
        assert sum(found.images.values()) == 23
        assert len(found.images) > 1
        assert found.clean


def test_what_a_copy_overlaps_is_found_for_all_its_copies(tmp_path: Path) -> None:
    left, right = STRIP[:, :SIDE], STRIP[:, 60 : 60 + SIDE]
    files = {"train/x.png": png(left), "train/y.jpg": jpeg(left, 80), "val/z.png": png(right)}
    leak = only(tundish.verify(put(tmp_path, clean_files() | files)).leaks)
    assert (leak.kind, leak.pairs, leak.images) == ("overlapping", 2, 3)


def test_the_fast_level_says_that_it_omits_overlaps(tmp_path: Path) -> None:
    put(tmp_path, clean_files() | PLANTED["overlapping"])
    found = tundish.verify(tmp_path, level="fast")
    assert found.clean
    assert "not those that show the same in part" in found.level


def test_images_of_one_key_must_be_in_one_split(tmp_path: Path) -> None:
    coils = {
        "train/C100_top.png": png(surface(50)),
        "val/C100_bottom.png": png(surface(51)),
        "val/C200_top.png": png(surface(52)),
    }
    put(tmp_path, clean_files() | coils)
    for pattern in ("(?P<coil>C[0-9]+)_", "(C[0-9]+)_", "/(?P<coil>C[0-9]+)_[a-z]+"):
        found = tundish.verify(tmp_path, key={"coil": pattern})
        leak = only(found.leaks)
        assert (leak.kind, leak.key, leak.pairs, leak.images) == ("same key", "coil", 1, 2)
        assert leak.examples[0].note == "coil C100"
        assert found.keys == {"coil": 3}
    assert tundish.verify(tmp_path, key={"side": "(top|bottom)"}).leaks[0].pairs == 1


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("coil", "is not a key with its pattern"),
        ("coil=[", "not a regular expression"),
        ("coil=C[0-9]+", "has no group"),
        ("coil=(nothing)", "matches none of the 9 images"),
    ],
)
def test_a_key_that_cannot_be_used_is_wrong_usage(option: str, says: str, tmp_path: Path) -> None:
    put(tmp_path, clean_files())
    code, output = run(str(tmp_path), "--key", option)
    assert code == 2
    assert says in output
    assert output.count("\n") == 1


def test_an_export_that_states_no_split_is_wrong_usage(tmp_path: Path) -> None:
    put(tmp_path, {f"{name}.png": png(surface(number)) for number, name in enumerate("abc")})
    code, output = run(str(tmp_path))
    assert code == 2
    assert "train, val or test" in output
    assert run(str(tmp_path / "elsewhere"))[0] == 2


def coco(names: Mapping[str, list[tuple[float, float, float, float]]]) -> bytes:
    """A COCO file with boxes of one class by the name of their image."""
    images = [
        {"id": number, "file_name": name, "width": SIDE, "height": SIDE} for number, name in enumerate(names)
    ]
    labels = [
        {"image_id": number, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for number, boxes in enumerate(names.values())
        for box in boxes
    ]
    labels = [label | {"id": number} for number, label in enumerate(labels, start=1)]
    return orjson.dumps(
        {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "scratch"}]}
    )


def test_a_coco_export_with_one_folder_of_images_is_split_by_its_files(tmp_path: Path) -> None:
    files = {f"images/{name}.png": png(surface(number)) for number, name in enumerate("abcdef")}
    box = (10.0, 10.0, 30.0, 30.0)
    lists = {
        "annotations/instances_train.json": coco({f"{name}.png": [box] for name in "abc"}),
        "annotations/instances_val.json": coco({f"{name}.png": [box] for name in "cde"}),
    }
    found = tundish.verify(put(tmp_path, files | lists))
    leak = only(found.leaks)
    assert (leak.kind, leak.examples[0].first) == ("in several splits", "images/c.png")
    assert [(fault.kind, fault.count) for fault in found.faults] == [("image that no label file mentions", 1)]
    assert found.images == {"train": 2, "val": 3, "": 1}


def test_labels_and_files_that_are_wrong_are_reported_and_no_leak(tmp_path: Path) -> None:
    good, outside, empty = (10.0, 10.0, 30.0, 30.0), (150.0, 10.0, 30.0, 30.0), (10.0, 10.0, 0.0, 5.0)
    files = {
        f"{split}/{name}.png": png(surface(number))
        for number, (split, name) in enumerate(
            [("train", "a"), ("train", "b"), ("train", "c"), ("val", "d"), ("val", "e")]
        )
    }
    files["train/c.png"] = files["train/c.png"][:200]
    lists = {
        "train/_annotations.coco.json": coco({"a.png": [good], "b.png": [outside, empty], "c.png": []}),
        "val/_annotations.coco.json": coco({"d.png": [good], "gone.png": [good]}),
    }
    found = tundish.verify(put(tmp_path, files | lists))
    assert found.clean
    counts = {fault.kind: fault.count for fault in found.faults}
    assert counts["label outside its image"] == 1
    assert counts["image that cannot be decoded"] == 1
    assert counts["image that is not there"] == 1
    assert counts["image that no label file mentions"] == 1
    assert "train/c.png" not in str([one.examples for one in found.faults if "mentions" in one.kind])
    assert run(str(tmp_path))[0] == 0


def test_a_class_that_a_split_lacks_is_named(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}/{number}.png": png(surface(10 * number + len(split) + len(name)))
        for number, (split, name) in enumerate(
            [("train", "scratch"), ("train", "dent"), ("val", "scratch"), ("train", "scratch")]
        )
    }
    found = tundish.verify(put(tmp_path, files))
    assert found.formats == ("folders",)
    assert found.classes == {"dent": {"train": 1, "val": 0}, "scratch": {"train": 2, "val": 1}}
    assert found.missing_classes == (("dent", "val"),)


def yolo_files() -> dict[str, bytes]:
    files = {"data.yaml": b"train: images/train\nval: images/val\nnames: [scratch, dent]\n"}
    for number, (split, name) in enumerate([("train", "a"), ("train", "b"), ("val", "c"), ("val", "d")]):
        files[f"images/{split}/{name}.png"] = png(surface(number))
        files[f"labels/{split}/{name}.txt"] = b"0 0.5 0.5 0.2 0.2\n1 0.3 0.3 0.1 0.1\n"
    return files


def test_a_yolo_export_is_read(tmp_path: Path) -> None:
    files = yolo_files()
    found = tundish.verify(put(tmp_path / "clean", files))
    assert (found.formats, found.clean, found.faults) == (("yolo",), True, ())
    assert found.labels == {"train": 4, "val": 4}
    files["images/val/c.png"] = files["images/train/a.png"]
    assert kinds(tundish.verify(put(tmp_path / "leaky", files))) == ["equal bytes"]


VOC = """<annotation><filename>{name}.jpg</filename><size><width>160</width><height>160</height>
<depth>1</depth></size><object><name>scratch</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>{right}</xmax>
<ymax>40</ymax></bndbox></object></annotation>"""


def test_a_voc_export_is_split_by_its_image_sets(tmp_path: Path) -> None:
    files = {f"JPEGImages/{name}.jpg": jpeg(surface(number)) for number, name in enumerate("abcd")}
    files |= {
        f"Annotations/{name}.xml": VOC.format(name=name, right=40 if name != "b" else 260).encode()
        for name in "abcd"
    }
    files |= {"ImageSets/Main/train.txt": b"a\nb\n", "ImageSets/Main/val.txt": b"c\nd\n"}
    found = tundish.verify(put(tmp_path / "clean", files))
    assert (found.formats, found.clean) == (("voc",), True)
    assert found.images == {"train": 2, "val": 2}
    assert [fault.kind for fault in found.faults] == ["label outside its image"]
    files["JPEGImages/d.jpg"] = jpeg(surface(0), 60)
    assert kinds(tundish.verify(put(tmp_path / "leaky", files))) == ["same picture"]


def parquet(pictures: Mapping[str, bytes]) -> bytes:
    rows = [{"image": {"bytes": data, "path": name}, "label": 0} for name, data in pictures.items()]
    buffer = io.BytesIO()
    pl.DataFrame(rows).write_parquet(buffer)
    return buffer.getvalue()


def test_parquet_files_with_pictures_are_split_by_their_names(tmp_path: Path) -> None:
    train = {f"{number}.png": png(surface(number)) for number in range(4)}
    clean = {f"{number}.png": png(surface(number)) for number in (7, 8)}
    files = {"data/train-00000-of-00001.parquet": parquet(train)}
    files["data/validation-00000-of-00001-0a1b2c3d4e5f6071.parquet"] = parquet(clean)
    found = tundish.verify(put(tmp_path / "clean", files))
    assert (found.images, found.clean) == ({"train": 4, "val": 2}, True)
    leaky = files | {"data/test-00000-of-00001.parquet": parquet({"x.png": png(surface(2))})}
    assert kinds(tundish.verify(put(tmp_path / "leaky", leaky))) == ["equal bytes"]


def test_the_outermost_folder_of_an_export_states_the_split(tmp_path: Path) -> None:
    """Images that came in train/ of their source are in test/ of the export."""
    files = {
        f"images/{split}/belt/images/{came}/{number}.png": png(surface(number))
        for number, (split, came) in enumerate([("train", "val"), ("test", "train"), ("train", "train")])
    }
    assert tundish.verify(put(tmp_path / "a", files)).images == {"train": 2, "test": 1}
    inside = {f"test_data/{path}": data for path, data in clean_files().items()}
    assert tundish.verify(put(tmp_path / "b", inside)).images == {"train": 3, "val": 3, "test": 3}


def test_files_that_are_not_looked_at_are_said(tmp_path: Path) -> None:
    """A link out of the export is not followed: what is behind it may leak, and nobody looked."""
    put(tmp_path / "set", clean_files() | {"val/phone.heic": b"ftypheic"})
    put(tmp_path, {"elsewhere.png": png(surface(0))})
    (tmp_path / "set/val/link.png").symlink_to(tmp_path / "elsewhere.png")
    found = tundish.verify(tmp_path / "set")
    assert any("val/link.png: a link out of the source is not followed" in note for note in found.notes)
    assert any(".heic 1" in note for note in found.notes)
    assert run(str(tmp_path / "set"))[1].count("Note: ") == 2


def test_a_zip_is_read_as_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "set", clean_files() | PLANTED["mirrored or turned"])
    archive = shutil.make_archive(str(tmp_path / "set"), "zip", tmp_path / "set")
    assert kinds(tundish.verify(archive)) == ["mirrored or turned"]


@pytest.mark.shared
def test_of_public_sets_what_their_splits_share_is_found(shared_data: Path) -> None:
    belt = tundish.verify(shared_data / "coal_belt_foreign", level="fast")
    leak = only(belt.leaks)
    assert (leak.kind, leak.pairs, leak.by_split) == ("equal bytes", 155, {"train": 122, "val": 125})
    assert belt.images == {"train": 122, "val": 416}
    assert [(fault.kind, fault.count) for fault in belt.faults] == [("image that no label file mentions", 22)]
    # Its seven pairs of equal pixels are all inside train.
    assert tundish.verify(shared_data / "kolektorsdd_sample").clean


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "leaks"),
    [
        ("yolo/ultralytics_layout", ["equal bytes"]),
        ("voc/voc_dataset1", ["equal bytes"]),
        ("cvat/images_project", ["equal bytes"]),
        ("coco/instances", []),
        ("coco/roboflow_layout", []),
        ("coco/panoptic", []),
    ],
)
def test_of_published_samples_of_formats_the_splits_are_compared(
    shared_data: Path, folder: str, leaks: list[str]
) -> None:
    assert kinds(tundish.verify(shared_data / "annotation_samples" / folder)) == leaks
