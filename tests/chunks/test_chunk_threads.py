"""Chunks written and read in several threads at once are those of one thread."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from cimis.pipeline.chunks import read_chunk, read_footer, write_chunk
from cimis.pipeline.field.items import Scope, default_items
from cimis.pipeline.rows.schema import physical_schema


def year(station: int) -> pa.Table:
    items = default_items(Scope.DAILY)
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    columns: list[list[object]] = [[station] * 365, list(days)]
    for number, _ in enumerate(items):
        columns += [[(n * (number + 3) + station) % 97 / 10 for n in range(365)], [None] * 365]
    schema = physical_schema(Scope.DAILY, items)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


@pytest.mark.parametrize("form", ["v2", "v1"])
def test_threads_do_not_disturb_each_other(tmp_path: Path, form: str) -> None:
    """Every file has the bytes that one thread alone gives it, and reads back."""
    tables = {station: year(station) for station in range(1, 9)}

    def write(where: str, station: int) -> bytes:
        path = tmp_path / where / f"stations/{station:03}/2023_daily.zst"
        write_chunk(path, tables[station], format=form)
        assert read_footer(path).rows == read_chunk(path).num_rows == 365
        return path.read_bytes()

    alone = [write("alone", station) for station in tables]
    for turn in range(4):
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda s: write(f"turn{turn}", s), tables)) == alone  # noqa: B023
