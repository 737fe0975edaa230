"""Near frames: by the times in names and in EXIF, of one camera only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.audit.verify.pictures import Picture
from tundish.audit.verify.sequences import find_near_frames, time_in_name


def picture(path: str, split: str, *, camera: str = "", taken: datetime | None = None) -> Picture:
    return Picture(path, split, camera, path.encode(), 10, 10, 1, taken, b"", ())


def near(*pictures: Picture, within: float = 2.0) -> list[tuple[str, str]]:
    ties = find_near_frames(pictures, within)
    return [(pictures[tie.first[0]].path, pictures[tie.second[0]].path) for tie in ties]


SPELLINGS = [
    "cam1_20260301T081502_7.png",
    "cam1_20260301_081502.png",
    "cam1_2026-03-01 08-15-02.png",
    "cam1_2026.03.01_08.15.02.png",
    "cam1-20260301081502-7.jpg",
    "cam1_2026-03-01T08:15:02.000_x.jpg",
    "cam1_20260301_081502000.jpg",
    "cam1_1772352902000.jpg",
]


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_time_in_a_name_is_read_in_all_usual_spellings(name: str) -> None:
    found = time_in_name(name)
    assert found is not None
    assert found[1] == datetime(2026, 3, 1, 8, 15, 2, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "name",
    [
        *("crazing_104.jpg", "20260301.png", "coil_2026030108.png", "1234567890.png", "C2403-118734.png"),
        *("20261301_081502.png", "20260301_256199.png", "20260231_081502.png", "920260301081502.png"),
    ],
)
def test_other_numbers_are_not_times(name: str) -> None:
    assert time_in_name(name) is None


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)), st.integers(0, 999))  # noqa: DTZ001
def test_a_written_time_is_read_to_the_millisecond(moment: datetime, thousandths: int) -> None:
    found = time_in_name(f"line_{moment:%Y%m%d}_{moment:%H%M%S}.{thousandths:03d}_5.png")
    assert found is not None
    whole = moment.replace(microsecond=0, tzinfo=UTC).timestamp()
    assert found[1] == pytest.approx(whole + thousandths / 1000, abs=1e-6)


def test_frames_of_one_camera_within_two_seconds_are_near() -> None:
    frames = [
        picture(f"{split}/a_20260301_08150{second}.png", split)
        for second, split in enumerate(["train", "val", "train", "train", "train", "val"])
    ]
    paths = [frame.path for frame in frames]
    pairs = {(0, 1), (1, 2), (1, 3), (3, 5), (4, 5)}
    assert set(near(*frames)) == {(paths[one], paths[other]) for one, other in pairs}
    assert set(near(*frames, within=0.5)) == set()


def test_cameras_in_other_folders_or_with_other_names_are_not_compared() -> None:
    assert not near(
        picture("train/1/a_20260301_081502.png", "train", camera="1"),
        picture("val/2/a_20260301_081502.png", "val", camera="2"),
        picture("val/1/b_20260301_081502.png", "val", camera="1"),
    )


def test_times_in_exif_count_unless_all_images_were_written_at_once() -> None:
    moment = datetime(2026, 3, 1, 8, 15, 2)  # noqa: DTZ001  (a camera's clock has no zone)
    later = moment + timedelta(seconds=1)
    assert near(picture("train/a.jpg", "train", taken=moment), picture("val/b.jpg", "val", taken=later))
    many = [picture(f"train/{n}.jpg", "train", taken=moment) for n in range(150)]
    assert not near(*many, picture("val/b.jpg", "val", taken=moment))
