"""Damage never passes unnoticed: every bit, every length, and footers that lie."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest
import zstandard

from cimis.pipeline.chunks.v2 import codec as v2
from cimis.pipeline.chunks.v2 import container
from cimis.pipeline.errors import ChunkError
from tests.chunks.golden_chunks import GOLDEN
from tests.chunks.hostile_chunks import HOSTILE


def _golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.zst").read_bytes()


def _undamaged(data: bytes) -> bool:
    try:
        v2.decode_scaled(data)
    except ChunkError:
        return False
    return True


@pytest.mark.parametrize("name", ["three_days", "spatial_zip", "extremes"])
def test_every_flipped_bit_is_reported(name: str) -> None:
    data = bytearray(_golden(name))
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        assert not _undamaged(bytes(data)), f"bit {bit}"
        data[bit // 8] ^= 1 << bit % 8


def test_flipped_bits_of_a_year_are_reported() -> None:
    data = bytearray(_golden("daily_year"))
    for bit in range(0, len(data) * 8, 61):
        data[bit // 8] ^= 1 << bit % 8
        assert not _undamaged(bytes(data)), f"bit {bit}"
        data[bit // 8] ^= 1 << bit % 8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["daily_year", "hourly_quarter"])
def test_every_flipped_bit_of_a_year_is_reported(name: str) -> None:
    data = bytearray(_golden(name))
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        assert not _undamaged(bytes(data)), f"bit {bit}"
        data[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize("name", ["three_days", "daily_year"])
def test_every_truncation_is_reported(name: str) -> None:
    data = _golden(name)
    for length in range(len(data)):
        with pytest.raises(ChunkError):
            v2.decode_scaled(data[:length])


def test_bytes_behind_the_trailer_are_reported() -> None:
    with pytest.raises(ChunkError, match="not the magic"):
        v2.decode_scaled(_golden("three_days") + b"\0")


def test_a_flipped_bit_in_a_column_that_is_not_read_does_not_matter_to_others() -> None:
    data = bytearray(_golden("three_days"))
    data[0x32] ^= 1  # inside the frame of the second column
    table = v2.decode_scaled(bytes(data), columns=["date", "air_tmp_avg"])
    assert table["air_tmp_avg"].to_pylist() == [81, None, 94]
    with pytest.raises(ChunkError, match="checksum"):
        v2.decode_scaled(bytes(data), columns=["precip"])


LIES = [name for name, hostile in HOSTILE.items() if hostile.rule < 8]


@pytest.mark.parametrize("lie", LIES)
def test_a_footer_that_lies_is_reported(lie: str) -> None:
    with pytest.raises(ChunkError) as caught:
        v2.decode_scaled(HOSTILE[lie].made())
    assert caught.value.reason


def test_an_unknown_version_names_itself_and_what_to_do() -> None:
    with pytest.raises(ChunkError, match="version 3; 2 is known") as caught:
        v2.decode_scaled(HOSTILE["version"].made())
    assert caught.value.hint is not None
    assert "update" in caught.value.hint


def _with_trailer(packed: int, unpacked: int) -> bytes:
    data = _golden("three_days")
    start = container.parse_footer(data, len(data)).data_end
    tail = data[start:-16] + struct.pack("<2I", packed, unpacked)
    return data[:start] + tail + struct.pack("<I", zlib.crc32(tail)) + b"CIM2"


@pytest.mark.parametrize(
    ("packed", "unpacked"), [(1 << 31, 93), (72, 1 << 31), (71, 93), (72, 94), (0, 0), (72, 92)]
)
def test_a_trailer_that_lies_is_reported_without_allocating(packed: int, unpacked: int) -> None:
    data = _with_trailer(packed, unpacked)
    tracemalloc.start()
    try:
        with pytest.raises(ChunkError):
            v2.decode_scaled(data)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_frame_that_is_a_bomb_is_reported_without_allocating() -> None:
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
    data = _golden("three_days")
    footer = container.parse_footer(data, len(data))
    block = footer.blocks[0]
    cell = block.cells[1]._replace(length=len(bomb), crc32=zlib.crc32(bomb))
    frames = data[container.HEADER_BYTES : block.cells[1].offset] + bomb
    lying = footer._replace(blocks=(block._replace(cells=(block.cells[0], cell)),))
    tracemalloc.start()
    try:
        with pytest.raises(ChunkError):
            v2.decode_scaled(container.seal(frames, lying))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [b"", b"x", b"CIM2", bytes(38), b"CIM2" * 20, bytes(1000)])
def test_what_is_no_chunk_is_reported(data: bytes) -> None:
    with pytest.raises(ChunkError):
        v2.decode_scaled(data)
