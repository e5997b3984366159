"""What operating systems do differently with files and processes; each difference once.

A call that POSIX has and Windows lacks is looked for when it is needed, never named at import.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

__all__ = [
    "is_gone",
    "open_to_read",
    "own_start",
    "put_in_place",
    "read_at",
    "sync_file",
    "sync_folder",
    "unlink_unless_open",
    "user_cache",
]

_BUSY_WAITS_S = (0.01, 0.03, 0.1, 0.3, 1.0)
_FORGOTTEN_S = 3_600.0
"""A file that nobody has touched for so long is nobody's, where no system tells who lives."""


def open_to_read(path: Path) -> int:
    """Open a file for its bytes as they are; Windows would change the ends of lines."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


def read_at(handle: int, count: int, start: int) -> bytes:
    """Return up to so many bytes from a place of an open file."""
    if hasattr(os, "pread"):
        return os.pread(handle, count, start)
    # a file of its own place: what several threads read is opened by each
    os.lseek(handle, start, os.SEEK_SET)
    return os.read(handle, count)


def put_in_place(source: Path, target: Path) -> None:
    """Put one file in the place of another at once.

    Windows refuses while somebody reads the other; who reads is done soon, so it is tried again.
    """
    for wait in _BUSY_WAITS_S:
        try:
            source.replace(target)
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(wait)
        else:
            return
    source.replace(target)


def unlink_unless_open(path: Path) -> bool:
    """Remove a file if it is there; False where Windows refuses because somebody has it open."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        if os.name != "nt":
            raise
        return False
    return True


def sync_file(path: Path) -> None:
    """Force a closed file to the medium; Windows does so only for who may write."""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the medium; Windows opens no folder, and keeps a journal."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_gone(path: Path, process: int, start: int) -> bool:
    """Tell whether the process that began a file is gone; ``start`` is its `own_start`."""
    if os.name == "nt":  # there os.kill ends the process that it is to ask for
        try:
            return time.time() - path.stat().st_mtime > _FORGOTTEN_S
        except FileNotFoundError:  # its writer has just put it in place
            return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return start not in (0, _start_of(process))


@cache
def own_start(process: int) -> int:
    """Return when this process started, in the kernel's ticks; 0 where that cannot be told."""
    return _start_of(process)


def _start_of(process: int) -> int:
    try:
        stat = Path(f"/proc/{process}/stat").read_text("ascii", "replace")
        return int(stat.rsplit(")", 1)[1].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def user_cache() -> Path:
    """Return the user's cache folder, there or not; not an absolute one where no home is known."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    return Path(base or os.path.expanduser("~/.cache"))  # noqa: PTH111 -- as is without a home
