"""The zstd frames of many files, each checked as :mod:`pipeline.chunks.frames` checks one.

One call for all frames (zstandard's `multi_decompress_to_buffer`) would be a little faster, but it
writes outside its memory where a frame says that it holds nothing, so each is a call of its own.
"""

from __future__ import annotations

import zlib

import numpy as np
import zstandard

from pipeline.chunks.arrays import Bools, Ints
from pipeline.chunks.container import footer_decompressor
from pipeline.chunks.frames import frame_decompressor

__all__ = ["unpack_footers", "unpack_frames"]


def unpack_frames(
    data: bytes, starts: Ints, lengths: Ints, sizes: Ints, crc32: Ints
) -> tuple[bytes, Bools]:
    """Return what frames hold, one after the other, and which fail a check: these give zeros.

    Parameters
    ----------
    data : bytes
    starts, lengths, sizes, crc32 : int64 arrays
        Where frames lie, what they are to hold (in bytes) and their checksums.
    """
    view, checksum = memoryview(data), zlib.crc32
    decompress, content = frame_decompressor().decompress, zstandard.frame_content_size
    pieces, wrong = [], []
    stops = (starts + lengths).tolist()
    frames = zip(starts.tolist(), stops, sizes.tolist(), crc32.tolist(), strict=True)
    for number, (start, stop, size, due) in enumerate(frames):
        frame = view[start:stop]
        try:
            if checksum(frame) == due and content(frame) == size:
                pieces.append(decompress(frame, max_output_size=size, allow_extra_data=False))
                continue
        except zstandard.ZstdError:
            pass
        pieces.append(bytes(size))
        wrong.append(number)
    marked = np.zeros(starts.size, np.bool_)
    marked[wrong] = True
    return b"".join(pieces), marked


def unpack_footers(data: bytes, starts: Ints, lengths: Ints, sizes: Ints) -> list[bytes]:
    """Return footers, decompressed; b"" for one that is not of its size or cannot be."""
    view = memoryview(data)
    decompress, content = footer_decompressor().decompress, zstandard.frame_content_size
    found = []
    stops = (starts + lengths).tolist()
    for start, stop, size in zip(starts.tolist(), stops, sizes.tolist(), strict=True):
        frame = view[start:stop]
        try:
            good = content(frame) == size
            raw = decompress(frame, max_output_size=size, allow_extra_data=False) if good else b""
        except zstandard.ZstdError:
            raw = b""
        found.append(raw)
    return found
