"""The golden V2 chunks: each a name and the rows that it holds, made from generated data.

A case is never edited: a new one is a new function, and ``python -m tests.chunks.golden_chunks``
writes the files that are not there yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.field.items import Item, Scope, resolve
from cimis.pipeline.rows.schema import FLAG_TYPE, KEY_FIELDS, item_metadata

GOLDEN = Path(__file__).parent / "golden"
Case = tuple[ChunkKey, pa.Table]
Columns = Mapping[str, tuple[Sequence[float | None], Sequence[str | None], int]]


def _keys(key: ChunkKey, times: list[int]) -> tuple[list[pa.Array], list[pa.Field]]:
    fields = list(KEY_FIELDS[key.scope])
    rows = len(times)
    if key.station is None:
        arrays = [pa.array([key.target] * rows).dictionary_encode().cast(FLAG_TYPE)]
        fields[0] = pa.field("target", FLAG_TYPE, nullable=False)
    else:
        arrays = [pa.array([key.station] * rows, pa.uint16())]
    if key.scope is Scope.DAILY:
        return [*arrays, pa.array(times, pa.int32()).cast(pa.date32())], fields
    days = [(t - 1) // 24 for t in times]
    arrays += [pa.array([t * 3600 for t in times], pa.timestamp("s"))]
    arrays += [pa.array(days, pa.int32()).cast(pa.date32())]
    return [
        *arrays,
        pa.array([t - 24 * d for t, d in zip(times, days, strict=True)], pa.uint8()),
    ], fields


def table(
    key: ChunkKey,
    times: list[int],
    columns: Columns,
) -> pa.Table:
    """Return the scaled table of columns by item code: values, flags, decimals."""
    arrays, fields = _keys(key, times)
    for item in resolve(list(columns), key.scope) if columns else ():
        values, flags, decimals = columns[item.code]
        kind = pa.float64() if any(isinstance(v, float) for v in values) else pa.int64()
        metadata = item_metadata(item, decimals=decimals, unit=item.unit_metric)
        arrays += [pa.array(values, kind), pa.array(flags).dictionary_encode().cast(FLAG_TYPE)]
        fields += [pa.field(item.column, kind, metadata=metadata)]
        fields += [pa.field(item.flag_column, FLAG_TYPE)]
    return pa.table(arrays, schema=pa.schema(fields))


def three_days() -> Case:
    """The page's worked example: three days, two items, one gap, one flag."""
    key = ChunkKey(Scope.DAILY, 2024, station=2)
    first = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    columns: Columns = {
        "day-air-tmp-avg": ([81, None, 94], [None, "M", None], 1),
        "day-precip": ([0, 254, 0], [None, "R", None], 2),
    }
    return key, table(key, [first, first + 1, first + 3], columns)


