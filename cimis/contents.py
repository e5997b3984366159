"""What a data directory holds, as an open store shows it: of whom, which days, rows, bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cimis.pipeline.markup import FIRST, Card, Sheet, counted, sized

if TYPE_CHECKING:
    from cimis.pipeline.catalog.database import ChunkRow

__all__ = ["contents_of"]

_HEADS = ("rows of", "stations", "first day", "last day", "rows", "bytes", "may still change")


def contents_of(root: Path) -> Card:
    """Return what a data directory holds now, by its catalog alone.

    Raises
    ------
    StoreError
        When the catalog is not there, or damaged.
    """
    from cimis.pipeline.catalog.database import Catalog

    with Catalog(root) as catalog:
        chunks = catalog.chunks()
        known = {facts["number"]: facts for facts in catalog.stations()}
    if not chunks:
        notes = ("nothing is stored yet; next: fetch(stations, year=…) or import_archive(files)",)
        return Card("Store", str(root), notes=notes)
    kinds: dict[str, list[ChunkRow]] = {}
    for chunk in chunks:
        kinds.setdefault(
            chunk.scope.value if chunk.target is None else f"{chunk.scope} of targets", []
        ).append(chunk)
    whose = sorted({one.station for one in chunks if one.station is not None})
    targets = {chunk.target for chunk in chunks if chunk.target is not None}
    size = sum(chunk.file_bytes for chunk in chunks)
    stations = counted(len(whose), "station")
    if targets:
        stations += f", {counted(len(targets), 'spatial target')}"
    facts = {
        "holds": stations,
        "rows": f"{sum(chunk.rows for chunk in chunks):,} in {counted(len(chunks), 'chunk')}",
        "bytes": sized(size),
        "last stored": _moment(max(chunk.fetched_at for chunk in chunks)),
    }
    sheets = [Sheet("What is stored", _HEADS, [_figures(*one) for one in sorted(kinds.items())])]
    rows = []
    for number in whose[:FIRST]:
        said = known.get(number, {})
        rows.append((number, said.get("name"), said.get("county"), *_span(number, chunks)))
    if rows:
        heads = ("station", "name", "county", "first day", "last day")
        sheets.append(Sheet("Stations", heads, rows, len(whose)))
    return Card("Store", str(root), facts, sheets)


def _figures(kind: str, chunks: Sequence[ChunkRow]) -> tuple[object, ...]:
    return (
        kind,
        len({(chunk.station, chunk.target) for chunk in chunks}),
        min(chunk.first_day for chunk in chunks),
        max(chunk.last_day for chunk in chunks),
        f"{sum(chunk.rows for chunk in chunks):,}",
        sized(sum(chunk.file_bytes for chunk in chunks)),
        counted(sum(chunk.state == "provisional" for chunk in chunks), "chunk"),
    )


def _span(station: int, chunks: Sequence[ChunkRow]) -> tuple[dt.date, dt.date]:
    own = [chunk for chunk in chunks if chunk.station == station]
    return min(chunk.first_day for chunk in own), max(chunk.last_day for chunk in own)


def _moment(text: str) -> str:
    """Return a moment as people read it, in UTC, which the catalog keeps."""
    moment = dt.datetime.fromisoformat(text)
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
