"""Take over an archive of chunks that has no catalog of ours: enter its chunks, keep its files.

Chunks are read to the last byte before anything is changed; those that lie elsewhere are moved to
their places, byte for byte as they are. The older program's own ``metadata.sqlite3`` is renamed.
The catalog comes last, in one step, so that a takeover that was ended is begun again.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog, ChunkRow
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.catalog.file import is_foreign
from cimis.pipeline.chunks.files import ChunkInfo, describe
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.whereabouts import chunk_files
from cimis.pipeline.errors import CimisError, NoDataError, StoreError
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.disk import Disk
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import chunk_locked, locked

__all__ = ["Adopted", "adopt"]

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite may have beside a database, by the end of its name."""


@dataclass(slots=True)
class Adopted:
    """What a takeover did; paths are below the data directory.

    ``moved`` holds old and new places, ``set_aside`` the new name of the older metadata file, and
    ``left`` the files that were not taken over, each with the reason.
    """

    chunks: list[ChunkInfo] = field(default_factory=list)
    listed_before: int = 0
    moved: list[tuple[str, str]] = field(default_factory=list)
    set_aside: str | None = None
    left: list[tuple[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return {
            "chunks": len(self.chunks),
            "v1": sum(info.format == "v1" for info in self.chunks),
            "rows": sum(info.footer.rows for info in self.chunks),
            "listed_before": self.listed_before,
            "moved": [{"from": old, "to": new} for old, new in self.moved],
            "set_aside": self.set_aside,
            "left": [{"path": path, "reason": reason} for path, reason in self.left],
        }


def adopt(root: Path, *, on_chunk: Callable[[int, int], None] | None = None) -> Adopted:
    """Make a folder of chunks a data directory, or enter the chunks that one does not list.

    Parameters
    ----------
    root : pathlib.Path
        The folder: chunks at their places, in a flat folder, or in folders named by station.
    on_chunk : callable, optional
        Hears how many chunks of how many have been read.

    Raises
    ------
    NoDataError
        When there is no file that is named as a chunk; nothing is changed.
    StoreError
        When the folder cannot be read or written, or a catalog of ours in it is damaged.
    """
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise StoreError(f"{root} {what}", hint="name the folder that holds the chunks")
    if next(chunk_files(root), None) is None:
        raise NoDataError(
            f"{root} holds no chunk to take over",
            hint="a chunk is named as 002_2018_daily.zst or stations/002/2018_daily.zst",
        )
    done = Adopted()
    with locked(root, "adopt", timeout_s=0, doing="another takeover of this folder is running"):
        foreign = is_foreign(root)
        listed = _listed(root) if not foreign else {}
        rows = _read(root, done, listed, on_chunk)
        if foreign:
            done.set_aside = _set_aside(root)
        for path, key in [(p, k) for p, k, _ in rows if p != k.path(root)]:
            _move(root, path, key, done)
        _enter(root, [row for _, _, row in rows])
    return done


def _listed(root: Path) -> dict[str, str]:
    """Return the checksums that our catalog lists, by path; none where there is no catalog."""
    if not (root / CATALOG_FILE).exists():
        return {}
    with Catalog(root) as catalog:
        return {row.path: row.checksum for row in catalog.chunks()}


def _read(
    root: Path,
    done: Adopted,
    listed: dict[str, str],
    on_chunk: Callable[[int, int], None] | None,
) -> list[tuple[Path, ChunkKey, ChunkRow]]:
    """Check every chunk, and return file, key and row of those that are to be entered."""
    with disk_errors(root, "read"):
        files = list(chunk_files(root))
    # a chunk at its place goes before others of the same station, year and scope
    files.sort(key=lambda found: (found[0] != found[1].path(root), found[0]))
    storage = storage_of(root)
    taken: dict[ChunkKey, ChunkInfo] = {}
    rows = []
    for count, (path, key) in enumerate(files):
        name = _below(root, path)
        try:
            with disk_errors(path, "read"):
                info = describe(path, storage.read(path), key)
                written = dt.datetime.fromtimestamp(storage.standing(path)[1] / 1e9, dt.UTC)
        except CimisError as error:
            done.left.append((name, error.fault))
        else:
            first, place = taken.setdefault(key, info), key.path(root)
            if first is not info:
                same = "the same as" if first.checksum == info.checksum else "other rows than"
                done.left.append((name, f"{same} the chunk of {key.name} that was taken over"))
            elif path != place and storage.exists(place):
                done.left.append((name, f"another file is at its place, {_below(root, place)}"))
            elif listed.get(name) == info.checksum:
                done.listed_before += 1
            else:
                done.chunks.append(info)
                rows.append((path, key, chunk_row(info, source="adopted", fetched_at=written)))
        if on_chunk is not None:
            on_chunk(count + 1, len(files))
    return rows


def _set_aside(root: Path) -> str:
    """Rename the older program's metadata file, never over another one; return the new name."""
    name, count = "metadata.older.sqlite3", 1
    while any((root / f"{name}{end}").exists() for end in _BESIDE):
        count += 1
        name = f"metadata.older-{count}.sqlite3"
    for end in _BESIDE:
        if (root / f"{CATALOG_FILE}{end}").exists():
            with disk_errors(root / CATALOG_FILE, "rename"):
                (root / f"{CATALOG_FILE}{end}").rename(root / f"{name}{end}")
    return name


def _move(root: Path, path: Path, key: ChunkKey, done: Adopted) -> None:
    target = key.path(root)
    with disk_errors(target, "move a chunk to"):
        storage_of(path).move(path, target)
    done.moved.append((_below(root, path), _below(root, target)))


def _enter(root: Path, rows: list[ChunkRow]) -> None:
    """Enter chunks into the catalog; a new one comes to its place when it lists them all."""
    if (root / CATALOG_FILE).exists():
        with Catalog(root) as catalog:
            for row in rows:
                _enter_one(root, catalog, row)
        return
    making = root / ".adopting"
    with disk_errors(making, "make"):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
    with Catalog(making, create=True) as catalog:
        catalog.put_chunks(rows)
    with disk_errors(root / CATALOG_FILE, "make"):
        (making / CATALOG_FILE).rename(root / CATALOG_FILE)
        Disk().sync_folder(root)
        shutil.rmtree(making)


def _enter_one(root: Path, catalog: Catalog, row: ChunkRow) -> None:
    """Enter a chunk as it is now, unless a fetch has entered it meanwhile."""
    path = root / row.path
    with chunk_locked(root, row.path), disk_errors(path, "read"):
        info = describe(path, storage_of(path).read(path), ChunkKey.of_path(path))
        if not any(known.checksum == info.checksum for known in catalog.chunks(path=row.path)):
            catalog.put_chunks(
                [chunk_row(info, source="adopted")._replace(fetched_at=row.fetched_at)]
            )


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
