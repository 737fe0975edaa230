"""The Python side of ``tundish label``: images to annotators in Label Studio, and their answers back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.api.label_results import (
    LabelAcceptance,
    LabelAdjudication,
    LabelAgreement,
    LabelPull,
    LabelPush,
    LabelServer,
    PictureServer,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tundish.api.results import Progress
    from tundish.labeling.workflow.session import Session
    from tundish.recipe.labelling import Nonconformity
    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = [
    "label_accept",
    "label_adjudicate",
    "label_agree",
    "label_images",
    "label_pull",
    "label_push",
    "label_start",
]


def label_start(
    *,
    port: int | None = None,
    push: str | Sequence[str] = (),
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> LabelServer:
    """Start a Label Studio for a project, on this machine alone; ``tundish label start``.

    Its data lie in ``.label-studio/``. The other labelling functions find it while it runs::

        with tundish.label_start(project="plant") as server:
            tundish.label_push("line1", project="plant")
            print(server.url)

    Args:
        port: Where it listens; any free port by default.
        push: Name of a dataset to push once it is up, or several.
        project: Folder of the project.
        progress: Called as (step, done, total); the first step is 'start'.

    Returns:
        The running server: stop it with `close()`, or use it as a context manager.

    Raises:
        UsageError: Label Studio is not installed, or a dataset cannot be pushed.
        OutsideError: The port is taken, another one runs in the project, or it does not come up.
    """
    from tundish.labeling.workflow.servers import ProjectServer  # noqa: PLC0415
    from tundish.labeling.workflow.session import no_progress  # noqa: PLC0415

    names = [push] if isinstance(push, str) else push
    for name in names:
        _recipe(name, project)  # a misspelt name is reported before half a minute has passed
    report = progress or no_progress
    running = ProjectServer(Path(project), port)
    report("start", 0, 1)
    running.start()
    account, home = running.server.account, running.home
    server = LabelServer(
        running.server.url, account.email, account.token, home / "token", home / "password", running
    )
    try:
        report("start", 1, 1)
        pushed = {
            name: label_push(
                name, server=server.url, token_file=server.token_file, project=project, progress=progress
            )
            for name in names
        }
    except BaseException:
        server.close()
        raise
    return replace(server, pushed=pushed)


def label_images(name: str, *, project: str | os.PathLike[str] = ".") -> PictureServer:
    """Serve a dataset's pictures to the annotators' browsers; ``tundish label images``.

    Needed where the recipe says ``label: {images: serve}``; it listens at the address that ``served_at``
    names.

    Args:
        name: Name of the recipe in ``pipelines/``.
        project: Folder of the project.

    Returns:
        The running server: stop it with `close()`, or use it as a context manager.

    Raises:
        UsageError: The address cannot be a server's, or the dataset was not validated yet.
        OutsideError: The port is taken.
    """
    from tundish.labeling.workflow.servers import picture_server  # noqa: PLC0415

    recipe, dataset = _recipe(name, project)
    server = picture_server(dataset, recipe)
    server.start()
    return PictureServer(dataset.name, server.url, server)


def label_push(
    name: str,
    *,
    images: str | os.PathLike[str] | None = None,
    predictions: str | os.PathLike[str] | None = None,
    annotators: str | Sequence[str] | None = None,
    overlap: float | None = None,
    select: str | None = None,
    budget: int | None = None,
    scores: str | os.PathLike[str] | None = None,
    seed: int = 0,
    server: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> LabelPush:
    """Send a dataset's images to the annotators, with known labels drawn; ``tundish label push``.

    Pushing again adds what is new and nothing twice; a push that was cut off goes on. Images that are there
    and unanswered get the predictions of another model, too.

    Args:
        name: Name of the recipe in ``pipelines/``.
        images: A text file that names the only images to push by image_id, one a line, in the order of work.
        predictions: A model's labels (Parquet, columns of the annotations table), not the imported ones.
        annotators: Who labels, each in a project of their own; by default as in the recipe.
        overlap: Share of the images that two of them get; by default as in the recipe.
        select: Choose only the images worth most: 'uncertain', 'diverse', 'stratified' or 'conflicts'.
        budget: How many images `select` chooses at most.
        scores: A model's scores for `select` (Parquet): image_id and a column a class, or image_id, label and
            score, a row a prediction.
        seed: Orders images of equal worth.
        server: Address of Label Studio; by default LABEL_STUDIO_URL, the recipe's, or the project's own.
        token_file: File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.
        project: Folder of the project.
        progress: Called as (step, done, total).

    Returns:
        What was pushed.

    Raises:
        UsageError: An option, a file or the recipe must change, or a stage has not run.
        OutsideError: The server fails; what it has taken by then stays, and a repeat goes on from there.
    """
    from tundish.labeling.assignment import with_annotators  # noqa: PLC0415
    from tundish.labeling.selection.choose import selection_options  # noqa: PLC0415
    from tundish.labeling.workflow.push import push_dataset  # noqa: PLC0415

    selection = selection_options(select, budget, _path(scores), seed)
    session = _session(name, project, server, token_file, progress)
    session = replace(session, recipe=with_annotators(session.recipe, annotators, overlap))
    done = push_dataset(session, images=_path(images), predictions=_path(predictions), selection=selection)
    return LabelPush.of(session.dataset.name, done)


def label_pull(
    name: str,
    *,
    server: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> LabelPull:
    """Bring the annotators' and adjudicators' answers into the dataset's ``labels/``; ``tundish label pull``.

    Only what changed is asked for.

    Args:
        name: Name of the recipe in ``pipelines/``.
        server: Address of Label Studio; by default LABEL_STUDIO_URL, the recipe's, or the project's own.
        token_file: File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.
        project: Folder of the project.
        progress: Called as (step, done, total).

    Returns:
        What was pulled; where some projects of the dataset are missing, its `missing` says so.

    Raises:
        UsageError: No server or token is configured, or the dataset was not validated yet.
        OutsideError: The server fails, or has none of the dataset's projects.
    """
    from tundish.labeling.workflow.pull import pull_dataset  # noqa: PLC0415

    session = _session(name, project, server, token_file, progress)
    return LabelPull.of(session.dataset.name, pull_dataset(session))


def label_agree(name: str, *, project: str | os.PathLike[str] = ".") -> LabelAgreement:
    """Measure how far the annotators agree, by class, annotator and pair; ``tundish label agree``.

    Labels are those of the answers pulled last and validated; images that only one annotator answered do not
    count.

    Args:
        name: Name of the recipe in ``pipelines/``.
        project: Folder of the project.

    Returns:
        The measures, as tables.

    Raises:
        UsageError: The dataset was not validated since the answers were pulled.
    """
    from tundish.labeling.agreement.summary import read_judgements, summarise_agreement  # noqa: PLC0415

    recipe, dataset = _recipe(name, project)
    section = recipe.label
    found = summarise_agreement(read_judgements(dataset), iou=section.iou, severities=section.severities)
    return LabelAgreement.of(dataset.name, found)


def label_adjudicate(
    name: str,
    *,
    server: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> LabelAdjudication:
    """Bring the images that annotators dispute in front of an adjudicator; ``tundish label adjudicate``.

    They go to the project '<title> · adjudication', those with the most disputes first. `label_pull` brings
    the answers. Calling it again adds what is new and, where annotators have changed their answers, replaces
    or removes tasks that nobody has touched.

    Args:
        name: Name of the recipe in ``pipelines/``.
        server: Address of Label Studio; by default LABEL_STUDIO_URL, the recipe's, or the project's own.
        token_file: File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.
        project: Folder of the project.
        progress: Called as (step, done, total).

    Returns:
        What became of the project.

    Raises:
        UsageError: No server or token is configured, or the stage consensus has not run since the last pull.
        OutsideError: The server fails; a repeat goes on where it stopped.
    """
    from tundish.labeling.workflow.adjudicate import adjudicate  # noqa: PLC0415

    session = _session(name, project, server, token_file, progress)
    return LabelAdjudication.of(session.dataset.name, adjudicate(session))


def label_accept(
    name: str,
    *,
    aql: float | Mapping[Nonconformity, float] | None = None,
    level: str | None = None,
    lq: float | None = None,
    ac: int | None = None,
    severity: str = "auto",
    seed: int = 0,
    corrected: str = "",
    annotator: str = "",
    server: str | None = None,
    token_file: str | os.PathLike[str] | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> LabelAcceptance:
    """Accept a batch of labels by a blind review of a sample (ISO 2859-1); ``tundish label accept``.

    The first call opens a batch and pushes its sample into a project of its own. Later calls pull the
    reviewers' answers and judge the batch. A call after the verdict opens the next batch.

    Args:
        name: Name of the recipe in ``pipelines/``.
        aql: Percent of nonconforming images, of any class or by class of nonconformity; by default the
            recipe's, else that of the batch before, or 1.0.
        level: Inspection level; by default found as the AQL is, or 'II'.
        lq: Limiting quality in percent, instead of an AQL: the batch is isolated, in no series.
        ac: Nonconforming images that the sample of `lq` may show; by default none.
        severity: 'normal', 'tightened' or 'reduced'; 'auto' as the batches before it require.
        seed: Another seed draws another sample.
        corrected: What was done after five batches failed.
        annotator: The annotator whose work is inspected, where a batch holds one annotator's; by default the
            next who has images.
        server: Address of Label Studio; by default LABEL_STUDIO_URL, the recipe's, or the project's own.
        token_file: File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.
        project: Folder of the project.
        progress: Called as (step, done, total).

    Returns:
        The state of the batch; where batches were not accepted, its `refusal` says so.

    Raises:
        UsageError: An option must change, inspection is discontinued, or a stage has not run.
        OutsideError: The server fails. Where a batch was opened before, a note of the error says so.
    """
    from tundish.labeling.workflow.accept import accept  # noqa: PLC0415

    session = _session(name, project, server, token_file, progress)
    done = accept(
        session,
        aql=aql,
        level=level,
        lq=lq,
        ac=ac,
        severity=severity,
        seed=seed,
        corrected=corrected,
        annotator=annotator,
    )
    return LabelAcceptance.of(session.dataset.name, done)


def _recipe(name: str, project: str | os.PathLike[str]) -> tuple[Recipe, DatasetFolder]:
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    recipe = load_recipe(Path(project), name)
    return recipe, DatasetFolder(recipe.dataset, Path(project))


def _session(
    name: str,
    project: str | os.PathLike[str],
    server: str | None,
    token_file: str | os.PathLike[str] | None,
    progress: Progress | None,
) -> Session:
    from tundish.labeling.workflow.session import Session, no_progress  # noqa: PLC0415

    recipe, dataset = _recipe(name, project)
    return Session(dataset, recipe, server, _path(token_file), progress or no_progress)


def _path(file: str | os.PathLike[str] | None) -> Path | None:
    return None if file is None else Path(file)
