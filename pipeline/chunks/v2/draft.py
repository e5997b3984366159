"""Read the draft of format V2 that was written before 2026-11-23 20:09 UTC, to rewrite it as V2.

The draft has version 2 as well. It differs by its footer's dictionary and by its marks, which are
runs of rows in one state (``docs/upgrades.md``); all its cells are cells of V2. So its footer can
not be decompressed to anything that passes as one of V2, nor the other way round.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import zstandard

from cimis.pipeline.chunks.dictionary import dictionary_of
from cimis.pipeline.chunks.footer import Block, Footer
from cimis.pipeline.chunks.marks import Marks, pack_marks, unpack_marks
from cimis.pipeline.chunks.tables import gather
from cimis.pipeline.chunks.threads import per_thread
from cimis.pipeline.chunks.v2.blocks import BlockReader
from cimis.pipeline.chunks.v2.codec import encode_grid, is_v2
from cimis.pipeline.chunks.v2.container import HEADER_BYTES, check_header, footer_of, parse_footer
from cimis.pipeline.chunks.v2.grid import grid_of
from cimis.pipeline.chunks.v2.parse import unpack
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.rows.numbers import Octets

__all__ = ["as_v2", "is_draft"]

_DESCRIPTORS = """\
day-dew-pnt (C) 1
day-eto (mm) 2
day-soil-tmp-max (C) 1
day-soil-tmp-min (C) 1
day-sol-rad-net (W./sq.m) 0
day-vap-pres-max (kPa) 1
day-vap-pres-min (kPa) 1
hly-eto (mm) 2
hly-air-tmp (C) 1
hly-dew-pnt (C) 1
hly-net-rad (W./sq.m) 0
hly-asce-eto (mm) 2
hly-asce-etr (mm) 2
hly-precip (mm) 2
hly-rel-hum (%) 0
hly-res-wind (m/s) 1
hly-soil-tmp (C) 1
hly-sol-rad (W./sq.m) 0
hly-vap-pres (kPa) 1
hly-wind-dir (°) 0
hly-wind-spd (m/s) 1
day-air-tmp-avg (C) 1
day-air-tmp-max (C) 1
day-air-tmp-min (C) 1
day-dew-pnt (C) 1
day-asce-eto (mm) 2
day-asce-etr (mm) 2
day-precip (mm) 2
day-rel-hum-avg (%) 0
day-rel-hum-max (%) 0
day-rel-hum-min (%) 0
day-soil-tmp-avg (C) 1
day-sol-rad-avg (W./sq.m) 0
day-vap-pres-avg (kPa) 1
day-wind-run (MPH) 1
day-wind-spd-avg (m/s) 1
"""
_CRC32 = 0x28A28C2D
_RUN_BYTES = 5
"""Of each run of marks: two of its start, two of its length, one of its state."""


def is_draft(data: bytes) -> bool:
    """Tell whether a file's bytes are a chunk of the draft, by their footer."""
    return is_v2(data[:4]) and not _is_settled(data) and _draft_footer(data) is not None


def as_v2(data: bytes) -> bytes:
    """Return the V2 file of the rows that a draft's file holds, after checking every byte of it.

    Raises
    ------
    ChunkError
        Where the bytes are no draft, or damaged.
    """
    footer = _draft_footer(data)
    if footer is None:
        raise ChunkError("is no chunk of the draft of V2")
    view = memoryview(data)
    check_header(view, footer.features)
    reader = _DraftReader(view, footer)
    parts = gather(footer, footer.blocks, reader, range(len(footer.columns)))
    return encode_grid(grid_of(parts), footer.key)


def _is_settled(data: bytes) -> bool:
    try:
        parse_footer(data, len(data))
    except ChunkError:
        return False
    return True


def _draft_footer(data: bytes) -> Footer | None:
    """Return a draft's footer, None where the bytes hold none."""
    try:
        raw, start = footer_of(data, len(data), _decompressor())
        return unpack(raw, data_start=HEADER_BYTES, data_end=start)
    except ChunkError:
        return None


@cache
def _dictionary() -> bytes:
    return dictionary_of(_DESCRIPTORS, _CRC32)


@per_thread
def _decompressor() -> zstandard.ZstdDecompressor:
    primer = zstandard.ZstdCompressionDict(_dictionary(), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=primer)


class _DraftReader(BlockReader):
    """Decodes the blocks of a draft, whose marks alone are others."""

    def marks(self, block: Block) -> Marks | None:
        """Return a block's marks, or None where it has none."""
        if not block.marks_length:
            return None
        data = self._frame(
            block.marks_offset, block.marks_length, block.marks_size, block.marks_crc32
        )
        columns, known = len(self.footer.columns), len(self.footer.states)
        packed = b"".join(pack_marks(_states(data, columns, block.rows, known)))
        return unpack_marks(packed, columns, block.rows, known) if packed else None


def _states(data: bytes, columns: int, rows: int, known: int) -> Octets:
    """Return the states that runs of marks stand for, columns x rows; 0 is present and passed."""
    octets = np.frombuffer(data, np.uint8)
    if octets.size < 2 * columns:
        raise ChunkError(f"marks hold {octets.size} bytes for {columns} columns")
    counts = octets[:columns].astype(np.int64) | octets[columns : 2 * columns].astype(np.int64) << 8
    total = int(counts.sum())
    if octets.size != 2 * columns + _RUN_BYTES * total:
        raise ChunkError(f"marks of {total} runs hold {octets.size} bytes")
    planes = octets[2 * columns :].reshape(_RUN_BYTES, total).astype(np.int64)
    starts = planes[0] | planes[1] << 8
    ends = starts + (planes[2] | planes[3] << 8) + 1
    column = np.repeat(np.arange(columns), counts)
    apart = (starts[1:] >= ends[:-1]) | (column[1:] != column[:-1])
    if total and (int(ends.max()) > rows or not bool(apart.all())):
        raise ChunkError("marks overlap or leave their block")
    if total and not 0 < int(planes[4].min()) <= int(planes[4].max()) <= known:
        raise ChunkError(f"marks name state {int(planes[4].max())} of {known}")
    # each run adds its state where it begins, and takes it off where it ends
    steps = np.zeros((columns, rows + 1), np.int64)
    np.add.at(steps, (column, starts), planes[4])
    np.add.at(steps, (column, ends), -planes[4])
    return np.cumsum(steps[:, :-1], axis=1).astype(np.uint8)
