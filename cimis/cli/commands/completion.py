"""``cimis completion``: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cimis.cli.options import declare

__all__ = ["command"]


@declare(
    "completion",
    examples=[
        "cimis completion bash",
        "cimis completion zsh > ~/.cimis-completion.zsh",
        "cimis completion fish",
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> None:
    """Print the completion script for a shell.

    Load it from the shell's start-up file: eval "$(cimis completion bash)", the same with zsh, and
    cimis completion fish | source.
    """
    from cimis.cli.app import cli

    completer = get_completion_class(shell)
    assert completer is not None
    click.echo(completer(cli, {}, "cimis", "_CIMIS_COMPLETE").source())
