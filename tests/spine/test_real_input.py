"""Real responses replayed by the emulator, fetched, stored and queried come out as they went in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cimis.pipeline.emulator import Emulator, ReplaySource
from cimis.pipeline.field.items import by_json_key
from tests.spine.conftest import Cimis

Cell = tuple[Decimal | None, str | None]


@pytest.fixture(scope="module")
def server(real: Path) -> Iterator[Emulator]:
    with Emulator(ReplaySource(real)) as emulator:
        yield emulator


def _expected(path: Path) -> tuple[dict[tuple[Any, ...], dict[str, Cell]], dict[str, str]]:
    """Return the cells and units of one saved response by key and column, by plain means."""
    cells: dict[tuple[Any, ...], dict[str, Cell]] = {}
    units: dict[str, str] = {}
    for provider in json.loads(path.read_text("utf-8"))["Data"]["Providers"]:
        for record in provider["Records"]:
            key: tuple[Any, ...] = (int(record["Station"]), record["Date"])
            if record.get("Hour"):
                key = (*key, int(record["Hour"]) // 100)
            row = cells.setdefault(key, {})
            for name, cell in record.items():
                item = by_json_key(name)
                if item is None:
                    continue
                value = None if cell["Value"] is None else Decimal(cell["Value"])
                row[item.column] = (value, cell["Qc"].strip() or None)
                units[item.column] = cell["Unit"]
    return cells, units


def _stored(path: Path, *, hourly: bool) -> tuple[dict[tuple[Any, ...], dict[str, Cell]], Any]:
    table = pq.read_table(path)
    names = [n for n in table.column_names if n + "_qc" in table.column_names]
    rows: dict[tuple[Any, ...], dict[str, Cell]] = {}
    for row in table.to_pylist():
        key: tuple[Any, ...] = (row["station"], row["date"].isoformat())
        if hourly:
            key = (*key, row["hour"])
        rows[key] = {
            n: (None if row[n] is None else Decimal(repr(row[n])), row[n + "_qc"]) for n in names
        }
    return rows, table.schema


def _same(expected: Path, got: Path, scope: str, start: str, end: str) -> int:
    """Compare one file's cells with the answer's; return how many were compared."""
    want, units = _expected(expected)
    want = {k: v for k, v in want.items() if start <= k[1] <= end}
    have, schema = _stored(got, hourly=scope == "hourly")
    assert set(have) >= set(want)
    station = next(iter(want))[0]
    assert {k for k in have if k[0] == station} == set(want)
    compared = 0
    for key, row in want.items():
        for column, cell in row.items():
            assert have[key][column] == cell, (key, column)
            compared += 1
    for column, unit in units.items():
        assert schema.field(column).metadata[b"unit"].decode() == unit, column
    return compared


def test_fifteen_stations_of_water_year_2015_come_out_as_they_went_in(
    real: Path, server: Emulator, cimis: Cimis, tmp_path: Path
) -> None:
    files = sorted((real / "api" / "daily").glob("wy2015_*.json"))
    assert len(files) == 15
    stations = {f: next(iter(_expected(f)[0]))[0] for f in files}
    items = sorted({c for f in files for row in _expected(f)[0].values() for c in row})
    start, end = "2014-10-01", "2015-09-30"
    listed = ",".join(str(s) for s in stations.values())
    cimis("init", "--data-dir", "d")
    cimis(
        *("fetch", "--data-dir", "d", "--stations", listed, "--start", start),
        *("--end", end, "--items", ",".join(items)),
        env={"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": server.app_key},
    )
    cimis(
        *("query", "--data-dir", "d", "--stations", listed, "--start", start, "--end", end),
        *("--items", ",".join(items), "--output", "out.parquet"),
    )
    compared = sum(_same(f, tmp_path / "out.parquet", "daily", start, end) for f in files)
    assert compared == sum(len(row) for f in files for row in _expected(f)[0].values()) == 63_408


def test_an_hourly_month_comes_out_as_it_went_in(
    real: Path, server: Emulator, cimis: Cimis, tmp_path: Path
) -> None:
    path = real / "api" / "hourly" / "wy2014_modesto.json"
    want, _ = _expected(path)
    station = next(iter(want))[0]
    items = sorted({c for row in want.values() for c in row})
    days = sorted({k[1] for k in want})
    span = ("--start", days[0], "--end", days[-1], "--items", ",".join(items))
    cimis(
        *("fetch", "--data-dir", "d", "--scope", "hourly", "--stations", str(station)),
        *span,
        env={"CIMIS_BASE_URL": server.base_url, "CIMIS_APP_KEY": server.app_key},
    )
    cimis(
        *("query", "--data-dir", "d", "--hourly", "--station", str(station)),
        *(*span, "--output", "out.parquet"),
    )
    compared = _same(path, tmp_path / "out.parquet", "hourly", days[0], days[-1])
    assert compared == sum(len(row) for row in want.values())
