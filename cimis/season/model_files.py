"""Stored weather of a station as the file that a model reads, and what that is short of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cimis.answers.rows import query
from cimis.arguments import Day, items_of, scope_of
from cimis.lacking import stop_at_damage
from cimis.naming.sites import Stations, station_numbers
from cimis.opened import Opened
from cimis.pipeline.errors import NoDataError, UsageError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.lacks import Lacks
from cimis.pipeline.markup import FIRST, Card, Sheet, counted, sized

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from cimis.queries.export.models import Site

    Doubles = npt.NDArray[np.float64]

__all__ = ["ModelFile", "export_model"]

_WIND = ("wind_spd_avg", "wind_run")


@dataclass(frozen=True, slots=True, repr=False)
class ModelFile:
    """A model's weather file.

    Attributes
    ----------
    text : str
        What to write.
    rows : int
        Days, or hours, from the first to the last; each is there, those that lack as missing.
    lacks : Lacks
        Days and items that are not there, damaged chunks.
    notes : tuple of str
        How many values are missing, and whatever else the model's user must know.
    """

    text: str
    rows: int
    lacks: Lacks
    notes: tuple[str, ...]

    def _card(self) -> Card:
        first = self.text.splitlines()[:FIRST]
        lacks = (self.lacks.text(),) if self.lacks else ()
        size = f"{counted(self.rows, 'row')}, {sized(len(self.text.encode()))}"
        sheet = Sheet("First lines", ("text",), [(line,) for line in first])
        return Card("ModelFile", f"A weather file: {size}", {}, (sheet,), (*lacks, *self.notes))

    def __repr__(self) -> str:
        return self._card().line()

    def _repr_html_(self) -> str:
        return self._card().html()


def export_model(
    opened: Opened,
    model: str,
    station: Stations,
    start: Day | None = None,
    end: Day | None = None,
    *,
    scope: str | Scope = "daily",
    qc: str = "drop-severe",
) -> ModelFile:
    """Return a station's stored weather as the file of pyfao56, DSSAT or chillR.

    What each column is made of stands at :func:`cimis.queries.export.models.model_text`.

    Parameters
    ----------
    model : {"pyfao56", "dssat", "chillr"}
    station : int or str
        One station, by number or name.
    start, end : date or str, optional
        First and last day, both inclusive; by default as far as the station is stored.
    scope : {"daily", "hourly"}
        chillR alone takes hours.
    qc : {"keep", "drop-severe", "strict"}
        Which flagged values are missing in the file.

    Raises
    ------
    UsageError
        For an unknown model, several stations, and hours that a model does not read.
    NoDataError
        When nothing is stored of these days, or the station's place is not known.
    ChunkError
        When all that is stored of them is damaged.
    """
    from cimis.queries.export.models import MODELS, model_text

    if model not in MODELS:
        raise UsageError(f"no model '{model}'", hint=f"choose one of {', '.join(MODELS)}")
    kind = scope_of(scope)
    names = MODELS[model].hourly if kind is Scope.HOURLY else MODELS[model].daily
    if not names:
        raise UsageError(f"{model} reads days, not hours", hint="leave out --hourly")
    numbers = station_numbers(station, opened.root, "a model's file")
    if numbers is None or len(numbers) != 1:
        raise UsageError("a model's file is of one station", hint="name one, and write one a file")
    wanted = (*names, "wind_run") if "wind_spd_avg" in names else names
    rows = query(
        opened, kind, stations=numbers, start=start, end=end, items=items_of(wanted, kind), qc=qc
    )
    table = rows.table()
    if table.num_rows == 0:
        stop_at_damage(rows.damaged)
        raise NoDataError(
            f"no {kind} record is stored of station {numbers[0]} and these days",
            hint="see what is stored with 'cimis stats'",
        )
    first, columns = _columns(table, names, kind)
    site, notes = _site(opened, numbers[0], model)
    text = model_text(model, site, first, columns, hourly=kind is Scope.HOURLY)
    count = len(columns[names[0]])
    missing = {name: int((values != values).sum()) for name, values in columns.items()}
    told = ", ".join(f"{name} {number:,}" for name, number in missing.items() if number)
    if told:
        notes = (
            f"missing of {count:,} {kind} records, written as {MODELS[model].missing}: {told}",
            *notes,
        )
    return ModelFile(text, count, _short(rows.lacks), notes)


def _columns(
    table: pa.Table, names: tuple[str, ...], kind: Scope
) -> tuple[dt.date, dict[str, Doubles]]:
    """Return the first day, and columns of every day or hour to the last, NaN where one lacks."""
    import numpy as np
    import pyarrow as pa

    from cimis.pipeline.field.time import PER_DAY
    from cimis.pipeline.field.units import DAY_KM

    def doubles(name: str) -> Doubles:
        return np.asarray(table[name].cast(pa.float64()).fill_null(np.nan).to_numpy())

    days = table["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    place = days - days[0]
    size = int(place[-1]) + 1
    if kind is Scope.HOURLY:
        place = place * PER_DAY[kind] + table["hour"].to_numpy().astype(np.int64) - 1
        size *= PER_DAY[kind]
    columns = {}
    for name in names:
        values = doubles(name)
        if name == "wind_spd_avg":
            values = np.where(np.isnan(values), doubles("wind_run") / DAY_KM, values)
        columns[name] = np.full(size, np.nan)
        columns[name][place] = values
    return table["date"][0].as_py(), columns


def _site(opened: Opened, number: int, model: str) -> tuple[Site, tuple[str, ...]]:
    """Return what a file tells of the station, and what must be said of that."""
    from cimis.pipeline.catalog.database import Catalog
    from cimis.queries.export.models import Site

    with Catalog(opened.root) as catalog:
        facts: dict[str, Any] = {f["number"]: f for f in catalog.stations()}.get(number, {})
    place = [facts.get(name) for name in ("latitude", "longitude", "elevation_m")]
    if model == "chillr":  # its file tells nothing of the place
        return Site(number, str(facts.get("name", "")), 0.0, 0.0, 0.0), ()
    if any(value is None for value in place):
        raise NoDataError(
            f"where station {number} lies is not known, and {model} needs it",
            hint="fetch the list of stations: cimis stations --refresh",
        )
    latitude, longitude, elevation = (float(value or 0.0) for value in place)
    site = Site(number, str(facts.get("name", "")), latitude, longitude, elevation)
    return _with_climate(opened, site) if model == "dssat" else (site, ())


def _with_climate(opened: Opened, site: Site) -> tuple[Site, tuple[str, ...]]:
    """Return a site with the mean and amplitude of its months, of all years that are stored."""
    import numpy as np
    import pyarrow as pa

    from cimis.agronomy.normals import monthly_normals

    items = items_of("air_tmp_avg", Scope.DAILY)
    past = query(opened, stations=site.number, items=items, qc="strict").table()
    values = np.asarray(past["air_tmp_avg"].cast(pa.float64()).fill_null(np.nan).to_numpy())
    dates = past["date"].to_numpy().astype("datetime64[D]")
    try:
        normals = monthly_normals(dates, values, least_years=1)
    except NoDataError:
        normals = None
    if normals is None or np.isnan(normals.mean).any():
        return site, ("TAV and AMP are -99: the stored temperatures cover no whole year",)
    mean, half = normals.mean.mean(), (normals.mean.max() - normals.mean.min()) / 2
    told = f"TAV and AMP are of {normals.years.min()} stored years or more of each month"
    return replace(site, mean_c=float(mean), amplitude_c=float(half)), (told,)


def _short(lacks: Lacks) -> Lacks:
    """Return what lacks, without the one measure of wind whose place the other takes."""
    nowhere = tuple(name for name in lacks.items if name not in _WIND)
    winds = [name for name in lacks.items if name in _WIND]
    if len(winds) == len(_WIND):
        nowhere = (*nowhere, "wind_spd_avg")
    return replace(lacks, items=nowhere)
