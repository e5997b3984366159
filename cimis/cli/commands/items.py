"""``cimis items``: the data items of the network."""

from __future__ import annotations

import click

from cimis.cli.options import declare, option, printing
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, listing
from cimis.pipeline.field.items import ITEMS, Scope, Standard, default_items

__all__ = ["command"]

_COLUMNS = ("item", "code", "scope", "metric", "english", "default", "meaning")


@declare("items", examples=["cimis items", "cimis items --scope hourly -o items.html"])
@option(
    "--scope",
    type=click.Choice(["daily", "hourly"]),
    once="leave it out for both",
    help="Daily or hourly records; else the items of both.",
)
@listing()
@printing(talks=True)
def command(*, scope: str | None, form: Form, out: Output) -> None:
    """List the data items with meaning, units, and whether they are fetched by default."""
    rows = [
        (
            item.column,
            item.code,
            item.scope.value,
            item.symbol(Standard.METRIC),
            item.symbol(Standard.ENGLISH),
            item in default_items(item.scope),
            item.description,
        )
        for item in ITEMS
        if scope is None or item.scope is Scope(scope)
    ]
    show_list(_COLUMNS, rows, form=form, out=out, spare=("default", "code", "scope"))
