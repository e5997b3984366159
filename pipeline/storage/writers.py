"""Keep the writers of a data directory apart, and clear up after those that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from cimis.pipeline.errors import StoreError
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.locations import url_of
from cimis.pipeline.storage.refusals import disk_errors

__all__ = [
    "chunk_locked",
    "locked",
    "must_be_writable",
    "no_writer_of",
    "read_only",
    "remove_stale_temporaries",
]


def read_only(location: Path) -> StoreError:
    """Return the error of whoever would write to a published store."""
    return StoreError(
        f"{url_of(location)} is a published store, which is only read",
        hint="'cimis pull' makes a data directory of it that can be written",
    )


def must_be_writable(root: Path) -> None:
    """Refuse a data directory that is only read, before anything is asked for or made.

    Raises
    ------
    StoreError
    """
    if not storage_of(root).writable:
        raise read_only(root)


def remove_stale_temporaries(root: Path) -> list[Path]:
    """Remove the temporary files of writers that are gone, and return them.

    Files of living writers, and files with other names, are left alone.
    """
    storage = storage_of(root)
    stale = storage.leftovers(root)
    for path in stale:
        with disk_errors(path, "remove"):
            storage.remove(path)
    return stale


@contextmanager
def locked(
    root: Path, name: str, *, timeout_s: float = 60.0, doing: str | None = None
) -> Iterator[None]:
    """Hold the lock of one name in a data directory against other threads and processes.

    ``doing`` says what another process does that holds it for longer than the timeout.
    """
    release = storage_of(root).lock(root, name, timeout_s)
    if release is None:
        raise StoreError(
            doing or f"another process has been writing {name} in {root} for {timeout_s:.0f} s",
            hint="wait for it to end, or stop it, and run the same command again",
        )
    try:
        yield
    finally:
        release()


def chunk_locked(
    root: Path, chunk: str, *, timeout_s: float = 60.0
) -> AbstractContextManager[None]:
    """Hold the lock under which a chunk's file and its row in the catalog are replaced.

    ``chunk`` is its path below the data directory, as the catalog has it.
    """
    return locked(root, chunk.replace("/", "-"), timeout_s=timeout_s)


@contextmanager
def no_writer_of(root: Path, chunk: str) -> Iterator[None]:
    """Wait until no writer is between a chunk's file and its row, and keep others off.

    Where the lock cannot be taken, as in a data directory that is only read, there is no waiting.
    """
    with ExitStack() as held:
        with suppress(StoreError):
            held.enter_context(chunk_locked(root, chunk))
        yield
