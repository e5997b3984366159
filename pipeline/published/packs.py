"""How chunks lie in objects: closed years of a site together, what may still change alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.rows import ChunkRow
from cimis.pipeline.chunks.v2.container import TAIL_BYTES
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.published.snapshot import Lies
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.refusals import disk_errors
from cimis.pipeline.storage.writers import no_writer_of

__all__ = ["MovedError", "Pack", "packs_of"]


class MovedError(Exception):
    """A chunk is no longer the one that the catalog's copy lists."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Chunks that become one object, end to end, in this order."""

    rows: tuple[ChunkRow, ...]

    @property
    def size(self) -> int:
        """Bytes of the object."""
        return sum(row.file_bytes for row in self.rows)

    def made(self, root: Path) -> tuple[bytes | None, dict[str, Lies]]:
        """Return the object, and by checksum where its chunks lie; None where one is another."""
        files = []
        for row in self.rows:
            data = _listed(root, row)
            if data is None:
                return None, {}
            files.append(data)
        whole = b"".join(files)
        name = self._name(whole)
        lies: dict[str, Lies] = {}
        start = 0
        for row, data in zip(self.rows, files, strict=True):
            tail = checksum_of(data[-TAIL_BYTES:]) if row.format == "v2" else ""
            lies[row.checksum] = Lies(name, start, len(data), row.checksum, tail)
            start += len(data)
        return whole, lies

    def check_moved(self, root: Path) -> NoReturn:
        """Raise what is wrong where a chunk is not what the copy of the catalog lists.

        Raises
        ------
        MovedError
            Where a writer has replaced it meanwhile: all is well, but not as it was listed.
        ChunkError
            Where it is damaged.
        """
        with Catalog(root) as catalog:
            for row in self.rows:
                with no_writer_of(root, row.path):
                    now = catalog.chunks(path=row.path)
                    same = bool(now) and now[0].checksum == row.checksum
                    if same and _listed(root, row) is None:
                        raise ChunkError(
                            "is not the file that the catalog lists, so nothing was published",
                            path=root / row.path,
                            hint="'cimis verify --repair' sets it aside; publish again after that",
                        )
        raise MovedError

    def _name(self, data: bytes) -> str:
        """Return the object's name: of letters, digits, and what is plain in every store."""
        first, last = self.rows[0], self.rows[-1]
        site = str(first.station)
        if first.station is None:  # a target's text may have any signs
            site = "target-" + hashlib.blake2b(str(first.site).encode(), digest_size=8).hexdigest()
        years = f"{first.year}" if len(self.rows) == 1 else f"{first.year}-{last.year}"
        folder = "chunks" if len(self.rows) == 1 else "packs"
        return f"{folder}/{site}/{first.scope}-{years}-{checksum_of(data)}"


def packs_of(rows: Sequence[ChunkRow], among: Sequence[ChunkRow]) -> list[Pack]:
    """Return chunks as objects: those of a site whose years are closed together.

    A year is closed when among all chunks there is one of a later year, and none of its rows may
    still change.
    """
    newest: dict[Scope, int] = {}
    for row in among:
        newest[row.scope] = max(row.year, newest.get(row.scope, 0))
    packs: list[Pack] = []
    alone: list[ChunkRow] = []
    closed: list[ChunkRow] = []
    for row in rows:
        still_open = row.provisional_from_s is not None or row.year >= newest[row.scope]
        (alone if still_open else closed).append(row)
    for _, each in groupby(closed, key=lambda row: (row.scope, row.kind, row.site)):
        packs.append(Pack(tuple(each)))
    return packs + [Pack((row,)) for row in alone]


def _listed(root: Path, row: ChunkRow) -> bytes | None:
    """Return a chunk's file, None where it is not the one that the row lists."""
    path = root / row.path
    with disk_errors(path, "read"):
        try:
            data = storage_of(path).read(path)
        except FileNotFoundError:
            return None
    return data if checksum_of(data) == row.checksum else None
