"""What a storage does: the methods that everything with chunk files to read or write relies on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

__all__ = ["OpenFile", "Storage"]

T = TypeVar("T")


class OpenFile(Protocol):
    """A file that is read by ranges; a context manager."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        ...

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``, exclusive; fewer where the file ends."""
        ...

    def ahead(self, start: int, stop: int) -> None:
        """Hear of a range that is going to be read in parts."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Storage(Protocol):
    """Files by their location. Safe to be used by several threads at once.

    What is refused is an `OSError` with ``strerror``, as the operating system gives it; a file that
    is not there is a `FileNotFoundError`. Whoever called knows what it was for, and words it
    (`cimis.pipeline.storage.refusals.disk_errors`).
    """

    @property
    def writable(self) -> bool:
        """Whether it takes files; one that does not refuses with a `StoreError`."""
        ...

    def attend(self, root: Path) -> None:
        """Look what a data directory holds now, where that has to be asked for.

        Raises
        ------
        StoreError
            Where there is none.
        """
        ...

    def database(self, root: Path, name: str) -> Path:
        """Return the file of the local disk with a database of a data directory, there or not."""
        ...

    def forget(self, root: Path) -> int:
        """Delete what is kept of a data directory beside it; return the bytes freed."""
        ...

    def whereabouts(self, root: Path, paths: Sequence[str]) -> Sequence[tuple[Any, ...]] | None:
        """Return what finds chunks without the catalog, by their paths; None: these alone do."""
        ...

    def learn(self, root: Path, places: Mapping[str, Any]) -> None:
        """Take what `whereabouts` gave, perhaps in another process, by the chunks' paths."""
        ...

    def ahead(self, paths: Sequence[Path], *, whole: bool = True) -> None:
        """Hear which files are going to be read, to their end or parts of them."""
        ...

    def read(self, path: Path) -> bytes:
        """Return a file's bytes."""
        ...

    def open(self, path: Path) -> OpenFile:
        """Open a file to read ranges of it; nothing is read yet."""
        ...

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file."""
        ...

    def standing(self, path: Path) -> tuple[int, int]:
        """Return a file's size in bytes, and when it was changed in nanoseconds of the epoch."""
        ...

    def files(self, folder: Path, pattern: str) -> Iterator[Path]:
        """Yield the files below a folder, in any order; none where there is no folder.

        ``pattern`` is a glob of the path below it: ``*`` for one name, ``**`` for any depth.
        """
        ...

    def put(self, path: Path, data: bytes, check: Callable[[bytes], T]) -> T:
        """Put a file in place at once, and return what ``check`` makes of what was read back.

        A reader sees the old file or the new one, whole. Whatever fails, also ``check``, before the
        new one is in place leaves the old one, and nothing beside it.
        """
        ...

    def move(self, source: Path, target: Path) -> None:
        """Put a file in another place at once."""
        ...

    def leftovers(self, root: Path) -> list[Path]:
        """Return what writers that are gone have begun in a data directory and not put in place."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        ...

    def lock(self, root: Path, name: str, timeout_s: float) -> Callable[[], None] | None:
        """Take the lock of one name in a data directory, and return what releases it.

        None when another thread or process holds it for longer than the timeout. A `StoreError`
        tells what refuses.
        """
        ...
