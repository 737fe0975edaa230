"""Write docs/label-studio.md: what two exports make of answers in a Label Studio whose truth is known.

    python -m tools.label_studio [LABEL_STUDIO]

From the repository's root; the executable is given, or named by TUNDISH_LABEL_STUDIO. The figures are
measured on the server's own COCO export and on `pull` with Tundish's COCO writer, none is typed in.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import orjson
from tests.labeling.golden import cases, put
from tests.labeling.measured import Export, entries_of, measure, things_of, tundish_export

from tundish.errors import UsageError
from tundish.labeling.label_studio.client import Client
from tundish.labeling.label_studio.server import LabelStudio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.labeling.golden import Case
    from tests.labeling.measured import Measured

PAGE = Path(__file__).resolve().parents[1] / "docs" / "label-studio.md"
TITLE = "golden corpus"
EXPLAINED = (
    "In each cell: the server's COCO / Tundish (its COCO; for the answers, and regions without a class, the "
    "tables that `pull` writes). IoU and error are those of the worst label: IoU 0 where one is missing, "
    "error of those found."
)
HEADS = (
    "case",
    "labels drawn",
    "found",
    "mask IoU",
    "box error, px",
    "entries a task",
    "image_id a field of its own",
    "authors",
    "the answer is said to be",
)


def asked(server: LabelStudio, path: str, **query: str) -> bytes:
    """What the server answers."""
    headers = {"Authorization": f"Token {server.account.token}"}
    answer = httpx.get(
        f"{server.url}/api/{path}", params=query, headers=headers, timeout=120, trust_env=False
    )
    return answer.raise_for_status().content


def server_export(server: LabelStudio, project: int, corpus: Sequence[Case]) -> Export:
    """The server's own COCO export of a project, with all its tasks."""
    query = {"exportType": "COCO", "download_all_tasks": "true"}
    with zipfile.ZipFile(io.BytesIO(asked(server, f"projects/{project}/export", **query))) as packed:
        coco = orjson.loads(packed.read("result.json"))
    listed, named = entries_of(coco, corpus)
    things = things_of(coco, corpus)
    images = {entry["id"]: orjson.dumps(entry).decode() for entry in coco["images"]}
    authors: dict[str, set[str]] = {case.image_id: set() for case in corpus}
    for one in coco["annotations"]:
        key = next(key for key in authors if key in images[one["image_id"]])
        authors[key] |= {str(one[name]) for name in ("author", "annotator", "completed_by") if name in one}
    states = {
        key: "labelled" if things[key] else "no labels" if listed[key] else "not there" for key in authors
    }
    return Export(listed, named, things, authors, states)


def row(case: Case, server: Measured, ours: Measured) -> str:
    """A line of the table; each cell the server's figure and Tundish's."""
    pairs = [
        (str(server.found), str(ours.found)),
        (number(server.iou, 4), number(ours.iou, 4)),
        (number(server.error, 6), number(ours.error, 6)),
        (str(server.images), str(ours.images)),
        (kept(server), kept(ours)),
        (str(server.authors), str(ours.authors)),
        (server.state, ours.state),
    ]
    cells = [case.name, str(len(case.truth)), *(f"{first} / {second}" for first, second in pairs)]
    return f"| {' | '.join(cells)} |"


def number(value: float | None, digits: int) -> str:
    """A figure, or a dash where there is nothing to measure."""
    return "-" if value is None else f"{value:.{digits}f}"


def kept(measured: Measured) -> str:
    """Whether all entries of the image say its image_id."""
    return "yes" if measured.images and measured.named == measured.images else "no"


def page(executable: Path) -> str:
    """The page, measured with this Label Studio."""
    corpus = cases()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LabelStudio(executable, folder / "server") as server:
            with Client(server.url, server.account.token) as client:
                project = put(client, TITLE, server.files, corpus, folder / "images")
                ours = tundish_export(client, TITLE, corpus, folder / "labels")
            theirs = server_export(server, project, corpus)
            version = orjson.loads(asked(server, "version"))["release"]
    return "\n".join(
        [
            "# Label Studio's answers in COCO",
            "",
            textwrap.fill(
                f"Made by `python -m tools.label_studio` with Label Studio {version}. {EXPLAINED}", 108
            ),
            "",
            f"| {' | '.join(HEADS)} |",
            f"| {' | '.join(['---'] * len(HEADS))} |",
            *(row(case, measure(case, theirs), measure(case, ours)) for case in corpus),
            "",
        ]
    )


def main(arguments: Sequence[str]) -> None:
    """Write the page."""
    named = arguments[0] if arguments else os.environ.get("TUNDISH_LABEL_STUDIO")
    if not named:
        raise UsageError("no Label Studio is named", fix="give its executable, or set TUNDISH_LABEL_STUDIO")
    PAGE.write_text(page(Path(named).absolute()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
