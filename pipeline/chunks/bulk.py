"""Stub for development."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.chunks.key import ChunkKey
from pipeline.errors import ChunkError
from pipeline.items import scope_items


@dataclass(frozen=True, slots=True)
class ChunkFile:
    path: Path
    key: ChunkKey


@dataclass(frozen=True, slots=True)
class Decoded:
    places: list[int]
    rows: list[int]
    checksums: list[str]
    columns: list[tuple[tuple[str, int, str], ...]]
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Damaged:
    place: int
    error: ChunkError


def read_many(
    files: Sequence[ChunkFile], *, columns=None, batch_rows=262144
) -> Iterator[Decoded | Damaged]:
    from pipeline.chunks import read_chunk
    from pipeline.schema import TARGET_FIELD, decimals_of, item_of, physical_schema

    got = []
    n = 0

    def out():
        places, rows, sums, cols, tabs = zip(*got)
        return Decoded(list(places), list(rows), list(sums), list(cols), pa.concat_tables(tabs))

    for place, f in enumerate(files):
        try:
            try:
                data = f.path.read_bytes()
            except OSError:
                raise ChunkError("is in the catalog but not on disk", path=f.path)
            t = read_chunk(f.path)
            if "target" in t.schema.names:
                pass
        except ChunkError as e:
            yield Damaged(place, e)
            continue
        schema = physical_schema(f.key.scope, scope_items(f.key.scope))
        if f.key.station is None:
            schema = schema.set(0, TARGET_FIELD)
        names = schema.names if columns is None else columns
        info = tuple(
            (item_of(x).code, decimals_of(x), x.metadata[b"unit"].decode())
            for x in t.schema
            if item_of(x)
        )
        arrs = []
        for name in names:
            fl = schema.field(name)
            kind = pa.string() if pa.types.is_dictionary(fl.type) else fl.type
            arrs.append(
                t[name].cast(kind)
                if name in t.schema.names
                else (
                    pa.nulls(len(t), kind)
                    if name != "target"
                    else pa.array([f.key.target] * len(t))
                )
            )
        got.append(
            (
                place,
                len(t),
                hashlib.blake2b(data, digest_size=16).hexdigest(),
                info,
                pa.table(arrs, names=names),
            )
        )
        n += len(t)
        if n >= batch_rows:
            yield out()
            got = []
            n = 0
    if got:
        yield out()
