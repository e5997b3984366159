"""What holds the objects of a published store, behind one small interface."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from cimis.pipeline.storage.locations import url_of

__all__ = ["AT_ONCE", "Bucket", "Held", "Superseded", "Traffic", "at_once", "bucket_of"]

AT_ONCE = 32
"""Requests under way at a time: what one process may wait for without being a burden."""

T = TypeVar("T")
R = TypeVar("R")


class Superseded(Exception):
    """An object is no longer what it was when it was read: another has replaced it meanwhile."""


class Held(NamedTuple):
    """An object there is."""

    name: str
    bytes: int
    changed: dt.datetime


class Traffic:
    """Requests made, and bytes that went each way; safe to be counted by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = self.received = self.sent = 0

    def count(self, *, received: int = 0, sent: int = 0, requests: int = 1) -> None:
        """Count a request."""
        with self._lock:
            self.requests += requests
            self.received += received
            self.sent += sent


class Bucket(Protocol):
    """Objects by their names below a URL. Safe to be used by several threads at once.

    An object that is not there is a `FileNotFoundError`. What else fails is one of our errors: no
    right an `AuthError`, the way there a `NetworkError`, anything else a `StoreError`.
    """

    url: str
    traffic: Traffic

    def get(self, name: str) -> tuple[bytes, object]:
        """Return an object, and a tag that changes with it."""
        ...

    def get_range(self, name: str, start: int, stop: int) -> bytes:
        """Return a part of an object; fewer bytes where it ends before."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Put an object in place at once."""
        ...

    def put_if(self, name: str, data: bytes, tag: object) -> None:
        """Put an object in place, unless it has changed; a tag of None means there is none yet.

        Raises
        ------
        Superseded
            Where it has.
        """
        ...

    def held(self) -> Iterator[Held]:
        """Yield all objects."""
        ...

    def standing(self, name: str) -> tuple[int, int]:
        """Return an object's size, and a number that is another when it was changed."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        ...


def bucket_of(location: Path) -> Bucket:
    """Return what holds the objects at a location: a folder of this machine, or an object store."""
    url = url_of(location)
    if url.startswith("file:"):
        from cimis.pipeline.published.folder import Folder

        return Folder(url)
    from cimis.pipeline.published.objects import ObjectStore

    return ObjectStore(url)


def at_once(do: Callable[[T], R], each: Iterable[T], *, workers: int = AT_ONCE) -> Iterator[R]:
    """Yield what is done with each, in order, several at a time; the first failure ends it."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers, "bucket") as pool:
        try:
            yield from pool.map(do, each)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
