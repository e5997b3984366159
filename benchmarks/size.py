"""Bytes per row of the same rows in V2, V1, Parquet, Arrow IPC, pcodec and JSON; and write time.

Run with ``just bench-size [FOLDER]``: FOLDER holds the network's FTP zips and saved API answers;
where it is absent, generated weather stands in. Every form keeps the same values, missing marks and
flags.
"""

from __future__ import annotations

import gzip
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pcodec import ChunkConfig, standalone

from cimis.pipeline.archive.ftp import is_ftp_zip, read_ftp_zip
from cimis.pipeline.chunks import ChunkKey, write_chunk
from cimis.pipeline.chunks.v1.codec import encode as encode_v1
from cimis.pipeline.chunks.v2.codec import encode as encode_v2
from cimis.pipeline.decode import decode, unify
from cimis.pipeline.field.items import Scope
from cimis.pipeline.rows.schema import item_of
from cimis.pipeline.rows.values import to_physical

Rows = list[tuple[ChunkKey, pa.Table]]
SETTINGS: dict[str, dict[str, object]] = {
    "plain": {"compression": "zstd", "compression_level": 19},
    "byte stream split": {
        "compression": "zstd",
        "compression_level": 19,
        "use_dictionary": False,
        "use_byte_stream_split": True,
    },
    "no dictionary": {"compression": "zstd", "compression_level": 19, "use_dictionary": False},
    "no statistics": {"compression": "zstd", "compression_level": 19, "write_statistics": False},
}


def _years(table: pa.Table) -> Iterator[pa.Table]:
    dates = np.asarray(table["date"]).astype("datetime64[Y]").astype(int) + 1970
    for year in np.unique(dates).tolist():
        yield table.filter(pa.array(dates == year))


def daily_rows(folder: Path) -> Rows:
    """Return the station-years of every FTP zip of a folder, whole years first."""
    rows = []
    for path in sorted(folder.rglob("*.zip")):
        if is_ftp_zip(path):
            for station, table in read_ftp_zip(path):
                for year in _years(table):
                    key = ChunkKey(Scope.DAILY, year["date"][0].as_py().year, station=station)
                    if year.num_rows > 300:
                        rows.append((key, year))
    return rows


def hourly_rows(folder: Path) -> Rows:
    """Return the station-years of every saved hourly answer of a folder."""
    rows = []
    for path in sorted(folder.rglob("hourly/wy*.json")):
        table = unify(list(decode([path.read_bytes()], scope=Scope.HOURLY)))
        for year in _years(table):
            station = year["station"][0].as_py()
            key = ChunkKey(Scope.HOURLY, year["date"][0].as_py().year, station=station)
            rows.append((key, year))
    return rows


def generated_rows(scope: Scope) -> Rows:
    """Return generated station-years where there are no real ones."""
    import datetime as dt

    from cimis.pipeline.emulator import GeneratedSource
    from cimis.pipeline.emulator.source import render
    from cimis.pipeline.field.items import Standard, default_items

    rows = []
    head = b'{"Data":{"Providers":[{"Name":"cimis","Type":"station","Owner":"x","Records":['
    for station in (2, 5, 6, 7, 12):
        for year in (2021, 2022, 2023):
            span = dt.date(year, 1, 1), dt.date(year, 12, 31)
            items = default_items(scope)
            found = GeneratedSource().records(station, scope, *span, items, Standard.METRIC)
            body = [head, *render(found), b"]}]}}"]
            table = unify(list(decode(body, scope=scope, items=items)))
            rows.append((ChunkKey(scope, year, station=station), table))
    return rows


def parquet(table: pa.Table, settings: dict[str, object], **more: object) -> int:
    """Return the size of a Parquet file of a table."""
    sink = io.BytesIO()
    options = dict(settings) | more
    split = options.pop("use_byte_stream_split", None)
    if split:
        options["use_byte_stream_split"] = [
            f.name for f in table.schema if pa.types.is_floating(f.type) or _is_value(f)
        ]
    pq.write_table(table, sink, **options)
    return sink.tell()


def _is_value(field: pa.Field) -> bool:
    return item_of(field) is not None and pa.types.is_integer(field.type)


def delta(table: pa.Table, *, statistics_: bool = True) -> dict[str, object]:
    """Return the settings that delta-encode every value column: the strongest that Parquet has.

    Neither stores the Arrow schema, so units and decimals are lost; V2 keeps both, and statistics.
    """
    names = {
        f.name: "DELTA_BINARY_PACKED" for f in table.schema if _is_value(f) or f.name == "date"
    }
    return {
        "compression": "zstd",
        "compression_level": 19,
        "use_dictionary": [f.name for f in table.schema if f.name.endswith("_qc")],
        "column_encoding": names,
        "write_statistics": statistics_,
        "store_schema": False,
    }


def _wide(table: pa.Table) -> pa.Table:
    """Return a table with int32 values: Parquet has no delta encoding of int16."""
    fields = [f.with_type(pa.int32()) if f.type == pa.int16() else f for f in table.schema]
    return table.cast(pa.schema(fields, metadata=None))


