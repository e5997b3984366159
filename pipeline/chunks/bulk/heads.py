"""The beginnings of footers, up to the first block: whose rows, which columns, which states.

Files of one network repeat the same few lists of columns and of states, so each list is read once
and known again by its bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cimis.pipeline.chunks.footer import SCOPES, ColumnInfo, State
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.octets import Reader
from cimis.pipeline.chunks.v2.parse import FEATURE_FROM_V1, read_columns, read_states
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope, by_code, scope_items

__all__ = ["Columns", "Head", "Heads", "States"]

_PLAIN = 0x80
_KNOWN = 4_096


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Columns of a chunk: decimals of each, and between their numbers and the scope's items.

    ``slots`` has the item's place among the scope's items by column number, ``numbers`` the other
    way round (-1 where the chunk has no such column). ``from_v1``: some were read from V1.
    """

    infos: tuple[ColumnInfo, ...]
    from_v1: bool

    decimals: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class States:
    """The states that a footer lists; one object for all footers that list the same."""

    listed: tuple[State, ...]
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before a footer's blocks, and where these begin."""

    columns: Columns
    states: States
    blocks: int
    start: int


class Heads:
    """Reads heads; what is out of the ordinary is left to the reader of single chunks."""

    def __init__(self) -> None:
        self._columns: dict[tuple[Scope, bytes], Columns | None] = {}
        self._states: dict[bytes, States] = {}
        self._before: dict[Callable[[bytes, int], int], bytes] = {}

    def read(self, raw: bytes, key: ChunkKey) -> Head | None:
        """Return a footer's head; None where it is not the key's, damaged, or out of the ordinary.

        Parameters
        ----------
        raw : bytes
            The footer, decompressed, of a known version.
        key : ChunkKey
        """
        try:
            return self._read(raw, key)
        except (ChunkError, IndexError):
            return None

    def _read(self, raw: bytes, key: ChunkKey) -> Head | None:
        if SCOPES[raw[2]] is not key.scope:
            return None
        source = Reader(raw)
        source.place = 3
        year, station = source.unsigned(9999), source.unsigned(0x10000)
        whose = source.text() if station == 0 else station - 1
        due = key.target if key.station is None else key.station
        if year != key.year or whose != due:
            return None
        described = self._list(raw, source.place, _end_of_columns)
        place = source.place + len(described)
        listed = self._list(raw, place, _end_of_states)
        place += len(listed)
        blocks = raw[place]
        if not 0 < described[0] < _PLAIN or listed[0] >= _PLAIN or not 0 < blocks < _PLAIN:
            return None
        if len(self._columns) + len(self._states) > _KNOWN:
            self._columns.clear()
            self._states.clear()
        name = key.scope, described
        if name not in self._columns:
            self._columns[name] = _columns(read_columns(Reader(described), key.scope), key.scope)
        if listed not in self._states:
            self._states[listed] = _states(read_states(Reader(listed)))
        columns = self._columns[name]
        if columns is None or columns.from_v1 != bool(raw[1] & FEATURE_FROM_V1):
            return None
        return Head(columns, self._states[listed], blocks, place + 1)

    def _list(self, raw: bytes, start: int, end: Callable[[bytes, int], int]) -> bytes:
        """Return a list that begins at a place: mostly it is that of the footer before."""
        before = self._before.get(end)
        if before is not None and raw.startswith(before, start):
            return before  # whoever reads it on comes to the same end
        stop = end(raw, start)
        if stop > len(raw):
            raise ChunkError("footer ends inside a list")
        found = self._before[end] = raw[start:stop]
        return found


def _end_of_columns(raw: bytes, start: int) -> int:
    place = start + 1
    for _ in range(raw[start]):
        place += 1 + raw[place]
        place += 3 + raw[place]
    return place


def _end_of_states(raw: bytes, start: int) -> int:
    place = start + 1
    for _ in range(raw[start]):
        place += 2 + raw[place + 1]
    return place


def _states(listed: tuple[State, ...]) -> States:
    return States(listed, frozenset(state.flag for state in listed if state.flag))


def _columns(infos: tuple[ColumnInfo, ...], scope: Scope) -> Columns | None:
    """Return how a list of columns lies among the scope's items; None for doubles and strangers."""
    items = [by_code(info.code) for info in infos]
    order = {item.code: place for place, item in enumerate(scope_items(scope))}
    known = all(item is not None and item.code in order for item in items)
    if not known or any(info.is_double for info in infos):
        return None
    slots = np.array([order[info.code] for info in infos], np.int64)
    numbers = np.full(len(order), -1, np.int64)
    numbers[slots] = np.arange(len(infos))
    decimals = np.array([info.decimals for info in infos], np.int64)
    from_v1 = any(info.from_v1 for info in infos)
    return Columns(infos, from_v1, decimals, slots, numbers)
