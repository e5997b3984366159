"""``cimis help``: what a command does and takes."""

from __future__ import annotations

import click

from cimis.cli.completing import commands
from cimis.cli.options import declare

__all__ = ["command"]


@declare("help", examples=["cimis help", "cimis help fetch", "cimis help fetch-streaming"])
@click.argument("name", metavar="[COMMAND]", required=False, shell_complete=commands)
@click.pass_context
def command(context: click.Context, name: str | None) -> None:
    """Say what a command does and takes, as 'cimis COMMAND --help'; without one, list them all."""
    whole = context.find_root()
    if name is None:
        click.echo(whole.get_help())
        return
    assert isinstance(whole.command, click.Group)
    named, found, _ = whole.command.resolve_command(whole, [name])
    assert found is not None
    click.echo(found.context_class(found, parent=whole, info_name=named).get_help())
