"""Check a data directory: every byte of every chunk, and the catalog against the chunks; repair it.

The chunk files are the truth. A repair enters what is sound into the catalog and moves what is
damaged into ``quarantine``; it deletes nothing but the temporary files of writers that are gone.
Values that can hardly be true are stored as they came, so they are warned about, not faults.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from cimis.pipeline.care.plausible import Extremes
from cimis.pipeline.care.upgrade import renewed, upgrade
from cimis.pipeline.care.verdict import Finding, Verdict
from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog, ChunkRow
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.catalog.file import adopt_hint, is_current
from cimis.pipeline.chunks import ChunkInfo, ChunkKey
from cimis.pipeline.chunks.files import describe
from cimis.pipeline.chunks.whereabouts import chunk_files
from cimis.pipeline.errors import CimisError, StoreError
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import (
    chunk_locked,
    must_be_writable,
    no_writer_of,
    remove_stale_temporaries,
)

__all__ = ["Finding", "Verdict", "verify"]

QUARANTINE = "quarantine"
_FOLDERS = ("stations", "spatial")


def verify(
    root: Path,
    *,
    repair: bool = False,
    on_chunk: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Check every chunk of a data directory to the last byte, and the catalog against them.

    Parameters
    ----------
    root : pathlib.Path
        The data directory, or a published store's location.
    repair : bool
        Whether to mend what was found.
    on_chunk : callable, optional
        Hears how many chunks of how many have been checked.

    Raises
    ------
    StoreError
        When there is no data directory, or it cannot be read or, for a repair, written.
    """
    if not storage_of(root).writable:
        from cimis.pipeline.care.afar import verify_published

        if repair:
            must_be_writable(root)
        return verify_published(root, on_chunk=on_chunk)
    if not root.is_dir():
        what = "is a file, not a data directory" if root.exists() else "does not exist"
        raise StoreError(f"{root} {what}", hint=f"make one: cimis init {root}")
    if (root / CATALOG_FILE).exists() and not is_current(root):
        upgrade(root)
    verdict = Verdict()
    with ExitStack() as stack:
        catalog = _catalog(root, verdict, repair=repair)
        if catalog is not None:
            stack.enter_context(catalog)
        _check_chunks(root, catalog, verdict, repair=repair, on_chunk=on_chunk)
    if repair:
        for path in remove_stale_temporaries(root):
            verdict.findings.append(
                Finding(_below(root, path), "a temporary file of a writer that is gone", "removed")
            )
    return verdict


def _catalog(root: Path, verdict: Verdict, *, repair: bool) -> Catalog | None:
    """Open the catalog; where it is lost or damaged, say so and, for a repair, begin a new one."""
    bare = not (root / CATALOG_FILE).exists() and not any(_files(root))
    if bare and (not repair or any(chunk_files(root))):
        Catalog(root)  # raises: neither catalog nor a chunk at its place
    try:
        catalog = Catalog(root)
        try:
            catalog.check()
        except BaseException:
            catalog.close()
            raise
    except StoreError as error:
        if not _is_damage(root, error):
            raise
        if not repair:
            how = f"; {error.hint}" if error.hint else ""
            verdict.findings.append(Finding(CATALOG_FILE, str(error) + how))
            return None
        for name in (CATALOG_FILE, CATALOG_FILE + "-wal", CATALOG_FILE + "-shm"):
            if (root / name).exists():
                _quarantine(root, root / name)
        verdict.findings.append(Finding(CATALOG_FILE, str(error), "rebuilt from the chunks"))
        return Catalog(root, create=True)
    return catalog


def _is_damage(root: Path, error: StoreError) -> bool:
    """Tell a lost or damaged catalog from one that is locked, of a newer version, or unreadable."""
    cause = error.__cause__
    damaged = isinstance(cause, sqlite3.DatabaseError)
    return not (root / CATALOG_FILE).exists() or (
        damaged and not isinstance(cause, sqlite3.OperationalError)
    )


def _check_chunks(
    root: Path,
    catalog: Catalog | None,
    verdict: Verdict,
    *,
    repair: bool,
    on_chunk: Callable[[int, int], None] | None,
) -> None:
    listed = {} if catalog is None else {row.path: row for row in catalog.chunks()}
    files = list(_files(root))
    extremes = Extremes()
    for place, path in enumerate(files):
        name = _below(root, path)
        row = listed.pop(name, None)
        reason, info = _examine(path, row, listing=catalog is not None)
        done = None
        if reason is not None and catalog is not None:
            # a writer may have been between the file and its row: look once more, without one
            with chunk_locked(root, name) if repair else no_writer_of(root, name):
                row = next(iter(catalog.chunks(path=name)), None)
                reason, info = _examine(path, row, listing=True)
                if repair and reason is not None:
                    done = _mend(root, path, info, row, catalog)
        if info is not None:
            extremes.note(name, info)
        verdict.count(info)
        if reason is not None:
            verdict.findings.append(Finding(name, reason, done))
        if on_chunk is not None:
            on_chunk(place + 1, len(files))
    verdict.warnings += extremes.warnings()
    placed = set(files)
    for path, key in chunk_files(root):
        if path not in placed:
            reason = f"the chunk of {key.name} by its name, but not at its place"
            verdict.findings.append(Finding(_below(root, path), f"{reason}; {adopt_hint(root)}"))
    for name in listed:
        if storage_of(root).exists(root / name):
            continue
        if repair and catalog is not None:
            catalog.remove_chunks([name])
        done = "forgotten; a fetch asks for its days again" if repair else None
        verdict.findings.append(Finding(name, "the catalog lists it, but the file is gone", done))


def _files(root: Path) -> Iterator[Path]:
    """Yield the chunk files of a data directory, in order of their path."""
    for folder in _FOLDERS:
        with disk_errors(root / folder, "read"):
            found = sorted(storage_of(root).files(root / folder, "**/*.zst"))
        yield from found


def _examine(
    path: Path, row: ChunkRow | None, *, listing: bool
) -> tuple[str | None, ChunkInfo | None]:
    """Return what is wrong with a chunk, if anything, and what the chunk is, if it is sound."""
    try:
        with disk_errors(path, "read"):
            info = describe(path, storage_of(path).read(path), ChunkKey.of_path(path))
    except CimisError as error:
        return error.fault, None
    if not listing:
        return None, info
    if row is None:
        return "sound, but the catalog does not list it", info
    if row.checksum != info.checksum:
        return "sound, but not the file that the catalog lists", info
    return None, info


def _mend(
    root: Path, path: Path, info: ChunkInfo | None, row: ChunkRow | None, catalog: Catalog
) -> str:
    """Bring the catalog in line with a chunk, or move a damaged one away; return what was done.

    Under the chunk's lock.
    """
    mended = "entered in the catalog"
    if info is None and (info := renewed(path)) is not None:
        mended = "rewritten from a draft of the format"
    if row is not None or info is None:
        catalog.remove_chunks([_below(root, path)])
    if info is None:
        return f"moved to {_quarantine(root, path)}; a fetch asks for its days again"
    catalog.put_chunks([chunk_row(info, source="rebuilt")])
    return mended


def _quarantine(root: Path, path: Path) -> str:
    """Move a file below ``quarantine``, never over another one there, and return its new place."""
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%f")
    target = root / QUARANTINE / f"{_below(root, path)}.{stamp}"
    with disk_errors(target, "move a damaged file to"):
        storage_of(path).move(path, target)
    return _below(root, target)


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