def _weather(items: tuple[Item, ...], rows: int, seed: int) -> dict[str, tuple[list[int], int]]:
    """Return values that hang together as the network's do, without any library's generator."""
    state, noise = seed, []
    for _ in range(rows * 8):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        noise.append((state >> 40) % 101 - 50)
    wave = [int(100 * np.sin(2 * np.pi * n / 180)) for n in range(rows)]
    base = [150 + w + noise[n] // 2 for n, w in enumerate(wave)]
    columns = {}
    for number, item in enumerate(items):
        jitter = noise[number * 7 : number * 7 + rows]
        pairs = zip(base, jitter, strict=True)
        values = [b * (number % 5 + 1) // 3 + j // (number % 3 + 2) for b, j in pairs]
        if "precip" in item.code:
            values = [max(0, j - 44) * 25 for j in jitter]
        if "rel-hum" in item.code:
            values = [min(100, max(5, 60 + j)) for j in jitter]
        columns[item.code] = (values, item.decimals_metric)
    return columns


def _year(key: ChunkKey, items: str, times: list[int], seed: int) -> Case:
    chosen = resolve(items, key.scope)
    columns = {}
    for number, (code, (values, places)) in enumerate(_weather(chosen, len(times), seed).items()):
        cells: list[int | None] = list(values)
        flags: list[str | None] = [None] * len(cells)
        for row in range(3 + number, len(cells), 31 + number):
            flags[row] = ("R", "Y", "H", "N/A")[row % 4]
        for row in range(40 + number, len(cells), 97):
            cells[row], flags[row] = None, ("M", None)[row % 2]
        columns[code] = (cells, flags, places)
    return key, table(key, times, columns)


def daily_year() -> Case:
    """A leap year of the default daily items with gaps and flags."""
    first = (dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days
    key = ChunkKey(Scope.DAILY, 2024, station=80)
    return _year(key, "default", list(range(first, first + 366)), 11)


def hourly_quarter() -> Case:
    """Three months of the default hourly items in more than one block, some hours absent."""
    first = (dt.date(2023, 1, 1) - dt.date(1970, 1, 1)).days * 24 + 1
    key = ChunkKey(Scope.HOURLY, 2023, station=277)
    times = [t for t in range(first, first + 2160) if t % 401 not in (7, 8, 9)]
    return _year(key, "default", times, 5)


def spatial_zip() -> Case:
    """A zip code's days: a target instead of a station."""
    first = (dt.date(2021, 1, 1) - dt.date(1970, 1, 1)).days
    key = ChunkKey(Scope.DAILY, 2021, target="zip:95616")
    return _year(key, "asce-eto,sol-rad-avg,wind-spd-avg", list(range(first, first + 90)), 3)


def extremes() -> Case:
    """The largest and smallest integers, doubles that are no decimals, an all-missing column."""
    first = (dt.date(1999, 12, 30) - dt.date(1970, 1, 1)).days
    key = ChunkKey(Scope.DAILY, 1999, station=65535)
    top = (1 << 63) - 1
    columns: Columns = {
        "day-eto": ([top, -top - 1], [None, "ABC"], 2),
        "day-precip": ([0.1 + 0.2, None], [None, "é"], 2),
        "day-wind-run": ([None, None], ["N", None], 1),
        "day-air-tmp-min": ([1234567, 1234567], [None, None], 6),
    }
    return key, table(key, [first, first + 1], columns)


def inches_year() -> Case:
    """A year converted from inches and miles: steps, low bits, a linear prediction of steps."""
    first = (dt.date(2013, 1, 1) - dt.date(1970, 1, 1)).days
    key = ChunkKey(Scope.DAILY, 2013, station=5)
    noise = _weather(resolve("default", key.scope), 365, 29)["day-air-tmp-avg"][0]
    sun = [200 + 3 * value // 2 for value in noise]
    miles = [500 + 7 * value % 1409 for value in noise]
    inches = [abs(s) // 17 + m % 3 for s, m in zip(sun, miles, strict=True)]
    passed: list[str | None] = [None] * 365
    columns: Columns = {
        "day-air-tmp-avg": (noise, passed, 1),
        "day-eto": ([(254 * n + 5) // 10 for n in inches], passed, 2),
        "day-sol-rad-avg": (sun, passed, 0),
        "day-wind-run": ([(n * 1609344 + 500000) // 1000000 for n in miles], passed, 1),
    }
    return key, table(key, list(range(first, first + 365)), columns)


def many_patterns() -> Case:
    """Rows that differ in their flags so much that a pattern's number needs two bytes."""
    first = (dt.date(2022, 6, 1) - dt.date(1970, 1, 1)).days * 24 + 1
    key = ChunkKey(Scope.HOURLY, 2022, station=39)
    letters = (None, "R", "Y", "H", "S", "Q", "M")
    columns = {}
    for place, item in enumerate(resolve("air-tmp,precip,rel-hum,wind-spd", key.scope)):
        flags = [letters[n // 7**place % 7] for n in range(400)]
        values = [None if flag == "M" else n % 50 for n, flag in enumerate(flags)]
        columns[item.code] = (values, flags, item.decimals_metric)
    return key, table(key, list(range(first, first + 400)), columns)


CASES: dict[str, Callable[[], Case]] = {
    "three_days": three_days,
    "daily_year": daily_year,
    "hourly_quarter": hourly_quarter,
    "spatial_zip": spatial_zip,
    "extremes": extremes,
    "inches_year": inches_year,
    "many_patterns": many_patterns,
}


def main() -> None:
    from cimis.pipeline.chunks.v2.codec import encode

    for name, build in CASES.items():
        path = GOLDEN / f"{name}.zst"
        if not path.exists():
            key, rows = build()
            path.write_bytes(encode(rows, key))


if __name__ == "__main__":
    main()
