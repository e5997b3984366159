"""The column cache: each column of a scope as one flat file of scaled integers, mapped to be read.

Built from the chunks by ``cimis compact`` and never the truth: a chunk whose checksum is not the
one it was built from is read from its file, and the whole may be deleted at any time. On disk::

    <root>/columns/daily/current.json        what is there, replaced atomically
    <root>/columns/daily/<generation>/       one file per column, rows in station and time order

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
    "SEGMENT_ROWS",
    "VERSION",
    "ColumnCache",
    "ColumnFacts",
    "Superseded",
    "folder_of",
    "stamp_of",
]

SEGMENT_ROWS = 131_072
VERSION = 1
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
        first_rows = np.concatenate([[0], np.cumsum(facts["chunks"]["rows"])]).tolist()
        self._places = dict(zip(facts["chunks"]["checksum"], first_rows, strict=False))
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
        return self._places.get(checksum)

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
