"""Read and write chunk files of either format; every write is atomic and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from cimis.pipeline.chunks.arrow import take_apart
from cimis.pipeline.chunks.footer import Footer
from cimis.pipeline.chunks.given.check import check
from cimis.pipeline.chunks.given.table import ArrowStream, whole_chunk
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.parts import Parts
from cimis.pipeline.chunks.v1 import codec as v1
from cimis.pipeline.chunks.v1.records import EPOCH, guess_scope, unpack
from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2 import container
from cimis.pipeline.chunks.v2.grid import grid_of
from cimis.pipeline.errors import ChunkError, StoreError
from cimis.pipeline.field.time import year_of
from cimis.pipeline.rows.keys import arrange
from cimis.pipeline.rows.values import to_physical
from cimis.pipeline.storage import storage_of
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.contract import Storage
from cimis.pipeline.storage.refusals import disk_errors

__all__ = [
    "ChunkInfo",
    "describe",
    "first_form",
    "form_of",
    "info_of",
    "load",
    "parts_of",
    "read_chunk",
    "read_footer",
    "read_scaled",
    "write_chunk",
    "write_parts",
]

FORMATS = ("v2", "v1")


@dataclass(frozen=True, slots=True)
class ChunkInfo:
    """What a chunk file is: key, format, size, checksum (BLAKE2b-128, hex) and footer.

    ``losses`` counts per item what a V1 file could not hold; it is empty for V2. ``nans`` counts
    per item the values that were given as NaN, and are missing in the chunk.
    """

    key: ChunkKey
    format: str
    file_bytes: int
    checksum: str
    footer: Footer
    losses: dict[str, int] = field(default_factory=dict)
    nans: dict[str, int] = field(default_factory=dict)


def load(path: Path) -> bytes:
    """Return a chunk file's bytes."""
    with disk_errors(path, "read"):
        try:
            return storage_of(path).read(path)
        except (FileNotFoundError, NotADirectoryError):
            raise StoreError(f"there is no chunk {path}", hint="see 'cimis stats'") from None


def _decode(data: bytes, path: Path, columns: Sequence[str] | None) -> pa.Table:
    """Return a file's rows; the error names the file."""
    try:
        if v2.is_v2(data[:4]):
            return v2.decode_scaled(data, columns=columns)
        table = v1.decode(data, _v1_key(path, data))
        wanted = set(table.schema.names if columns is None else columns)
        return table.select([name for name in table.schema.names if name in wanted])
    except ChunkError as error:
        raise ChunkError(error.reason, path=path, offset=error.offset, hint=error.hint) from None


def _v1_key(path: Path, data: bytes) -> ChunkKey:
    """Return a V1 file's key: from its path, else from its first record."""
    try:
        return ChunkKey.of_path(path)
    except StoreError:
        scope = guess_scope(path, data)
        first = unpack(data, scope)[0]
        try:
            year = year_of(scope, int(first["time"]) + EPOCH[scope])
        except (ValueError, OverflowError):
            raise ChunkError(f"V1 record of a time beyond all years: {first['time']}") from None
        return ChunkKey(scope, year, station=int(first["station"]))


