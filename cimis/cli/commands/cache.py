"""``cimis cache``: what the read cache holds, and how to empty it."""

from __future__ import annotations

import click

from cimis.cli.options import data_dir, declare, printing, read_cache
from cimis.cli.output import Output

__all__ = ["command"]


@declare("cache", examples=["cimis cache stats", "cimis cache clear"])
@click.argument("action", type=click.Choice(["stats", "clear"]))
@read_cache
@data_dir
@printing(talks=True)
def command(*, action: str, cache: str | None, data_dir: str | None, out: Output) -> None:
    """Show what the read cache on disk holds, or delete it.

    The cache is used where --cache, CIMIS_CACHE or the configuration file gives it a size. It is
    bounded by that size, shared by processes, and never stale; deleting it is always safe.
    """
    from cimis.cli.session import cache_size, data_root
    from cimis.parsing import parse_size
    from cimis.store import data_directory
    from queries.cache import ReadCache, cache_folder

    root = data_directory(data_root(data_dir))
    size = cache_size(cache)
    kept = ReadCache(0 if size is None else parse_size(size), cache_folder(root))
    try:
        if action == "clear":
            out.note(f"deleted the read cache: {kept.clear():,} bytes freed")
            return
        stats = kept.stats()
    finally:
        kept.close()
    out.facts(
        {
            "path": stats.path,
            "limit_bytes": None if size is None else stats.limit_bytes,
            "entries": stats.disk_entries,
            "bytes": stats.disk_bytes,
        }
    )
