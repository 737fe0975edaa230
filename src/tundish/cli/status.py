"""``tundish status``: the ledger, in a few lines a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import echo, find_project, json_option, name_argument, no_dataset, show_json
from tundish.errors import GateError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMANDS"]


@click.command("status")
@name_argument("names", metavar="[NAME]...", nargs=-1)
@json_option
def status(names: tuple[str, ...], as_json: bool) -> None:
    """Show what came in, what was taken out and why, and where the results lie.

    Exit code 1 says that the ledger does not close: that something was lost, or counted twice.

    \b
    Example:
      tundish status
      tundish status steel-surface --json
    """
    from tundish.api.pipeline import status

    project = find_project()
    found = status(names or None, project=project)
    if not found:
        raise no_dataset(project)
    if as_json:
        show_json({one.dataset: one.as_dict() for one in found}, indent=True)
    else:
        for one in found:
            echo("\n".join(_lines(one.dataset, one.as_dict(), project)))
    broken = [
        f"{one.dataset} ({'; '.join(one.contradictions) or 'counts'})" for one in found if not one.closes
    ]
    if broken:
        raise GateError(
            f"the ledger does not close for {', '.join(broken)}",
            fix="run 'dvc repro', and report it if it stays so",
        )


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def _sum(tally: dict[str, Any], noun: str) -> str:
    out, skipped = sum(tally["quarantined"].values()), sum(tally["skipped"].values())
    came, kept = tally["input"], tally["accepted"]
    return f"{came:,} {noun} = {kept:,} accepted + {out:,} quarantined + {skipped:,} skipped"


def _record_lines(facts: dict[str, Any]) -> list[str]:
    """A line for each table of records."""
    lines = []
    for table, tally in facts.get("records", {}).items():
        line = f"  {_sum(tally, table)}: {_told(tally['quarantined'] | tally['skipped'])}"
        if tally.get("warnings"):
            line += f"; told and kept: {_told(tally['warnings'])}"
        if table in facts.get("links", {}):
            line += f"; images: {_told(facts['links'][table])}"
        lines.append(line)
    return lines


def _lines(name: str, facts: dict[str, Any], project: Path) -> list[str]:
    """In, out, a line for each table of records, copies, splits, where."""
    from tundish.storage.dataset import DatasetFolder

    files = facts["files"]
    if not files["input"]:
        return [f"{name}: nothing was taken in yet; 'tundish run {name}' does it"]
    label = click.style(name, bold=True)
    first = f"{label}: {_sum(files, 'files')}"
    if "labels" in facts:
        first += f"; {_sum(facts['labels'], 'labels')}"
    reasons = files["quarantined"] | files["skipped"]
    out = f"  taken out: files {_told(reasons)}"
    if "labels" in facts:
        out += f"; labels {_told(facts['labels']['quarantined'])}; told and kept: {_told(facts['warnings'])}"
    lines = [first, out, *_record_lines(facts)]
    if "copies" in facts:
        lines.append(
            f"  copies left out: {_told(facts['copies'])};"
            f" labelled differently: {_told(facts['label conflicts'])}"
        )
    if "splits" in facts:
        lines.append(f"  splits: {_told(facts['splits'])}; left out: {_told(facts['left out'])}")
        folder = DatasetFolder(name, project).root.relative_to(project)
        exports = sorted(path.name for path in (project / folder / "exports").glob("[!.]*") if path.is_dir())
        results = ["curated/splits.parquet", *(f"exports/{name}" for name in exports)]
        lines.append(f"  in {folder}/: {', '.join(results)}")
    return lines


COMMANDS = {"status": status}
