"""Which server and which token a use case takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tundish.errors import OutsideError, UsageError
from tundish.labeling.workflow.session import Session, executable_of
from tundish.recipe.load import Recipe
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "f" * 40


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", TOKEN)
    recipe = Recipe.model_validate({"dataset": "line", "sources": [{"path": "raw", "format": "folders"}]})
    return Session(DatasetFolder("line", tmp_path), recipe)


def addressed(session: Session, server: str | None = None) -> str:
    with Session(session.dataset, session.recipe, server).connect() as client:
        return client.address


def test_the_argument_goes_before_the_environment_and_that_before_the_recipe(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = session.recipe.label.model_copy(update={"server": "http://recipe:1"})
    session = Session(session.dataset, session.recipe.model_copy(update={"label": label}))
    assert addressed(session) == "http://recipe:1"
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://environment:1")
    assert addressed(session) == "http://environment:1"
    assert addressed(session, "http://argument:1") == "http://argument:1"


def test_no_server_is_configured(session: Session) -> None:
    with pytest.raises(UsageError, match="no Label Studio server is configured; start one with 'tundish"):
        session.connect()


def test_the_project_s_own_server_is_not_running_any_more(session: Session) -> None:
    home = session.dataset.project / ".label-studio"
    home.mkdir()
    (home / "address").write_text("http://127.0.0.1:1\n")
    with pytest.raises(OutsideError, match="start it again with 'tundish label start'"):
        session.connect()


def test_steps_are_reported_by_name(session: Session) -> None:
    seen: list[tuple[str, int, int]] = []
    watched = Session(session.dataset, session.recipe, progress=lambda *step: seen.append(step))
    watched.step("push")(1, 2)
    assert seen == [("push", 1, 2)]


def test_where_label_studio_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNDISH_LABEL_STUDIO", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="Label Studio is not installed; run 'python -m venv"):
        executable_of(tmp_path)
    own = tmp_path / ".venv-label-studio" / "bin" / "label-studio"
    own.parent.mkdir(parents=True)
    own.touch()
    assert executable_of(tmp_path) == own
    monkeypatch.setenv("TUNDISH_LABEL_STUDIO", "/opt/label-studio")
    assert str(executable_of(tmp_path)) == "/opt/label-studio"
