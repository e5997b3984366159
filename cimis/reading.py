"""What a store answers: rows, frames, SQL and datasets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cimis.arguments import (
    Day,
    Items,
    Stations,
    count_of,
    items_of,
    open_span_of,
    scope_of,
    station_numbers,
)
from cimis.lacking import tally_of, warn_of_damage, warned
from cimis.opened import Opened
from pipeline.errors import UsageError
from pipeline.items import Scope

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow.dataset as ds

    from queries.engines.answer import Answer, Heads
    from queries.engines.inventory import Named
    from queries.engines.seat import Parameters
    from queries.mirror.twins import Twins
    from queries.rows import Rows
    from queries.tally import Tally
    from queries.timing import QueryTimings

__all__ = ["Reading"]


class Reading(Opened):
    """The reading half of a :class:`cimis.Store`, which is what users open."""

    def daily(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return daily rows as a data frame, in station and date order.

        Parameters
        ----------
        stations : int, str or iterable of int, optional
            Station numbers, as ``2``, ``[2, 5]`` or ``"2,5-7"``; by default all that are stored.
        start, end : date or str, optional
            First and last day (``"2024-06-01"``), both inclusive.
        items : str or iterable of str, optional
            Items by short name or API code, in the order of the columns; by default all stored.
        units : {"metric", "english"}
        qc : {"keep", "drop-severe", "strict"}
            What flags do to values: nothing; those flagged severe become missing; all flagged do.

        Returns
        -------
        polars.DataFrame
            ``station`` (UInt16), ``date``, and per item its value (Float64, missing is null) and
            its flag (String, passed is null).

        Raises
        ------
        UsageError
            For an unknown item, policy, unit, or a date that is none.
        StoreError
            When the catalog or a chunk is damaged.

        Warns
        -----
        IncompleteAnswer
            When the answer is less than what was asked; its ``lacks`` tells of what.
        """
        rows = self._rows(
            "daily", stations=stations, start=start, end=end, items=items, units=units, qc=qc
        )
        return warned(rows)

    def hourly(
        self,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        *,
        units: str = "metric",
        qc: str = "keep",
    ) -> pl.DataFrame:
        """Return hourly rows as a data frame, in station and time order; see :meth:`daily`.

        ``time`` is the end of the hour in Pacific standard time, all year; ``date`` and ``hour``
        (1..24) are the network's own, and ``start`` and ``end`` mean ``date``.
        """
        rows = self._rows(
            "hourly", stations=stations, start=start, end=end, items=items, units=units, qc=qc
        )
        return warned(rows)

    def query(
        self,
        scope: str | Scope = "daily",
        *,
        stations: Stations | None = None,
        start: Day | None = None,
        end: Day | None = None,
        items: Items | None = None,
        units: str = "metric",
        qc: str = "keep",
        limit: int | None = None,
        timings: QueryTimings | None = None,
    ) -> Rows:
        """Return the same rows unread: to stream, to write to a file, to time.

        Their ``lacks`` tells what they are short of; only damaged chunks are warned of at once.
        """
        rows = self._rows(
            scope,
            stations=stations,
            start=start,
            end=end,
            items=items,
            units=units,
            qc=qc,
            limit=limit,
            timings=timings,
        )
        warn_of_damage(rows.damaged)
        return rows

    def _rows(
        self,
        scope: str | Scope,
        *,
        stations: Stations | None,
        start: Day | None,
        end: Day | None,
        items: Items | None,
        units: str,
        qc: str,
        limit: int | None = None,
        timings: QueryTimings | None = None,
    ) -> Rows:
        from queries.conversion import standard
        from queries.quality import policy
        from queries.rows import select

        chosen = scope_of(scope)
        numbers = station_numbers(stations)
        first, last = open_span_of(start, end)
        wanted = items_of(items, chosen)
        most = None if limit is None else count_of(limit, "a limit")
        return select(
            self._engine,
            chosen.value,
            stations=numbers,
            start=first,
            end=last,
            items=wanted,
            units=standard(units),
            policy=policy(qc),
            limit=most,
            timings=timings,
            tally=tally_of(self.root, chosen, numbers, first, last, wanted, limit=most),
        )

    def scan_daily(self, *, qc: str = "keep") -> pl.LazyFrame:
        """Return a lazy frame of all daily rows, which reads only what its plan needs.

        It has a column for every item and ``reference_eto`` with its source, and answers from what
        is stored now, also when it is collected later.
        """
        return self._scan("daily", qc)

    def scan_hourly(self, *, qc: str = "keep") -> pl.LazyFrame:
        """Return a lazy frame of all hourly rows; see `scan_daily`."""
        return self._scan("hourly", qc)

    def _scan(self, table: str, qc: str) -> pl.LazyFrame:
        from queries.engines.forks import check_polars

        check_polars()
        from queries.frames import frame, scan

        found = self._twins(table, qc)
        if found is not None:
            with suppress(FileNotFoundError):  # deleted since it was found
                return scan(table, found)
        return frame(self._loose(table, qc)).lazy()

    def dataset(self, scope: str | Scope = "daily", *, qc: str = "keep") -> ds.Dataset:
        """Return the rows of a scope as a dataset of pyarrow's own: it scans, pickles, unites.

        It has a column for every item, and answers from what is stored now.
        """
        return self._dataset(scope_of(scope).value, qc)

    def _dataset(self, table: str, qc: str) -> ds.Dataset:
        from queries.dataset import dataset, in_memory

        found = self._twins(table, qc)
        return in_memory(self._loose(table, qc)) if found is None else dataset(table, found)

    def _loose(self, table: str, qc: str) -> Answer:
        """Return all rows of a table, to be read from the chunks; where no mirror is kept."""
        from queries.mirror.layout import columns_of

        listed = ", ".join([*columns_of(table), "reference_eto", "reference_eto_source"])
        return self.sql(f"SELECT {listed} FROM {table}", qc=qc)

    def _twins(self, table: str, qc: str) -> Twins | None:
        from queries.mirror.layout import scope_of_table
        from queries.quality import policy

        found = self._parts[1].twins(scope_of_table(table), table, policy(qc))
        if found is not None:
            warn_of_damage(self._engine.damage(table), above=4)
        return found

    def sql(
        self,
        text: str,
        params: Parameters | None = None,
        *,
        qc: str = "keep",
        unsafe: bool = False,
        timings: QueryTimings | None = None,
    ) -> Answer:
        """Return the answer to SQL over daily, hourly, spatial_daily, stations and chunks.

        Parameters
        ----------
        text : str
            One statement that reads, in DuckDB's dialect.
        params : sequence or mapping, optional
            Values for ``?`` or ``$name``.
        qc : {"keep", "drop-severe", "strict"}
        unsafe : bool
            Lift the sandbox: files, network, extensions, configuration, writing statements.

        Raises
        ------
        UsageError
            For SQL that is wrong or not allowed.
        """
        return self._answer(text, params, qc=qc, unsafe=unsafe, timings=timings)

    def _answer(
        self,
        text: str,
        params: Parameters | None = None,
        *,
        qc: str = "keep",
        unsafe: bool = False,
        timings: QueryTimings | None = None,
        tally: Tally | None = None,
        heads: Heads | None = None,
        named: Named | None = None,
    ) -> Answer:
        from queries.engines.answer import Answer
        from queries.quality import policy

        if not isinstance(text, str):
            raise UsageError(f"{text!r} is no SQL", hint="give a text")
        answer = Answer(
            self._engine,
            text,
            params,
            policy=policy(qc),
            unsafe=unsafe,
            timings=timings,
            tally=tally,
            heads=heads,
            named=named,
        )
        warn_of_damage(answer.damaged, above=2)
        return answer

    def connect(self, *, qc: str = "keep", unsafe: bool = False) -> duckdb.DuckDBPyConnection:
        """Return a sandboxed DuckDB connection to what is stored now; close it after use."""
        from queries.native import with_arrow
        from queries.quality import policy

        with_arrow()
        made: duckdb.DuckDBPyConnection = self._engine.connection(policy(qc), unsafe=unsafe)
        return made