def parquet_best(table: pa.Table) -> int:
    """Return the smallest Parquet file with statistics, over all settings and both forms."""
    scaled = _wide(table)
    kept = [s for name, s in SETTINGS.items() if name != "no statistics"]
    sizes = [parquet(form, s) for s in kept for form in (scaled, to_physical(table))]
    return min(*sizes, parquet(scaled, delta(scaled)))


def parquet_stripped(table: pa.Table) -> int:
    """Return the size of the delta-encoded Parquet file without statistics."""
    scaled = _wide(table)
    return parquet(scaled, delta(scaled, statistics_=False))


def ipc(table: pa.Table) -> int:
    """Return the size of an Arrow IPC file with zstd."""
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.tell()


def pcodec(table: pa.Table) -> int:
    """Return the size of all columns in pcodec; flags and missing marks as one more column each."""
    total = 0
    config = ChunkConfig(compression_level=12)
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name in ("station", "hour"):
            continue
        if pa.types.is_dictionary(field.type):
            texts = column.cast(pa.string()).to_pylist()
            codes = {t: n for n, t in enumerate(dict.fromkeys(texts))}
            numbers = np.array([codes[t] for t in texts], dtype=np.uint16)
        else:
            whole = column.cast(pa.int32()) if pa.types.is_date32(field.type) else column
            numbers = np.asarray(whole.cast(pa.int64()).fill_null(0))
            missing = np.asarray(column.is_null())
            if missing.any():
                total += len(standalone.simple_compress(missing.astype(np.uint16), config))
                last = np.maximum.accumulate(np.where(missing, 0, np.arange(missing.size)))
                numbers = numbers[last]
            narrow = np.int32 if np.abs(numbers).max() < 1 << 31 else np.int64
            numbers = numbers.astype(narrow)
        total += len(standalone.simple_compress(numbers, config))
    return total


def json_bytes(table: pa.Table) -> int:
    """Return the size of the rows as gzipped JSON lines."""
    lines = "\n".join(json.dumps(row, default=str) for row in to_physical(table).to_pylist())
    return len(gzip.compress(lines.encode()))


def measure(rows: Rows, name: str) -> None:
    """Print bytes per row of every form, and each as a ratio to V2."""
    total = sum(table.num_rows for _, table in rows)
    big = _wide(pa.concat_tables([t for _, t in rows], promote_options="permissive"))
    big = big.unify_dictionaries().combine_chunks()
    sizes = {
        "V2": sum(len(encode_v2(t, k)) for k, t in rows),
        "V1 (loses most items)": sum(len(encode_v1(t, k)[0]) for k, t in rows),
        "Parquet per file, best": sum(parquet_best(t) for _, t in rows),
        "the same without statistics": sum(parquet_stripped(t) for _, t in rows),
        "Parquet one sorted file, best": min(
            parquet(big, delta(big, statistics_=False), row_group_size=size)
            for size in (1 << 14, 1 << 17, 1 << 20)
        ),
        "Arrow IPC zstd per file": sum(ipc(t) for _, t in rows),
        "pcodec per column and file": sum(pcodec(t) for _, t in rows),
        "JSON lines gzip": sum(json_bytes(t) for _, t in rows),
    }
    sys.stdout.write(f"\n{name}: {len(rows)} station-years, {total:,} rows\n")
    for form, size in sizes.items():
        ratio = sizes["V2"] / size
        sys.stdout.write(f"  {form:32}{size / total:9.2f} bytes/row   V2 is {ratio:5.3f} of it\n")


def _median_ms(action: Callable[[], object], runs: int = 15) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def write_time(rows: Rows) -> None:
    """Print the time to write one station-year with read-back, and to write it as Parquet."""
    key, table = rows[0]
    physical = to_physical(table)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / key.relative_path().name
        ours = _median_ms(lambda: write_chunk(path, table))
        sys.stdout.write(f"\nwrite {key.name}, {table.num_rows} rows, synced and read back\n")
        sys.stdout.write(f"  {'V2':32}{ours:9.2f} ms\n")
        for name, settings in SETTINGS.items():
            if name != "byte stream split":
                theirs = _median_ms(partial(pq.write_table, physical, path, **settings))
                sys.stdout.write(
                    f"  {'Parquet, ' + name:32}{theirs:9.2f} ms   {ours / theirs:.2f}\n"
                )
        plain = _median_ms(lambda: pq.write_table(physical, path, compression="zstd"))
        sys.stdout.write(f"  {'Parquet, zstd default':32}{plain:9.2f} ms   {ours / plain:.2f}\n")


def main() -> None:
    """Measure real rows where there are any, else generated ones."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/real")
    daily = daily_rows(folder) if folder.exists() else []
    hourly = hourly_rows(folder) if folder.exists() else []
    measure(daily or generated_rows(Scope.DAILY), "daily" if daily else "daily (generated)")
    measure(hourly or generated_rows(Scope.HOURLY), "hourly" if hourly else "hourly (generated)")
    write_time(daily or generated_rows(Scope.DAILY))


if __name__ == "__main__":
    main()
