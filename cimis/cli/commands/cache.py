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
    """Show what the caches on disk hold, or delete them.

    Decoded columns are kept where --cache, CIMIS_CACHE or the configuration file gives a size; what
    questions of few rows read is kept without that too, up to 16 MB, unless the size is 0. Both are
    bounded, shared by processes, and never stale; deleting them is always safe.
    """
    from cimis.cli.session import cache_size, data_root
    from cimis.store import data_directory
    from queries.cache_disk import POINTS, READS, DiskCache, cache_folder, point_share

    folder = cache_folder(data_directory(data_root(data_dir)))
    size = cache_size(cache)
    share = point_share(size)
    bounds = {READS: (size or 0) - (share if size else 0), POINTS: share}
    caches = {kind: DiskCache(folder, bound, kind) for kind, bound in bounds.items()}
    if action == "clear":
        freed = sum(kept.clear() for kept in caches.values())
        out.note(f"deleted the read cache: {freed:,} bytes freed")
        return
    found = {kind: kept.size() for kind, kept in caches.items()}
    for kept in caches.values():
        kept.close()
    out.facts(
        {
            "path": str(folder),
            "limit_bytes": sum(bounds.values()),
            "entries": sum(entries for entries, _ in found.values()),
            "bytes": sum(size for _, size in found.values()),
            "point_entries": found[POINTS][0],
            "point_bytes": found[POINTS][1],
        }
    )
