"""The mirrors of one data directory: found, or made, for the catalog as it is now."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.errors import StoreError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage.system import unlink_unless_open
from cimis.queries.mirror.place import Place, cache_folder
from cimis.queries.native import is_full, native
from cimis.queries.quality import FlagPolicy

if TYPE_CHECKING:
    from cimis.queries.mirror.build import Refreshed
    from cimis.queries.mirror.twins import Twins
    from cimis.queries.timing import QueryTimings

__all__ = ["Keeping", "Mirrors", "Told", "mirror_sizes", "unwritable"]

Told = Callable[[str], None]

WAIT_S = 0.5
"""A question that waits longer says what for."""

_BYTES_PER_CELL = 1.7
"""What a value and its flag take in a mirror, about: tells whether one may be too large to keep."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How mirrors are to be kept.

    Parameters
    ----------
    limit_bytes : int, optional
        The most that one may take; None: no bound; 0: none is kept.
    folder : Path, optional
        Where; by default in the data directory, or in the user's cache folder where that is
        read-only.
    """

    limit_bytes: int | None = None
    folder: Path | None = None


_DELETED_TRIES = 4


class Mirrors:
    """The mirrors of a data directory.

    Parameters
    ----------
    root : Path
    catalog : Catalog
    keeping : Keeping
    told : function, optional
        Is told in words what a question waits for, should it take longer than half a second; by
        default standard error is, where that is a terminal.
    """

    def __init__(
        self, root: Path, catalog: Catalog, keeping: Keeping, *, told: Told | None = None
    ) -> None:
        self._root = root
        self._catalog = catalog
        self._limit = keeping.limit_bytes
        folder = None if keeping.limit_bytes == 0 else cache_folder(root, keeping.folder)
        self.place = None if folder is None else Place(folder, native().__version__)
        self._told = told or _to_terminal
        self._lock = threading.Lock()
        self._due: dict[Scope, tuple[int, Path]] = {}
        self._alone: set[Path] = set()
        self._twins: dict[tuple[str, FlagPolicy], tuple[Path, Twins]] = {}
        self.failure: Exception | None = None

    def ready(self, scope: Scope) -> Path | None:
        """Return the mirror of the present generation if it is there, without making it."""
        path = self.due(scope)
        if path is None or self.place is None or not path.exists():
            return None
        if path not in self._alone:
            self.place.sweep_older(scope, path)
            self._alone.add(path)
        return path

    def due(self, scope: Scope) -> Path | None:
        """Return where the mirror of the present generation is to be; None where none is kept."""
        if self.place is None:
            return None
        generation = self._catalog.generation(scope)
        known = self._due.get(scope)
        if known is None or known[0] != generation:
            known = self._due[scope] = generation, self.place.path(scope, generation)
        return known[1]

    def made(self, scope: Scope, timings: QueryTimings | None = None) -> Path | None:
        """Return the mirror of the present generation, made if it is not there.

        None where none is kept: by the bound, or because it cannot be written (``failure``).
        ``timings`` count the chunks that had to be read for it.
        """
        path = self.ready(scope)
        if path is not None or self.place is None or not self.fits(scope):
            return path
        with self._lock:
            return self.ready(scope) or self.refresh(scope, timings)

    def refresh(
        self, scope: Scope, timings: QueryTimings | None = None, *, again: bool = False
    ) -> Path | None:
        """Make the mirror of the present generation; None where it cannot be written.

        ``again``: also where it is there, as a damaged chunk's file has changed since.
        """
        from filelock import Timeout

        from cimis.queries.mirror.build import refresh

        assert self.place is not None
        failures = (OSError, Timeout, native().Error)
        with _waiting(self._told) as told:
            try:
                done = refresh(self._root, scope, self.place, self._catalog, told=told, again=again)
            except failures as error:
                self.failure = error
                return None
        if timings is not None:
            timings.count(chunks_refreshed=done.decoded)
        return done.path

    def refreshed(self, scope: Scope) -> Refreshed:
        """Make the mirror of the present generation, or find it there, and tell what that took.

        Raises
        ------
        StoreError
            Where none is kept, or it cannot be written.
        """
        from cimis.queries.mirror.build import refresh

        if self.place is None or not self.fits(scope):
            raise StoreError(
                f"no read cache of {scope} records is kept: the bound does not let it, or there "
                "is no folder to write it to",
                hint="see --cache and CIMIS_CACHE_DIR",
            )
        for last in (*[False] * _DELETED_TRIES, True):
            try:
                with _waiting(self._told) as told:
                    return refresh(self._root, scope, self.place, self._catalog, told=told)
            except (OSError, native().Error) as error:
                # the folder may be deleted at any time, a half made mirror and the lock with it
                gone = isinstance(error, FileNotFoundError) or "Conflicting lock" in str(error)
                if last or not gone:
                    raise unwritable(error) from error
        raise AssertionError("the last try returns or raises")

    def twins(self, scope: Scope, table: str, policy: FlagPolicy) -> Twins | None:
        """Return a table's Parquet twins, made where they are not there; None where none are kept.

        A mirror that goes away or turns out to be unreadable meanwhile is made again, once.
        """
        from cimis.queries.mirror.twins import twins

        for last in (False, True):
            mirror = self.made(scope)
            if mirror is None or self.place is None:
                return None
            known = self._twins.get((table, policy))
            if known is not None and known[0] == mirror and all(p.exists() for p in known[1].paths):
                return known[1]
            try:
                with _waiting(self._told) as told:
                    found = twins(self.place, mirror, table, policy, told=told)
                self._twins[table, policy] = mirror, found
                return found
            except native().Error as error:
                if last or is_full(error):
                    self.failure = error
                    return None
                self.distrust(mirror)
            except OSError as error:
                self.failure = error
                return None
        return None

    def fits(self, scope: Scope) -> bool:
        """Tell whether a scope's mirror is likely to stay within the bound."""
        return self._limit is None or self.estimate(scope) <= self._limit

    def estimate(self, scope: Scope) -> int:
        """Return about how many bytes a scope's mirror takes."""
        _, rows = self._catalog.listed(scope)
        cells = sum(int(row[4]) * (str(row[6]).count(",") + 2) for row in rows)
        return int(cells * _BYTES_PER_CELL)

    def facts(self) -> dict[str, Any]:
        """Return where mirrors lie, their bound, and per scope what is kept of them now."""
        files = [] if self.place is None else self.place.files()
        sizes = {path: path.stat().st_size for path in files if path.is_file()}
        facts: dict[str, Any] = {
            "path": None if self.place is None else str(self.place.folder),
            "limit_bytes": self._limit,
            "bytes": sum(sizes.values()),
        }
        for scope in Scope:
            path = self.ready(scope)
            facts |= {
                f"{scope}_current": path is not None,
                f"{scope}_bytes": 0 if path is None else sizes.get(path, 0),
            }
        twins = [size for path, size in sizes.items() if path.suffix == ".parquet"]
        return facts | {"parquet_bytes": sum(twins)}

    def distrust(self, path: Path) -> None:
        """Delete a mirror that turned out to be unreadable; the next question makes another."""
        unlink_unless_open(path)


