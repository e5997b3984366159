"""A data directory on the disk: found where it is one, made, or taken over."""

from __future__ import annotations

from pathlib import Path

from cimis.pipeline.errors import CheckFailed, StoreError
from cimis.pipeline.storage import storage_of

__all__ = ["data_directory", "found_at", "make_directory"]


def found_at(root: Path) -> Path:
    """Return where a data directory is read from: a folder that was published to is a URL's."""
    if (root / "cimis-manifest.json").is_file() and not (root / "metadata.sqlite3").is_file():
        from cimis.pipeline.storage.locations import location_of

        return location_of(root)
    return root


def data_directory(root: Path) -> Path:
    """Return the root of a data directory that is one, or of a published store, looked at now."""
    root = found_at(root)
    if not storage_of(root).writable:
        storage_of(root).attend(root)
        return root
    if not root.exists():
        raise StoreError(
            f"there is no data directory at '{root}'", hint=f"make one: cimis init {root}"
        )
    if not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a data directory", hint="name its directory")
    if not (root / "metadata.sqlite3").is_file():
        from cimis.pipeline.catalog.file import lists_nothing

        raise lists_nothing(root)
    _bring_up_to_date(root)
    return root


def _bring_up_to_date(root: Path) -> None:
    from cimis.pipeline.catalog.file import is_current

    if not is_current(root):
        from cimis.pipeline.care.upgrade import upgrade

        upgrade(root)


def make_directory(root: Path, *, adopt: bool = False) -> None:
    """Make a data directory, unless it is one already; see :func:`cimis.create`."""
    from cimis.pipeline.catalog.database import CATALOG_FILE, Catalog
    from cimis.pipeline.catalog.file import lists_nothing
    from cimis.pipeline.chunks.whereabouts import chunk_files
    from cimis.pipeline.storage.writers import must_be_writable

    must_be_writable(root)
    if root.exists() and not root.is_dir():
        raise StoreError(f"'{root}' is a file, not a directory", hint="choose another path")
    if adopt:
        _adopt(root)
    elif not (root / CATALOG_FILE).exists() and next(chunk_files(root), None) is not None:
        raise lists_nothing(root)
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make '{root}': {error.strerror}", hint="choose a folder you may write to"
        ) from error
    if (root / CATALOG_FILE).exists():
        _bring_up_to_date(root)
    with Catalog(root, create=True):
        pass


def _adopt(root: Path) -> None:
    from cimis.pipeline.care.adopt import adopt

    left = adopt(root).left
    if left:
        path, reason = left[0]
        raise CheckFailed(
            f"{len(left)} of the chunks in '{root}' were left where they are; {path}: {reason}",
            hint="the others are taken over; open the directory to use them",
        )
