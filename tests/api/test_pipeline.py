"""The public Python API."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tundish
from tundish.stages import ABOUT, between, load_stage


def test_public_names_are_the_intended_ones() -> None:
    assert sorted(tundish.__all__) == tundish.__all__
    for name in set(tundish.__all__) - {"Progress"}:  # an alias, which carries no docstring
        assert getattr(tundish, name).__doc__
    public = {name for name in vars(tundish) if not name.startswith("_")}
    helpers = {"annotations", "importlib", "TYPE_CHECKING", "Any"}
    modules = {name for name in public if type(getattr(tundish, name)).__name__ == "module"}
    assert public - helpers - modules <= set(tundish.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tundish.nonsense  # noqa: B018


def test_importing_the_package_is_cheap() -> None:
    heavy = "{'cv2', 'polars', 'pyarrow', 'numpy', 'pandera', 'pydantic', 'dvc', 'rich', 'click'}"
    code = f"import sys, tundish; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_errors_say_what_where_and_how_to_fix_it() -> None:
    error = tundish.UsageError("the thing is broken", where="a.yaml:3", fix="fix it")
    assert str(error) == "a.yaml:3: the thing is broken; fix it."
    assert str(tundish.GateError("no")) == "no."
    codes = [error.exit_code for error in (tundish.GateError, tundish.UsageError, tundish.OutsideError)]
    assert codes == [1, 2, 3]


def test_between__stages_by_name() -> None:
    assert between(None, None) == list(ABOUT)
    assert between("dedup", "split") == ["dedup", "consensus", "link", "split"]
    with pytest.raises(tundish.UsageError, match="no stage 'nope'"):
        between("nope", None)
    with pytest.raises(tundish.UsageError, match="comes after"):
        between("split", "dedup")


@pytest.mark.parametrize("name", list(ABOUT))
def test_stages__are_called_what_they_are_listed_as(name: str) -> None:
    assert load_stage(name).name == name
