"""The V1 file: one zstd stream of packed little-endian records (``docs/format-v1.md``)."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import zstandard

from cimis.pipeline.chunks.threads import per_thread
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.field.time import PER_DAY, day_number

__all__ = ["EPOCH", "RECORDS", "Records", "guess_scope", "pack", "unpack"]

Records = npt.NDArray[np.void]

EPOCH = {scope: day_number(dt.date(1985, 1, 1)) * PER_DAY[scope] for scope in Scope}
"""By scope, the time that V1 counts from: 1985-01-01 00:00."""

MAX_RECORDS = 8_784
LEVEL = 19

RECORDS: dict[Scope, np.dtype[np.void]] = {
    Scope.DAILY: np.dtype(
        [
            ("time", "<u4"),
            ("station", "<u2"),
            ("air_tmp_avg", "<i2"),
            ("asce_eto", "<i2"),
            ("wind_spd_avg", "<u2"),
            ("rel_hum_avg", "u1"),
            ("sol_rad_avg", "u1"),
            ("flags", "u1"),
            ("reserved", "u1"),
        ]
    ),
    Scope.HOURLY: np.dtype(
        [
            ("time", "<u4"),
            ("station", "<u2"),
            ("air_tmp", "<i2"),
            ("asce_eto", "<i2"),
            ("wind_spd", "<u2"),
            ("wind_dir", "u1"),
            ("rel_hum", "u1"),
            ("sol_rad", "<u2"),
            ("precip", "<u2"),
            ("vap_pres", "<u2"),
            ("flags", "u1"),
            ("reserved", "u1"),
            ("zero", "<u2"),
        ]
    ),
}


@per_thread
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)


def pack(records: Records) -> bytes:
    """Return the V1 file of records: one zstd frame with content checksum."""
    return _compressor().compress(records.tobytes())


def unpack(data: bytes, scope: Scope) -> Records:
    """Return the records of a V1 file.

    Raises
    ------
    ChunkError
        For a damaged or truncated stream, bytes behind it, a length that is no multiple of the
        record's, more records than a year has, or records out of order.
    """
    kind = RECORDS[scope]
    limit = MAX_RECORDS * kind.itemsize
    try:
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 23).decompressobj()
        raw = _bounded(decompressor, data, limit)
    except zstandard.ZstdError as error:
        raise ChunkError(f"V1 stream cannot be decompressed: {error}", offset=0) from None
    if not decompressor.eof:
        raise ChunkError("V1 stream is cut short", offset=len(data))
    if decompressor.unused_data:
        left = len(decompressor.unused_data)
        raise ChunkError(f"{left} bytes behind the V1 stream", offset=len(data) - left)
    if not raw or len(raw) % kind.itemsize:
        raise ChunkError(f"{len(raw)} bytes are no whole number of {kind.itemsize}-byte records")
    records: Records = np.frombuffer(raw, dtype=kind)
    if bool((np.diff(records["time"].astype(np.int64)) <= 0).any()):
        raise ChunkError("V1 records do not ascend in time")
    return records


def _bounded(decompressor: zstandard.ZstdDecompressionObj, data: bytes, limit: int) -> bytes:
    """Decompress piece by piece, giving up as soon as there is more than a year can hold."""
    parameters = zstandard.get_frame_parameters(data)
    if not parameters.has_checksum:
        raise ChunkError("V1 stream has no content checksum", offset=4)
    stated = parameters.content_size
    if stated not in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR):
        _check_size(stated, limit)
    pieces, total, step = [], 0, 4096
    for start in range(0, len(data), step):
        piece = decompressor.decompress(data[start : start + step])
        total += len(piece)
        _check_size(total, limit)
        pieces.append(piece)
        if decompressor.eof:
            if len(data) > start + step:
                raise ChunkError("bytes behind the V1 stream", offset=start + step)
            break
    return b"".join(pieces)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise ChunkError(f"V1 stream holds {size} bytes or more; a year has at most {limit}")


def guess_scope(path: Path, data: bytes) -> Scope:
    """Return the scope of a V1 file: by its name, else by which record form its content has.

    Raises
    ------
    ChunkError
        When neither tells.
    """
    named = re.search(r"(daily|hourly)", path.name)
    if named:
        return Scope(named[1])
    found = []
    for scope in Scope:
        try:
            records = unpack(data, scope)
        except ChunkError:
            continue
        stations = np.unique(records["station"])
        if stations.size == 1 and not records["reserved"].any():
            found.append(scope)
    if len(found) != 1:
        raise ChunkError(
            "neither the name nor the content tells whether this V1 file is daily or hourly",
            path=path,
            hint="name it <year>_daily.zst or <year>_hourly.zst",
        )
    return found[0]
