"""The house holds: rooms import downwards only, stay small, say what is public, and do not print."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "tundish"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS: tuple[tuple[str, ...], ...] = (
    ("neutral",),
    ("errors", "results"),
    ("domain", "engine", "imaging", "rules", "sources", "storage", "tabular"),
    ("audit", "demo", "formats", "gallery"),
    ("recipe",),
    ("labeling",),
    ("stages",),
    ("propose",),
    ("api",),
    ("cli",),
)
"""The floors of the house, the ground first. A room may import what lies on lower floors, and itself."""

FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}

DOORS = {"": "the package itself offers the API", "__main__": "python -m tundish is the command line"}
"""Modules beside the floors."""

MOST_MODULES = 16
"""Side by side in a folder: more are several jobs."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All nodes of a module, as ast.walk() comes to them."""
    return list(ast.walk(tree_of(path)))


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """The project's modules that a module names in its imports, also those for type checkers only."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "tundish"}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its decorators, comments and signature included, its docstring not."""
    assert function.end_lineno is not None
    count = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None and first.end_lineno is not None:
        count -= first.end_lineno - first.lineno + 1
    return count


def defined(tree: ast.Module) -> set[str]:
    """The functions and classes of a module, private ones too."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {node.name for node in tree.body if isinstance(node, kinds)}


def known(path: Path) -> set[str]:
    """All names at the top of a module: defined, assigned or imported."""
    names = defined(tree_of(path))
    for node in nodes_of(path):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def declared_names(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


DECLARED = {name_of(path): declared_names(tree_of(path)) or [] for path in MODULES}

every_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_there_are_modules() -> None:
    assert len(MODULES) > 20


def arrows() -> dict[str, set[str]]:
    """What each module imports, modules only; `from tundish.x import y` may mean x.y."""
    names = {name_of(path) for path in MODULES}
    found = {}
    for path in MODULES:
        targets = imports(path)
        modules = {target if target in names else target.rpartition(".")[0] for target in targets}
        found[name_of(path)] = (modules & names) - {name_of(path)}
    return found


def between(siblings: str, arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows between what lies side by side in the folder `siblings`: modules and folders."""

    def place(module: str) -> str:
        return module.removeprefix(f"{siblings}.").partition(".")[0]

    inside = {module: targets for module, targets in arrows.items() if module.startswith(f"{siblings}.")}
    found: dict[str, set[str]] = {place(module): set() for module in inside}
    for module, targets in inside.items():
        found[place(module)] |= {place(target) for target in targets if target in inside} - {place(module)}
    return found


ARROWS = arrows()
FOLDERS = sorted({name_of(path) for path in MODULES if path.name == "__init__.py"})


def test_there_is_no_import_circle() -> None:
    """Also not of imports for type checkers only."""
    assert list(TopologicalSorter(ARROWS).static_order())


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_side_by_side_do_not_import_each_other_in_circles(folder: str) -> None:
    list(TopologicalSorter(between(folder, ARROWS)).static_order())


UPSTAIRS = sorted(set(ARROWS) - {f"tundish.{door}".rstrip(".") for door in DOORS})


@pytest.mark.parametrize("module", UPSTAIRS)
def test_imports_point_downwards(module: str) -> None:
    room = room_of(module)
    assert room in FLOOR, f"say in FLOORS on which floor '{room}' is"
    strangers = {room_of(target) for target in ARROWS[module]} - {room}
    assert not {other for other in strangers if FLOOR.get(other, len(FLOORS)) >= FLOOR[room]}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_can_be_read_at_a_glance(folder: str) -> None:
    """Few modules, and a docstring that says what the folder is for and what it must not know."""
    path = PACKAGE.parent.joinpath(*folder.split("."))
    assert len([one for one in path.glob("*.py") if one.name != "__init__.py"]) <= MOST_MODULES
    about = ast.get_docstring(tree_of(path / "__init__.py")) or ""
    assert about.count(".") >= 2, "say in two sentences what it is for and what it must not know"


BESIDE = {"docs", "e2e", "schemas"}
"""Folders of tests for what is more than one room."""


def test_the_tests_follow_the_same_tree() -> None:
    tests = Path(__file__).parent
    folders = {
        path.relative_to(tests)
        for path in tests.rglob("*")
        if path.is_dir() and path.name != "__pycache__" and any(path.glob("*.py"))
    }
    strange = {folder for folder in folders if not (PACKAGE / folder).is_dir()}
    assert {str(folder) for folder in strange} == BESIDE


@every_module
def test_rooms_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "a module of more than 400 lines has two jobs"
    long = {
        node.name: code_lines(node)
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_lines(node) > 40
    }
    assert not long, "a function of more than 40 lines has two jobs"


@every_module
def test_public_names_are_declared(path: Path) -> None:
    """Functions and classes without an underscore are in `__all__`, and nothing is that is not there."""
    tree = tree_of(path)
    declared = declared_names(tree)
    if not tree.body:
        return
    if declared is None:
        assert path.stem in {"__main__", "__init__"}, "say in __all__ what is public"
        return
    assert len(set(declared)) == len(declared)
    assert set(declared) <= known(path)
    if (
        room_of(name_of(path)) != "cli"
    ):  # Click collects the commands; their functions bear the commands' names
        assert {name for name in defined(tree) if not name.startswith("_")} <= set(declared)


@every_module
def test_only_declared_names_are_imported(path: Path) -> None:
    strangers = []
    for node in nodes_of(path):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("tundish"):
            continue
        target = DECLARED.get(node.module or "", [])
        strangers += [
            f"{node.module}.{alias.name}"
            for alias in node.names
            if alias.name not in target and f"{node.module}.{alias.name}" not in DECLARED
        ]
    assert not strangers, "put them into the __all__ of their module"


@every_module
def test_everything_public_is_documented(path: Path) -> None:
    tree = tree_of(path)
    assert not tree.body or ast.get_docstring(tree), "say in the module's docstring what it is for"
    bare = []
    for node in tree.body:
        if not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) or node.name.startswith("_"):
            continue
        inner = node.body if isinstance(node, ast.ClassDef) else []
        methods = [n for n in inner if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
        bare += [
            item.name
            for item in (node, *methods)
            if not ast.get_docstring(item) and "overload" not in map(ast.unparse, item.decorator_list)
        ]
    assert not bare


@every_module
def test_one_module_prints_for_the_command_line(path: Path) -> None:
    """What others named is made harmless there, and --quiet is heeded."""
    if path.name == "_progress.py":
        return
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
    assert "click.echo" not in {ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)}


@every_module
def test_only_the_command_line_prints(path: Path) -> None:
    if room_of(name_of(path)) == "cli":
        return
    calls = [node.func for node in nodes_of(path) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]
    streams = [
        call for call in calls if isinstance(call, ast.Attribute) and call.attr in {"write", "writelines"}
    ]
    assert not [ast.unparse(call) for call in streams if ast.unparse(call).startswith("sys.std")]
