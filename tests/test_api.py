"""The public Python API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tundish
from tundish.stages import ABOUT, between, load_stage

if TYPE_CHECKING:
    from pathlib import Path


def test_public_names_are_the_intended_ones() -> None:
    assert sorted(tundish.__all__) == tundish.__all__
    for name in set(tundish.__all__) - {"Progress"}:  # an alias, which carries no docstring
        assert getattr(tundish, name).__doc__
    public = {name for name in vars(tundish) if not name.startswith("_")}
    helpers = {"annotations", "importlib", "TYPE_CHECKING", "Any"}
    modules = {name for name in public if type(getattr(tundish, name)).__name__ == "module"}
    assert public - helpers - modules <= set(tundish.__all__)


def test_errors_say_what_where_and_how_to_mend() -> None:
    error = tundish.UsageError("the thing is broken", where="a.yaml:3", fix="mend it")
    assert str(error) == "a.yaml:3: the thing is broken; mend it."
    assert str(tundish.GateError("no")) == "no."
    codes = [error.exit_code for error in (tundish.GateError, tundish.UsageError, tundish.OutsideError)]
    assert codes == [1, 2, 3]


def test_read_table__unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(tundish.UsageError, match="choose one of annotations, consensus, coverage"):
        tundish.read_table("nonsense", "x", project=tmp_path)


def test_read_table__before_its_stage_has_run(tmp_path: Path) -> None:
    with pytest.raises(tundish.UsageError, match="run 'tundish split NAME' first"):
        tundish.read_table("splits", "x", project=tmp_path)


def test_between__stages_by_name() -> None:
    assert between(None, None) == list(ABOUT)
    assert between("dedup", "split") == ["dedup", "consensus", "link", "split"]
    with pytest.raises(tundish.UsageError, match="unknown stage 'nope'"):
        between("nope", None)
    with pytest.raises(tundish.UsageError, match="comes after"):
        between("split", "dedup")


@pytest.mark.parametrize("name", list(ABOUT))
def test_stages__are_called_what_they_are_listed_as(name: str) -> None:
    assert load_stage(name).name == name
