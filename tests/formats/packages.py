"""Packages that add formats, installed as an installer leaves them: a module and its `.dist-info`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "your-own-format.md"


def install(folder: Path, package: str, points: dict[str, str], modules: dict[str, str]) -> None:
    """Put a package into `folder`, which the caller puts on Python's path.

    Args:
        folder: Takes the place of site-packages.
        package: Name of the package.
        points: Its entry points in the group tundish.formats.
        modules: Text of its modules by their file name.
    """
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    for name, text in modules.items():
        (folder / name).write_text(text, encoding="utf-8")
    lines = [f"{name} = {place}" for name, place in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[tundish.formats]", *lines, ""]), encoding="utf-8")
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in modules), encoding="utf-8")


def install_page(folder: Path) -> None:
    """Install the package of docs/your-own-format.md, as it is on the page."""
    blocks = dict(re.findall(r"```(toml|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    project = tomllib.loads(blocks["toml"])["project"]
    points = project["entry-points"]["tundish.formats"]
    (module,) = {place.partition(":")[0] for place in points.values()}
    install(folder, project["name"], points, {f"{module}.py": blocks["python"]})


def tundish(packages: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own that has the packages."""
    path = os.pathsep.join([str(packages), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "tundish", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
