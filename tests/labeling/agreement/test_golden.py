"""The golden corpus through a real server: not a pixel, an author or an identity is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import polars as pl
import pytest
from tests.formats.label_studio.test_format import images_of, truths
from tests.formats.sources import read
from tests.labeling.golden import Case, cases, put
from tests.labeling.measured import Export, measure, tundish_export

from tundish.gallery.picture import shown
from tundish.imaging.files.decode import decode
from tundish.labeling.label_studio.client import Client

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.label_studio.server import LabelStudio

CORPUS = cases()
BRIGHT = [case for case in CORPUS if not case.path.endswith("png")]


@pytest.fixture(scope="module")
def corpus(label_studio: LabelStudio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus on the server: a project with the title of the folder that its exports go to.

    Each setting up has a title of its own. Where workers take tests off each other, a module comes to the
    same worker twice, and the second corpus must not be added to the project of the first.
    """
    folder = tmp_path_factory.mktemp("golden")
    with Client(label_studio.url, label_studio.account.token) as client:
        put(client, folder.name, label_studio.files, CORPUS, folder / "images")
    return folder


@pytest.fixture(scope="module")
def export(label_studio: LabelStudio, corpus: Path) -> Export:
    with Client(label_studio.url, label_studio.account.token) as client:
        return tundish_export(client, corpus.name, CORPUS, corpus / "once")


@pytest.mark.label_studio
@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_what_was_drawn_comes_back_as_it_was(case: Case, export: Export) -> None:
    measured = measure(case, export)
    assert len(export.things[case.image_id]) == measured.found == len(case.truth)
    assert measured.iou in (1.0, None)
    assert (measured.error or 0.0) <= 1e-6
    assert (measured.images, measured.named) == (1, 1)
    assert measured.authors == len({given.author for given in case.answers})
    assert measured.state == case.state


@pytest.mark.label_studio
def test_an_export_of_the_server_comes_in_as_a_source_as_it_was_drawn(
    label_studio: LabelStudio, corpus: Path
) -> None:
    with Client(label_studio.url, label_studio.account.token) as client:
        project = client.find_project(corpus.name)
        assert project is not None
        ids = [int(task["id"]) for task in client.tasks(int(project["id"]))]
        data = [task for batch in client.export(int(project["id"]), ids) for task in batch]
    reading = read("label-studio", {"export.json": orjson.dumps(data)}, images_of(CORPUS))
    assert not reading.problems
    for case in CORPUS:
        truths(reading, case)


@pytest.mark.label_studio
def test_ids_are_the_same_at_every_pull(label_studio: LabelStudio, export: Export, corpus: Path) -> None:
    assert sum(export.images.values()) == len(CORPUS)
    with Client(label_studio.url, label_studio.account.token) as client:
        tundish_export(client, corpus.name, CORPUS, corpus / "again")
    once, again = (pl.read_parquet(corpus / pulled / "annotations.parquet") for pulled in ("once", "again"))
    assert once["annotation_id"].n_unique() == once.height == sum(len(case.truth) for case in CORPUS)
    assert once.equals(again)


@pytest.mark.parametrize("case", BRIGHT, ids=lambda case: case.name)
def test_a_picture_shows_what_is_labelled_where_the_truth_says(case: Case) -> None:
    picture = decode(shown(case.data).data)
    assert picture.shape[1::-1] == case.size
    bright = picture.reshape(*picture.shape[:2], -1)[..., 0] > 150
    assert np.array_equal(bright, case.truth[0].mask > 0)
