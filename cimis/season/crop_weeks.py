"""The table of crop water use: which weeks count for which crop, their sums, the week to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.agronomy.arrays import Doubles
from cimis.agronomy.crop import Dates
from cimis.agronomy.normals import calendar_place, daily_normals
from cimis.agronomy.weekly import Span, WaterUse, days_between, water_use
from cimis.pipeline.errors import NoDataError
from cimis.pipeline.field.items import Standard
from cimis.season.crop_table import crop_table

__all__ = ["Entry", "Planting", "report", "scheduled"]

Week = tuple[dt.date, dt.date]
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Planting:
    """Whatever has a coefficient on days, and the day from which it is counted.

    Parameters
    ----------
    name : str
        What it is called.
    kc_on : callable
        Coefficients of days, NaN on days that do not count.
    since : callable
        The day from which a total that ends on a day is counted.
    area_sqft : float, optional
        Of a landscape.
    """

    name: str
    kc_on: Callable[[Dates], Doubles]
    since: Callable[[dt.date], dt.date]
    area_sqft: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The weeks of a planting that count, and those days of the week to come, with its place."""

    planting: Planting
    rank: int
    spans: list[Span] = field(default_factory=list)
    outlook: Week | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.planting.name


def scheduled(plantings: Sequence[Planting], weeks: Sequence[Week], coming: Week) -> list[Entry]:
    """Return the plantings that are in season in some week, with those days of each."""
    found = []
    for rank, planting in enumerate(plantings):
        entry = Entry(planting, rank, outlook=_in_season(planting, coming))
        for week in weeks:
            days = _in_season(planting, week)
            if days is not None:
                entry.spans.append(Span(*days, planting.since(days[1])))
        if entry.spans or entry.outlook:
            found.append(entry)
    return found


def _in_season(planting: Planting, week: Week) -> Week | None:
    """Return the first and last day of a week on which there is a coefficient."""
    days = days_between(*week)
    on = days[np.isfinite(planting.kc_on(days))]
    return (on[0].item(), on[-1].item()) if on.size else None


def report(
    entries: Sequence[Entry],
    rows: pa.Table,
    past: pa.Table,
    days: Week,
    reference: str,
    period: tuple[int, int] | None,
    units: Standard,
) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the table of `cimis.season.crop_water.crop_et`, and what must be said of it.

    Parameters
    ----------
    entries : sequence of Entry
    rows : pyarrow.Table
        Daily reference ET and rain of the days, mm.
    past : pyarrow.Table
        Unflagged reference ET of all years that the average may rest on.
    days : tuple of date
        First and last day of the rows.
    reference : str
        The column of reference ET.
    period : tuple of int, optional
        First and last year of the average.
    units : Standard
    """
    stations = np.unique(rows["station"].to_numpy())
    eto, rain = (_grid(rows, name, stations, days) for name in (reference, "precip"))
    pieces: list[dict[str, Any]] = []
    for entry in entries:
        if not entry.spans:
            continue
        kc = entry.planting.kc_on(days_between(*days))
        use = water_use(days[0], kc, eto, rain, entry.spans)
        pieces.append(_stored(entry, use, stations))
    notes = _lacking(pieces, reference)
    coming = [entry.outlook for entry in entries if entry.outlook]
    if coming:
        span = min(week[0] for week in coming), max(week[1] for week in coming)
        normal, years, refused = _normal(past, reference, stations, span, period)
        pieces += [_expected(e, span, normal, years, stations) for e in entries if e.outlook]
        notes += refused
    return crop_table(pieces, units), notes


def _grid(rows: pa.Table, name: str, stations: npt.NDArray[Any], days: Week) -> Doubles:
    """Return a column as days × stations, NaN where there is no value or no record."""
    values = np.full((len(days_between(*days)), len(stations)), np.nan)
    at = rows["date"].to_numpy().astype("datetime64[D]") - np.datetime64(days[0], "D")
    place = np.searchsorted(stations, rows["station"].to_numpy())
    values[at.astype(np.int64), place] = _doubles(rows, name)
    return values


def _doubles(rows: pa.Table, name: str) -> Doubles:
    if name not in rows.schema.names:
        return np.full(rows.num_rows, np.nan)
    return np.asarray(rows[name].cast(pa.float64()).fill_null(np.nan).to_numpy())


def _normal(
    past: pa.Table,
    reference: str,
    stations: npt.NDArray[Any],
    span: Week,
    period: tuple[int, int] | None,
) -> tuple[Doubles, npt.NDArray[np.int64], tuple[str, ...]]:
    """Return the average ETo of days as days × stations, its years, and who has none."""
    days = days_between(*span)
    place = calendar_place(days)
    normal = np.full((len(days), len(stations)), np.nan)
    years = np.zeros(len(stations), dtype=np.int64)
    without, why = [], ""
    numbers = past["station"].to_numpy()
    dates = past["date"].to_numpy().astype("datetime64[D]")
    values = _doubles(past, reference)
    for column, station in enumerate(stations):
        begin, end = np.searchsorted(numbers, [station, int(station) + 1])
        try:
            found = daily_normals(dates[begin:end], values[begin:end], period=period)
        except NoDataError as error:
            without.append(int(station))
            why = str(error)
            continue
        normal[:, column] = found.mean[place]
        years[column] = found.years[place].min()
    if not without:
        return normal, years, ()
    few = ", ".join(map(str, without[:_NAMED])) + (" and more" if without[_NAMED:] else "")
    return normal, years, (f"no average for {len(without)} stations ({few}): {why}",)


def _stored(entry: Entry, use: WaterUse, stations: npt.NDArray[Any]) -> dict[str, Any]:
    """Return the rows of a planting's weeks by column, arrays of spans × stations."""
    shape = len(entry.spans), len(stations)

    def wide(values: Any, kind: Any = None) -> Any:
        return np.broadcast_to(np.asarray(values, kind)[:, None], shape)

    found: dict[str, Any] = _heads(entry, [(s.first, s.last) for s in entry.spans], stations)
    found |= {
        "basis": np.full(shape, "stored", object),
        "years": np.zeros(shape, np.int64),
        "days": wide(use.days),
        "lacking": use.lacking,
        "eto": use.eto,
        "kc": wide(use.kc),
        "etc": use.etc,
        "since": wide([span.since for span in entry.spans], "datetime64[D]"),
        "total": use.total,
        "total_days": wide(use.total_days),
        "total_lacking": use.total_lacking,
        "rain": use.rain,
        "rain_lacking": use.rain_lacking,
        "total_rain": use.total_rain,
        "total_rain_lacking": use.total_rain_lacking,
    }
    return found


