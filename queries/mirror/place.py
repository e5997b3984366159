"""Where the mirrors of a data directory lie: their folder, file names, lock, and what is swept.

A mirror's file never changes once it bears its name, which says of which scope and generation of
the catalog it is. Readers keep what they opened; a newer one gets a name of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cimis.pipeline.field.items import Scope
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.system import unlink_unless_open, user_cache
from cimis.queries.mirror.layout import LAYOUT

__all__ = ["Place", "cache_folder"]

_NAME = re.compile(r"(?P<scope>daily|hourly)-(?P<generation>\d+)\.(?P<form>[\w.-]+)\.duckdb")
_TWIN = re.compile(r"(?P<kind>(daily|hourly|spatial_daily)-[a-z-]+)-[0-9a-f]{32}\.parquet")
_TWIN_GRACE_S = 600.0
_TWINS_KEPT = 8
_FOLDER_TRIES = 9
_FOREIGN_GRACE_S = 7 * 86_400.0
"""Mirrors of another version of DuckDB are left to its own users for a week."""


def cache_folder(root: Path, chosen: Path | None = None) -> Path | None:
    """Return the folder of a data directory's mirrors, which may not exist yet.

    The chosen folder, with a part of its own for each data directory; else ``.cache`` inside the
    data directory, or, where that cannot be written, in the user's cache folder. None where
    there is nowhere to write.
    """
    if chosen is not None:
        return chosen / _own(root)
    inside = root / ".cache"
    if storage_of(root).writable and _writable(inside if inside.exists() else root):
        return inside
    home = user_cache()
    near = next((p for p in (home, *home.parents) if p.exists()), None)
    if not home.is_absolute() or near is None or not _writable(near):
        return None
    return home / "cimis" / _own(root)


def _own(root: Path) -> str:
    """Return a name for a data directory among others."""
    from hashlib import blake2b  # loads OpenSSL, which a question can spare

    place = root.absolute().resolve() if storage_of(root).writable else root
    return blake2b(os.fsencode(place), digest_size=8).hexdigest()


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a data directory's mirrors.

    Parameters
    ----------
    folder : Path
    engine : str
        The version of DuckDB, whose files others may not be able to read.
    """

    folder: Path
    engine: str

    @property
    def _form(self) -> str:
        return f"{LAYOUT}-{self.engine}"

    def path(self, scope: Scope, generation: int) -> Path:
        """Return the file of a scope's mirror of a generation, there or not."""
        return self.folder / f"{scope}-{generation}.{self._form}.duckdb"

    def draft(self, scope: Scope) -> Path:
        """Return a file to build a mirror in, before it gets its name; under the lock."""
        return self.folder / f"{scope}.draft"

    def found(self, scope: Scope) -> list[tuple[int, Path]]:
        """Return the generations and files of a scope's mirrors of this form, newest first."""
        listed = []
        for path in self.files():
            match = _NAME.fullmatch(path.name)
            if match and match["scope"] == scope and match["form"] == self._form:
                with contextlib.suppress(OSError):
                    listed.append((path.stat().st_mtime_ns, int(match["generation"]), path))
        return [(generation, path) for _, generation, path in sorted(listed, reverse=True)]

    def files(self) -> list[Path]:
        """Return all that lies in the folder."""
        try:
            return sorted(self.folder.iterdir())
        except OSError:
            return []

    @contextlib.contextmanager
    def lock(self, scope: Scope) -> Iterator[None]:
        """Hold the lock of a scope's refresher: one at a time over all processes."""
        from filelock import FileLock

        lock = FileLock(self.folder / f"{scope}.lock")
        for last in (*[False] * _FOLDER_TRIES, True):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
                break
            except (FileNotFoundError, FileExistsError):  # the folder was deleted meanwhile
                if last:
                    raise
        try:
            yield
        finally:
            lock.release()

    def sweep(self, scope: Scope, keep: Path) -> None:
        """Delete a scope's other mirrors and what killed refreshers left; under the lock."""
        now = time.time()
        for path in self.files():
            match = _NAME.fullmatch(path.name.removesuffix(".wal"))
            mine = match is not None and match["scope"] == scope and path != keep
            if mine and match is not None and match["form"] != self._form:
                with contextlib.suppress(OSError):
                    mine = now - path.stat().st_mtime > _FOREIGN_GRACE_S
            if mine:
                unlink_unless_open(path)
        self.clear_draft(scope)

    def sweep_older(self, scope: Scope, than: Path) -> None:
        """Delete the mirrors before one, which a refresher left that was killed at its very end.

        Unless another holds the lock, who sweeps by itself.
        """
        older = [path for _, path in self.found(scope)]
        if than not in older or than == older[-1]:
            return
        from filelock import FileLock, Timeout

        with (
            contextlib.suppress(Timeout, OSError),
            FileLock(self.folder / f"{scope}.lock", timeout=0),
        ):
            for path in older[older.index(than) + 1 :]:
                unlink_unless_open(path)

    def clear_draft(self, scope: Scope) -> None:
        """Delete what was begun of a mirror; under the lock."""
        for path in self.files():
            if path.name.startswith(self.draft(scope).name):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    unlink_unless_open(path)

    def twin(self, kind: str, digest: str) -> Path:
        """Return the file of a Parquet twin, known by what it holds, there or not."""
        return self.folder / f"{kind}-{digest}.parquet"

    def sweep_twins(self, kind: str) -> None:
        """Delete superseded twins of a kind, each a while after the one that came after it.

        A lazy frame or dataset opens its files when it is read, and may have been made before.
        """
        made = []
        for path in self.files():
            match = _TWIN.fullmatch(path.name)
            if match and match["kind"] == kind:
                with contextlib.suppress(OSError):
                    made.append((path.stat().st_mtime, path))
            elif path.name.startswith(f"{kind}.twin-draft"):
                unlink_unless_open(path)
        made.sort(reverse=True)
        for number, ((superseded, _), (_, path)) in enumerate(pairwise(made), 1):
            if number >= _TWINS_KEPT or time.time() - superseded > _TWIN_GRACE_S:
                unlink_unless_open(path)

    def clear(self) -> int:
        """Delete everything; return the bytes freed. What others have open stays theirs."""
        freed = 0
        for scope in Scope:
            self.clear_draft(scope)
        for path in self.files():
            if path.suffix != ".lock" and path.is_file():
                size = 0
                with contextlib.suppress(OSError):
                    size = path.stat().st_size
                freed += size if unlink_unless_open(path) else 0
        return freed
