"""Rules: what a Pandera model's limits are called, how bad a breach is, and which rows breach them.

A limit stands in a Pandera field as anywhere else; `rules` hangs the name of each side onto it::

    brightness: float = pa.Field(ge=0.04, metadata=rules(below=warning("too_dark", "the image is too dark")))

A plant subclasses the model and sets the field again with another limit; the rules' names are inherited.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandera.polars as pa
import polars as pl

from tundish.across import across_rules
from tundish.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tundish.across import Across

__all__ = ["FAILURES", "Rule", "check", "describe", "error", "load_model", "rules", "warning"]

Severity = Literal["error", "warning"]

FAILURES = {
    "row": pl.UInt32,
    "check": pl.String,
    "column": pl.String,
    "value": pl.String,
    "message": pl.String,
    "severity": pl.String,
}
"""Columns of what `check` returns; `row` is the position in the frame it was given."""

_SIDES = {
    "greater_than_or_equal_to": ("below", "at least"),
    "greater_than": ("below", "more than"),
    "less_than_or_equal_to": ("above", "at most"),
    "less_than": ("above", "less than"),
    "equal_to": ("other", "exactly"),
    "isin": ("other", "one of"),
    "not_nullable": ("missing", "not empty"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The name of a limit, what a breach means in English and Chinese, how bad it is, who set the limit."""

    name: str
    sentence: str
    severity: Severity
    chinese: str = ""
    standard: str = ""

    @property
    def words(self) -> str:
        """The sentence, in both languages where it has them."""
        return f"{self.sentence} / {self.chinese}" if self.chinese else self.sentence


