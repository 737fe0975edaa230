"""Load the Pandera models of a project's schema files, by path."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

import pandera.polars as pa

from tundish.errors import SchemaError

if TYPE_CHECKING:
    from pathlib import Path
    from types import CodeType

__all__ = ["load_model", "models_of"]

_BROKEN = (SyntaxError, ImportError, NameError, AttributeError, TypeError, pa.errors.SchemaInitError)

_LOADED: dict[str, tuple[str, list[type[pa.DataFrameModel]]]] = {}
"""What a schema file defined, by the name of its module, with the SHA-256 of its text: to build the models
takes a second, and several stages of one run ask for them."""


class _FromSource(SourceFileLoader):
    """Compiles the text each time: bytecode that Python keeps is taken for current within one second."""

    def __init__(self, fullname: str, path: str, text: bytes) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  (the importer's own signature)
        return compile(self._text, self.path, "exec", dont_inherit=True)


def load_model(project: Path, reference: str) -> type[pa.DataFrameModel]:
    """Load the Pandera model that a recipe names, such as ``schemas/images.py:SteelSurface``.

    Raises:
        SchemaError: The file or the class does not exist, the file does not run, or Pandera cannot build the
            model.
    """
    file, _, name = reference.partition(":")
    models = {model.__name__: model for model in models_of(project / file)}
    if name not in models:
        raise SchemaError(
            f"there is no Pandera model '{name}'",
            where=str(project / file),
            fix=f"it has: {', '.join(models) or 'none'}",
        )
    try:
        models[name].to_schema()
    except _BROKEN as problem:
        raise SchemaError(
            f"Pandera cannot build the model '{name}' ({problem})", where=str(project / file)
        ) from problem
    return models[name]


def models_of(path: Path) -> list[type[pa.DataFrameModel]]:
    """The Pandera models that a schema file defines, in its order.

    Raises:
        SchemaError: The file does not exist, or does not run.
    """
    if not path.is_file():
        raise SchemaError(
            "there is no such schema file", where=str(path), fix="'tundish init' creates schemas/"
        )
    # A name of its own, so that two projects in one process do not share a module.
    unique = f"_tundish_schema_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    text = path.read_bytes()
    content = hashlib.sha256(text).hexdigest()
    if unique in _LOADED and _LOADED[unique][0] == content:
        return list(_LOADED[unique][1])
    loader = _FromSource(unique, str(path), text)
    spec = importlib.util.spec_from_loader(unique, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        loader.exec_module(module)
    except _BROKEN as problem:
        raise SchemaError(f"the schema file does not run ({problem})", where=str(path)) from problem
    models = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, pa.DataFrameModel) and value.__module__ == unique
    ]
    _LOADED[unique] = (content, models)
    return list(models)
