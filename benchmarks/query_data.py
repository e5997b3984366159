"""Synthetic years of a whole network for the query benchmark: seasonal, persistent, with gaps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cimis.pipeline.field.items import Item, Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, physical_schema

DAILY = (
    "air_tmp_avg,air_tmp_max,air_tmp_min,dew_pnt,asce_eto,precip,rel_hum_avg,rel_hum_max,"
    "rel_hum_min,soil_tmp_avg,sol_rad_avg,vap_pres_avg,wind_run,wind_spd_avg"
)
HOURLY = (
    "air_tmp,dew_pnt,net_rad,asce_eto,precip,rel_hum,res_wind,soil_tmp,sol_rad,vap_pres,wind_dir,"
    "wind_spd"
)
LETTERS = ("R", "Y", "H", "M", "S", "Q")
_EPOCH = dt.date(1970, 1, 1)
Floats = npt.NDArray[np.float64]


def items_of(scope: Scope) -> tuple[Item, ...]:
    """Return the items of the benchmark."""
    return resolve(DAILY if scope is Scope.DAILY else HOURLY, scope)


def _persistent(rng: np.random.Generator, steps: int, stations: int, memory: float) -> Floats:
    """Return AR(1) noise of unit spread, a column per station."""
    noise: Floats = rng.standard_normal((steps, stations)) * float(np.sqrt(1 - memory**2))
    for step in range(1, steps):
        noise[step] += memory * noise[step - 1]
    return noise


def _column(item: Item, wave: Floats, noise: Floats) -> Floats:
    """Return plausible values: a level and a swing from the item's range, and noise on top."""
    low, high = max(item.plausible_min, -10.0), min(item.plausible_max, 400.0)
    if "precip" in item.code:
        return np.where(noise > 1.2, (noise - 1.2) * 8, 0.0)
    middle, swing = (low + high) / 2, (high - low) / 4
    return np.clip(middle + swing * wave[:, None] + swing / 3 * noise, low, high)


def stations(
    scope: Scope, count: int, first_year: int, years: int, *, seed: int = 7, first: int = 1
) -> Iterator[tuple[int, pa.Table]]:
    """Yield station by station all its years as a physical table.

    Rows have about 0.8 % missing values and 1 % flags, a tenth of the stations an absent month.
    """
    items = items_of(scope)
    begun, after = dt.date(first_year, 1, 1), dt.date(first_year + years, 1, 1)
    days = np.arange((begun - _EPOCH).days, (after - _EPOCH).days, dtype=np.int32)
    per_day = 1 if scope is Scope.DAILY else 24
    steps = len(days) * per_day
    at = np.repeat(days, per_day)
    hour = np.tile(np.arange(1, per_day + 1, dtype=np.uint8), len(days))
    wave = np.sin(2 * np.pi * (at % 365.25 - 100) / 365.25)
    if per_day == 24:
        wave = 0.5 * wave + 0.5 * np.sin(2 * np.pi * (hour - 9.0) / 24)
    schema = physical_schema(scope, items)
    rng = np.random.default_rng(seed)
    batch = 32
    for begin in range(0, count, batch):
        size = min(batch, count - begin)
        made = [_column(i, wave, _persistent(rng, steps, size, 0.7)) for i in items]
        for place in range(size):
            number = begin + place + first
            keep = np.ones(steps, np.bool_)
            if number % 10 == 0:
                keep[per_day * 400 : per_day * 430] = False
            columns = _keys(scope, number, at[keep], hour[keep])
            for item, values in zip(items, made, strict=True):
                columns += _cells(rng, item, values[keep, place])
            yield number, pa.Table.from_arrays(columns, schema=schema)


def _keys(
    scope: Scope, number: int, days: npt.NDArray[np.int32], hour: npt.NDArray[np.uint8]
) -> list[pa.Array]:
    station = pa.array(np.full(len(days), number, np.uint16))
    date = pa.array(days).cast(pa.int32()).view(pa.date32())
    if scope is Scope.DAILY:
        return [station, date]
    seconds = days.astype(np.int64) * 86_400 + hour.astype(np.int64) * 3_600
    return [station, pa.array(seconds).view(pa.timestamp("s")), date, pa.array(hour)]


def _cells(rng: np.random.Generator, item: Item, values: Floats) -> list[pa.Array]:
    rounded = np.round(values, item.decimals_metric) + 0.0
    gone = rng.random(len(values)) < 0.008
    flagged = rng.random(len(values)) < 0.01
    letters = rng.integers(0, len(LETTERS), len(values)).astype(np.int8)
    flags = pa.DictionaryArray.from_arrays(pa.array(letters, mask=~flagged), list(LETTERS))
    return [pa.array(rounded, mask=gone), flags.cast(FLAG_TYPE)]