def error(name: str, sentence: str, chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach takes the row out; `standard` names where its limit stands, with the edition."""
    return Rule(name, sentence, "error", chinese, standard)


def warning(name: str, sentence: str, chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach is told and the row kept; `standard` as for `error`."""
    return Rule(name, sentence, "warning", chinese, standard)


def rules(
    *,
    below: Rule | None = None,
    above: Rule | None = None,
    other: Rule | None = None,
    missing: Rule | None = None,
) -> dict[str, Rule]:
    """Metadata for a Pandera field: the rule behind its lower and upper limit, its set, and its emptiness."""
    sides = {"below": below, "above": above, "other": other, "missing": missing}
    return {side: rule for side, rule in sides.items() if rule is not None}


def check(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of `frame` that breach a rule of `model`: one row a breach, columns as in `FAILURES`.

    Columns of the model decide; the frame may have more.

    Raises:
        SchemaError: The model asks for a column, or a type, that the table does not have.
    """
    schema = model.to_schema()
    wanted = frame.select(name for name in schema.columns if name in frame.columns)
    try:
        schema.validate(wanted, lazy=True)
    except pa.errors.SchemaErrors as problem:
        return _failures(model, frame, problem.failure_cases)
    return pl.DataFrame(schema=FAILURES)


def _failures(model: type[pa.DataFrameModel], frame: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    whole = cases.filter(pl.col("index").is_null())
    if whole.height:
        first = whole.row(0, named=True)
        raise SchemaError(
            f"the table does not fit the model: {first['check']}, column {first['column']}:"
            f" {first['failure_case']}",
            where=model.__name__,
            fix="mend the model's column names and types",
        )
    of_row = pl.col("schema_context") == "DataFrameSchema"
    found = [_column_failures(model, cases.filter(~of_row))]
    specs = {spec.rule.name: spec for spec in across_rules(model)}
    for (name,), group in cases.filter(of_row).group_by("check", maintain_order=True):
        found.append(_across_failures(specs[str(name)], frame, group["index"]))
    return pl.concat(found).sort("row", "check")


def _column_failures(model: type[pa.DataFrameModel], cases: pl.DataFrame) -> pl.DataFrame:
    kinds = cases.select("column", "check").unique(maintain_order=True)
    named = [_rule(model, column, str(text)) for column, text in kinds.iter_rows()]
    names = kinds.with_columns(
        pl.Series("name", [rule.name for rule, _ in named], pl.String),
        pl.Series("sentence", [rule.words for rule, _ in named], pl.String),
        pl.Series("severity", [rule.severity for rule, _ in named], pl.String),
        pl.Series("limit", [limit for _, limit in named], pl.String),
    )
    value = _short(pl.col("failure_case"))
    return cases.join(names, on=["column", "check"], how="left", maintain_order="left").select(
        pl.col("index").cast(pl.UInt32).alias("row"),
        pl.col("name").alias("check"),
        pl.col("column"),
        pl.col("failure_case").cast(pl.String).alias("value"),
        pl.concat_str(
            "sentence", pl.lit(": "), "column", pl.lit(" is "), value, pl.lit(", allowed is "), "limit"
        ).alias("message"),
        pl.col("severity"),
    )


def _across_failures(spec: Across, frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Failures of one rule over several columns; the value names each of them."""
    values = [pl.format("{}={}", pl.lit(name), _short(pl.col(name))) for name in spec.columns]
    limits = "".join(f", {name} {limit:g}" for name, limit in spec.limits.items())
    return (
        frame.select(spec.columns)[rows.cast(pl.UInt32)]
        .select(value=pl.concat_str(values, separator=", "))
        .select(
            rows.cast(pl.UInt32).alias("row"),
            pl.lit(spec.rule.name).alias("check"),
            pl.lit(", ".join(spec.columns)).alias("column"),
            "value",
            pl.concat_str(pl.lit(f"{spec.rule.words}: "), "value", pl.lit(limits)).alias("message"),
            pl.lit(spec.rule.severity).alias("severity"),
        )
    )


def _short(value: pl.Expr) -> pl.Expr:
    """A value for a sentence: numbers to six digits."""
    text = value.cast(pl.String)
    number = text.str.contains(r"^-?\d+\.\d+(e-?\d+)?$")
    rounded = text.cast(pl.Float64, strict=False).round_sig_figs(6).cast(pl.String)
    return pl.when(number).then(rounded).otherwise(text).fill_null("nothing")


def _rule(model: type[pa.DataFrameModel], column: str, text: str) -> tuple[Rule, str]:
    """The rule behind a failed Pandera check, and its limit in words."""
    name, _, rest = text.partition("(")
    side, words = _SIDES.get(name, (name, name.replace("_", " ")))
    limit = f"{words} {rest.rstrip(')')}".strip()
    for metadata in _inherited_metadata(model, column):
        if side in metadata:
            return metadata[side], limit
    return Rule(f"{column}_{side}", f"{column} breaks a rule", "error"), limit


def describe(model: type[pa.DataFrameModel]) -> Iterator[tuple[Rule, str, str]]:
    """Every rule of a model with its column and its limit in words."""
    for name, column in model.to_schema().columns.items():
        for limit in column.checks:
            rule, words = _rule(model, name, str(limit.error or limit.name))
            yield rule, name, words
        if not column.nullable and any("missing" in one for one in _inherited_metadata(model, name)):
            rule, words = _rule(model, name, "not_nullable")
            yield rule, name, words
    for spec in across_rules(model):
        limits = ", ".join(f"{name} {limit:g}" for name, limit in spec.limits.items())
        yield spec.rule, ", ".join(spec.columns), limits


def _inherited_metadata(model: type[pa.DataFrameModel], column: str) -> Iterator[dict[str, Any]]:
    for base in model.__mro__:
        if issubclass(base, pa.DataFrameModel) and base is not pa.DataFrameModel:
            field = base.to_schema().columns.get(column)
            if field is not None and field.metadata is not None:
                yield field.metadata


def load_model(project: Path, reference: str) -> type[pa.DataFrameModel]:
    """The Pandera model that a recipe names, such as ``schemas/images.py:SteelSurface``.

    Raises:
        SchemaError: The file or the class is not there, or the file is no Python that runs.
    """
    file, _, name = reference.partition(":")
    path = project / file
    if not path.is_file():
        raise SchemaError(
            "there is no such schema file", where=str(path), fix="'tundish init' lays out schemas/"
        )
    # A name of its own, so that two projects in one process do not share a module.
    unique = f"_tundish_schema_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(unique, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except (
        SyntaxError,
        ImportError,
        NameError,
        AttributeError,
        TypeError,
        pa.errors.SchemaInitError,
    ) as problem:
        raise SchemaError(f"the schema file does not run ({problem})", where=str(path)) from problem
    model = getattr(module, name, None)
    if not (isinstance(model, type) and issubclass(model, pa.DataFrameModel)):
        there = ", ".join(
            key
            for key, value in vars(module).items()
            if isinstance(value, type)
            and issubclass(value, pa.DataFrameModel)
            and value is not pa.DataFrameModel
        )
        raise SchemaError(
            f"there is no Pandera model '{name}'", where=str(path), fix=f"it has: {there or 'none'}"
        )
    return model
