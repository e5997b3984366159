"""Which values can be expected of a record: no source carries every item.

The network has two reference ETs. Its FTP archive has its own equation's (``eto``), which the
service never sends; the service sends ASCE's (``asce_eto``, ``asce_etr``) and others that the
archive has not. A year that holds ``eto`` was imported; where it holds the service's items as well,
each record tells by its ETs from where it came.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.archive.layouts import columns_of
from cimis.pipeline.field.items import Item, Scope, by_code
from cimis.pipeline.field.time import PER_DAY, day_of_second, years_of
from cimis.pipeline.lacks import Site

__all__ = ["Carried", "witnesses", "years_held"]

Bools = npt.NDArray[np.bool_]

_NONE, _SERVICE, _ARCHIVE, _BOTH = range(4)
_PREFIX = {Scope.DAILY: "day", Scope.HOURLY: "hly"}


@cache
def _archived(scope: Scope) -> frozenset[str]:
    return frozenset(columns_of(scope, flag_first=False))


def witnesses(scope: Scope) -> tuple[Item, ...]:
    """Return the items by which a record tells its source: the reference ETs."""
    codes = (f"{_PREFIX[scope]}-{name}" for name in ("eto", "asce-eto", "asce-etr"))
    return tuple(item for code in codes if (item := by_code(code)) is not None)


def years_held(
    chunks: Iterable[tuple[Site, int, int, str]], scope: Scope
) -> dict[tuple[Site, int], frozenset[str]]:
    """Return the codes that each station's year holds, from what the catalog says of chunks.

    Parameters
    ----------
    chunks : iterable of (int or str, int, int, str)
        Station or target, first and last second since 1970 (of an hour its end), item codes.
    scope : Scope
    """
    return {
        (station, day_of_second(scope, first).year): frozenset(items.split(","))
        for station, first, _, items in chunks
    }


class Carried:
    """Says of one station's records which items their source carries.

    Parameters
    ----------
    scope : Scope
    held : mapping of int to frozenset of str, optional
        Codes of the items that each year holds; None where that is not known: all is expected then.
    """

    def __init__(self, scope: Scope, held: Mapping[int, frozenset[str]] | None) -> None:
        self._scope = scope
        self._eto, *self._asce = witnesses(scope)
        self._kinds = None if held is None else {y: self._kind(codes) for y, codes in held.items()}

    def _kind(self, codes: frozenset[str]) -> int:
        if self._eto.code not in codes:
            return _SERVICE
        return _BOTH if codes - _archived(self._scope) else _ARCHIVE

    def masks(
        self,
        rows: pa.Table,
        items: Sequence[str],
        first: dt.date,
        size: int,
        at: npt.NDArray[np.int64],
        inside: Bools,
    ) -> Bools:
        """Return per item which of the expected records could have it.

        Parameters
        ----------
        rows : pyarrow.Table
            The station's, with the columns of `witnesses` where they are known.
        items : sequence of str
            Columns.
        first : datetime.date
            Day of the first expected record.
        size : int
            Number of expected records.
        at : array of int
            Place of each row among them.
        inside : array of bool
            Which rows have one.

        Returns
        -------
        array of bool, items by records
        """
        due = np.ones((len(items), size), np.bool_)
        if self._kinds is None or not size:
            return due
        kinds = self._by_record(first, size)
        archived = self._has(rows, [self._eto], size, at, inside)
        serviced = self._has(rows, self._asce, size, at, inside) & ~archived
        known = set(self._kinds.values())
        for number, name in enumerate(items):
            code = f"{_PREFIX[self._scope]}-{name.replace('_', '-')}"
            if code == self._eto.code:
                due[number] = (kinds != _SERVICE) & ~((kinds == _BOTH) & serviced)
                if not known & {_ARCHIVE, _BOTH}:
                    due[number, kinds == _NONE] = False
            elif code not in _archived(self._scope):
                there = np.zeros(size, np.bool_)
                there[at[inside]] = True
                due[number] = (kinds != _ARCHIVE) & ~((kinds == _BOTH) & there & ~serviced)
                if known == {_ARCHIVE}:
                    due[number, kinds == _NONE] = False
        return due

    def _by_record(self, first: dt.date, size: int) -> npt.NDArray[np.int8]:
        """Return from where the year of each record came."""
        per_day = PER_DAY[self._scope]
        days = np.datetime64(first) + np.arange(-(-size // per_day))
        years = years_of(days)
        kinds = np.zeros(len(days), np.int8)
        for year, kind in (self._kinds or {}).items():
            kinds[years == year] = kind
        return np.repeat(kinds, per_day)[:size]

    def _has(
        self,
        rows: pa.Table,
        items: Sequence[Item],
        size: int,
        at: npt.NDArray[np.int64],
        inside: Bools,
    ) -> Bools:
        """Return which records have a value or a flag of some of the items."""
        found = np.zeros(size, np.bool_)
        for name in (n for item in items for n in (item.column, item.flag_column)):
            if name in rows.schema.names:
                found[at[inside]] |= np.asarray(rows[name].is_valid())[inside]
        return found
