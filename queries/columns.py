"""The column cache: each column of a scope as one flat file of scaled integers, mapped to be read.

Built from the chunks by ``cimis compact`` and never the truth: a chunk whose checksum is not the
one it was built from is read from its file, and the whole may be deleted at any time. On disk::

    <root>/columns/daily/current.json        what is there, replaced atomically
    <root>/columns/daily/<generation>/       one file per column, rows in station and time order,
                                             and chunks, what the catalog says of each chunk

A value column holds integers of 2, 4 or 8 bytes, the least one of its type meaning missing; a
flag column one byte per row, 0 meaning none, else 1 + the flag's place in the list of flags.
Every segment of 131,072 rows has its CRC-32, checked when a process first reads it.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import StoreError
from pipeline.items import Scope
from queries.values import Column, Flags, Keys, Scaled

__all__ = [
    "CHUNK_FACTS",
    "SEGMENT_ROWS",
    "VERSION",
    "ColumnCache",
    "ColumnFacts",
    "Superseded",
    "folder_of",
    "stamp_of",
]

SEGMENT_ROWS = 131_072
VERSION = 2
CHUNK_FACTS = np.dtype(
    [
        ("path", "S64"),
        ("station", "<i8"),
        ("rows", "<i8"),
        ("first_s", "<i8"),
        ("last_s", "<i8"),
        ("checksum", "S32"),
    ]
)
"""What is known of each chunk, in the order of :meth:`Catalog.scope_chunks`."""

_TYPES = ("<i2", "<i4", "<i8", "<u2", "|u1")

Values = npt.NDArray[Any]
Stamp = tuple[int, int] | None
"""Tells one build from another without reading it; None where there is none."""


class Superseded(Exception):
    """Another process has put a newer build in the place of this one, and removed it."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column's file: key, value or flag; integer type, decimals, and a CRC-32 per segment."""

    kind: str
    type: str
    decimals: int
    crc32: tuple[int, ...]


def folder_of(root: Path, scope: Scope) -> Path:
    """Return where a scope's column cache lies in a data directory."""
    return root / "columns" / scope.value


def stamp_of(root: Path, scope: Scope) -> Stamp:
    """Return the stamp of the build that is current now."""
    try:
        # a string: this is asked at every question, and paths are slow to join
        found = os.stat(f"{root}/columns/{scope.value}/current.json")  # noqa: PTH116
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


class ColumnCache:
    """An open column cache; files are mapped when their columns are first read.

    Attributes
    ----------
    generation : str
        Names the build; two builds never share it.
    flags : tuple of str
        The flags that codes stand for: code 1 is the first.
    columns : dict of str to ColumnFacts
    chunks : array of CHUNK_FACTS
        The chunks whose rows are here, in order.
    catalog : int or None
        Generation of the catalog that says just this of all its chunks; None where it differed.
    stored : dict of str to tuple of int, str
        Decimals and unit of every item that was stored, by its code.
    """

    def __init__(self, folder: Path, facts: dict[str, Any], stamp: Stamp) -> None:
        self.generation = str(facts["generation"])
        self.flags = tuple(str(flag) for flag in facts["flags"])
        self.rows = int(facts["rows"])
        self.columns = {
            name: ColumnFacts(c["kind"], c["type"], int(c["decimals"]), tuple(c["crc32"]))
            for name, c in facts["columns"].items()
        }
        self._folder = folder / self.generation
        data = (self._folder / "chunks").read_bytes()
        if zlib.crc32(data) != facts["chunks_crc32"]:
            raise ValueError("chunks is damaged")
        self.chunks = np.frombuffer(data, CHUNK_FACTS)
        self.catalog: int | None = facts["catalog"]
        self.stored = {code: (int(d), str(u)) for code, (d, u) in facts["stored"].items()}
        self._places: dict[str, int] | None = None
        self.stamp = stamp
        self._mapped: dict[str, Values] = {}
        self._checked: set[tuple[str, int]] = set()

    @classmethod
    def open(cls, root: Path, scope: Scope) -> ColumnCache | None:
        """Return a scope's column cache, or None where there is none that can be used."""
        folder = folder_of(root, scope)
        try:
            stamp = stamp_of(root, scope)
            facts = json.loads((folder / "current.json").read_bytes())
            if facts["version"] != VERSION:
                return None
            return cls(folder, facts, stamp)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def first_row(self, checksum: str) -> int | None:
        """Return where a chunk's rows begin; None for a chunk that is not there."""
        if self._places is None:
            names = self.chunks["checksum"].astype(str).tolist()
            self._places = dict(zip(names, self.first_rows().tolist(), strict=True))
        return self._places.get(checksum)

    def first_rows(self) -> npt.NDArray[np.int64]:
        """Return where each chunk's rows begin, in order."""
        counts = self.chunks["rows"]
        starts: npt.NDArray[np.int64] = np.cumsum(counts) - counts
        return starts

    def read(self, name: str, start: int, stop: int) -> Values:
        """Return rows of a column as they are stored, without a copy.

        Raises
        ------
        StoreError
            When the file is cut or damaged; deleting the folder is safe.
        """
        mapped = self._mapped.get(name)
        if mapped is None:
            mapped = self._mapped[name] = self._map(name)
        for segment in range(start // SEGMENT_ROWS, -(-stop // SEGMENT_ROWS)):
            if (name, segment) not in self._checked:
                self._check(name, mapped, segment)
        return mapped[start:stop]

    def column(self, name: str, start: int, stop: int) -> Column:
        """Return rows of a column in their compact form; see :meth:`read`."""
        facts = self.columns[name]
        values = self.read(name, start, stop)
        if facts.kind == "key":
            return Keys(values)
        return Flags(values, self.flags) if facts.kind == "flag" else Scaled(values, facts.decimals)

    def _map(self, name: str) -> Values:
        facts = self.columns[name]
        if facts.type not in _TYPES:
            raise self._damaged(name, f"has the unknown type {facts.type!r}")
        path = self._folder / name
        try:
            size = path.stat().st_size
            if size != self.rows * np.dtype(facts.type).itemsize:
                raise self._damaged(name, f"has {size} bytes for {self.rows} rows")
            if not self.rows:
                return np.empty(0, facts.type)
            return np.asarray(np.memmap(path, facts.type, "r"))
        except FileNotFoundError:
            raise Superseded from None
        except OSError as error:
            raise self._damaged(name, f"cannot be read: {error.strerror}") from error

    def _check(self, name: str, mapped: Values, segment: int) -> None:
        part = mapped[segment * SEGMENT_ROWS : (segment + 1) * SEGMENT_ROWS]
        if zlib.crc32(np.ascontiguousarray(part).data) != self.columns[name].crc32[segment]:
            raise self._damaged(name, f"is damaged in segment {segment}")
        self._checked.add((name, segment))

    def _damaged(self, name: str, what: str) -> StoreError:
        return StoreError(
            f"column cache {self._folder / name} {what}",
            hint=f"delete {self._folder.parent} or run 'cimis compact' again",
        )
