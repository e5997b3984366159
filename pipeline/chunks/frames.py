"""The zstd frames of a V2 file: made from pieces, and read back with every size checked first."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import zstandard

from pipeline.chunks.threads import per_thread
from pipeline.errors import ChunkError

__all__ = ["pack_frame", "unpack_frame"]


@per_thread
def _compressor() -> zstandard.ZstdCompressor:
    # as small as level 13 makes such short pieces, in half the time: their tables need little room,
    # and short matches in what is mostly noise cost more than they save
    parameters = zstandard.ZstdCompressionParameters(
        strategy=zstandard.STRATEGY_BTOPT,
        window_log=17,
        hash_log=12,
        chain_log=12,
        search_log=1,
        min_match=6,
        target_length=64,
        write_content_size=True,
        write_checksum=False,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


@per_thread
def _decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor()


def pack_frame(pieces: Sequence[bytes], *, apart: bool) -> bytes:
    """Return one zstd frame of pieces joined; ``apart``: each in zstd blocks, so codes, of its own.

    A reader sees no difference. Of no pieces there is no frame.
    """
    if not pieces:
        return b""
    if not apart:
        return _compressor().compress(b"".join(pieces))
    stream = _compressor().compressobj(size=sum(map(len, pieces)))
    made = []
    for piece in pieces[:-1]:
        made += [stream.compress(piece), stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    made += [stream.compress(pieces[-1]), stream.flush()]
    return b"".join(made)


def unpack_frame(frame: bytes | memoryview, offset: int, size: int, crc32: int) -> bytes:
    """Return what a frame holds, after its checksum and before allocating more than ``size``.

    Raises
    ------
    ChunkError
        With the frame's offset in the file.
    """
    found = zlib.crc32(frame)
    if found != crc32:
        raise ChunkError(f"checksum {found:#010x}, not {crc32:#010x}", offset=offset)
    try:
        stated = zstandard.get_frame_parameters(frame).content_size
        if stated != size:
            raise ChunkError(f"frame of {stated} bytes, not {size}", offset=offset)
        return _decompressor().decompress(frame, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ChunkError(f"frame cannot be decompressed: {error}", offset=offset) from None
