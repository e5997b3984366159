"""Where the figures of a report come from: which files hold them, from where, and when revised."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cimis.pages.page import Block, Column, Note, Section, Table, Text
from cimis.pages.station.subject import Subject
from cimis.version import __version__

if TYPE_CHECKING:
    from cimis.pipeline.catalog.rows import ChunkRow

__all__ = ["provenance"]

_RECORDS = (
    "Records of the California Irrigation Management Information System (CIMIS), California "
    "Department of Water Resources, as they are stored; nothing is filled in or corrected. Days "
    f"are those of Pacific standard time. Reckoned by cimis {__version__}."
)


def provenance(subject: Subject, key: str, heading: str) -> Section:
    """Return the section of what is stored of the station and these days, and its revisions."""
    import polars as pl

    from cimis.pipeline.catalog.database import Catalog

    with Catalog(subject.opened.root) as catalog:
        held = [
            chunk
            for chunk in catalog.chunks(stations=[subject.station])
            if chunk.last_day >= subject.first and chunk.first_day <= subject.last
        ]
        paths = {chunk.path for chunk in held}
        changed = [one for one in catalog.changes() if one[0] in paths]
    rows = pl.DataFrame([_row(chunk) for chunk in held])
    blocks: list[Block] = [
        Text([_RECORDS]),
        Table(
            "Files that hold these days",
            rows,
            (
                Column("path", "File"),
                Column("scope", "Records"),
                Column("first", "From"),
                Column("last", "To"),
                Column("rows", "Rows"),
                Column("fetched", "Fetched", "UTC"),
                Column("source", "Source"),
                Column("state", "State"),
                Column("checksum", "Checksum of the file"),
            ),
            key="provenance",
        ),
    ]
    open_ones = [chunk for chunk in held if chunk.provisional_from is not None]
    if open_ones:
        since = min(chunk.provisional_from for chunk in open_ones if chunk.provisional_from)
        blocks.append(
            Note(
                [f"Days from {since} on are provisional: the network may still revise them."],
                "warning",
            )
        )
    blocks.append(_revisions(changed))
    return Section(key, heading, blocks)


def _row(chunk: ChunkRow) -> dict[str, object]:
    return {
        "path": chunk.path,
        "scope": chunk.scope.value,
        "first": chunk.first_day,
        "last": chunk.last_day,
        "rows": chunk.rows,
        "fetched": chunk.fetched_at.replace("T", " ").replace("+00:00", ""),
        "source": _source(chunk.source),
        "state": chunk.state,
        "checksum": chunk.checksum,
    }


def _source(text: str) -> str:
    """Return a source without what may stand before a server's name."""
    parts = urlsplit(text)
    if parts.scheme in ("http", "https") and parts.hostname:
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"
    return text


def _revisions(changed: list[tuple[str, str, int, int, int]]) -> Block:
    import polars as pl

    if not changed:
        return Text(["No stored record of these files was revised since it was first fetched."])
    frame = pl.DataFrame(
        [
            {
                "at": at.replace("T", " ").replace("+00:00", ""),
                "path": path,
                "added": added,
                "revised": revised,
                "filled": filled,
            }
            for path, at, added, revised, filled in changed
        ]
    )
    return Table(
        "Revisions: later fetches that changed these files",
        frame,
        (
            Column("at", "When", "UTC"),
            Column("path", "File"),
            Column("added", "Rows added"),
            Column("revised", "Rows revised"),
            Column("filled", "Rows filled"),
        ),
        key="revisions",
    )
