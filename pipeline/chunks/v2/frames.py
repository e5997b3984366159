"""The zstd frames of a V2 file: made from pieces, and read back with every size checked first."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import zstandard

from cimis.pipeline.chunks.threads import per_thread
from cimis.pipeline.errors import ChunkError

__all__ = ["pack_frame", "unpack_frame", "unpack_frames"]


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
    """Return what one frame holds; see `unpack_frames`.

    Raises
    ------
    ChunkError
        With the frame's offset in the file.
    """
    (data,), wrong = unpack_frames(frame, [(0, len(frame), size, crc32)])
    for _, reason in wrong:
        raise ChunkError(reason, offset=offset)
    return data


def unpack_frames(
    data: bytes | memoryview, frames: Iterable[tuple[int, int, int, int]]
) -> tuple[list[bytes], list[tuple[int, str]]]:
    """Return what frames hold, each after its checksum and before allocating more than its size.

    One call for all (zstandard's `multi_decompress_to_buffer`) would be a little faster, but it
    writes outside its memory where a frame says that it holds nothing.

    Parameters
    ----------
    data : bytes
    frames : iterable of tuple
        Of each where it begins and ends, how many bytes it is to hold, and its checksum.

    Returns
    -------
    pieces : list of bytes
        Zeros for a frame that fails a check.
    wrong : list of tuple
        The numbers of these, and why they fail.
    """
    view, checksum, parameters = memoryview(data), zlib.crc32, zstandard.get_frame_parameters
    decompress = _decompressor().decompress
    pieces: list[bytes] = []
    wrong = []
    for number, (start, stop, size, crc32) in enumerate(frames):
        frame = view[start:stop]
        try:
            if (found := checksum(frame)) != crc32:
                reason = f"checksum {found:#010x}, not {crc32:#010x}"
            elif (stated := parameters(frame).content_size) != size:
                reason = f"frame of {stated} bytes, not {size}"
            else:
                pieces.append(decompress(frame, max_output_size=size, allow_extra_data=False))
                continue
        except zstandard.ZstdError as error:
            reason = f"frame cannot be decompressed: {error}"
        pieces.append(bytes(size))
        wrong.append((number, reason))
    return pieces, wrong
