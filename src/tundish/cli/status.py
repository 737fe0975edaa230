"""``tundish status``: the ledger, in a few lines a dataset."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import find_project, find_recipe, json_option
from tundish.errors import GateError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from tundish.audit.ledger import Ledger
    from tundish.storage.dataset import DatasetFolder
    from tundish.storage.table import Table

__all__ = ["COMMANDS"]


@click.command("status")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
def status(names: tuple[str, ...], as_json: bool) -> None:
    """Show what came in, what was taken out and why, and where the results lie.

    Exit code 1 says that the ledger does not close: that something was lost, or counted twice.

    \b
    Example:
      tundish status
      tundish status steel-surface --json
    """
    from tundish.audit.ledger import read_ledger
    from tundish.recipe.load import load
    from tundish.storage.dataset import DatasetFolder

    project = find_project()
    chosen = names or tuple(sorted(path.stem for path in (project / "pipelines").glob("*.yaml")))
    if not chosen:
        raise UsageError(
            "there is no dataset yet", where=str(project), fix="write a recipe with 'tundish add NAME SOURCE'"
        )
    answers: dict[str, dict[str, Any]] = {}
    broken: list[str] = []
    for name in chosen:
        dataset = DatasetFolder(load(find_recipe(project, name)).dataset, project)
        ledger = read_ledger(dataset)
        answers[dataset.name] = _facts(dataset, ledger)
        broken += (
            [] if ledger.closes else [f"{dataset.name} ({'; '.join(ledger.contradictions) or 'counts'})"]
        )
    if as_json:
        import orjson

        click.echo(orjson.dumps(answers, option=orjson.OPT_INDENT_2).decode())
    else:
        for name, facts in answers.items():
            click.echo("\n".join(_lines(name, facts, project)))
    if broken:
        raise GateError(
            f"the ledger does not close for {', '.join(broken)}",
            fix="run 'dvc repro', and report it if it stays so",
        )


def _facts(dataset: DatasetFolder, ledger: Ledger) -> dict[str, Any]:
    from tundish.storage import tables

    facts: dict[str, Any] = {"files": ledger.files.counts(), "closes": ledger.closes}
    if ledger.annotations is not None:
        facts["labels"] = ledger.annotations.counts()
    if ledger.records:
        facts["records"] = {name: tally.counts() for name, tally in ledger.records.items()}
    links = _read(tables.LINKS, dataset)
    if links is not None and links.height:
        facts["links"] = _links(links)
    quarantine = _read(tables.QUARANTINE, dataset)
    if quarantine is not None:
        warned = quarantine.filter(quarantine["severity"] == "warning")
        of_records = warned["kind"] == "record"
        facts["warnings"] = _counts(warned.filter(~of_records)["check"].to_list())
        for name, tally in facts.get("records", {}).items():
            mine = warned.filter(of_records & (warned["source"] == name))
            tally["warnings"] = _counts(mine["check"].to_list())
    coverage = _read(tables.STANDING, dataset)
    if coverage is not None:
        facts["coverage"] = _counts(coverage["state"].to_list())
    duplicates = _read(tables.DUPLICATES, dataset)
    if duplicates is not None:
        out = duplicates.filter(~duplicates["kept"])
        facts["copies"] = _counts(out["relation"].to_list())
        facts["label conflicts"] = _counts(duplicates["label_conflict"].drop_nulls().to_list())
    splits = _read(tables.SPLITS, dataset)
    if splits is not None:
        facts["splits"] = _counts(splits["split"].drop_nulls().to_list())
        left = splits.filter(splits["split"].is_null())["reason"].to_list()
        facts["left out"] = _counts([reason.split(":")[0] for reason in left])
    return facts


def _links(links: pl.DataFrame) -> dict[str, dict[str, int]]:
    """For each table: images with a record, with several that fit, and without, by reason."""
    answers: dict[str, dict[str, int]] = {}
    for (name,), group in links.group_by("table", maintain_order=True):
        missing = group.filter(group["record_id"].is_null())
        found = group.filter(group["record_id"].is_not_null())
        answers[str(name)] = {
            "linked": found["image_id"].n_unique(),
            "ambiguous": found.filter("ambiguous")["image_id"].n_unique(),
            **_counts(missing["reason"].to_list()),
        }
    return answers


def _read(table: Table, dataset: DatasetFolder) -> Any:
    return dataset.read(table) if dataset.has(table) else None


def _counts(values: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


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
