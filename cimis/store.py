"""One open data directory: what users hold to read, ask and fetch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cimis.arguments import (
    byte_count,
    path_of,
)
from cimis.fetching import Fetching
from pipeline.errors import StoreError
from pipeline.items import Scope

if TYPE_CHECKING:
    from pipeline.verify import Verdict
    from queries.compact import Compacted

__all__ = ["Store", "create", "data_directory", "open_store"]


class Store(Fetching):
    """A data directory, open for questions; also a context manager.

    Use :func:`cimis.open`. A store sees what other processes store while it is open: every question
    reads what the catalog holds at its start.

    Parameters
    ----------
    root : path
        The data directory.
    cache : int or str
        Bound of the read cache in bytes, or as ``"50MB"``; 0 keeps nothing.

    Examples
    --------
    >>> import cimis
    >>> with cimis.open("data") as store:                        # doctest: +SKIP
    ...     june = store.daily(stations=[2, 5], start="2024-06-01", end="2024-06-30")
    """

    def __init__(self, root: str | Path, *, cache: int | str = 0) -> None:
        super().__init__(data_directory(path_of(root)), byte_count(cache))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store {str(self.root)!r}{' closed' if self._closed else ''}>"

    def compact(self) -> list[Compacted]:
        """Build or update the column cache of each scope, as ``cimis compact`` does."""
        from queries.compact import compact

        return [compact(self.root, scope) for scope in Scope]

    def discard_columns(self) -> int:
        """Delete the column cache; return the bytes freed. The chunks stay."""
        from queries.compact import discard

        return discard(self.root)

    def verify(self, *, repair: bool = False) -> Verdict:
        """Check every byte of every chunk and the catalog, as ``cimis verify`` does.

        ``repair`` rebuilds the catalog from the chunks and moves damaged ones into quarantine.
        """
        from pipeline.verify import verify

        return verify(self.root, repair=repair)


def open_store(path: str | Path = "data", *, cache: int | str = 0) -> Store:
    """Open a data directory.

    Parameters
    ----------
    path : path
        Made by ``cimis init`` or :func:`create`.
    cache : int or str
        Bound of the read cache in bytes, or as ``"50MB"``; 0 keeps nothing.

    Raises
    ------
    StoreError
        When there is no data directory at the path.
    """
    return Store(path, cache=cache)


def create(path: str | Path) -> Store:
    """Make a data directory, unless it is one already, and open it.

    Raises
    ------
    StoreError
        When the path is a file, or nothing can be written there.
    """
    from pipeline.catalog import Catalog

    root = path_of(path)
    if root.exists() and not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a directory", hint="choose another path")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make '{root}': {error.strerror}", hint="choose a folder you may write to"
        ) from error
    with Catalog(root, create=True):
        pass
    return Store(root)


def data_directory(root: Path) -> Path:
    """Return the root of a data directory that is one."""
    if not root.exists():
        raise StoreError(
            f"there is no data directory at '{root}'", hint=f"make one: cimis init {root}"
        )
    if not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a data directory", hint="name its directory")
    if not (root / "metadata.sqlite3").is_file():
        raise StoreError(
            f"'{root}' is no data directory: it has no metadata.sqlite3",
            hint=f"make one with 'cimis init {root}', or rebuild with 'cimis verify --repair'",
        )
    return root
