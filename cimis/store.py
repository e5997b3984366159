"""One open data directory: what users hold to read, ask and fetch."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cimis.arguments import (
    keeping,
    path_of,
)
from cimis.fetching import Fetching
from pipeline.errors import CheckFailed, StoreError

if TYPE_CHECKING:
    from pipeline.verify import Verdict

__all__ = ["Store", "create", "data_directory", "open_store"]


class Store(Fetching):
    """A data directory, open for questions; also a context manager.

    Use :func:`cimis.open`. A store sees what other processes store while it is open: every question
    reads what the catalog holds at its start.

    Parameters
    ----------
    root : path
        The data directory.
    cache : int or str, optional
        The most bytes that the read cache of a scope may take, also as ``"500MB"``; 0 keeps none.
        By default CIMIS_CACHE or the configuration file say it, or nothing does.

    Examples
    --------
    >>> import cimis
    >>> with cimis.open("data") as store:                        # doctest: +SKIP
    ...     june = store.daily(stations=[2, 5], start="2024-06-01", end="2024-06-30")
    """

    def __init__(self, root: str | Path, *, cache: int | str | None = None) -> None:
        super().__init__(data_directory(path_of(root)), keeping(cache))

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

    def verify(self, *, repair: bool = False) -> Verdict:
        """Check every byte of every chunk and the catalog, as ``cimis verify`` does.

        ``repair`` rebuilds the catalog from the chunks and moves damaged ones into quarantine.
        """
        from pipeline.verify import verify

        verdict = verify(self.root, repair=repair)
        if repair:
            self._refreshed()
        return verdict


def open_store(path: str | Path = "data", *, cache: int | str | None = None) -> Store:
    """Open a data directory.

    Parameters
    ----------
    path : path
        Made by ``cimis init`` or :func:`create`.
    cache : int or str, optional
        The most bytes that the read cache of a scope may take, also as ``"500MB"``; 0 keeps none.

    Raises
    ------
    StoreError
        When there is no data directory at the path. Where there are chunks without a catalog of
        ours, its hint says how to take them over.
    """
    from pipeline.catalog import Catalog

    store = Store(path, cache=cache)
    with Catalog(store.root):
        return store


def create(path: str | Path, *, adopt: bool = False) -> Store:
    """Make a data directory, unless it is one already, and open it.

    Parameters
    ----------
    path : path
    adopt : bool
        Take over the chunks that lie there without being listed, as those of the older program: see
        :func:`pipeline.adopt.adopt`.

    Raises
    ------
    StoreError
        When the path is a file, nothing can be written there, or chunks lie there without a catalog
        and are not to be taken over.
    NoDataError
        When there is nothing to take over.
    CheckFailed
        When some chunk cannot be taken over; the others are.
    """
    from pipeline.catalog import CATALOG_FILE, Catalog
    from pipeline.catalog_file import lists_nothing
    from pipeline.chunks.whereabouts import chunk_files

    root = path_of(path)
    if root.exists() and not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a directory", hint="choose another path")
    if adopt:
        _adopted(root)
    elif not (root / CATALOG_FILE).exists() and next(chunk_files(root), None) is not None:
        raise lists_nothing(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make '{root}': {error.strerror}", hint="choose a folder you may write to"
        ) from error
    with Catalog(root, create=True):
        pass
    return Store(root)


def _adopted(root: Path) -> None:
    from pipeline.adopt import adopt

    left = adopt(root).left
    if left:
        path, reason = left[0]
        raise CheckFailed(
            f"{len(left)} of the chunks in '{root}' were left where they are; {path}: {reason}",
            hint="the others are taken over; open the directory to use them",
        )


def data_directory(root: Path) -> Path:
    """Return the root of a data directory that is one."""
    if not root.exists():
        raise StoreError(
            f"there is no data directory at '{root}'", hint=f"make one: cimis init {root}"
        )
    if not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a data directory", hint="name its directory")
    if not (root / "metadata.sqlite3").is_file():
        from pipeline.catalog_file import lists_nothing

        raise lists_nothing(root)
    return root
