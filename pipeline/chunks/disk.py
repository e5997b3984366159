"""Put bytes on disk so that a reader sees the old file or the new one, whole, at any moment."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pipeline.errors import StoreError

__all__ = ["Disk", "disk_errors", "locked", "remove_stale_temporaries"]

_TEMPORARY = re.compile(r"\..+\.(\d+)-(\d+)\.tmp")
_HINTS = {
    errno.ENOSPC: "free some space and run the same command again; what was stored is unharmed",
    errno.EDQUOT: "raise the quota and run the same command again; what was stored is unharmed",
    errno.EFBIG: "raise the limit of file sizes and run the same command again",
    errno.EROFS: "choose a data directory on a disk that can be written: --data-dir",
    errno.EACCES: "choose a data directory that you may write, or change its permissions",
    errno.EPERM: "choose a data directory that you may write, or change its permissions",
    errno.ENOTDIR: "choose another data directory: a file is in the way",
}


@contextmanager
def disk_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into a `StoreError` that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0)
        raise StoreError(f"cannot {doing} {path}: {reason}", hint=hint) from error


class Disk:
    """The steps of an atomic write, one method each, so that a test can fail any of them."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder and its parents, and force the entry of each new one to the medium."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            self.sync_folder(new.parent)

    def write(self, path: Path, data: bytes) -> None:
        """Write a new file and force it to the medium."""
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def read(self, path: Path) -> bytes:
        """Return a file's bytes."""
        return path.read_bytes()

    def rename(self, source: Path, target: Path) -> None:
        """Put one file in the place of another at once."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Force a folder's entries to the medium."""
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Return where this process writes before it renames; the name tells whose it is."""
    pid = os.getpid()
    return path.with_name(f".{path.name}.{pid}-{_own_start(pid)}.tmp")


@cache
def _own_start(pid: int) -> int:
    return _start_of(pid)


def _start_of(pid: int) -> int:
    """Return when a process started, in the kernel's ticks; 0 where that cannot be told."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        return int(stat.rsplit(")", 1)[1].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def _alive(pid: int, start: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return start == 0 or _start_of(pid) == start


def remove_stale_temporaries(root: Path) -> list[Path]:
    """Remove the temporary files of writers that are gone, and return them.

    Files of living writers, and files with other names, are left alone.
    """
    removed = []
    for folder in (root / "stations", root / "spatial"):
        for path in folder.rglob(".*.tmp"):
            match = _TEMPORARY.fullmatch(path.name)
            if match and not _alive(int(match[1]), int(match[2])):
                with disk_errors(path, "remove"):
                    path.unlink(missing_ok=True)
                removed.append(path)
    return removed


@contextmanager
def locked(
    root: Path, name: str, *, timeout_s: float = 60.0, doing: str | None = None
) -> Iterator[None]:
    """Hold the lock of one name in a data directory against other threads and processes.

    ``doing`` says what another process does that holds it for longer than the timeout.
    """
    # a reader locks nothing, and need not wait for the import
    from filelock import FileLock, Timeout

    folder = root / ".locks"
    with disk_errors(folder, "make"):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock", timeout=timeout_s, thread_local=False)
    with disk_errors(folder, "lock in"):
        try:
            lock.acquire()
        except Timeout:  # an OSError too
            raise StoreError(
                doing or f"another process has been writing {name} in {root} for {timeout_s:.0f} s",
                hint="wait for it to end, or stop it, and run the same command again",
            ) from None
    try:
        yield
    finally:
        lock.release()
