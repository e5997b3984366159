"""Merge rows into a chunk of a data directory, under its lock; nothing stored is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from cimis.pipeline.chunks.arrow import take_apart
from cimis.pipeline.chunks.files import ChunkInfo, form_of, info_of, load, parts_of, write_parts
from cimis.pipeline.chunks.given.check import check
from cimis.pipeline.chunks.given.table import ArrowStream, rows_of
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.merge import MergeCounts, merge_parts
from cimis.pipeline.chunks.parts import Parts, same_rows
from cimis.pipeline.chunks.tables import put_together
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.keys import arrange
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.contract import Storage
from cimis.pipeline.storage.writers import chunk_locked

__all__ = ["Stored", "store_rows"]


@dataclass(frozen=True, slots=True)
class Stored:
    """The outcome of `store_rows`: the chunk now, what the merge did, whether bytes changed."""

    info: ChunkInfo
    counts: MergeCounts
    written: bool


def _form(
    wanted: str | None, stored: str | None, keep_whole: bool, holds: Callable[[], bool]
) -> str:
    """Return the form that a file is to have; ``holds`` tells whether V1 can hold all of it."""
    if wanted is None:
        return "v1" if stored == "v1" and holds() else "v2"
    if keep_whole and wanted == "v1" and stored == "v2" and not holds():
        return "v2"
    return wanted


def _v1_holds(parts: Parts, key: ChunkKey) -> bool:
    try:
        return not v1.encode_parts(parts, key)[1]
    except ChunkError:
        return False


def store_rows(
    root: Path,
    key: ChunkKey,
    table: ArrowStream,
    *,
    format: str | None = "v2",  # noqa: A002 - the word that users know
    keep_whole: bool = False,
    enter: Callable[[ChunkInfo, MergeCounts], None] | None = None,
    storage: Storage | None = None,
    settle: Callable[[pa.Table | None, pa.Table], pa.Table] | None = None,
) -> Stored:
    """Merge rows into a station-year of a data directory, under the chunk's lock.

    Parameters
    ----------
    root : Path
        The data directory.
    key : ChunkKey
    table : pyarrow.Table or anything with ``__arrow_c_stream__``
        Rows of the key as `write_chunk` takes them; of rows with one time the last counts.
    format : {"v2", "v1"}, optional
        Form of the file if it has to be written. None: as it is, but V2 where V1 would lose
        anything of the outcome.
    keep_whole : bool
        Let a stored V2 chunk stay V2 where V1, though asked for, would lose anything of it.
    enter : callable, optional
        Called with the chunk and the merge's counts, still under the lock, once the file is in
        place: enters it in the catalog.
    storage : Storage, optional
        Who writes; that of the data directory where not given.
    settle : callable, optional
        From the stored rows and the new ones, under the lock, to the new ones as they are to be.

    Raises
    ------
    StoreError, ChunkError
        When the stored chunk is damaged, or the disk refuses; what was stored is then as it was.
    """
    path = key.path(root)
    given = rows_of(table, key)
    new, duplicates = arrange(given.table, key.scope)
    with chunk_locked(root, key.relative_path().as_posix()):
        held = load(path) if storage_of(path).exists(path) else None
        footer, old = (None, None) if held is None else parts_of(held, path, key)
        if settle is not None:
            new = settle(None if old is None else put_together(key, old), new)
        came = take_apart(new, key)
        if settle is None and not duplicates:
            check(given, came)
        merged, counts = merge_parts(old, came)
        counts = replace(counts, duplicates=duplicates)
        now = None if held is None else form_of(held)
        same = old is not None and same_rows(old, merged)
        if same and format is None and now is not None:
            form = now
        else:
            form = _form(format, now, keep_whole, partial(_v1_holds, merged, key))
        if held is not None and footer and same and form == now:
            stored = Stored(info_of(held, footer), counts, written=False)
        else:
            info = write_parts(path, key, merged, form, storage or storage_of(path))
            stored = Stored(info, counts, written=True)
        stored = replace(stored, info=replace(stored.info, nans=given.nans))
        if enter is not None:
            enter(stored.info, stored.counts)
    return stored
