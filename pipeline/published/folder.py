"""A folder of the local disk, or of one shared between machines, as a bucket."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cimis.pipeline.errors import StoreError
from cimis.pipeline.published.bucket import Held, Superseded, Traffic
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.disk import Disk
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import locked

__all__ = ["Folder"]

_WRITING = tuple(threading.Lock() for _ in range(64))


class Folder:
    """A folder; a bucket (`cimis.pipeline.published.bucket`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.traffic = Traffic()
        self._root = Path("/" + url.removeprefix("file://").lstrip("/"))
        if os.name == "nt":
            self._root = Path(url.removeprefix("file://").lstrip("/"))
        self._disk = Disk()

    def get(self, name: str) -> tuple[bytes, object]:
        """Return a file, and the checksum of what it holds."""
        data = self._read(name)
        self.traffic.count(received=len(data))
        return data, checksum_of(data)

    def get_range(self, name: str, start: int, stop: int) -> bytes:
        """Return a part of a file."""
        path = self._root / name
        with _there(path), self._disk.open(path) as file:
            data = file.read_range(start, stop)
        self.traffic.count(received=len(data))
        return data

    def put(self, name: str, data: bytes) -> None:
        """Put a file in place at once, read back and forced to the medium."""
        path = self._root / name

        def check(found: bytes) -> None:
            if found != data:
                raise StoreError(
                    f"{path} came back from the disk otherwise than it was written",
                    hint="check the disk, and publish again",
                )

        # threads of a process share the name under which a file is begun
        with _WRITING[hash(path) % len(_WRITING)], disk_errors(path, "write"):
            self._disk.put(path, data, check)
        self.traffic.count(sent=len(data))

    def put_if(self, name: str, data: bytes, tag: object) -> None:
        """Put a file in place, unless it has changed; under a lock."""
        with disk_errors(self._root, "make"):
            self._root.mkdir(parents=True, exist_ok=True)
        with locked(self._root, "publish"):
            try:
                found: object = checksum_of(self._read(name))
            except FileNotFoundError:
                found = None
            if found != tag:
                raise Superseded(name)
            self.put(name, data)

    def held(self) -> Iterator[Held]:
        """Yield all files but those of locks and of writers at work."""
        self.traffic.count()
        with disk_errors(self._root, "read"):
            for path in self._root.rglob("*"):
                if path.name.startswith(".") or ".locks" in path.parts or not path.is_file():
                    continue
                found = path.stat()
                changed = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
                yield Held(path.relative_to(self._root).as_posix(), found.st_size, changed)

    def standing(self, name: str) -> tuple[int, int]:
        """Return a file's size, and when it was changed."""
        self.traffic.count()
        with _there(self._root / name):
            return self._disk.standing(self._root / name)

    def delete(self, names: Sequence[str]) -> None:
        """Delete files, and folders that are empty then."""
        for name in names:
            path = self._root / name
            with disk_errors(path, "remove"):
                self._disk.remove(path)
        self.traffic.count()

    def _read(self, name: str) -> bytes:
        path = self._root / name
        with _there(path):
            return self._disk.read(path)


@contextmanager
def _there(path: Path) -> Iterator[None]:
    """Word what the disk refuses; a file that is not there stays a `FileNotFoundError`."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"there is no {path}") from None
    except OSError:
        with disk_errors(path, "read"):
            raise
