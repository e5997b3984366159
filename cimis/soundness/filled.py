"""What filling gives: values of stations day by day, each with its source and expected error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cimis.pipeline.field.items import Item
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import Card
from cimis.queries.labelled.labelled import Labelled, Sense
from cimis.soundness.grids import Span
from cimis.soundness.sources import ESTIMATES

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from cimis.pipeline.field.items import Standard

__all__ = ["SOURCES", "Cells", "Filled"]

Doubles = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]

SOURCES = ("network", *ESTIMATES)
"""Where a cell can be from, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One item, days × stations: values, expected errors, and the places of source and whose.

    ``source`` and ``who`` are -1 where a cell has no value, ``whose`` the texts that ``who`` means.
    """

    item: Item
    value: Doubles
    error: Doubles
    source: npt.NDArray[np.int8]
    who: npt.NDArray[np.int32]
    whose: dict[str, int]


@dataclass(frozen=True, slots=True, repr=False)
class Filled(Labelled):
    """Daily values of stations with their gaps filled.

    Attributes
    ----------
    days : datetime64[D] array
    met : mapping of int to pair of datetime.date
        Stations, with the first and last day of each.
    cells : tuple of Cells
        One for each item.
    units : Standard
    qc : str
        Which flagged values of the network were filled as if they were missing.
    lacks : Lacks
        What was asked for and is not there.
    root : Path, optional
        The data directory that it is from.
    """

    days: Days
    met: Mapping[int, Span]
    cells: tuple[Cells, ...]
    units: Standard
    qc: str
    lacks: Lacks
    root: Path | None = None

    def counts(self) -> dict[str, dict[str, int]]:
        """Return of each item how many cells each source gave, and how many are ``without``."""
        mine = np.column_stack([self._mine(number) for number in self.met])
        found = {}
        for cells in self.cells:
            several = np.bincount(cells.source[mine] + 1, minlength=len(SOURCES) + 1).tolist()
            found[cells.item.column] = dict(
                zip((*SOURCES, "without"), several[1:] + several[:1], strict=True)
            )
        return found

    def _mine(self, station: int) -> npt.NDArray[np.bool_]:
        first, last = (np.datetime64(day, "D") for day in self.met[station])
        mine: npt.NDArray[np.bool_] = (self.days >= first) & (self.days <= last)
        return mine

    def table(self) -> pa.Table:
        """Return one row per station and day, also for days without any record.

        Returns
        -------
        pyarrow.Table
            ``station``, ``date``, and of each item ``NAME``, ``NAME_source`` (one of `SOURCES`),
            ``NAME_from`` (stations or the target that it rests on, by commas) and ``NAME_error``
            (mean absolute error to expect, in the value's unit; null of the network's own, and
            where there is nothing to reckon it from). All are null where no source has a value.
        """
        import pyarrow as pa

        from cimis.pipeline.field.items import Standard
        from cimis.queries.units import english, english_schema

        parts = [self._station(column, number) for column, number in enumerate(self.met)]
        made = pa.concat_tables(parts, promote_options="none")
        if self.units is Standard.ENGLISH:
            schema = english_schema(made.schema)
            batches = [english(batch, schema) for batch in made.to_batches()]
            made = pa.Table.from_batches(batches, schema=schema)
        return made.replace_schema_metadata({"qc": self.qc})

    def _station(self, column: int, number: int) -> pa.Table:
        import pyarrow as pa

        from cimis.pipeline.rows.schema import item_metadata

        mine = self._mine(number)
        days = self.days[mine]
        arrays: list[Any] = [
            pa.array(np.full(days.size, number, np.uint16)),
            pa.array(days).cast(pa.date32()),
        ]
        fields = [pa.field("station", pa.uint16()), pa.field("date", pa.date32())]
        for cells in self.cells:
            item, decimals = cells.item, cells.item.decimals_metric
            name, none = item.column, cells.source[mine, column] < 0
            facts = item_metadata(item, decimals=decimals, unit=item.unit_metric)
            fields += [
                pa.field(name, pa.float64(), metadata=facts),
                pa.field(f"{name}_source", pa.string()),
                pa.field(f"{name}_from", pa.string()),
                pa.field(f"{name}_error", pa.float64()),
            ]
            arrays += [
                pa.array(cells.value[mine, column], mask=none),
                _words(cells.source[mine, column], SOURCES),
                _words(cells.who[mine, column], tuple(cells.whose)),
                self._error(cells, cells.error[mine, column]),
            ]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    def _error(self, cells: Cells, error: Doubles) -> pa.Array:
        import pyarrow as pa

        from cimis.pipeline.field.items import Standard

        ratio = cells.item.quantity.ratio
        if self.units is Standard.ENGLISH and ratio is not None:
            error = ratio.english(error) - ratio.offset  # a difference has no offset
        rounded = np.round(error, cells.item.decimals_metric + 2)
        return pa.array(rounded, mask=np.isnan(rounded))

    def pl(self) -> pl.DataFrame:
        """Return the same rows as a data frame."""
        from cimis.queries.frames import whole

        return whole(self.table())

    def _sense(self) -> Sense:
        from cimis.queries.labelled.facts import facts_of

        table = self.table()
        return Sense(table, facts_of(table.schema, lacks=self.lacks), self.root)

    def _card(self) -> Card:
        from cimis.queries.labelled.first_rows import first_rows

        facts = {
            item: ", ".join(f"{source} {days:,}" for source, days in counts.items() if days)
            for item, counts in self.counts().items()
        }
        notes = [self.lacks.text()] if self.lacks else []
        notes.append(f"flags taken by qc {self.qc}")
        return Card("Filled", "Days by source", facts, (first_rows(self.table()),), notes)

    def __repr__(self) -> str:
        return self._card().line()


def _words(codes: npt.NDArray[Any], words: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    if not words:
        return pa.nulls(codes.size, pa.string())
    places = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array(words)).cast(pa.string())
