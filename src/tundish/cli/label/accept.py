"""``tundish label accept``: whether a batch of labels is accepted, by the review of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import echo, find_project, find_recipe, json_option, watching
from tundish.cli.label.options import server_options
from tundish.cli.label.output import next_step, print_json
from tundish.errors import TundishError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from tundish.api.label_results import LabelAcceptance

__all__ = ["accept"]

_MOST_NAMED = 10
"""Images that a call names of those that do not conform."""


@click.command("accept", short_help="Accept what annotators labelled, by a sample of it, or not.")
@click.argument("name")
@click.option(
    "--aql",
    type=float,
    help="Percent of nonconforming images of any class; by default the recipe's, else that of the batch"
    " before, or 1.0.",
)
@click.option("--level", help="Inspection level; by default found as the AQL is, or II.")
@click.option(
    "--lq",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="PERCENT",
    help="Limiting quality, instead of an AQL: the batch is isolated, in no series.",
)
@click.option(
    "--ac",
    type=click.IntRange(0),
    metavar="N",
    help="Nonconforming images that the sample of --lq may show; by default none.",
)
@click.option(
    "--severity",
    default="auto",
    show_default=True,
    help="normal, tightened or reduced; auto: as the batches before it require.",
)
@click.option("--seed", type=int, default=0, help="Another seed draws another sample.")
@click.option("--corrected", default="", metavar="TEXT", help="What was done after five batches failed.")
@click.option(
    "--annotator",
    default="",
    metavar="NAME",
    help="The annotator whose work is inspected, where a batch holds one annotator's; by default the next"
    " who has images.",
)
@server_options
@json_option
def accept(name: str, as_json: bool, **options: Any) -> None:
    """Accept a batch of the labels of the dataset NAME by a blind review of a sample (ISO 2859-1).

    The first call opens a batch of what annotators decided and pushes its sample into a project of
    its own, with nothing drawn; reviewers label it again. Later calls pull their answers and report
    what is missing or what the verdict is. A call after the verdict opens the next batch, where
    anything was decided since, and says so first. The options are those of a new batch, and by
    default what the recipe says of acceptance: an AQL for each class of nonconformity, a batch for
    each annotator. Exit code 1 says that a batch was not accepted.

    \b
    Example:
      tundish label accept steel-surface
      tundish label accept steel-surface --aql 2.5 --level I --seed 7
      tundish label accept steel-surface --lq 5 --ac 1
    """
    from tundish.api.labels import label_accept

    project = find_project()
    name = find_recipe(project, name).stem
    try:
        with watching() as progress:
            done = label_accept(name, project=project, progress=progress, **options)
    except TundishError as error:
        # A batch was opened before the server failed.
        for note in getattr(error, "__notes__", ()):
            click.echo(note, err=as_json)
        raise
    if done.opened:
        click.echo(done.opened, err=as_json)
    if as_json:
        print_json(_as_json(done))
    else:
        _print(project, done)
    if done.refusal is not None:
        raise done.refusal


def _as_json(done: LabelAcceptance) -> dict[str, object]:
    about: dict[str, object] = {"batch": None}
    if done.batch is not None:
        about = {"batch": done.batch, "producer": done.producer, **_plans(done)}
    return about | {"opened": done.opened, "verdict": done.verdict, "notes": done.notes}


def _plans(done: LabelAcceptance) -> Mapping[str, object]:
    from tundish.labeling.acceptance.batch import plan_fields

    return plan_fields(done.plans)


def _print(project: Path, done: LabelAcceptance) -> None:
    verdict = done.verdict if done.folder else None
    if verdict:
        _print_verdict(done, verdict)
    for note in done.notes:
        echo(f"- {note}")
    if not verdict or done.folder is None:
        return
    if done.accepted is None:
        echo(f"Next: reviewers answer there, then 'tundish label accept {done.dataset}' again.")
        return
    folder = done.folder.relative_to(project).as_posix()
    echo(f"- the findings and the operating characteristic: {folder}/findings.parquet, {folder}/oc.svg")
    echo(next_step(project, done.dataset))


def _print_verdict(done: LabelAcceptance, verdict: Mapping[str, Any]) -> None:
    plans = [
        f"{name and name + ': '}{plan.terms}" + ("" if plan.severity else f", Ac {plan.ac}")
        for name, plan in done.plans.items()
    ]
    batch = f"{done.batch} ({done.producer})" if done.producer else done.batch
    echo(
        f"batch {batch}: {done.images:,} images, sample {done.sample:,} ({'; '.join(plans)}),"
        f" {done.reviewed:,} of {done.sample:,} reviewed"
    )
    if not done.reviewed:
        return
    echo(verdict["sentence"])
    for name, one in verdict.get("classes", {}).items():
        echo(f"  {name}: {one['sentence']}")
    if done.findings is not None:
        _print_findings(done.findings)


def _print_findings(findings: pl.DataFrame) -> None:
    """The images that do not conform, and what is wrong with them."""
    first = findings.head(_MOST_NAMED).select("image_id", "path", "details")
    for image_id, path, details in first.iter_rows():
        echo(f"  {path or image_id}: {details or 'see findings.parquet'}")
    if findings.height > _MOST_NAMED:
        echo(f"  and {findings.height - _MOST_NAMED:,} more")
