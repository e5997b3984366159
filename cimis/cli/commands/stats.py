"""``cimis stats``: what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cimis.cli.options import data_dir, declare, option, printing
from cimis.cli.showing.lists import show_list
from cimis.cli.showing.output import Output
from cimis.cli.showing.wanted import Form, listing

if TYPE_CHECKING:
    from cimis.pipeline.catalog.database import ChunkRow

__all__ = ["command"]

_COLUMNS = (
    *("scope", "stations", "chunks", "rows", "first", "last", "bytes", "bytes_per_row"),
    *("provisional", "v1"),
)


@declare(
    "stats",
    examples=["cimis stats", "cimis stats --by station", "cimis stats --by year --format md"],
)
@option(
    "--by",
    type=click.Choice(["scope", "station", "year"]),
    default="scope",
    show_default=True,
    help="One line per scope, per scope and station, or per scope and year.",
)
@listing()
@data_dir
@printing(talks=True)
def command(*, by: str, form: Form, data_dir: str | None, out: Output) -> None:
    """Show what is stored: stations, chunks, rows, first and last day, bytes on disk.

    Provisional counts chunks with days that may still change; v1 those in the older format.
    """
    from cimis.cli.session import data_root
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(data_root(data_dir)) as catalog:
        chunks = catalog.chunks()
    groups: dict[tuple[Any, ...], list[ChunkRow]] = {}
    for chunk in chunks:
        scope = chunk.scope.value if chunk.target is None else f"spatial_{chunk.scope}"
        name = chunk.target if chunk.target and by == "station" else getattr(chunk, by)
        key = (scope,) if by == "scope" else (scope, name)
        groups.setdefault(key, []).append(chunk)
    columns = _COLUMNS if by == "scope" else (_COLUMNS[0], by, *_COLUMNS[1:])
    ordered = sorted(groups.items(), key=lambda group: tuple(map(_order, group[0])))
    rows = [(*key, *_figures(found)) for key, found in ordered]
    show_list(columns, rows, form=form, out=out, spare=("v1", "bytes_per_row", "provisional"))
    if not chunks:
        out.note("nothing is stored yet; 'cimis fetch --help' shows how to fetch")


def _order(part: Any) -> tuple[bool, str, int]:
    """Sort texts and numbers beside each other; what is unknown comes last."""
    return (
        part is None,
        part if isinstance(part, str) else "",
        part if isinstance(part, int) else 0,
    )


def _figures(chunks: Sequence[ChunkRow]) -> tuple[Any, ...]:
    rows = sum(chunk.rows for chunk in chunks)
    size = sum(chunk.file_bytes for chunk in chunks)
    return (
        len({(chunk.station, chunk.target) for chunk in chunks}),
        len(chunks),
        rows,
        min(chunk.first_day for chunk in chunks),
        max(chunk.last_day for chunk in chunks),
        size,
        round(size / rows, 2) if rows else None,
        sum(chunk.state == "provisional" for chunk in chunks),
        sum(chunk.format == "v1" for chunk in chunks),
    )
