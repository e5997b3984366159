"""``cimis migrate``: rewrite chunks from one format to the other."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cimis.cli.options import data_dir, declare, option, printing, stations_option
from cimis.cli.output import Output, counted
from cimis.parsing import parse_stations
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.catalog import Catalog, ChunkRow
    from pipeline.chunks import ChunkInfo, MergeCounts

__all__ = ["command"]


@declare(
    "migrate",
    examples=[
        "cimis migrate",
        "cimis migrate --stations 2,5-7 --dry-run",
        "cimis migrate --to v1 --output old-archive",
    ],
)
@option(
    "--to",
    "form",
    type=click.Choice(["v2", "v1"]),
    default="v2",
    show_default=True,
    help="Format to write.",
)
@option("--output", metavar="DIR", help="Write into another data directory; v1 needs one.")
@stations_option()
@option("--dry-run", is_flag=True, help="Say what would be rewritten; write nothing.")
@data_dir
@printing(talks=True)
def command(
    *,
    form: str,
    output: str | None,
    stations: str | None,
    dry_run: bool,
    data_dir: str | None,
    out: Output,
) -> None:
    """Rewrite chunks from V1 to V2 in place, or in either format into another directory.

    V1 cannot hold most items, the letters of flags, or values out of its range, so it is never
    written over V2: name another directory. What it could not hold is counted per item.
    """
    from cimis.cli.session import data_root
    from cimis.store import create
    from pipeline.catalog import Catalog

    root = data_root(data_dir)
    if form == "v1" and output is None:
        raise UsageError(
            "V1 in place would lose what it cannot hold", hint="add --output DIR for the copies"
        )
    target = Path(output).expanduser() if output else root
    with ExitStack() as stack:
        catalog = stack.enter_context(Catalog(root))
        chunks = catalog.chunks(stations=parse_stations(stations))
        if output is None:
            chunks = [chunk for chunk in chunks if chunk.format != form]
        losses: Counter[str] = Counter()
        if not dry_run:
            if output is not None:
                create(target).close()
                catalog = stack.enter_context(Catalog(target))
            for chunk in chunks:
                losses.update(_rewrite(root, target, chunk, form, catalog))
    if out.as_json:
        out.json({"chunks": len(chunks), "format": form, "dry_run": dry_run, "lost": losses})
    verb = "would be written" if dry_run else "written"
    out.note(f"{counted(len(chunks), 'chunk')} {verb} as {form}")
    for item, count in sorted(losses.items()):
        out.warn(f"{item}: {counted(count, 'value')} or flags lost, as V1 cannot hold them")


def _rewrite(
    root: Path, target: Path, chunk: ChunkRow, form: str, catalog: Catalog
) -> dict[str, int]:
    """Write one chunk in a format; return what the format could not hold, per item."""
    from datetime import datetime

    from pipeline.chunks import ChunkKey, read_scaled, store_rows
    from pipeline.entry import chunk_row

    key = ChunkKey(chunk.scope, chunk.year, station=chunk.station, target=chunk.target)

    def enter(info: ChunkInfo, _counts: MergeCounts) -> None:
        row = chunk_row(
            info,
            source=chunk.source,
            provisional_from_s=chunk.provisional_from_s,
            fetched_at=datetime.fromisoformat(chunk.fetched_at),
        )
        catalog.put_chunks([row])

    table = read_scaled(root / chunk.path)
    return store_rows(target, key, table, format=form, enter=enter).info.losses
