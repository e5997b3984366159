"""What the catalog knows of a scope's chunks, as arrays: the ground that pruning works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.items import Scope, default_items, scope_items
from pipeline.schema import KEY_FIELDS, TARGET_FIELD, physical_schema
from pipeline.targets import SPATIAL_DEFAULTS
from queries.terms import Range
from queries.values import Column, Keys, Part, Texts

__all__ = ["ScopeIndex"]

Numbers = npt.NDArray[np.int64]
_KEYS = frozenset(field.name for fields in KEY_FIELDS.values() for field in fields) | {"target"}


class ScopeIndex:
    """Chunks of one scope in station and time order.

    Attributes
    ----------
    paths, checksums : list of str
        Relative to the data directory; a checksum names a chunk's bytes.
    stations, rows_of : int64 arrays
    first_s, last_s : int64 arrays
        First and last time in seconds since 1970: ends of hours, or midnights of days.
    stored : dict of str to tuple of int, str
        Decimals and unit of every item that is stored, by its code.
    generation : int
        Of the catalog that said all this.
    targets : list of str, optional
        Spatial targets, in the place of stations.
    """

    def __init__(
        self,
        scope: Scope,
        *,
        paths: Sequence[str],
        checksums: Sequence[str],
        stations: Numbers,
        first_s: Numbers,
        last_s: Numbers,
        rows: Numbers,
        stored: Mapping[str, tuple[int, str]],
        generation: int,
        values: Callable[[], Mapping[str, Range]],
        targets: Sequence[str] | None = None,
    ) -> None:
        self.scope = scope
        self.paths = paths
        self.checksums = checksums
        self.stations = stations
        self.first_s = first_s
        self.last_s = last_s
        self.rows_of = rows
        self._values = values
        self.generation = generation
        self.stored = stored
        self.targets = targets
        self._ranges: dict[str, Range | None] = {}

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def rows(self) -> int:
        """Number of rows of all chunks."""
        return int(self.rows_of.sum())

    @cached_property
    def values(self) -> Mapping[str, Range]:
        """Per value column the least, greatest and missing values of each chunk."""
        return self._values()

    @cached_property
    def schema(self) -> pa.Schema:
        """Physical schema of all that is stored; of the default items where nothing is."""
        items = [item for item in scope_items(self.scope) if item.code in self.stored]
        usual = default_items(self.scope) if self.targets is None else SPATIAL_DEFAULTS
        schema = physical_schema(
            self.scope,
            items or usual,
            decimals={code: decimals for code, (decimals, _) in self.stored.items()},
            units={code: unit for code, (_, unit) in self.stored.items()},
        )
        return schema if self.targets is None else schema.set(0, TARGET_FIELD)

    def of_stations(self, numbers: Sequence[float]) -> npt.NDArray[np.intp]:
        """Return the places of the chunks of some stations, given in ascending order."""
        first = np.searchsorted(self.stations, numbers, side="left").tolist()
        after = np.searchsorted(self.stations, numbers, side="right").tolist()
        if len(first) == 1:
            return np.arange(first[0], after[0])
        runs = [np.arange(a, b) for a, b in zip(first, after, strict=True)]
        return np.concatenate(runs) if runs else np.arange(0)

    def key_range(self, column: str) -> Range | None:
        """Return a key column's ranges per chunk; None for another column, and for hour."""
        if column not in self._ranges:
            self._ranges[column] = self._key_range(column)
        return self._ranges[column]

    def _key_range(self, column: str) -> Range | None:
        if column == "station" and self.targets is None:
            first = last = self.stations
        elif column == "target" and self.targets is not None:
            first = last = np.array(self.targets, np.str_)
        elif column == "date":
            # the end of hour 24 is 00:00 of the next date, but belongs to its own
            early = 0 if self.scope is Scope.DAILY else 1
            first, last = (self.first_s - early) // 86_400, (self.last_s - early) // 86_400
        elif column == "time" and self.scope is Scope.HOURLY:
            first, last = self.first_s, self.last_s
        else:
            return None
        yes = np.ones(len(self), np.bool_)
        return Range(first, last, yes, ~yes)

    def named(self, place: int, part: Part) -> Part:
        """Return rows of a chunk with the column that says whose they are."""
        who, whose = self._who(place, part.rows)
        return Part(part.rows, {who: whose, **part.columns}, part.origin)

    def _who(self, place: int, rows: int) -> tuple[str, Column]:
        if self.targets is None:
            return "station", Keys(np.full(rows, self.stations[place], np.uint16))
        return "target", Texts(np.zeros(rows, np.int32), (self.targets[place],))

    def keys_of(self, place: int, names: Sequence[str]) -> Part | None:
        """Return a chunk's key columns where they follow from the catalog; None where not.

        They do where only the station is asked for, or no day (or hour) of the chunk is absent.
        """
        rows = int(self.rows_of[place])
        who, whose = self._who(place, rows)
        if all(name == who for name in names):
            return Part(rows, {who: whose})
        step = 86_400 if self.scope is Scope.DAILY else 3_600
        first = int(self.first_s[place])
        whole = (int(self.last_s[place]) - first) // step + 1 == rows
        if not whole or any(name not in _KEYS for name in names):
            return None
        seconds = np.arange(rows, dtype=np.int64) * step + first
        before = seconds if self.scope is Scope.DAILY else seconds - 3_600
        columns: dict[str, Column] = {
            who: whose,
            "date": Keys((before // 86_400).astype(np.int32)),
            "time": Keys(seconds),
            "hour": Keys((before % 86_400 // 3_600 + 1).astype(np.uint8)),
        }
        return Part(rows, {name: columns[name] for name in names})
