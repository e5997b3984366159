"""A second storage: chunk files in memory, as an object store has them, without any folder."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

__all__ = ["Memory"]

T = TypeVar("T")


class Memory:
    """Bytes by location; counts what is read."""

    def __init__(self) -> None:
        self._files: dict[Path, tuple[bytes, int]] = {}
        self._locks: defaultdict[tuple[Path, str], threading.Lock] = defaultdict(threading.Lock)
        self.ranges: list[tuple[int, int]] = []

    def _file(self, path: Path) -> tuple[bytes, int]:
        try:
            return self._files[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    writable = True

    def attend(self, root: Path) -> None:
        """Do nothing."""

    def database(self, root: Path, name: str) -> Path:
        """Return a file of the local disk below the working directory."""
        return root / name

    def forget(self, root: Path) -> int:
        """Return 0."""
        return 0

    def whereabouts(self, root: Path, paths: Sequence[str]) -> None:
        """Return None: paths do."""

    def learn(self, root: Path, places: Mapping[str, Any]) -> None:
        """Do nothing."""

    def ahead(self, paths: Sequence[Path], *, whole: bool = True) -> None:
        """Do nothing."""

    def read(self, path: Path) -> bytes:
        return self._file(path)[0]

    def open(self, path: Path) -> _Opened:
        return _Opened(self._file(path)[0], self.ranges)

    def exists(self, path: Path) -> bool:
        return path in self._files

    def standing(self, path: Path) -> tuple[int, int]:
        data, changed_ns = self._file(path)
        return len(data), changed_ns

    def files(self, folder: Path, pattern: str) -> Iterator[Path]:
        names = re.escape(pattern).replace(r"\*\*/", "(?:.+/)?").replace(r"\*", "[^/]*")
        for path in [p for p in self._files if p.is_relative_to(folder)]:
            if re.fullmatch(names, path.relative_to(folder).as_posix()):
                yield path

    def put(self, path: Path, data: bytes, check: Callable[[bytes], T]) -> T:
        found = check(bytes(data))
        self._files[path] = data, time.time_ns()
        return found

    def move(self, source: Path, target: Path) -> None:
        self._files[target] = self._file(source)
        self.remove(source)

    def leftovers(self, root: Path) -> list[Path]:
        return []

    def remove(self, path: Path) -> None:
        self._files.pop(path, None)

    def lock(self, root: Path, name: str, timeout_s: float) -> Callable[[], None] | None:
        held = self._locks[root, name]
        return held.release if held.acquire(timeout=timeout_s) else None


class _Opened:
    def __init__(self, data: bytes, ranges: list[tuple[int, int]]) -> None:
        self._data = data
        self._ranges = ranges
        self.size = len(data)

    def read_range(self, start: int, stop: int) -> bytes:
        self._ranges.append((start, stop))
        return self._data[start:stop]

    def ahead(self, start: int, stop: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
