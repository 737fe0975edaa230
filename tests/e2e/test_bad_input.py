"""Bad input through the pipeline: each fault is reported with its reason, and everything else continues."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image
from tests.recipes import least

import tundish

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]


def scene(seed: int, size: tuple[int, int] = (160, 120), dtype: Any = np.uint8) -> Any:
    """A picture with structure, unlike that of another seed."""
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    small = rng.integers(top // 5, top * 4 // 5, (9, 12, 3)).astype(dtype)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def encoded(pixels: Any, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def pillow(pixels: Any, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    pixels.save(stream, kind, **options)
    return stream.getvalue()


def png_bomb() -> bytes:
    """A PNG of 60000 x 60000 px in about 30 kB: its pixels are never there."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 20_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bad_images() -> dict[str, bytes]:
    good = encoded(scene(1))
    middle = len(good) // 2
    turned = Image.fromarray(scene(5)[..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "good.jpg": good,
        "truncated.jpg": encoded(scene(2))[:-2000],
        "zeroed.jpg": good[:middle] + bytes(600) + good[middle + 600 :],
        "text.jpg": b"this is not a picture",
        "empty.jpg": b"",
        "bomb.png": png_bomb(),
        "png called.jpg": encoded(scene(3), ".png"),
        "broken crc.png": encoded(scene(4), ".png")[:200] + b"\xff" + encoded(scene(4), ".png")[201:],
        "turned.jpg": pillow(turned, "JPEG", exif=exif.tobytes()),
        "sixteen.tif": encoded(scene(6, dtype=np.uint16), ".tiff"),
        "cmyk.jpg": pillow(Image.fromarray(scene(7)).convert("CMYK"), "JPEG"),
        "alpha.png": encoded(np.dstack([scene(8), np.full((120, 160), 200, np.uint8)]), ".png"),
        "龟裂 😀 & co.jpg": encoded(scene(9)),
        f"{'n' * 200}.jpg": encoded(scene(10)),
    }


def write(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def run(project: Path, source: str, classes: str = "[scratch]") -> pl.DataFrame:
    """Run all stages; the quarantine, after the ledger has been seen to close."""
    (project / "pipelines").mkdir()
    (project / "schemas").symlink_to(ROOT / "schemas")
    recipe = f"dataset: d\nsources: [{source}]\nannotations: {{classes: {classes}}}\n{least('annotations')}"
    (project / "pipelines/d.yaml").write_text(recipe, encoding="utf-8")
    tundish.run("d", project=project, accept_losses=True)
    ledger = tundish.status("d", project=project)
    assert ledger.closes, ledger
    return tundish.read_table("quarantine", "d", project=project)


def errors(quarantine: pl.DataFrame, kinds: list[str]) -> dict[str, str]:
    rows = quarantine.filter((pl.col("severity") == "error") & pl.col("kind").is_in(kinds))
    return dict(rows.select("path", "check").iter_rows())


def test_images__each_fault_has_its_reason_and_the_rest_is_exported(tmp_path: Path) -> None:
    write(tmp_path / "datasets/d/raw", bad_images())
    source = "{path: raw, format: images}"
    quarantine = run(tmp_path, source, "{}")
    assert errors(quarantine, ["file", "image"]) == {
        "truncated.jpg": "truncated",
        "zeroed.jpg": "corrupt",
        "text.jpg": "not_an_image",
        "empty.jpg": "empty_file",
        "bomb.png": "too_large",
        "png called.jpg": "wrong_extension",
        "broken crc.png": "corrupt",
    }
    images = tundish.read_table("images", "d", project=tmp_path).filter("valid")
    measured = {row["path"]: row for row in images.iter_rows(named=True)}
    assert len(measured) == 7
    assert (measured["turned.jpg"]["width"], measured["turned.jpg"]["height"]) == (120, 160)
    assert measured["turned.jpg"]["orientation"] == 6
    assert measured["sixteen.tif"]["bit_depth"] == 16
    assert measured["cmyk.jpg"]["channels"] == 4
    assert measured["alpha.png"]["channels"] == 4
    brightness = [row["brightness"] for row in measured.values()]
    assert all(0.3 < value < 0.7 for value in brightness)


def voc(name: str, box: tuple[object, ...], *, label: str = "scratch", size: bool = True) -> str:
    corners = "".join(
        f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    extent = "<size><width>160</width><height>120</height><depth>3</depth></size>" if size else ""
    return (
        f"<annotation><filename>{name}</filename>{extent}"
        f"<object><name>{label}</name><bndbox>{corners}</bndbox></object></annotation>"
    )


def test_voc__each_fault_has_its_reason(tmp_path: Path) -> None:
    names = [
        "good",
        "passwd",
        "nosize",
        "reversed",
        "outside",
        "over",
        "flat",
        "unknown",
        "entities",
        "cut",
        "nan",
    ]
    raw = tmp_path / "datasets/d/raw"
    write(raw, {f"images/{name}.jpg": encoded(scene(number)) for number, name in enumerate(names)})
    entity = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]>'
    good = (10, 10, 60, 50)
    write(
        raw,
        {
            "xml/good.xml": voc("good.jpg", good),
            "xml/passwd.xml": voc("../../../../etc/passwd", good),
            "xml/nosize.xml": voc("nosize.jpg", good, size=False),
            "xml/reversed.xml": voc("reversed.jpg", (60, 50, 10, 10)),
            "xml/outside.xml": voc("outside.jpg", (300, 200, 400, 300)),
            "xml/over.xml": voc("over.jpg", (100, 50, 160.4, 120.4)),
            "xml/unknown.xml": voc("unknown.jpg", good, label="rust"),
            "xml/entities.xml": entity + voc("entities.jpg", good, label="&y;"),
            "xml/cut.xml": voc("cut.jpg", good)[:-40],
            "xml/nan.xml": voc("nan.jpg", ("nan", 10, 60, 50)),
        },
    )
    quarantine = run(tmp_path, "{path: raw, format: voc}")
    found = errors(quarantine, ["annotation"])
    bad = ("outside", "unknown", "entities", "cut", "nan")
    assert set(found) == {f"xml/{name}.xml" for name in bad}
    labels = tundish.read_table("annotations", "d", project=tmp_path).filter("valid")
    by_name = {path.split("/")[1].split(".")[0]: path for path in labels["path"]}
    assert {"good", "passwd", "nosize", "reversed", "over"} <= set(by_name)
    told = quarantine.filter(pl.col("severity") == "warning")
    assert {"xml/reversed.xml", "xml/over.xml", "xml/passwd.xml"} <= set(told["path"])
    # An image whose only label was refused is neither labelled nor a negative.
    states = dict(tundish.read_table("coverage", "d", project=tmp_path).select("path", "state").iter_rows())
    for name in bad:
        assert states[f"images/{name}.jpg"] == "rejected", name


def test_yolo__each_fault_has_its_reason(tmp_path: Path) -> None:
    lines = {
        "good": "0 0.5 0.5 0.2 0.2\n",
        "class": "7 0.5 0.5 0.2 0.2\n",
        "four": "0 0.5 0.5 0.2\n",
        "nan": "0 nan 0.5 0.2 0.2\n",
        "comma": "0 0,5 0,5 0,2 0,2\n",
        "words": "scratch here\n",
        "negative": "",
        "minus": "0 0.5 0.5 -0.2 0.2\n",
        "flat": "0 0.5 0.5 0.0 0.2\n",
    }
    raw = tmp_path / "datasets/d/raw"
    write(
        raw,
        {f"images/{name}.jpg": encoded(scene(number)) for number, name in enumerate([*lines, "unlabelled"])},
    )
    write(raw, {f"labels/{name}.txt": text for name, text in lines.items()})
    write(raw, {"labels/classes.txt": "scratch\n", "labels/nobody.txt": "0 0.5 0.5 0.2 0.2\n"})
    quarantine = run(tmp_path, "{path: raw, format: yolo}")
    found = errors(quarantine, ["annotation"])
    assert set(found) == {
        f"labels/{name}.txt" for name in ("class", "four", "nan", "comma", "words", "minus", "flat", "nobody")
    }
    states = dict(tundish.read_table("coverage", "d", project=tmp_path).select("path", "state").iter_rows())
    assert states["images/good.jpg"] == "labelled"
    assert states["images/negative.jpg"] == "negative"
    assert states["images/unlabelled.jpg"] == "unlabelled"
    for name in ("class", "four", "nan", "comma", "words", "minus", "flat"):
        assert states[f"images/{name}.jpg"] == "rejected", name


def test_zip__slip_and_bomb_are_quarantined_and_the_rest_taken(tmp_path: Path) -> None:
    raw = tmp_path / "datasets/d/raw"
    raw.mkdir(parents=True)
    with zipfile.ZipFile(raw / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/good.jpg", encoded(scene(1)))
        archive.writestr("../../slip.jpg", encoded(scene(2)))
        archive.writestr("bomb.jpg", bytes(64 << 20))
    quarantine = run(tmp_path, "{path: raw/in.zip, format: images}", "{}")
    assert errors(quarantine, ["file"]) == {"../../slip.jpg": "unsafe_path", "bomb.jpg": "archive_bomb"}
    assert not (tmp_path.parent / "slip.jpg").exists()
    assert tundish.read_table("images", "d", project=tmp_path)["path"].to_list() == ["images/good.jpg"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b'{"images": 3}'])
def test_coco__broken_file_is_reported_and_the_images_are_there(tmp_path: Path, content: bytes) -> None:
    raw = tmp_path / "datasets/d/raw"
    write(raw, {"a.jpg": encoded(scene(1)), "b.jpg": encoded(scene(2)), "instances.json": content})
    quarantine = run(tmp_path, "{path: raw, format: coco}")
    assert list(errors(quarantine, ["annotation"])) == ["instances.json"]
    states = tundish.read_table("coverage", "d", project=tmp_path)["state"].to_list()
    assert states == ["unlabelled", "unlabelled"]
