"""Turn a chunk file's description into its row of the catalog."""

from __future__ import annotations

from datetime import UTC, datetime

from cimis.pipeline.catalog.database import ChunkRow
from cimis.pipeline.chunks.files import ChunkInfo
from cimis.pipeline.chunks.statistics import of_footer

__all__ = ["chunk_row"]


def chunk_row(
    info: ChunkInfo,
    *,
    source: str,
    provisional_from_s: int | None = None,
    fetched_at: datetime | None = None,
) -> ChunkRow:
    """Return the catalog's row of a chunk.

    Parameters
    ----------
    info : ChunkInfo
    source : str
        Where its newest rows came from: a base URL, a file's name, ``rebuilt``.
    provisional_from_s : int, optional
        First time (seconds since 1970-01-01 PST) that may still change.
    fetched_at : datetime, optional
        With zone; now where it is not given.
    """
    footer = info.footer
    moment = fetched_at or datetime.now(UTC)
    return ChunkRow(
        path=info.key.relative_path().as_posix(),
        scope=info.key.scope,
        station=info.key.station,
        target=info.key.target,
        year=info.key.year,
        format=info.format,
        rows=footer.rows,
        first_s=footer.first_time_s,
        last_s=footer.last_time_s,
        file_bytes=info.file_bytes,
        checksum=info.checksum,
        items=tuple(column.code for column in footer.columns),
        provisional_from_s=provisional_from_s,
        fetched_at=moment.isoformat(timespec="seconds"),
        source=source,
        statistics=of_footer(footer).to_bytes(),
    )
