"""The local disk: a reader sees the old file or the new one, whole, at any moment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from cimis.pipeline.storage.system import (
    is_gone,
    open_to_read,
    own_start,
    put_in_place,
    read_at,
    sync_folder,
)

__all__ = ["Disk", "temporary_path"]

T = TypeVar("T")
_PIECE_BYTES = 1 << 16
_FOLDERS = ("stations", "spatial")


class Disk:
    """Files of the operating system; a storage (`cimis.pipeline.storage.contract`).

    The steps of `put` have one method each, so that a test can fail any of them.
    """

    writable = True

    def attend(self, root: Path) -> None:
        """Do nothing: what there is, is looked at when it is read."""

    def database(self, root: Path, name: str) -> Path:
        """Return the file of that name in the data directory."""
        return root / name

    def forget(self, _root: Path) -> int:
        """Return 0: nothing is kept beside the files."""
        return 0

    def whereabouts(self, _root: Path, _paths: Sequence[str]) -> None:
        """Return None: paths are all that one needs."""

    def learn(self, _root: Path, _places: Mapping[str, Any]) -> None:
        """Do nothing."""

    def ahead(self, _paths: Sequence[Path], *, whole: bool = True) -> None:
        """Do nothing: the operating system reads ahead by itself."""

    def read(self, path: Path) -> bytes:
        """Return a file's bytes."""
        handle = open_to_read(path)
        try:
            size = os.fstat(handle).st_size
            data = os.read(handle, size)
            # a pipe has no size, and is read to its end
            while len(data) < size or not size:
                more = os.read(handle, size - len(data) if size else _PIECE_BYTES)
                if not more:
                    break
                data += more
        finally:
            os.close(handle)
        return data

    def open(self, path: Path) -> _Opened:
        """Open a file to read ranges of it."""
        return _Opened(path)

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file."""
        return path.exists()

    def standing(self, path: Path) -> tuple[int, int]:
        """Return a file's size in bytes, and when it was changed in nanoseconds of the epoch."""
        found = path.stat()
        return found.st_size, found.st_mtime_ns

    def files(self, folder: Path, pattern: str) -> Iterator[Path]:
        """Yield the files below a folder whose path below it has the pattern."""
        return (path for path in folder.glob(pattern) if path.is_file())

    def put(self, path: Path, data: bytes, check: Callable[[bytes], T]) -> T:
        """Write beside, read back, check, rename; force each to the medium."""
        temporary = temporary_path(path)
        try:
            self.make_folder(path.parent)
            self.write(temporary, data)
            found = check(self.read(temporary))
            self.rename(temporary, path)
            self.sync_folder(path.parent)
        except BaseException:
            self.remove(temporary)
            raise
        return found

    def move(self, source: Path, target: Path) -> None:
        """Put a file in another place at once, and force it to the medium."""
        self.make_folder(target.parent)
        self.rename(source, target)
        self.sync_folder(target.parent)

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

    def rename(self, source: Path, target: Path) -> None:
        """Put one file in the place of another at once."""
        put_in_place(source, target)

    def sync_folder(self, folder: Path) -> None:
        """Force a folder's entries to the medium."""
        sync_folder(folder)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)

    def leftovers(self, root: Path) -> list[Path]:
        """Return the temporary files of writers that are gone."""
        found = []
        for folder in _FOLDERS:
            for path in (root / folder).rglob(".*.tmp"):
                match = re.fullmatch(r"\..+\.(\d+)-(\d+)\.tmp", path.name)
                if match and is_gone(path, int(match[1]), int(match[2])):
                    found.append(path)
        return found

    def lock(self, root: Path, name: str, timeout_s: float) -> Callable[[], None] | None:
        """Lock a file in the folder ``.locks``."""
        # a reader locks nothing, and need not wait for the imports
        from filelock import FileLock, Timeout

        from cimis.pipeline.storage.refusals import disk_errors

        folder = root / ".locks"
        with disk_errors(folder, "make"):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock", timeout=timeout_s, thread_local=False)
        with disk_errors(folder, "lock in"):
            try:
                lock.acquire()
            except Timeout:  # an OSError too
                return None
        return lock.release


class _Opened:
    """A file that is read by ranges."""

    __slots__ = ("_handle", "size")

    def __init__(self, path: Path) -> None:
        self._handle = open_to_read(path)
        self.size = os.fstat(self._handle).st_size

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``."""
        return read_at(self._handle, stop - start, start)

    def ahead(self, _start: int, _stop: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def temporary_path(path: Path) -> Path:
    """Return where this process writes before it renames; the name tells whose it is."""
    pid = os.getpid()
    return path.with_name(f".{path.name}.{pid}-{own_start(pid)}.tmp")
