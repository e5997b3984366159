"""Bring a data directory of an older cimis up to date: its catalog's tables, and drafts of chunks.

It happens by itself when a data directory is opened, once, and is told by the catalog's revision
(``docs/upgrades.md``). Nothing is lost when it is ended: what was done stays, and the rest is done
next time.
"""

from __future__ import annotations

from pathlib import Path

from cimis.pipeline.catalog.database import Catalog, ChunkRow
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkInfo, ChunkKey
from cimis.pipeline.chunks.files import describe, load
from cimis.pipeline.chunks.v2.container import read_footer
from cimis.pipeline.chunks.v2.draft import as_v2, is_draft
from cimis.pipeline.errors import CimisError
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import chunk_locked

__all__ = ["renewed", "upgrade"]


def upgrade(root: Path) -> bool:
    """Bring a data directory up to date; tell whether it is.

    Where it cannot be written to, or another process writes to it, it stays as it was: what can be
    read of it is read, and the next opening tries again.
    """
    try:
        with Catalog(root, create=True) as catalog:
            for row in catalog.chunks():
                _upgrade_chunk(root, row, catalog)
            catalog.put_revision()
    except CimisError:
        return False
    return True


def _upgrade_chunk(root: Path, row: ChunkRow, catalog: Catalog) -> None:
    path = root / row.path
    if row.format != "v2" or not storage_of(path).exists(path) or not _may_be_draft(path):
        return
    with chunk_locked(root, row.path, timeout_s=5.0):
        info = renewed(path)
        if info is not None:
            now = chunk_row(info, source=row.source, provisional_from_s=row.provisional_from_s)
            catalog.put_chunks([now._replace(fetched_at=row.fetched_at)])


def _may_be_draft(path: Path) -> bool:
    """Tell whether a chunk may be of the draft, by its end alone and without its lock."""
    try:
        read_footer(path)
    except CimisError:
        return True
    return False


def renewed(path: Path) -> ChunkInfo | None:
    """Rewrite a chunk of the draft of V2 as V2, in its place; None where it is no such chunk.

    The caller holds the chunk's lock. A damaged draft is left as it is.
    """
    try:
        old = load(path)
        if not is_draft(old):
            return None
        key, new = ChunkKey.of_path(path), as_v2(old)
        describe(path, new, key)
    except CimisError:
        return None
    with disk_errors(path, "write"):
        return storage_of(path).put(path, new, lambda data: describe(path, data, key))
