"""Days of one year beside the same days of another, by month and day."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Item, Standard

if TYPE_CHECKING:
    from cimis.season.series import Doubles

__all__ = ["Paired", "other_year", "other_year_of"]

Dates = npt.NDArray[np.datetime64]
Places = npt.NDArray[np.int64]

_MONTHS_OF_YEAR = 12


def other_year(dates: Dates, earlier: int) -> Dates:
    """Return the same days so many years earlier; NaT for 29 February where there is none."""
    months = dates.astype("datetime64[M]")
    there = months - earlier * _MONTHS_OF_YEAR
    found = there.astype("datetime64[D]") + (dates - months.astype("datetime64[D]"))
    return np.where(found.astype("datetime64[M]") == there, found, np.datetime64("NaT", "D"))


def other_year_of(day: dt.date, earlier: int) -> dt.date:
    """Return the same day so many years earlier; for 29 February where there is none the 28th."""
    year = day.year - earlier
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


class Paired:
    """Rows of some days, and of the same days in another year, joined by station and day.

    Parameters
    ----------
    found, others : pyarrow.Table
        Metric rows in station and date order, with the same items.
    years : int
        So many years earlier are the others.
    items : tuple of Item
    span : pair of datetime.date
        First and last day of ``found``; of the others no more is taken.
    """

    def __init__(
        self,
        found: pa.Table,
        others: pa.Table,
        years: int,
        items: tuple[Item, ...],
        span: tuple[dt.date, dt.date],
    ) -> None:
        self.years, self.items = years, items
        there = other_year(_dates(others), -years)
        own, theirs = _keys(found, _dates(found)), _keys(others, there)
        first, last = (np.datetime64(day, "D") for day in span)
        known = np.flatnonzero((theirs >= 0) & (there >= first) & (there <= last))
        self._keys = np.union1d(own, theirs[known])
        self._sides = (
            (found, _places(self._keys, own, np.arange(len(own)))),
            (others, _places(self._keys, theirs[known], known)),
        )

    @property
    def stations(self) -> Places:
        """The station of each pair."""
        return self._keys >> _BITS

    @cached_property
    def dates(self) -> Dates:
        """The day of each pair, of the later year."""
        return (self._keys & ((1 << _BITS) - 1)).astype("datetime64[D]")

    @property
    def alone(self) -> bool:
        """Whether some day has no counterpart, being 29 February."""
        return bool(np.isnat(other_year(self.dates, self.years)).any())

    def values(self, item: Item) -> tuple[Doubles, Doubles]:
        """Return an item's metric values of both years, NaN where one is not there."""
        own, theirs = (
            np.asarray(_taken(table, item.column, places).fill_null(np.nan).to_numpy())
            for table, places in self._sides
        )
        return own, theirs

    def table(self, kind: Standard) -> pa.Table:
        """Return keys, and per item both values with their flags, and the difference."""
        from cimis.queries.units import english, english_schema

        sides = self._sides
        if kind is Standard.ENGLISH:
            schemas = [english_schema(table.schema) for table, _ in sides]
            sides = tuple(  # type: ignore[assignment]
                (pa.Table.from_batches([english(b, schema) for b in table.to_batches()], schema), p)
                for (table, p), schema in zip(sides, schemas, strict=True)
            )
        (found, _), _ = sides
        fields = [found.schema.field("station"), found.schema.field("date")]
        columns = [pa.array(self.stations, pa.uint16()), pa.array(self.dates, pa.date32())]
        fields.append(pa.field("date_compared", pa.date32()))
        columns.append(pa.array(other_year(self.dates, self.years), pa.date32()))
        for item in self.items:
            own, theirs = (_taken(table, item.column, places) for table, places in sides)
            flags = [_taken(table, item.flag_column, places) for table, places in sides]
            unit = {b"symbol": item.symbol(kind).encode()}
            name, flag = found.schema.field(item.column), found.schema.field(item.flag_column)
            fields += [name, flag]
            fields.append(pa.field(f"{item.column}_compared", pa.float64(), metadata=unit))
            fields.append(pa.field(f"{item.column}_compared_qc", flag.type))
            fields.append(pa.field(f"{item.column}_difference", pa.float64(), metadata=unit))
            columns += [own, flags[0], theirs, flags[1]]
            columns.append(_difference(own, theirs, item.decimals(kind) + 2))
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))


_BITS = 32
"""Of a key that a day takes; the station stands before it."""


def _dates(table: pa.Table) -> Dates:
    return np.asarray(table["date"].to_numpy(), "datetime64[D]")


def _keys(table: pa.Table, dates: Dates) -> Places:
    """Return station and day of rows as one number, negative where there is no day."""
    whose = np.asarray(table["station"].to_numpy(), np.int64) << _BITS
    return np.where(np.isnat(dates), -1, whose | dates.astype(np.int64))


def _places(keys: Places, of: Places, rows: Places) -> Places:
    """Return the row with each key, -1 where there is none."""
    found = np.full(len(keys), -1, np.int64)
    found[np.searchsorted(keys, of)] = rows
    return found


def _taken(table: pa.Table, name: str, places: Places) -> pa.Array:
    """Return a column's values in these rows, null where there is none."""
    return table[name].combine_chunks().take(pa.array(places, mask=places < 0))


def _difference(own: pa.Array, theirs: pa.Array, decimals: int) -> pa.Array:
    import pyarrow.compute as pc

    return pc.round(pc.subtract(own, theirs), decimals)
