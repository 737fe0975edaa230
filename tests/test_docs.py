"""The documentation says what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tundish.cli import main
from tundish.stages import ABOUT

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "tundish"
WIDTH = 110
"""Columns of a page."""

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])


def test_generated_pages_are_up_to_date() -> None:
    """In a process of its own: click keeps the help option with which a command was called first."""
    command = [sys.executable, "-m", "tools.generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run 'make docs': {done.stdout}{done.stderr}"


every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def anchors(page: Path) -> set[str]:
    """What links may lead to inside a page, as GitHub names it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for target, anchor in re.findall(
        r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")
    ):
        there = page.parent / target if target else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            missing.append(f"{target}#{anchor}")
    assert missing == []


@every_page
def test_pages_are_narrow(page: Path) -> None:
    """Only the rows of tables may be wider: Markdown cannot break them."""
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
    wide = [number for number, line in lines if len(line) > WIDTH and not line.startswith("|")]
    assert wide == []


def test_editors_and_hooks_agree_with_ruff() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    settings = (ROOT / ".editorconfig").read_text(encoding="utf-8")
    lengths = {int(length) for length in re.findall(r"max_line_length = (\d+)", settings)}
    assert lengths == {ruff["line-length"], WIDTH}
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {repo["repo"] for repo in hooks} == {"local"}, "tools come from the environment"


def test_the_citation_names_the_version_that_is_built() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"], citation["abstract"]) == (
        project["version"],
        project["license"],
        project["description"],
    )


def test_the_workflow_calls_what_anybody_can_call() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert steps == [".ci/run"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"}
    assert pages <= set(re.findall(r"\]\(([\w.-]+)\)", index))


def test_the_architecture_page_names_the_folders_that_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.partition("src/tundish/\n")[2].partition("```")[0]
    named = re.findall(r"^ +(\w+)/ ", drawing, re.MULTILINE)
    assert sorted(named) == sorted(path.parent.name for path in PACKAGE.glob("*/**/__init__.py"))


def test_the_architecture_page_draws_every_stage() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = page.partition("```mermaid\n")[2].partition("```")[0]
    assert set(ABOUT) <= set(re.findall(r"\w+", drawing))


def test_readme_names_only_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\$ tundish ([a-z]+)|`tundish ([a-z]+)", text))
    assert {first or second for first, second in named} <= set(main.list_commands(None))  # type: ignore[arg-type]


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\$ make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
