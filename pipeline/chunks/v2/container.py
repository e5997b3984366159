"""The outside of a V2 file: header frame, footer frame, trailer (see ``docs/format-v2.md``)."""

from __future__ import annotations

import zlib
from functools import reduce
from operator import or_
from pathlib import Path

import zstandard

from cimis.pipeline.chunks.dictionary import footer_dictionary
from cimis.pipeline.chunks.encodings import KINDS
from cimis.pipeline.chunks.footer import Footer, pack
from cimis.pipeline.chunks.threads import per_thread
from cimis.pipeline.chunks.v2.parse import FEATURE_FROM_V1, unpack
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.storage import storage_of

__all__ = [
    "HEADER_BYTES",
    "TAIL_BYTES",
    "VERSION",
    "check_header",
    "footer_of",
    "header",
    "parse_footer",
    "read_footer",
    "seal",
]

MAGIC = b"CIM2"
VERSION = 2
FEATURE_STEPS = 4
KNOWN_FEATURES = reduce(or_, (kind.feature for kind in KINDS), FEATURE_STEPS | FEATURE_FROM_V1)
_LEVEL = 17
HEADER_BYTES = 14
TRAILER_BYTES = 16
MAX_FOOTER_BYTES = 1 << 22
_HEADER_FRAME = 0x184D2A50
FOOTER_FRAME = 0x184D2A5F
TAIL_BYTES = 1 << 14
"""What is read of a file's end first: nearly always the whole footer."""


def header(features: int) -> bytes:
    """Return the file's first bytes: a skippable frame that names format, version and features."""
    payload = MAGIC + bytes([VERSION, features])
    return _HEADER_FRAME.to_bytes(4, "little") + len(payload).to_bytes(4, "little") + payload


def seal(frames: bytes, footer: Footer) -> bytes:
    """Return the whole file: header, frames, footer, trailer."""
    raw = pack(footer)
    packed = _compressor().compress(raw)
    size = len(packed) + TRAILER_BYTES
    tail = FOOTER_FRAME.to_bytes(4, "little") + size.to_bytes(4, "little") + packed
    tail += len(packed).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    tail += zlib.crc32(tail).to_bytes(4, "little") + MAGIC
    return header(footer.features) + frames + tail


@per_thread
def _compressor() -> zstandard.ZstdCompressor:
    primer = zstandard.ZstdCompressionDict(
        footer_dictionary(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=primer, write_dict_id=False)


@per_thread
def _decompressor() -> zstandard.ZstdDecompressor:
    primer = zstandard.ZstdCompressionDict(
        footer_dictionary(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    return zstandard.ZstdDecompressor(dict_data=primer)


def parse_footer(tail: bytes | memoryview, file_bytes: int) -> Footer:
    """Return the footer from a file's last bytes, parsed; see `footer_of`."""
    raw, start = footer_of(tail, file_bytes)
    return unpack(raw, data_start=HEADER_BYTES, data_end=start)


def footer_of(
    tail: bytes | memoryview,
    file_bytes: int,
    decompressor: zstandard.ZstdDecompressor | None = None,
) -> tuple[bytes, int]:
    """Return a footer, decompressed, of a version that is known, and where its frame begins.

    Parameters
    ----------
    tail : bytes
        The end of the file, at least the whole footer frame.
    file_bytes : int
        Size of the file.
    decompressor : zstandard.ZstdDecompressor, optional
        One with another dictionary than the format's.

    Raises
    ------
    ChunkError
        With the number of bytes needed in ``reason`` where the tail is too short.
    """
    length, size = _trailer(tail, file_bytes)
    frame = bytes(tail[-(length + TRAILER_BYTES + 8) :])
    if len(frame) < length + TRAILER_BYTES + 8:
        raise ChunkError(f"{len(tail)} bytes hold no footer of {length}", offset=file_bytes)
    start = file_bytes - len(frame)
    stated = int.from_bytes(frame[-8:-4], "little")
    found = zlib.crc32(frame[:-8])
    if stated != found:
        raise ChunkError(f"footer has checksum {found:#010x}, not {stated:#010x}", offset=start)
    due = FOOTER_FRAME.to_bytes(4, "little") + (length + TRAILER_BYTES).to_bytes(4, "little")
    if frame[:8] != due:
        raise ChunkError("footer is in no frame of its own", offset=start)
    packed = frame[8 : 8 + length]
    try:
        parameters = zstandard.get_frame_parameters(packed)
        if parameters.content_size != size:
            raise ChunkError(f"footer of {parameters.content_size} bytes, not {size}", offset=start)
        opener = decompressor or _decompressor()
        raw = opener.decompress(packed, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ChunkError(f"footer cannot be decompressed: {error}", offset=start) from None
    _check_version(raw[:2], start)
    return raw, start


def _check_version(first: bytes, offset: int) -> None:
    if len(first) < 2:
        raise ChunkError("footer is empty", offset=offset)
    hint = "a newer cimis wrote this chunk; update cimis"
    if first[0] != VERSION:
        raise ChunkError(f"format version {first[0]}; {VERSION} is known", offset=offset, hint=hint)
    if first[1] & ~KNOWN_FEATURES:
        raise ChunkError(f"unknown feature bits {first[1]:#04x}", offset=offset, hint=hint)


def _trailer(tail: bytes | memoryview, file_bytes: int) -> tuple[int, int]:
    least = HEADER_BYTES + TRAILER_BYTES + 8
    if file_bytes < least or len(tail) < TRAILER_BYTES:
        raise ChunkError(f"{file_bytes} bytes are no chunk; the least is {least}", offset=0)
    trailer = bytes(tail[-TRAILER_BYTES:])
    if trailer[-4:] != MAGIC:
        raise ChunkError(
            f"file ends with {trailer[-4:].hex()}, not the magic {MAGIC.hex()}",
            offset=file_bytes - 4,
        )
    length = int.from_bytes(trailer[:4], "little")
    size = int.from_bytes(trailer[4:8], "little")
    room = file_bytes - HEADER_BYTES - TRAILER_BYTES - 8
    if length > min(room, MAX_FOOTER_BYTES) or size > MAX_FOOTER_BYTES:
        raise ChunkError(
            f"footer of {length} bytes ({size} unpacked) where {room} have room",
            offset=file_bytes - TRAILER_BYTES,
        )
    return length, size


def check_header(first: bytes | memoryview, features: int) -> None:
    """Check the header frame, which is constant but for its feature bits."""
    if bytes(first[:HEADER_BYTES]) != header(features):
        raise ChunkError(f"header is {bytes(first[:HEADER_BYTES]).hex()}", offset=0)


def read_footer(path: Path) -> Footer:
    """Return a file's footer with one read from its end (two where it is unusually long)."""
    try:
        with storage_of(path).open(path) as file:
            size = file.size
            tail = file.read_range(max(0, size - TAIL_BYTES), size)
            need = _trailer(tail, size)[0] + TRAILER_BYTES + 8
            if need > len(tail):
                tail = file.read_range(size - need, size)
        return parse_footer(tail, size)
    except ChunkError as error:
        raise ChunkError(error.reason, path=path, offset=error.offset, hint=error.hint) from None
