"""``tundish verify``: whether the splits of an export leak, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tundish.cli._common import answer, echo, json_option, show_json, watching
from tundish.cli._text import columns, terminal_width, wrap
from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.audit.verify.result import Fault, Leak, Verification

__all__ = ["COMMANDS"]


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key",
    multiple=True,
    metavar="NAME=PATTERN",
    help="Images of one value of this key, such as the coil, must be in one split; may be repeated.",
)
@click.option(
    "--within", type=float, default=2.0, show_default=True, help="Seconds between near frames of one camera."
)
@click.option(
    "--level",
    type=click.Choice(["fast", "thorough"]),
    default="thorough",
    show_default=True,
    help="fast omits images that show the same in part.",
)
@json_option
def verify(
    path: Path, key: tuple[str, ...], within: float, level: Literal["fast", "thorough"], as_json: bool
) -> None:
    """Look for leaks between the splits of the export PATH, ours or anybody's; no project is needed.

    PATH is a folder, zip or tar with train, val or test: COCO, YOLO, VOC, Hugging Face, or plain folders.
    Images are compared by their pixels, names and times; labels and files that are wrong are reported. The
    exit status is 1 where a leak is found, and 0 where the splits are clean.

    \b
    Example:
      tundish verify datasets/steel-surface/exports/coco
      tundish verify NEU-DET.zip --key 'coil=(?P<coil>C[0-9]+)_'
    """
    from tundish.api.verify import verify

    with watching() as progress:
        found = verify(path, key=_keys(key), within=within, level=level, progress=progress)
    if as_json:
        from dataclasses import asdict

        show_json(asdict(found) | {"clean": found.clean})
    else:
        _print(found)
    if not found.clean:
        click.get_current_context().exit(1)


def _keys(options: tuple[str, ...]) -> Mapping[str, str]:
    keys = {}
    for option in options:
        name, sign, pattern = option.partition("=")
        if not (sign and name.isidentifier() and pattern):
            raise UsageError(
                f"'{option}' is not a key with its pattern",
                where="--key",
                fix="write it such as --key 'coil=(?P<coil>C[0-9]+)_'",
            )
        keys[name] = pattern
    return keys


def _print(found: Verification) -> None:
    _line(f"{found.path}: {' and '.join(found.formats)}; {found.stated_by}; compared {found.level}.")
    splits = list(found.images)
    heads = ["", *(split or "no split" for split in splits)]
    rows = [["images", *(f"{found.images[split]:,}" for split in splits)]]
    if any(found.labels.values()):
        rows.append(["labels", *(f"{found.labels[split]:,}" for split in splits)])
    rows += [
        [f"  {name}", *(f"{counts[split]:,}" for split in splits)] for name, counts in found.classes.items()
    ]
    for line in columns(heads, rows):
        echo(line)
    for name, split in found.missing_classes:
        _line(f"No label of '{name}' in {split}.")
    total = sum(found.images.values())
    for name, count in found.keys.items():
        _line(f"{count:,} of {total:,} images have the key '{name}'.")
    for fault in found.faults:
        _print_fault(fault)
    for note in found.notes:
        _line(f"Note: {note}.")
    for leak in found.warnings:
        _print_leak(leak, "Warning")
    for leak in found.leaks:
        _print_leak(leak, "Leak")
    if found.clean:
        answer("No leak was found.")
        return
    touched = (f"{count:,} of {found.images[split]:,} {split}" for split, count in found.leaking.items())
    answer(f"Leaks of {_number(len(found.leaks), 'kind')} were found; images touched: {', '.join(touched)}.")


def _print_leak(leak: Leak, title: str) -> None:
    key = f" '{leak.key}'" if leak.key else ""
    between = ", ".join(f"{count:,} between {pair}" for pair, count in leak.between.items())
    closest = "" if leak.closest is None else f"; the closest pair scores {leak.closest:.3f}"
    pairs = _number(leak.pairs, "pair")
    _line(f"{title}: {leak.kind}{key}: {pairs} of {_number(leak.images, 'image')} ({between}){closest}")
    for one in leak.examples:
        facts = [f"score {one.score:.3f}"] * (one.score is not None) + [one.note] * bool(one.note)
        _line(f"  {one.first} and {one.second}" + (f" ({', '.join(facts)})" if facts else ""))


def _print_fault(fault: Fault) -> None:
    _line(f"{fault.kind}: {fault.count:,}")
    for example in fault.examples:
        _line(f"  {example}")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _line(text: str) -> None:
    echo("\n".join(wrap(text, terminal_width(), 4)))


COMMANDS = {"verify": verify}