def _expected(
    entry: Entry,
    span: Week,
    normal: Doubles,
    years: npt.NDArray[np.int64],
    stations: npt.NDArray[Any],
) -> dict[str, Any]:
    """Return the row of the week to come; of totals and rain it tells nothing."""
    assert entry.outlook is not None
    kc = entry.planting.kc_on(days_between(*span))
    week = Span(*entry.outlook, entry.outlook[0])
    nothing = np.full_like(normal, np.nan)
    use = water_use(span[0], kc, normal, nothing, [week])
    found = _stored(Entry(entry.planting, entry.rank, [week]), use, stations)
    shape = found["etc"].shape
    none: dict[str, Any] = {
        name: np.full(shape, -1, np.int64)
        for name in ("total_days", "total_lacking", "rain_lacking", "total_rain_lacking")
    }
    none |= {name: np.full(shape, np.nan) for name in ("total", "rain", "total_rain")}
    return (
        found
        | none
        | {
            "basis": np.full(shape, "historical average", object),
            "years": np.broadcast_to(years, shape),
            "since": np.full(shape, np.datetime64("NaT", "D"), "datetime64[D]"),
        }
    )


def _heads(entry: Entry, weeks: Sequence[Week], stations: npt.NDArray[Any]) -> dict[str, Any]:
    shape = len(weeks), len(stations)
    first, last = (np.array([week[end] for week in weeks], "datetime64[D]") for end in (0, 1))
    area = entry.planting.area_sqft
    return {
        "station": np.broadcast_to(stations, shape),
        "crop": np.full(shape, entry.name, object),
        "rank": np.full(shape, entry.rank),
        "first": np.broadcast_to(first[:, None], shape),
        "last": np.broadcast_to(last[:, None], shape),
        "area": np.full(shape, np.nan if area is None else area),
    }


def _lacking(pieces: Sequence[dict[str, Any]], reference: str) -> tuple[str, ...]:
    """Say of how many sums some day has no reference ET, and which lacks most."""
    short = [
        (int(lacking), int(due), int(station), piece["crop"].flat[0])
        for piece in pieces
        for lacking, due, station in zip(
            piece["total_lacking"][-1], piece["total_days"][-1], piece["station"][-1], strict=True
        )
        if lacking
    ]
    if not short:
        return ()
    lacking, due, station, crop = max(short)
    text = (
        f"{reference} lacks on days of {len(short)} totals, which are of the other days: most of "
        f"{crop} at station {station}, {lacking:,} of {due:,} days"
    )
    return (text,)
