"""Published stores as a storage: read-only, fetched on demand, checked, kept near for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, TypeVar

from cimis.pipeline.errors import StoreError
from cimis.pipeline.published.bucket import Bucket, at_once, bucket_of
from cimis.pipeline.published.manifest import MANIFEST
from cimis.pipeline.published.near import Near, near_folder
from cimis.pipeline.published.places import below
from cimis.pipeline.published.ranges import Ranges, Whole, damaged
from cimis.pipeline.published.snapshot import Lies
from cimis.pipeline.published.version import Version, open_version
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.locations import url_of
from cimis.pipeline.storage.writers import read_only

__all__ = ["Published"]

T = TypeVar("T")
_WHOLE_BYTES = 1 << 16
"""Chunks up to so many bytes are fetched whole; of larger ones the ranges that are asked for."""

_TRIES = 2
_GAP_BYTES = 1 << 16
_RUN_BYTES = 8 << 20


class Published:
    """Chunks of published stores; a storage (`cimis.pipeline.storage.contract`)."""

    writable = False

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ways: dict[Path, tuple[Bucket, Near]] = {}
        self._versions: dict[Path, Version] = {}
        self._told: dict[Path, Lies] = {}

    def attend(self, root: Path) -> None:
        """Look what is published at a place now."""
        with self._lock:
            bucket, near = self._way(root)
            version = open_version(bucket, near)
            if version is None:
                raise StoreError(
                    f"there is no published store at {bucket.url}: it has no {MANIFEST}",
                    hint="check the URL; 'cimis publish' makes one of a data directory",
                )
            self._versions[root] = version

    def database(self, root: Path, _name: str) -> Path:
        """Return the file of the catalog's snapshot on this machine."""
        version = self._version(root)
        if not version.catalog.is_file():  # cleared by another meanwhile
            self.attend(root)
            version = self._version(root)
        return version.catalog

    def forget(self, root: Path) -> int:
        """Delete what is kept of a place on this machine; return the bytes freed."""
        with self._lock:
            self._versions.pop(root, None)
            return self._way(root)[1].clear()

    def whereabouts(self, root: Path, paths: Sequence[str]) -> list[Lies] | None:
        """Return where chunks lie, for those who read without the catalog; see `learn`."""
        lies = self._version(root).lies
        return [lies[path] for path in paths]

    def learn(self, root: Path, places: Mapping[str, Lies]) -> None:
        """Take from `whereabouts` where chunks lie, so that no catalog is needed."""
        self._told |= {root / path: lies for path, lies in places.items()}

    def ahead(self, paths: Sequence[Path], *, whole: bool = True) -> None:
        """Fetch those chunks that are not near, many at once; large ones if they are read whole.

        What is wrong with one is told when it is read.
        """
        due: dict[tuple[Path, str], list[Lies]] = {}
        for path in paths:
            root, lies = self._find(path)
            near = self._way(root)[1]
            if (whole or lies.bytes <= _WHOLE_BYTES) and not near.has(lies.checksum):
                due.setdefault((root, lies.object), []).append(lies)
        runs = [(root, run) for (root, _), each in due.items() for run in _runs(each)]
        if len(runs) == 1:
            self._fetch_run(runs[0])
        elif runs:
            for _ in at_once(self._fetch_run, runs):
                pass

    def read(self, path: Path) -> bytes:
        """Return a chunk, checked by its checksum."""
        root, lies = self._find(path)
        bucket, near = self._way(root)
        kept = near.chunk(lies.checksum)
        if kept is not None:
            return kept
        span = lies.object, lies.start, lies.start + lies.bytes
        data = b""
        for _ in range(_TRIES):  # once, it may be the way there
            data = self._asked(path, lies, lambda: bucket.get_range(*span))
            if checksum_of(data) == lies.checksum:
                near.keep(lies.checksum, data)
                return data
        raise damaged(path, lies, f"{len(data):,} bytes of another checksum")

    def open(self, path: Path) -> Ranges | Whole:
        """Open a chunk: a small one whole, of a large one its ranges."""
        root, lies = self._find(path)
        bucket, near = self._way(root)
        data = near.chunk(lies.checksum)
        if data is None and (lies.bytes <= _WHOLE_BYTES or not lies.tail):
            data = self.read(path)
        if data is not None:
            return Whole(data)

        def ask(start: int, stop: int) -> bytes:
            place = lies.start
            return self._asked(
                path, lies, lambda: bucket.get_range(lies.object, place + start, place + stop)
            )

        return Ranges(path, lies, ask)

    def exists(self, path: Path) -> bool:
        """Tell whether a chunk is published."""
        try:
            self._find(path)
        except FileNotFoundError:
            return False
        return True

    def standing(self, path: Path) -> tuple[int, int]:
        """Return a chunk's size and no time where it is near; else those of its object."""
        root, lies = self._find(path)
        bucket, near = self._way(root)
        if near.has(lies.checksum):
            return lies.bytes, 0
        return bucket.standing(lies.object)

    def files(self, folder: Path, pattern: str) -> Iterator[Path]:
        """Yield the chunks below a folder whose path below it has the pattern."""
        root = folder if folder in self._versions else folder.parent
        slashes = None if "**/" in pattern else pattern.count("/")
        for name in self._version(root).lies:
            path = root / name
            if path.is_relative_to(folder):
                rest = path.relative_to(folder).as_posix()
                deep = slashes is None or rest.count("/") == slashes
                if deep and fnmatchcase(rest, pattern.replace("**/", "*")):
                    yield path

    def put(self, path: Path, _data: bytes, _check: Callable[[bytes], T]) -> T:
        """Refuse."""
        raise read_only(path)

    def move(self, source: Path, _target: Path) -> None:
        """Refuse."""
        raise read_only(source)

    def leftovers(self, _root: Path) -> list[Path]:
        """Return nothing: nobody writes."""
        return []

    def remove(self, path: Path) -> None:
        """Refuse."""
        raise read_only(path)

    def lock(self, root: Path, _name: str, _timeout_s: float) -> Callable[[], None] | None:
        """Refuse: only writers lock."""
        raise read_only(root)

    def _way(self, root: Path) -> tuple[Bucket, Near]:
        with self._lock:
            if root not in self._ways:
                self._ways[root] = bucket_of(root), Near(near_folder(url_of(root)))
            return self._ways[root]

    def _version(self, root: Path) -> Version:
        with self._lock:
            if root not in self._versions:
                self.attend(root)
            return self._versions[root]

    def _find(self, path: Path) -> tuple[Path, Lies]:
        """Return the root of the store that a chunk is of, and where it lies."""
        root, name = below(path)
        told = self._told.get(path)
        if root not in self._versions and told is not None:
            return root, told
        try:
            return root, self._version(root).lies[name]
        except KeyError:
            raise FileNotFoundError(f"{path} is not published") from None

    def _fetch_run(self, run: tuple[Path, _Run]) -> None:
        """Fetch chunks that lie together in an object, and keep those that are right."""
        root, each = run
        bucket, near = self._way(root)
        try:
            data = bucket.get_range(each.object, each.start, each.stop)
        except FileNotFoundError:
            return
        for lies in each.chunks:
            piece = data[lies.start - each.start : lies.start - each.start + lies.bytes]
            if checksum_of(piece) == lies.checksum:
                near.keep(lies.checksum, piece)

    def _asked(self, path: Path, lies: Lies, ask: Callable[[], bytes]) -> bytes:
        try:
            return ask()
        except FileNotFoundError:
            raise damaged(path, lies, "nothing") from None


class _Run(NamedTuple):
    """Chunks of an object that are fetched by one request."""

    object: str
    start: int
    stop: int
    chunks: list[Lies]


def _runs(each: Sequence[Lies]) -> Iterator[_Run]:
    """Yield chunks of one object as runs with small gaps, none of many bytes."""
    found: _Run | None = None
    for lies in sorted(each, key=lambda lies: lies.start):
        stop = lies.start + lies.bytes
        if (
            found is not None
            and lies.start - found.stop <= _GAP_BYTES
            and stop - found.start <= _RUN_BYTES
        ):
            found.chunks.append(lies)
            found = found._replace(stop=max(stop, found.stop))
        else:
            if found is not None:
                yield found
            found = _Run(lies.object, lies.start, stop, [lies])
    if found is not None:
        yield found
