"""What a machine keeps of a published store: catalogs by their checksum, and chunks, bounded."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from cimis.pipeline.errors import StoreError
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.system import user_cache

__all__ = ["Near", "near_folder"]

LIMIT_BYTES = 2 << 30
"""The most that chunks of one published store take on a machine, where no bound is set."""

_UNUSED = dt.timedelta(days=1)
_SWEEP_EVERY = 256


def near_folder(url: str) -> Path:
    """Return the folder of this machine for a published store; it may not exist yet.

    Below CIMIS_CACHE_DIR or what the configuration says; else in the user's cache folder.

    Raises
    ------
    StoreError
        For a user without a home, where nothing else is named.
    """
    from cimis.pipeline.service.settings import resolve

    chosen = resolve("cache_dir", None).value
    home = user_cache()
    if chosen is None and not home.is_absolute():
        raise StoreError(
            "there is no folder to keep what is fetched of a published store in: no home is known",
            hint="name one with CIMIS_CACHE_DIR",
        )
    folder = Path(str(chosen)).expanduser().absolute() if chosen else home / "cimis"
    return folder / "published" / checksum_of(url.encode())


class Near:
    """The folder of one published store; safe with other processes, as files come by renaming.

    Parameters
    ----------
    folder : Path
    limit_bytes : int
        The most that chunks may take.
    """

    def __init__(self, folder: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = folder
        self._limit = limit_bytes
        self._written = 0

    def catalog(self, checksum: str) -> Path:
        """Return the file of a catalog's snapshot, there or not."""
        return self.folder / "catalogs" / f"{checksum}.sqlite3"

    def keep_catalog(self, checksum: str, data: bytes) -> Path:
        """Keep a catalog's snapshot; older ones that nobody opened for a day are deleted."""
        path = self.catalog(checksum)
        _put(path, data)
        for other in path.parent.glob("*.sqlite3"):
            with suppress(OSError):
                if other != path and time.time() - other.stat().st_atime > _UNUSED.total_seconds():
                    other.unlink()
        return path

    def chunk(self, checksum: str) -> bytes | None:
        """Return a chunk that is kept; None where it is not, or is no longer what it was."""
        path = self._chunk(checksum)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if checksum_of(data) != checksum:
            with suppress(OSError):
                path.unlink()
            return None
        return data

    def has(self, checksum: str) -> bool:
        """Tell whether a chunk is kept."""
        return self._chunk(checksum).is_file()

    def keep(self, checksum: str, data: bytes) -> None:
        """Keep a chunk whose checksum was found right; where it cannot be, do without."""
        try:
            _put(self._chunk(checksum), data)
        except StoreError:
            return
        self._written += 1
        if self._written % _SWEEP_EVERY == 0:
            self.sweep()

    def sweep(self) -> None:
        """Delete the chunks used longest ago, until the others are within the bound."""
        found = []
        for path in self.folder.glob("chunks/*/*"):
            with suppress(OSError):
                stat = path.stat()
                found.append((max(stat.st_atime, stat.st_mtime), stat.st_size, path))
        size = sum(each[1] for each in found)
        for _, each, path in sorted(found):
            if size <= self._limit:
                break
            with suppress(OSError):
                path.unlink()
            size -= each

    def clear(self) -> int:
        """Delete the chunks and catalogs; return the bytes freed."""
        freed = 0
        for path in [*self.folder.glob("chunks/*/*"), *self.folder.glob("catalogs/*")]:
            with suppress(OSError):
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _chunk(self, checksum: str) -> Path:
        return self.folder / "chunks" / checksum[:2] / checksum


def _put(path: Path, data: bytes) -> None:
    # several threads may fetch the same
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    with disk_errors(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
