from __future__ import annotations

import pytest
from tests.formats.sources import box, listing, read, refs, sniff_all


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("scratches/a.jpg", "scratches"),
        ("train/scratches/a.jpg", "scratches"),
        ("scratches/train/a.jpg", "scratches"),
        ("scratches/images/a.jpg", "scratches"),
        ("steel/划伤 😀/a.jpg", "划伤 😀"),
        ("train/images/a.jpg", ""),
        ("a.jpg", ""),
    ],
)
def test_the_nearest_folder_with_a_meaning_is_the_class(path: str, name: str) -> None:
    assert [label.raw_label for label in read("folders", {}, refs(path)).labels] == ([name] if name else [])


def test_labels_speak_of_the_whole_image() -> None:
    reading = read("folders", {}, refs("good/a.jpg", "b.jpg"))
    (label,) = reading.labels
    assert (label.raw_label, label.shape, box(label)) == ("good", "class", (0, 0, 200, 100))
    assert (label.label_path, label.label_row) == ("good/a.jpg", 0)
    assert reading.covered == {"good/a.jpg"}


def test_sniffing_takes_two_classes_at_least() -> None:
    files: dict[str, bytes | str] = {
        "good/a.jpg": b"",
        "train/bad/b.png": b"",
        "train/bad/c.png": b"",
        "x.txt": "",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.classes) == ("folders", ["bad", "good"])
    assert best.facts == ["3 images in 2 folders that name no split: classes", "the largest: bad 2, good 1"]
    assert sniff_all(listing({"images/a.jpg": b"", "val/images/b.jpg": b""}))[0].format == "images"