def read_scaled(path: str | Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a chunk's rows with scaled integers, checked; V1 or V2 by the file's first bytes.

    Raises
    ------
    ChunkError
        With file, offset and reason, when the file is damaged.
    StoreError
        When it is not there or cannot be read.
    """
    path = Path(path)
    return _decode(load(path), path, columns)


def read_chunk(path: str | Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a chunk's rows with float64 values in the items' metric units.

    Parameters
    ----------
    path : path-like
        A V1 or V2 chunk.
    columns : sequence of str, optional
        Columns wanted; absent ones are left out. None = all.

    Returns
    -------
    pyarrow.Table
        Keys, then per item its values (float64) and flags (dictionary, null = passed), by time.
    """
    return to_physical(read_scaled(path, columns=columns))


def read_footer(path: str | Path) -> Footer:
    """Return what a chunk says of itself; that of a V1 file is made from its rows (version 1)."""
    path = Path(path)
    if first_form(path) == "v2":
        return container.read_footer(path)
    data = load(path)
    key = _v1_key(path, data)
    return v1.describe(parts_of(data, path, key)[1], key)


def parts_of(data: bytes, path: Path, key: ChunkKey) -> tuple[Footer, Parts]:
    """Return a file's footer and rows in canonical form, checked; the error names the file."""
    try:
        if v2.is_v2(data[:4]):
            footer, parts = v2.decode_parts(data)
        else:
            parts = v1.decode_parts(data, key)
            footer = v1.describe(parts, key)
    except ChunkError as error:
        raise ChunkError(error.reason, path=path, offset=error.offset, hint=error.hint) from None
    if footer.key != key:
        raise ChunkError(f"file of {footer.key.name}, not of {key.name}", path=path)
    return footer, parts


def describe(path: Path, data: bytes, key: ChunkKey) -> ChunkInfo:
    """Return what a file's bytes are, after checking all of them."""
    footer, _ = parts_of(data, path, key)
    return info_of(data, footer)


def info_of(data: bytes, footer: Footer, losses: dict[str, int] | None = None) -> ChunkInfo:
    """Return what a file's bytes and footer say of it."""
    return ChunkInfo(footer.key, form_of(data), len(data), checksum_of(data), footer, losses or {})


def first_form(path: Path) -> str:
    """Return which form a chunk file has, by its first bytes, which alone are read."""
    with disk_errors(path, "read"), storage_of(path).open(path) as file:
        return form_of(file.read_range(0, 4))


def form_of(data: bytes) -> str:
    """Return which form a chunk's bytes have, by the first of them."""
    return "v2" if v2.is_v2(data[:4]) else "v1"


def write_chunk(
    path: str | Path,
    table: ArrowStream,
    *,
    format: str = "v2",  # noqa: A002 - the word that users know
) -> ChunkInfo:
    """Write one station's year as a chunk file: atomic, and read back before it counts.

    Parameters
    ----------
    path : path-like
        Where; a file that is there is replaced only by a sound one.
    table : pyarrow.Table or anything with ``__arrow_c_stream__``
        Rows of one station (or target), year and scope, in any order: a table of Arrow, Polars or
        pandas. Columns are known by name: ``station`` (or ``target``), ``date``; hourly ``time``
        (the hour's end in PST; a time zone is converted), or ``date`` and ``hour`` (1..24); items
        (``air_tmp_avg`` or ``day-air-tmp-avg``) and their flags (``air_tmp_avg_qc``). Values are
        in the item's metric unit, unless the field's metadata name ``unit``; integers are whole
        numbers, unless they name ``decimals``. Null and NaN are missing, an empty flag is null.
    format : {"v2", "v1"}

    Returns
    -------
    ChunkInfo
        With what was missing as NaN, and for V1 what it could not hold.

    Raises
    ------
    UsageError
        When it is no table.
    ChunkError, StoreError
        When the rows cannot be a chunk (a column that is none of these, several stations or years,
        a time twice, an infinity), or the disk refuses; the old file is then as it was.

    Notes
    -----
    No value is rounded. A float is the decimal that it prints as (8.1 of float32 is 8.1), and a
    column gets as many decimals as its values need; one with a float that is no decimal of at most
    15 digits holds doubles. What was written is compared with what was given, column by column.
    """
    path = Path(path)
    try:
        given = whole_chunk(table)
        rows, _ = arrange(given.table, given.key.scope)
        parts = take_apart(rows, given.key)
        check(given, parts)
    except ChunkError as error:
        raise ChunkError(error.reason, path=path, hint=error.hint) from None
    info = write_parts(path, given.key, parts, format, storage_of(path))
    return replace(info, nans=given.nans)


def write_parts(path: Path, key: ChunkKey, parts: Parts, form: str, storage: Storage) -> ChunkInfo:
    """Encode, put in place once what was read back compares; on failure the old file stays."""
    if form not in FORMATS:
        raise StoreError(f"unknown chunk format '{form}'", hint="choose v2 or v1")
    losses: dict[str, int] = {}
    check: Callable[[bytes], Footer]
    if form == "v1":
        data, losses, kept = v1.encode_parts(parts, key)
        check = partial(v1.check_parts, key=key, parts=kept)
    else:
        grid = grid_of(parts)
        data = v2.encode_grid(grid, key)
        check = partial(v2.check_grid, key=key, grid=grid)

    def checked(back: bytes) -> ChunkInfo:
        try:
            return info_of(back, check(back), losses)
        except ChunkError as error:
            raise ChunkError(
                error.reason, path=path, offset=error.offset, hint=error.hint
            ) from None

    with disk_errors(path, "write"):
        return storage.put(path, data, checked)