def mirror_sizes(root: Path, keeping: Keeping) -> dict[str, int]:
    """Return by scope the bytes of the mirror of what is stored now; 0 where it is not there."""
    with Catalog(root) as catalog:
        facts = Mirrors(root, catalog, keeping).facts()
    return {scope.value: facts[f"{scope}_bytes"] for scope in Scope}


@contextmanager
def _waiting(told: Told) -> Iterator[Told]:
    """Pass on what is said last once half a second has gone by, and what is said after that."""
    said: list[str] = []
    late = threading.Event()

    def tell() -> None:
        late.set()
        if said:
            told(said[-1])

    timer = threading.Timer(WAIT_S, tell)
    timer.daemon = True

    def say(text: str) -> None:
        said.append(text)
        if late.is_set():
            told(text)

    timer.start()
    try:
        yield say
    finally:
        timer.cancel()


def _to_terminal(text: str) -> None:
    if sys.stderr.isatty():
        print(f"{text} ...", file=sys.stderr)  # noqa: T201


def unwritable(error: Exception) -> StoreError:
    """Return why no mirror could be written, as one of our errors."""
    return StoreError(
        f"the read cache cannot be written: {error}",
        hint="choose another folder with CIMIS_CACHE_DIR, or --cache 0 to keep none",
    )
