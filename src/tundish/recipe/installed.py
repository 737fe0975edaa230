"""Names in a recipe that depend on what is installed: checked when a recipe is read, listed in its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

__all__ = ["Installed"]


@dataclass(frozen=True)
class Installed:
    """Annotates a text that must be the name of something installed.

    Args:
        check: Returns a name that is known, and raises a UsageError for another one.
        names: All of them, for the JSON schema.
    """

    check: Callable[[str], str]
    names: Callable[[], list[str]]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": self.names(), "type": "string"}

    def _checked(self, name: str) -> str:
        try:
            return self.check(name)
        except UsageError as error:
            # What is wrong and how to fix it, in the form that errors of the recipe split.
            where = f" ({error.where})" if error.where else ""
            raise ValueError(f"{error.what}{where}; {error.fix}") from error
