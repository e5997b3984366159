"""``cimis cache``: where the read cache lies and what it holds, and how to empty it."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, printing, read_cache
from cimis.cli.showing.output import Output

__all__ = ["command"]


@declare("cache", examples=["cimis cache stats", "cimis cache clear"])
@click.argument("action", type=click.Choice(["stats", "clear"]))
@read_cache
@data_dir
@printing(talks=True)
def command(*, action: str, cache: str | None, data_dir: str | None, out: Output) -> None:
    """Show where the read cache lies and what it holds, or delete it.

    It holds the rows of each scope once more, in the form that questions read fastest, and keeps
    itself up to date. Deleting it is always safe: the next question makes it again.
    """
    from cimis.cli.session import opened

    with opened(data_dir, cache, told=out.note) as store:
        if action == "clear":
            out.note(f"deleted the read cache: {store.clear_cache():,} bytes freed")
            return
        out.facts(store.cache_facts())
