"""The names of formats on the command line, looked up when they are needed: packages may add some."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = ["WrittenFormat"]


class WrittenFormat(click.ParamType[str]):
    """The name of a format that can be written."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002
        """All names, as click shows choices."""
        from tundish.formats.registry import writer_names

        return f"[{'|'.join(writer_names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The name, if there is such a format.

        Raises:
            UsageError: There is none, it is broken, or it is only read.
        """
        from tundish.formats.registry import check_writer

        return check_writer(str(value))

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """The names that begin so."""
        from tundish.formats.registry import writer_names

        return [CompletionItem(name) for name in writer_names() if name.startswith(incomplete)]
