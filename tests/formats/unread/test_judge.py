"""Which files may be labels and which are lists, settings and readmes: by what they hold."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import listing

from tundish.formats.base import Listing
from tundish.formats.reading.sniffing import catalog_of
from tundish.formats.unread.found import by_sample, find_suspects, sampled_note
from tundish.formats.unread.judge import judge, may_be_labels
from tundish.propose.images.unread import UnreadLabels, by_kind

PICTURES = ["shots/a.jpg", "shots/b.jpg", "shots/c.jpg"]
BOX = {"file": "a.jpg", "flaw": "pit", "box": [1, 2, 3, 4]}


def why(path: str, data: str | bytes, *, named: bool = False) -> str | None:
    """Why a file may be labels; None where it is not, or only would be beside a picture of its name."""
    found = judge(path, data.encode() if isinstance(data, str) else data, catalog_of(PICTURES))
    return None if found is None or (found.beside and not named) else found.why


def named(source: Listing, images: list[str], taken: list[str]) -> list[UnreadLabels]:
    return by_kind(find_suspects(source, images, taken))


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("x.json", json.dumps([BOX]), "it has 'box'"),
        ("x.json", json.dumps({"a": {"deep": [{"Polygon": [[1, 2], [3, 4]]}]}}), "it has 'Polygon'"),
        ("x.json", json.dumps({"a.jpg": "scratch"}), "pictures"),
        ("x.json", json.dumps([{"file_name": "a.jpg", "grade": 2}]), "pictures"),
        ("x.json", "{broken", "cannot be read as JSON"),
        ("x.jsonl", json.dumps(BOX) + "\n" + json.dumps(BOX) + "\n", "it has 'box'"),
        ("x.yaml", "- {path: ./a.png, boxes: [{x_min: 1, x_max: 2}]}\n", "it has 'boxes'"),
        ("x.yml", "a: [1\n", "cannot be read as YAML"),
        ("x.xml", "<data><item><bndbox/></item></data>", "it has <bndbox>"),
        ("x.xml", "<data><picture name='a.jpg' flaw='pit'/></data>", "names pictures"),
        ("x.xml", "<data>", "cannot be read as XML"),
        ("x.txt", "Car 0.0 0 -1.5 587 173 614 200\nVan 0 0 1 2 3 4 5\n", "rows are numbers"),
        ("x.txt", "1,1,10,20,30,40,1,-1\n2,1,11,20,30,40,1,-1\n", "rows are numbers"),
        ("x.txt", "shots/a.jpg 3\nshots/b.jpg 1\n", "name pictures with a value"),
        ("x.txt", "a scratch\nb pit\nc scratch\n", "name pictures with a value"),
        ("x.lst", "0\t1.0\tshots/a.jpg\n1\t0.0\tshots/b.jpg\n", "name pictures with a value"),
        ("x.csv", "image,moisture,ash\na.jpg,8.1,11\nb.jpg,7.5,12\n", "numbers for images (moisture, ash)"),
        ("x.csv", "ImageId,EncodedPixels\na.jpg,1 3 9 2\nb.jpg,5 2\n", "masks as runs"),
        ("x.csv", "filename,xmin,ymin,xmax,ymax,class\na.jpg,1,2,30,40,pit\n", "holds boxes"),
        ("x.csv", "filename,label\na.jpg,pit\nb.jpg,scale\n", "classes of images"),
        ("x.csv", "coil,grade,width\nX1,S235,1200\nX2,S355,900\n", "names no picture here"),
        ("x.tsv", "coil\tgrade\twidth\nX1\tS235\t1200\n", "names no picture here"),
        ("x.MAT", b"", "not read as labels"),
        ("x.hdf5", b"", "not read as labels"),
        ("train.tfrecord-00000-of-00004", b"", "not read as labels"),
        ("x.npz", b"", "not read as labels"),
        ("x.pkl", b"", "never read"),
        ("x.xlsx", b"", "add it by its own path"),
    ],
)
def test_what_may_be_labels_is_named_with_the_reason(path: str, data: str | bytes, words: str) -> None:
    assert may_be_labels(path)
    assert words in (why(path, data) or "")


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("classes.json", json.dumps(["pit", "scratch"])),
        ("classes.json", json.dumps({"0": "pit", "1": "scratch"})),
        ("labels.json", json.dumps({"labels": ["pit", "scratch"]})),
        ("classes.json", json.dumps({"categories": [{"id": 1, "name": "pit"}]})),
        ("split.json", json.dumps({"train": ["a.jpg"], "val": ["b.jpg"]})),
        (
            "image_info.json",
            json.dumps({"images": [{"id": 1, "file_name": "a.jpg", "width": 4}]}),
        ),
        ("camera.json", json.dumps({"exposure": 4, "gain": [1, 2, 3, 4]})),
        ("empty.json", ""),
        ("nothing.json", "[]"),
        ("data.yaml", "train: ../train/images\nval: ../val/images\nnc: 2\nnames: [pit, scratch]\n"),
        ("data.yaml", "path: .\nnames: {0: pit}\nkpt_shape: [17, 3]\nflip_idx: [0, 1, 2, 3]\n"),
        ("settings.yaml", "lr: 0.1\nmodel: {mask: true, points: 5}\n"),
        ("project.xml", "<project><name>coils</name><size>4</size></project>"),
        ("train.txt", "shots/a.jpg\nshots/b.jpg\n"),
        ("train.txt", "shots/my picture 1.jpg\nshots/my picture 2.jpg\n"),
        ("train.txt", "a\nb\nc\n"),
        ("pit_train.txt", "a  1\nb -1\nc  0\n"),
        ("pairs.txt", "a.jpg a.png\nb.jpg b.png\n"),
        ("classes.txt", "pit\nscratch\nrolled in scale\n"),
        ("readme.txt", "Pictures of the strip, 2 cameras,\nSee www.example.org for more.\n"),
        ("LICENSE.txt", "Permission is hereby granted, free of charge, to any person\nobtaining a copy\n"),
        ("empty.txt", ""),
        ("class_dict.csv", "name,red,green,blue\npit,255,0,0\nscratch,0,255,0\n"),
        ("classes.csv", "id,name\n0,pit\n1,scratch\n"),
        ("list.csv", "a.jpg\nb.jpg\n"),
        ("split.csv", "filename,split\na.jpg,train\nb.jpg,val\n"),
        ("sample_submission.csv", "ImageId_ClassId,EncodedPixels\na.jpg_1,1 1\na.jpg_2,1 1\n"),
    ],
)
def test_lists_settings_and_readmes_are_known_by_what_they_hold(path: str, data: str) -> None:
    assert why(path, data) is None


def test_of_very_many_files_a_sample_is_looked_at_and_it_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tundish.formats.unread.found.MOST_LOOKED_AT", 10)
    looked: list[str] = []
    paths = [f"a/{number:03}.txt" for number in range(40)]

    def look(path: str) -> str:
        looked.append(path)
        return "same"

    assert set(by_sample(paths, look).values()) == {"same"}
    assert len(looked) == 10
    assert sampled_note([*paths, "b/x.txt"]) == [
        "of 40 .txt files in a 10 were looked at, evenly spread: `tundish run` looks at all"
    ]
    # Where the sample does not agree, each file is looked at.
    assert by_sample(paths, lambda path: path[-5])["a/039.txt"] == "9"


def parquet(**columns: list[object]) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def test_a_parquet_file_that_lists_pictures_is_no_label_file_and_another_may_be_one() -> None:
    pictures: list[object] = ["train/a.jpg", "val/b.jpg"]
    facts: dict[str, list[object]] = {"image_id": ["1", "2"], "size": [10, 20], "split": ["train", "val"]}
    assert why("images.parquet", parquet(file=pictures, **facts)) is None
    assert why("images.pq", parquet(file=[], **facts | {key: [] for key in facts})) is None
    for data in (
        parquet(file=pictures, moisture=[8.1, 7.5]),
        parquet(**facts),
        parquet(file=["a", "b"], **facts),
        b"PAR1 broken",
        b"",
    ):
        assert "add it by its own path" in (why("images.parquet", data) or "")


@pytest.mark.parametrize("path", ["x.md", "x.html", "x.pdf", "x.py", "obj.data", "obj.names", "x"])
def test_other_kinds_are_not_looked_into(path: str) -> None:
    assert not may_be_labels(path)


def test_a_file_with_the_name_of_a_picture_is_suspect_whatever_it_holds() -> None:
    files: dict[str, bytes | str] = {
        "a.jpg": b"",
        "b.jpg": b"",
        "labels/a.txt": "scratch",
        "labels/b.jpg.txt": "photograph of a pit",
        "notes.txt": "scratch",
        "meta/a.json": json.dumps({"operator": "Li"}),
        "other.json": json.dumps({"operator": "Li"}),
    }
    found = named(listing(files), ["a.jpg", "b.jpg"], [])
    assert [(one.kind, one.count, one.example) for one in found] == [
        ("text", 2, "labels/a.txt"),
        ("JSON", 1, "meta/a.json"),
    ]
    assert str(found[0]) == (
        "2 text files that may be labels are not read: it has the name of a picture, and no format reads it"
        " (such as labels/a.txt)"
    )


def test_what_readers_take_is_not_named() -> None:
    files: dict[str, bytes | str] = {"a.jpg": b"", "a.json": json.dumps(BOX), "b.json": json.dumps(BOX)}
    (found,) = named(listing(files), ["a.jpg"], ["a.json"])
    assert (found.count, found.example) == (1, "b.json")


def test_of_many_files_a_sample_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tundish.formats.unread.found.MOST_LOOKED_AT", 200)
    files = {f"deep/{number:04}.json": json.dumps(BOX) for number in range(1000)}
    read: list[str] = []
    source = listing(files)

    def counting(path: str) -> bytes:
        read.append(path)
        return source.read(path)

    (found,) = named(Listing(source.paths, counting), ["a.jpg"], [])
    assert found.count == 1000
    assert len(read) == 200


@given(st.binary(max_size=400), st.sampled_from(["json", "jsonl", "xml", "yaml", "txt", "csv", "tsv", "lst"]))
def test_no_content_makes_it_fail(data: bytes, suffix: str) -> None:
    judge(f"x.{suffix}", data, catalog_of(PICTURES))
