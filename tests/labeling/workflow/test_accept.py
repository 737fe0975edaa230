"""How a batch is to be inspected: by the options, and else by the recipe."""

from __future__ import annotations

from typing import Any

import pytest

from tundish.errors import UsageError
from tundish.labeling.workflow.accept import batch_options
from tundish.recipe.load import Recipe


def recipe(**acceptance: Any) -> Recipe:
    label = {"acceptance": acceptance} if acceptance else {}
    return Recipe.model_validate(
        {"dataset": "line", "sources": [{"path": "raw", "format": "folders"}], "label": label}
    )


def test_options_go_before_the_recipe() -> None:
    strict = recipe(aql=0.65, level="III", per="annotator", reduced=True)
    found = batch_options(strict)
    assert (found.aql, found.level, found.per_annotator, found.reduced) == (0.65, "III", True, True)
    found = batch_options(strict, aql=4.0, severity="reduced", seed=3, annotator="li")
    assert (found.aql, found.level, found.severity, found.seed) == (4.0, "III", "reduced", 3)
    assert found.annotator == "li"


def test_without_a_recipe_s_section_it_is_as_the_batch_before() -> None:
    found = batch_options(recipe())
    assert (found.aql, found.level, found.lq) == (None, None, None)


def test_an_isolated_batch_has_neither_aql_nor_level() -> None:
    found = batch_options(recipe(aql=0.65, level="III"), lq=5.0)
    assert (found.aql, found.level, found.lq, found.ac) == (None, None, 5.0, 0)
    assert batch_options(recipe(), lq=5.0, ac=1).ac == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aql": 1.0, "lq": 5.0}, "--lq: an AQL and an LQ do not go together; name one of them."),
        ({"ac": 1}, "--ac: an AQL has its Ac from the standard; name it with --lq alone."),
        ({"lq": 5.0, "ac": -1}, "--ac: an Ac of -1; name 0 or more."),
        ({"severity": "harsh"}, "'harsh'"),
        ({"annotator": "li"}, "a batch holds the work of all annotators"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        batch_options(recipe(), **options)
    assert message in str(refused.value)
