"""A small network in a data directory, and the same rows in memory to compare with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cimis.pipeline.catalog.database import Catalog
from cimis.pipeline.catalog.entry import chunk_row
from cimis.pipeline.chunks import ChunkKey, read_chunk, write_chunk
from cimis.pipeline.field.items import Scope, resolve, scope_items
from cimis.pipeline.rows.schema import FLAG_TYPE, key_columns, physical_schema
from cimis.store import Store, open_store

ITEMS = {
    Scope.DAILY: "air_tmp_avg,asce_eto,precip,rel_hum_avg,sol_rad_avg,vap_pres_avg,wind_run",
    Scope.HOURLY: "air_tmp,precip,rel_hum,vap_pres",
}
LETTERS = ("R", "M", "Y", "H", "I")


@dataclass(frozen=True)
class Network:
    """A data directory and all its rows.

    ``tables`` and ``frames`` have the items that are stored, ``wide`` has them all.
    """

    root: Path
    tables: dict[str, pa.Table]
    frames: dict[str, pl.DataFrame]
    wide: dict[str, pl.DataFrame]
    stations: pa.Table


def year_table(
    scope: Scope, station: int, year: int, *, items: str | None = None, seed: int = 0
) -> pa.Table:
    """Return a plausible year of a station as a physical table, with gaps, missing and flags."""
    rng = np.random.default_rng([seed, station, year, scope is Scope.DAILY])
    first = (dt.date(year, 1, 1) - dt.date(1970, 1, 1)).days
    days = np.arange(first, (dt.date(year + 1, 1, 1) - dt.date(1970, 1, 1)).days, dtype=np.int64)
    days = days[(days < first + 100) | (days >= first + 100 + station % 7)]
    hours = np.arange(1, 25) if scope is Scope.HOURLY else np.array([0])
    at, hour = np.repeat(days, len(hours)), np.tile(hours, len(days))
    n = len(at)
    chosen = resolve(items or ITEMS[scope], scope)
    columns = [pa.array(np.full(n, station, np.uint16))]
    if scope is Scope.HOURLY:
        columns.append(pa.array(at * 86_400 + hour * 3_600).view(pa.timestamp("s")))
    columns.append(pa.array(at.astype(np.int32)).view(pa.date32()))
    if scope is Scope.HOURLY:
        columns.append(pa.array(hour.astype(np.uint8)))
    wave = np.sin((at - 100) / 58.1)
    for number, item in enumerate(chosen):
        values = np.round(12 + 8 * wave + rng.normal(0, 2 + number, n), item.decimals_metric) + 0.0
        coded = rng.integers(0, len(LETTERS), n).astype(np.int8)
        flags = pa.DictionaryArray.from_arrays(
            pa.array(coded, mask=rng.random(n) > 0.03), list(LETTERS)
        )
        columns += [pa.array(values, mask=rng.random(n) < 0.02), flags.cast(FLAG_TYPE)]
    return pa.Table.from_arrays(columns, schema=physical_schema(scope, chosen))


def put(root: Path, tables: list[pa.Table], *, form: str = "v2") -> None:
    """Store tables of one station-year each, and enter them in the catalog."""
    rows = []
    for table in tables:
        scope = Scope.HOURLY if "time" in table.schema.names else Scope.DAILY
        key = ChunkKey(scope, table["date"][0].as_py().year, station=table["station"][0].as_py())
        rows.append(chunk_row(write_chunk(key.path(root), table, format=form), source="test"))
    with Catalog(root, create=True) as catalog:
        catalog.put_chunks(rows)


def _all_rows(root: Path, scope: Scope) -> pa.Table:
    """Return all rows of a scope by reading every file whole."""
    files = sorted(root.glob(f"stations/*/*_{scope}.zst"), key=lambda p: p.parts[-2:])
    tables = [read_chunk(path) for path in files]
    codes = {c for t in tables for c in t.schema.names if c + "_qc" in t.schema.names}
    schema = physical_schema(scope, resolve(",".join(codes), scope))
    return pa.concat_tables(
        [
            pa.table(
                [
                    t[f.name].cast(f.type) if f.name in t.schema.names else pa.nulls(len(t), f.type)
                    for f in schema
                ],
                schema=schema,
            )
            for t in tables
        ]
    ).unify_dictionaries()


def wide(scope: Scope, table: pa.Table) -> pl.DataFrame:
    """Return rows as questions see them: a column for every item, and the reference ET there is."""
    frame = _strings(table)
    columns = [frame[name] for name in key_columns(scope)]
    for item in scope_items(scope):
        for name, kind in ((item.column, pl.Float64), (item.flag_column, pl.String)):
            there = name in frame.columns
            columns.append(frame[name] if there else pl.Series(name, [None] * len(frame), kind))
    choice = pl.when(pl.col("asce_eto").is_not_null()).then(pl.lit("asce_eto"))
    return pl.DataFrame(columns).with_columns(
        pl.coalesce("asce_eto", "eto").alias("reference_eto"),
        choice.when(pl.col("eto").is_not_null()).then(pl.lit("eto")).alias("reference_eto_source"),
    )


def _strings(table: pa.Table) -> pl.DataFrame:
    plain = [
        pc.cast(c, pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns
    ]
    made = pl.from_arrow(pa.table(plain, names=table.schema.names))
    assert isinstance(made, pl.DataFrame)
    return made


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Five stations: daily years in V2 and one in V1, hourly years, items that come and go."""
    root = tmp_path_factory.mktemp("network")
    few = "air_tmp_avg,asce_eto,rel_hum_avg"
    daily = [
        year_table(Scope.DAILY, station, year, items=few if year == 2022 else None)
        for station in (2, 5, 7, 80, 131)
        for year in (2020, 2021, 2022)
        if (station, year) != (7, 2021)
    ]
    put(root, daily)
    put(root, [year_table(Scope.DAILY, 7, 2021, items="air_tmp_avg,asce_eto")], form="v1")
    put(root, [year_table(Scope.HOURLY, s, y) for s in (2, 80) for y in (2021, 2022)])
    names = [
        (2, "FivePoints", 87.0),
        (5, "Shafter", 110.0),
        (7, "Firebaugh", 56.0),
        (80, "Fresno", 103.0),
    ]
    with Catalog(root) as catalog:
        catalog.put_stations(
            (number, name, {"number": number, "name": name, "elevation_m": height})
            for number, name, height in names
        )
    tables = {scope.value: _all_rows(root, scope) for scope in Scope}
    frames = {name: _strings(table) for name, table in tables.items()}
    stations = pa.table(
        {
            "station": [n for n, _, _ in names],
            "name": [n for _, n, _ in names],
            "elevation_m": [h for _, _, h in names],
        }
    )
    every = {scope.value: wide(scope, tables[scope.value]) for scope in Scope}
    return Network(root, tables, frames, every, stations)


@pytest.fixture
def store(network: Network) -> Iterator[Store]:
    """The network's store, open."""
    with open_store(network.root) as opened:
        yield opened
