"""The zstd frames of many files.

One call for all frames (zstandard's `multi_decompress_to_buffer`) would be a little faster, but it
writes outside its memory where a frame says that it holds nothing, so each is a call of its own.
"""

from __future__ import annotations

from pipeline.chunks.arrays import Ints
from pipeline.chunks.frames import unpack_frame
from pipeline.errors import ChunkError

__all__ = ["unpack_frames"]


def unpack_frames(
    data: bytes, starts: Ints, lengths: Ints, sizes: Ints, crc32: Ints
) -> tuple[list[bytes], list[int]]:
    """Return what frames hold, and the numbers of those that fail a check: these give zeros.

    Parameters
    ----------
    data : bytes
    starts, lengths, sizes, crc32 : int64 arrays
        Where frames lie, what they are to hold (in bytes) and their checksums.
    """
    view = memoryview(data)
    pieces, wrong = [], []
    stops = (starts + lengths).tolist()
    frames = zip(starts.tolist(), stops, sizes.tolist(), crc32.tolist(), strict=True)
    for number, (start, stop, size, due) in enumerate(frames):
        try:
            pieces.append(unpack_frame(view[start:stop], start, size, due))
        except ChunkError:
            pieces.append(bytes(size))
            wrong.append(number)
    return pieces, wrong
