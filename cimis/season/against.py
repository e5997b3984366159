"""Stored days beside what is normal for them: anomaly, percentile and rank."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cimis.answers.question import question_of
from cimis.answers.rows import rows_of
from cimis.arguments import Day, Items, Years
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Item, Scope, Standard
from cimis.season.normal import Basis, basis_of, converted, usual_items
from cimis.season.reckoned import Reckoned, none_stored, reckoned, removed

if TYPE_CHECKING:
    import pyarrow as pa

    from cimis.agronomy.departures import Departures
    from cimis.season.series import Series

__all__ = ["against_normal"]

_NAMED = 5
_IN_ITS_UNIT = ("normal", "anomaly")


def against_normal(
    opened: Opened,
    stations: Stations | None = None,
    start: Day | None = None,
    end: Day | None = None,
    items: Items | None = None,
    *,
    period: Years | None = None,
    window: int = 7,
    units: str = "metric",
    qc: str = "keep",
) -> Reckoned:
    """Return daily values with the normal of their calendar day, and how far they are from it.

    By :func:`cimis.agronomy.departures.departures`.

    Parameters
    ----------
    stations, start, end, units, qc
        As of :meth:`daily`. The normals are always of unflagged values.
    items : str or iterable of str, optional
        Daily items; by default the usual ones that are stored.
    period, window
        As of :meth:`normals`: which years the normals are of, and which days around each. Where the
        period has the value's own year, it is one of those that it is ranked among.

    Returns
    -------
    Reckoned
        ``station``, ``date``; per item its value and flag; ``NAME_normal`` (the mean),
        ``NAME_anomaly`` (the value less it), ``NAME_percentile`` (share of the sample below the
        value, those equal counted half), ``NAME_rank`` of ``NAME_rank_of`` values (1: none is
        higher) and ``NAME_years``. Null where the value or five years are not there; ``notes`` name
        the series without normals.

    Raises
    ------
    UsageError
        For an unknown item, a window or a period that is none.
    NoDataError
        When no record is stored of these days, or nothing has five years; the values are then in
        the error's ``report``.
    """
    import numpy as np

    from cimis.queries.conversion import standard
    from cimis.queries.units import english_schema
    from cimis.season.series import series_of

    kind = standard(units)
    basis = basis_of("day", period, window)
    numbers = station_numbers(stations, opened.root, "normals")
    chosen = usual_items(opened, numbers, items)
    rows = rows_of(
        opened, question_of(opened.root, Scope.DAILY, numbers, start, end, chosen), "metric", qc
    )
    found = rows.table()
    whole = english_schema(found.schema) if kind is Standard.ENGLISH else found.schema
    if found.num_rows == 0:
        what = "no daily record is stored of these stations and days"
        raise none_stored(rows, _schema(whole, chosen, kind), what)
    whose = found["station"].to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(whose.astype(np.int64))) + 1).tolist(), len(whose)]
    places = {int(whose[begin]): slice(begin, stop) for begin, stop in pairwise(edges)}
    years = question_of(opened.root, Scope.DAILY, tuple(places), *basis.days, chosen)
    past = rows_of(opened, years, "metric", "strict")
    beside = _Beside(found, chosen, kind)
    for series in series_of(past, [item.column for item in chosen]):
        for item in chosen:
            beside.put(series, item, places[series.station], basis)
    refused = beside.without(places)
    table = beside.table(whole)
    notes = removed(rows.timings.values_removed, qc)
    if refused:
        more = f" and {len(refused) - _NAMED:,} more" if len(refused) > _NAMED else ""
        notes += (f"no normals below five years: {', '.join(refused[:_NAMED])}{more}",)
    answer = reckoned(opened, table, rows.lacks, notes, qc)
    if len(refused) == len(places) * len(chosen):
        error = NoDataError(
            f"normals need five years, and no day of {refused[0]} has them"
            + (f", nor of {len(refused) - 1} others" if len(refused) > 1 else ""),
            hint="store more years; without --compare the values themselves are given",
        )
        error.report = answer
        raise error
    return answer


class _Beside:
    """The columns beside the values of each item, filled station by station."""

    def __init__(self, found: pa.Table, items: tuple[Item, ...], kind: Standard) -> None:
        import numpy as np
        import pyarrow as pa

        self._found, self._items, self._kind = found, items, kind
        self._dates = found["date"].to_numpy().astype("datetime64[D]")
        self._values = {
            item: np.asarray(found[item.column].cast(pa.float64()).fill_null(np.nan).to_numpy())
            for item in items
        }
        self._figures = {item: np.full((4, found.num_rows), np.nan) for item in items}
        self._counts = {item: np.zeros((2, found.num_rows), np.int32) for item in items}
        self._known: set[tuple[int, Item]] = set()

    def put(self, series: Series, item: Item, where: slice, basis: Basis) -> None:
        """Hold a station's values against its normals; nothing where those are refused."""
        import numpy as np

        from cimis.agronomy.departures import departures

        try:
            normals = basis.of(series, item)
        except NoDataError:
            return
        values = self._values[item][where]
        far: Departures = departures(normals, self._dates[where], values)
        normal, value = (converted(part, item, self._kind) for part in (far.normal, values))
        rank = np.where(far.rank > 0, far.rank, np.nan)
        self._figures[item][:, where] = normal, value - normal, far.percentile, rank
        self._counts[item][:, where] = far.of, far.years
        self._known.add((series.station, item))

    def without(self, stations: dict[int, slice]) -> list[str]:
        """Return in words the series that have no normals."""
        return [
            f"{item.column} of station {station}"
            for station in stations
            for item in self._items
            if (station, item) not in self._known
        ]

    def table(self, whole: pa.Schema) -> pa.Table:
        """Return keys and values under a schema in the units asked for, and what is beside them."""
        import pyarrow as pa

        from cimis.queries.units import english
        from cimis.season.series import nullable

        found = self._found
        if self._kind is Standard.ENGLISH:
            batches = [english(batch, whole) for batch in found.to_batches()]
            found = pa.Table.from_batches(batches, schema=whole)
        columns = [found["station"], found["date"]]
        for item in self._items:
            normal, anomaly, percentile, rank = self._figures[item]
            of, years = self._counts[item]
            decimals = item.decimals(self._kind) + 2
            columns += [found[item.column], found[item.flag_column]]
            columns += [nullable(normal, decimals), nullable(anomaly, decimals)]
            columns += [nullable(percentile, 1), pa.array(rank, pa.int32(), from_pandas=True)]
            columns += [pa.array(part, pa.int32(), mask=part == 0) for part in (of, years)]
        return pa.Table.from_arrays(columns, schema=_schema(whole, self._items, self._kind))


def _schema(whole: pa.Schema, items: tuple[Item, ...], kind: Standard) -> pa.Schema:
    import pyarrow as pa

    fields = [whole.field("station"), whole.field("date")]
    for item in items:
        name, unit = item.column, {b"symbol": item.symbol(kind).encode()}
        fields += [whole.field(name), whole.field(item.flag_column)]
        fields += [pa.field(f"{name}_{of}", pa.float64(), metadata=unit) for of in _IN_ITS_UNIT]
        fields.append(pa.field(f"{name}_percentile", pa.float64(), metadata={b"symbol": b"%"}))
        fields += [pa.field(f"{name}_{of}", pa.int32()) for of in ("rank", "rank_of", "years")]
    return pa.schema(fields)
