"""Many zstd frames checked and decompressed in one call.

A frame's header and the headers of its blocks are read here for all frames at once: they tell the
content's size, and that the frame ends where its footer says, before anything is decompressed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import cast

import numpy as np
import zstandard

from pipeline.chunks.bulk.varints import Bools, Ints
from pipeline.chunks.dictionary import footer_dictionary
from pipeline.chunks.threads import per_thread

__all__ = ["FRAME_PAD", "check_frames", "unpack_frames", "well_formed"]

FRAME_PAD = 16
"""Bytes that must follow the last frame, so that looking ahead never leaves the data."""

_MAGIC = 0xFD2FB528
_MOST_BLOCKS = 64


@per_thread
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()


@per_thread
def _footer_decompressor() -> zstandard.ZstdDecompressor:
    primer = zstandard.ZstdCompressionDict(
        footer_dictionary(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    return zstandard.ZstdDecompressor(dict_data=primer)


def check_frames(data: bytes, starts: Ints, lengths: Ints, sizes: Ints, crc32: Ints) -> Bools:
    """Tell which frames have the checksum, the content size and the end that are due."""
    view, checksum = memoryview(data), zlib.crc32
    places = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
    found = np.array([checksum(view[start:stop]) for start, stop in places], np.int64)
    good: Bools = found == crc32
    good &= well_formed(data, starts, lengths, sizes)
    return good


def well_formed(data: bytes, starts: Ints, lengths: Ints, sizes: Ints) -> Bools:
    """Tell which byte ranges are one zstd frame each, of the content size that is due.

    A frame with a dictionary's number or a checksum of its content, which no writer of this format
    makes, counts as none.
    """
    octets = np.frombuffer(data, np.uint8)
    head = octets[starts[:, None] + np.arange(14)].astype(np.int64)
    magic = head[:, 0] | head[:, 1] << 8 | head[:, 2] << 16 | head[:, 3] << 24
    flags = head[:, 4]
    single = flags >> 5 & 1
    form = flags >> 6
    good: Bools = (magic == _MAGIC) & (flags & 0x1F == 0) & (form < 3)
    good &= (form > 0) | (single == 1)
    place = 6 - single  # a window's byte stands before the size unless there is one segment
    rows = np.arange(starts.size)
    first, second = head[rows, place], head[rows, place + 1]
    stated = np.where(form == 0, first, (first | second << 8) + 256)
    long = form == 2
    if long.any():
        rest = head[rows, place + 2] << 16 | head[rows, place + 3] << 24
        stated = np.where(long, first | second << 8 | rest, stated)
    good &= stated == sizes
    at = starts + place + np.array([1, 2, 4, 8])[form]
    end = starts + lengths
    left = np.flatnonzero(good)
    for _ in range(_MOST_BLOCKS):
        if left.size == 0:
            break
        here = at[left]
        block = octets[here[:, None] + np.arange(3)].astype(np.int64)
        header = block[:, 0] | block[:, 1] << 8 | block[:, 2] << 16
        kind = header >> 1 & 3
        here += 3 + np.where(kind == 1, 1, header >> 3)
        wrong = (kind == 3) | (here > end[left])
        last = header & 1 == 1
        wrong |= last & (here != end[left])
        good[left[wrong]] = False
        at[left] = here
        left = left[~wrong & ~last]
    good[left] = False
    return good


def unpack_frames(
    data: bytes, starts: Ints, lengths: Ints, sizes: Ints, *, footers: bool = False
) -> tuple[bytes, Ints]:
    """Return what frames hold, one after the other, and which of them cannot be decompressed.

    Where there are such, nothing of the others is returned either.

    Parameters
    ----------
    data : bytes
    starts, lengths, sizes : int64 arrays
        Where frames that `check_frames` has passed lie, and the bytes that they hold.
    footers : bool
        Whether the frames are footers, which are compressed with the format's dictionary.
    """
    none = np.empty(0, np.int64)
    if starts.size == 0:
        return b"", none
    tool = _footer_decompressor() if footers else _decompressor()
    segments = np.stack([starts, lengths], axis=1).astype(np.uint64)
    frames = zstandard.BufferWithSegments(data, segments.tobytes())
    try:
        made = tool.multi_decompress_to_buffer(
            frames, decompressed_sizes=sizes.astype(np.uint64).tobytes(), threads=0
        )
        return b"".join(cast("Iterable[bytes]", made)), none
    except zstandard.ZstdError:
        pass
    wrong = []
    view = memoryview(data)
    places = zip(starts.tolist(), lengths.tolist(), sizes.tolist(), strict=True)
    for number, (start, length, size) in enumerate(places):
        try:
            tool.decompress(view[start : start + length], max_output_size=size)
        except zstandard.ZstdError:
            wrong.append(number)
    return b"", np.array(wrong or range(starts.size), np.int64)
