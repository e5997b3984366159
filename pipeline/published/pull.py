"""A local copy of a published store: only what is lacking is fetched, and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.chunks.files import describe
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.published.bucket import at_once
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.locations import url_of
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import chunk_locked, must_be_writable

__all__ = ["Pulled", "pull"]

_AT_A_TIME = 256
_WRITERS = 8
_FIRST = 5


@dataclass(slots=True)
class Pulled:
    """What a pull did; ``kept`` are chunks that were changed here, and left as they are."""

    source: str
    chunks: int = 0
    fetched_chunks: int = 0
    fetched_bytes: int = 0
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return asdict(self)


def pull(
    source: Path,
    root: Path,
    *,
    overwrite: bool = False,
    on_chunk: Callable[[int, int], None] | None = None,
) -> Pulled:
    """Make a data directory hold what a published store holds, and fetch only what is lacking.

    Parameters
    ----------
    source : pathlib.Path
        The published store's location.
    root : pathlib.Path
        The data directory, made where there is none.
    overwrite : bool
        Also replace chunks that were changed here since they were pulled, or came another way.
    on_chunk : callable, optional
        Hears how many chunks of how many have been stored.

    Raises
    ------
    StoreError
        Where there is no published store, or the data directory cannot be written.
    ChunkError
        At the end, where chunks are damaged there; all others have been stored.
    """
    must_be_writable(root)
    storage_of(source).attend(source)
    with disk_errors(root, "make"):
        root.mkdir(parents=True, exist_ok=True)
    with Catalog(source) as theirs, Catalog(root, create=True) as ours:
        done = Pulled(url_of(source))
        rows = theirs.chunks()
        done.chunks = len(rows)
        lacking = _lacking(root, rows, ours, done, overwrite=overwrite)
        for first in range(0, len(lacking), _AT_A_TIME):
            part = lacking[first : first + _AT_A_TIME]
            storage_of(source).ahead([source / row.path for row in part])
            found = at_once(partial(_stored, source, root), part, workers=_WRITERS)
            stored = []
            for row, there in zip(part, found, strict=True):
                if there:
                    stored.append(row)
                else:
                    done.failed.append(row.path)
            done.fetched_chunks += len(stored)
            done.fetched_bytes += sum(row.file_bytes for row in stored)
            ours.put_chunks(stored)
            ours.put_pulled((row.path, row.checksum) for row in stored)
            if on_chunk is not None:
                on_chunk(first + len(part), len(lacking))
        kept = set(done.kept)
        ours.take_facts(theirs, [row.path for row in rows if row.path not in kept])
    if done.failed:
        raise ChunkError(
            f"{len(done.failed):,} of {len(rows):,} chunks of {done.source} are damaged or gone, "
            f"as {', '.join(done.failed[:_FIRST])}; all others were stored",
            hint=f"'cimis verify {done.source}' names all; 'cimis publish --resend' mends them",
        )
    return done


def _lacking(
    root: Path, rows: Sequence[ChunkRow], ours: Catalog, done: Pulled, *, overwrite: bool
) -> list[ChunkRow]:
    """Return the chunks to fetch: those not here, and those that an earlier pull has brought."""
    held = {row.path: row.checksum for row in ours.chunks()}
    pulled = ours.pulled()
    lacking = []
    for row in rows:
        mine = held.get(row.path)
        if mine is None or not storage_of(root).exists(root / row.path):
            lacking.append(row)
        elif mine != row.checksum:
            if overwrite or pulled.get(row.path) == mine:
                lacking.append(row)
            else:
                done.kept.append(row.path)
    return lacking


def _stored(source: Path, root: Path, row: ChunkRow) -> bool:
    """Put one chunk in place, checked; tell whether that could be."""
    path = root / row.path
    try:
        data = storage_of(source).read(source / row.path)
    except ChunkError:
        return False

    def check(found: bytes) -> None:
        if checksum_of(found) != row.checksum:
            raise StoreError(f"{path} came back from the disk otherwise than it was written")
        describe(path, found, ChunkKey.of_path(Path(row.path)))

    with chunk_locked(root, row.path), disk_errors(path, "write"):
        storage_of(root).put(path, data, check)
    return True
