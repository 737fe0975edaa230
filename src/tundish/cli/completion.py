"""``tundish completion``: what makes a shell complete commands, options and names of datasets."""

from __future__ import annotations

import click

__all__ = ["COMMANDS"]

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options and names of datasets in your SHELL.

    \b
    Example:
      echo 'eval "$(tundish completion bash)"' >> ~/.bashrc
      echo 'eval "$(tundish completion zsh)"' >> ~/.zshrc
      tundish completion fish > ~/.config/fish/completions/tundish.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    command = click.get_current_context().find_root().command
    # As it calls the program, whatever this process was started as.
    click.echo(kind(command, {}, "tundish", "_TUNDISH_COMPLETE").source())


COMMANDS = {"completion": completion}
