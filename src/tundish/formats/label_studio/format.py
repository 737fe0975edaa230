"""Label Studio's JSON exports as a format of a source: JSON, JSON-MIN, and the files in cloud storage.

Regions are converted by the functions of the bridge. Several people's answers to one image stay apart: each
label has its author, and the stage `consensus` decides. Of an author's answers to one image the last changed
one counts; where an adjudicator answered, only that. A cancelled answer says nothing about its image, an
empty one that nothing is there. Predictions and drafts are not answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.formats.base import Catalog, Format, ImageRef, Judgement, Options, Reading
from tundish.formats.label_studio.address import Finder
from tundish.formats.label_studio.answers import AnswerLabels, author_of, kind_of_answer, labels_of
from tundish.formats.label_studio.controls import ADJUDICATION
from tundish.formats.label_studio.tasks import tasks_in
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss
from tundish.formats.reading.roles import role_by_suffix
from tundish.formats.reading.sniffing import counted
from tundish.formats.tools.pages import FILES, File, Item, Page, look_for, opens_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tundish.formats.base import Evidence, Listing, Role
    from tundish.formats.label_studio.results import Results
    from tundish.formats.label_studio.tasks import Annotation, Task

__all__ = ["FORMAT", "LabelStudio"]

_READS = frozenset({"rectangle", "polygon", "brush", "ellipse", "class"})


@dataclass(frozen=True, slots=True)
class _TaskPage(Page):
    """A task with answers: who gave them, and how many there are."""

    authors: tuple[str | None, ...] = ()
    cancelled: int = 0


def _pages(file: File) -> list[Page]:
    finder = Finder(file.catalog)
    pages: list[Page] = []
    for row, task in enumerate(tasks_in(file.data)):
        given = [(one, one.sorted()) for one in task.annotations if one.fault is None]
        kinds = Counter(kind_of_answer(one.facts, results) for one, results in given)
        lost = [(row, one.fault) for one in task.annotations if one.fault is not None]
        heard = [
            (one, results) for one, results in given if kind_of_answer(one.facts, results) != "cancelled"
        ]
        if not heard and not lost:
            continue
        items = [item for _, results in heard for item in _items(results)]
        image = finder.find(task.data, file.path, task.upload)
        authors = tuple(author_of(one.facts.get("completed_by")) for one, _ in heard)
        stated = str(task.data.get("image", ""))
        pages.append(
            _TaskPage(stated, image, items, row=row, lost=lost, authors=authors, cancelled=kinds["cancelled"])
        )
    return pages


def _items(results: Results) -> list[Item]:
    """The labels of an answer, for counting."""
    items = [
        Item(region.row, None, region.kind, name)
        for region in results.regions
        for name in region.labels or [""]
    ]
    return items + [Item(choice.row, None, "class", choice.label) for choice in results.choices]


def _settle(pages: list[Page]) -> tuple[dict[str, str], list[str]]:
    """Sentences on who answered."""
    tasks = [page for page in pages if isinstance(page, _TaskPage)]
    authors = {author for page in tasks for author in page.authors if author}
    several = sum(len(set(page.authors)) > 1 for page in tasks)
    facts = []
    if authors:
        facts.append(f"answered by {counted(len(authors), 'person').replace('persons', 'people')}")
    if several:
        facts.append(
            f"{counted(several, 'image')} answered by several people: 'label.quorum' in the recipe decides"
        )
    return {}, facts


@dataclass(slots=True)
class _Heard:
    """An answer to one image: where it is in its file, and what it says."""

    path: str
    base: int
    image: ImageRef
    author: str | None
    judgement: Judgement
    answer: AnswerLabels
    adjudicates: bool
    order: tuple[str, str, int]


@dataclass(frozen=True)
class LabelStudio:
    """Reads the exports of Label Studio."""

    title: str = "Label Studio"
    suffixes: tuple[str, ...] = (".json",)
    reads: frozenset[str] = _READS
    pages: Callable[[File], list[Page]] = field(default=_pages)
    settle: Callable[[list[Page]], tuple[dict[str, str], list[str]]] = field(default=_settle)

    def has_marks(self, data: bytes) -> bool:
        """Whether a file could be an export; in UTF-16 the marks cannot be seen."""
        marks = (b'"annotations"', b'"completions"', b'"annotation_id"', b'"result"')
        return data[:2] in (b"\xff\xfe", b"\xfe\xff") or any(mark in data for mark in marks)

    def role(self, path: str, options: Options) -> Role:
        """Label files by their suffix, and by the option ``files``."""
        return role_by_suffix(path, self.suffixes, options)

    def recognises(self, path: str, data: bytes) -> bool:
        """Whether a file opens as tasks; COCO has `annotations` too, and does not."""
        return opens_as(self, path, data)

    def sniff(self, listing: Listing) -> Evidence | None:
        """Files with tasks, and how many of the pictures they name are here."""
        with collector_paused():
            return look_for(self, listing)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """Read exports; a bad entry costs itself, a bad file its labels."""
        reading = Reading()
        finder = Finder(catalog)
        by_image: dict[str, list[_Heard]] = {}
        for path, data in files:
            with collector_paused():
                for heard in _answers(path, data, finder, Notes(path, reading)):
                    by_image.setdefault(heard.image.path, []).append(heard)
        for path in sorted(by_image):
            _take(by_image[path], reading)
        return reading


def _answers(path: str, data: bytes, finder: Finder, notes: Notes) -> list[_Heard]:
    """The answers of a file to images that are here."""
    try:
        tasks = tasks_in(data)
    except Fault as fault:
        notes.refuse(fault)
        return []
    found: list[_Heard] = []
    row = 0
    for task in tasks:
        image = finder.find(task.data, path, task.upload) if task.annotations else None
        for annotation in task.annotations:
            if image is not None and (heard := _heard(path, task, annotation, image, row, notes)) is not None:
                found.append(heard)
                row += len(heard.answer.labels)
            row += max(len(annotation.entries), 1)
    return found


def _heard(
    path: str, task: Task, annotation: Annotation, image: ImageRef | Miss, row: int, notes: Notes
) -> _Heard | None:
    """One answer, its labels with rows of their own; None where it cannot be taken."""
    if annotation.fault is not None:
        notes.refuse(annotation.fault, row, labels=1)
        return None
    results, facts = annotation.sorted(), annotation.facts
    kind = kind_of_answer(facts, results)
    where = f"task {task.number}, annotation {facts.get('id')}"
    if isinstance(image, Miss):
        count = len(_items(results)) + sum(lost for _, _, lost in results.faults)
        if kind != "cancelled":
            message = f"{image.message} ({where}); {counted(count, 'label')} not taken"
            notes.refuse(Fault(image.check, message, "image", task.data.get("image")), row, labels=count)
        return None
    author = author_of(facts.get("completed_by"))
    answer = AnswerLabels() if kind == "cancelled" else labels_of(results, image, path, author)
    _number(answer, row, len(annotation.entries), {"task": task.number, "annotation": facts.get("id")})
    about = len(answer.labels), answer.refused
    return _Heard(
        path,
        row,
        image,
        author,
        Judgement(image, author, kind, path, *about),
        answer,
        task.data.get("purpose") == ADJUDICATION,
        (str(facts.get("updated_at") or ""), str(facts.get("created_at") or ""), row),
    )


def _number(answer: AnswerLabels, row: int, entries: int, about: dict[str, object]) -> None:
    """Give every label a row of its own in the file, and say in which annotation it is."""
    taken: set[int] = set()
    for place, (label, key) in enumerate(answer.labels):
        own = row + label.label_row
        if own in taken:
            own = row + entries + place
        taken.add(own)
        numbered = label._replace(label_row=own, attributes={**label.attributes, **about})
        answer.labels[place] = answer.labels[place]._replace(label=numbered, key=key)


def _take(heard: Sequence[_Heard], reading: Reading) -> None:
    """Take the answers to one image that count."""
    given = sorted((one for one in heard if one.judgement.answer != "cancelled"), key=lambda one: one.order)
    decided = [one for one in given if one.adjudicates][-1:]
    last = {one.author: one for one in given}
    chosen = decided or sorted(last.values(), key=lambda one: (one.path, one.base))
    for one in given:
        notes = Notes(one.path, reading)
        if not any(one is other for other in chosen):
            _supersede(one, notes, decided=bool(decided))
            continue
        for trouble in one.answer.troubles:
            if trouble.lost:
                notes.refuse(trouble.fault, one.base + trouble.row, labels=trouble.lost)
            else:
                notes.warn(trouble.fault, one.base + trouble.row)
    for one in chosen:
        reading.labels += [label for label, _ in one.answer.labels]
    if chosen:
        image = chosen[0].image.path
        refused = sum(one.answer.refused for one in chosen)
        if refused:
            reading.refused.add(image)
        if not refused or any(one.answer.labels for one in chosen):
            reading.covered.add(image)
    reading.judgements += [one.judgement for one in chosen]
    reading.judgements += [one.judgement for one in heard if one.judgement.answer == "cancelled"]


def _supersede(heard: _Heard, notes: Notes, *, decided: bool) -> None:
    """Report an answer that no longer counts, with its labels."""
    who = heard.author or "somebody"
    why = "an adjudicator decided" if decided else f"{who} answered the image again later"
    count = len(heard.answer.labels) + heard.answer.refused
    fault = Fault("superseded_answer", f"{why}; {counted(count, 'label')} not taken", "completed_by", who)
    if count:
        notes.refuse(fault, heard.base, labels=count)
    else:
        notes.warn(fault, heard.base)


FORMAT = Format(
    "label-studio",
    "Label Studio JSON exports: boxes, rotated boxes, polygons, ellipses, brushes, classes",
    reader=LabelStudio(),
    options=FILES,
    evidence="JSON of tasks with `annotations` or `completions` whose pictures are here, or JSON-MIN",
    reads="boxes, turned boxes, polygons, ellipses, brushes, classes; each with its author",
    reports="key points, relations, video regions, answers that a later one replaced",
)
