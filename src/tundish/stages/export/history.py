"""How the splits of a dataset were made, and what was left out and why: for the cards of exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.audit.ledger import Ledger, Tally, left_out, read_ledger
from tundish.formats.markdown import table
from tundish.stages.export.certificate import count_ties, say_ties
from tundish.storage.tables import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.stages.base import Context

__all__ = ["history_of"]


def history_of(context: Context) -> str:
    """Both as Markdown, by the recipe and the ledger.

    Args:
        context: The recipe, and where the dataset lies.
    """
    out = _taken_out(context, read_ledger(context.dataset))
    return "\n\n".join([*_how(context), "## What was removed, and why", *out])


_GIVEN = {
    "keep": "Images that came with a split keep it. ",
    "train": "Images that came in train stay there, with their group. ",
    "ignore": "",
}


def _how(context: Context) -> list[str]:
    split = context.recipe.split
    ratios = ", ".join(f"{name} {share:g}" for name, share in split.ratios.items())
    tied = ["images of one duplicate cluster", "images that overlap"]
    tied += [f"images of equal `{key}`" for key in split.group_by]
    text = (
        f"Wanted shares: {ratios}. In one split (`group_id`) stay: {', '.join(tied)}. "
        f"Groups are placed in the order of a hash salted with '{split.salt}', so as to balance the classes. "
        f"{_GIVEN[split.given]}"
        "A group once placed keeps its split when data is added. Images are derived after the split, from "
        "training images only."
    )
    return ["## How the splits were made", text, say_ties(count_ties(context))]


def _taken_out(context: Context, ledger: Ledger) -> list[str]:
    tallies = {"files": ledger.files, **ledger.records}
    if ledger.annotations is not None:
        tallies["annotations"] = ledger.annotations
    rows = [row for name, tally in tallies.items() for row in _reasons(name, tally)]
    out = left_out(context.dataset.read(SPLITS))
    rows += [("images", "left out of the splits", reason, count) for reason, count in out.items()]
    totals = [
        (name, tally.input, tally.accepted, sum(tally.quarantined.values()), sum(tally.skipped.values()))
        for name, tally in tallies.items()
    ]
    return [
        table(["", "input", "accepted", "quarantined", "skipped"], totals),
        table(["what", "outcome", "reason", "count"], rows) if rows else "Nothing was removed.",
    ]


def _reasons(name: str, tally: Tally) -> Iterable[tuple[str, str, str, int]]:
    yield from ((name, "quarantined", reason, count) for reason, count in tally.quarantined.items())
    yield from ((name, "skipped", reason, count) for reason, count in tally.skipped.items())
