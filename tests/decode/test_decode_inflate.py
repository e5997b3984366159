"""Compressed bodies come out whole and counted, or are a retryable error."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from decode_bodies import body, generated

from cimis.pipeline.decode import StreamDecoder
from cimis.pipeline.errors import DecodeError, NetworkError
from cimis.pipeline.field.items import Scope
from cimis.pipeline.service import BodyInflater
from cimis.pipeline.service.inflate import MAX_OUTPUT

DATA = body(*generated(Scope.DAILY, 60))


def _raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACK: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "gzip members": (
        "gzip",
        lambda d: gzip.compress(d[:5000], mtime=0) + gzip.compress(d[5000:], mtime=0),
    ),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw),
    "zstd": ("zstd", _zstd),
    "zstd frames": ("zstd", lambda d: _zstd(d[:5000]) + _zstd(d[5000:])),
    "identity": ("identity", bytes),
}
STRICT = [name for name in PACK if name != "identity"]


def _inflate(wire: bytes, encoding: str | None, size: int) -> tuple[bytes, BodyInflater]:
    inflater = BodyInflater(encoding)
    out = [inflater.feed(wire[i : i + size]) for i in range(0, len(wire), size)]
    return b"".join(out) + inflater.finish(), inflater


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_round_trip_in_pieces(name: str, size: int) -> None:
    """Pieces of any size inflate to the body; bytes on the wire and after are counted."""
    encoding, pack = PACK[name]
    wire = pack(DATA)
    data, inflater = _inflate(wire, encoding, size)
    assert data == DATA
    assert (inflater.wire_bytes, inflater.decoded_bytes) == (len(wire), len(DATA))


def test_no_header_means_identity() -> None:
    """Without a Content-Encoding the bytes pass unchanged."""
    assert _inflate(DATA, None, 100)[0] == DATA


@pytest.mark.parametrize("name", STRICT)
def test_a_cut_body_is_an_error(name: str) -> None:
    """Bytes missing at the end are noticed even where all the data came out."""
    encoding, pack = PACK[name]
    wire = pack(DATA)
    for end in [0, 1, 2, 10, len(wire) // 2, len(wire) - 9, len(wire) - 4, len(wire) - 1]:
        with pytest.raises(NetworkError) as caught:
            _inflate(wire[:end], encoding, 1000)
        assert caught.value.kind == "corrupt_body"
        assert caught.value.retryable


@pytest.mark.parametrize("name", ["gzip", "zstd", "deflate"])
def test_a_flipped_bit_is_an_error(name: str) -> None:
    """Damage anywhere in the compressed data is noticed by structure or checksum."""
    encoding, pack = PACK[name]
    wire = pack(DATA)
    skipped = range(3, 10) if name == "gzip" else ()  # time and system: nothing depends on them
    for at in (i for i in range(0, len(wire), 61) if i not in skipped):
        damaged = bytearray(wire)
        damaged[at] ^= 16
        try:
            data, _ = _inflate(bytes(damaged), encoding, 1000)
        except NetworkError:
            continue
        assert data == DATA


@pytest.mark.parametrize("name", STRICT)
def test_bytes_after_the_end_are_an_error(name: str) -> None:
    """Garbage behind the compressed stream is damage."""
    encoding, pack = PACK[name]
    for size in (7, 1 << 20):
        with pytest.raises(NetworkError):
            _inflate(pack(DATA) + b"garbage garbage", encoding, size)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
def test_plain_bytes_under_a_compressed_name_are_an_error(encoding: str) -> None:
    """A header that does not tell the truth is damage."""
    with pytest.raises(NetworkError):
        _inflate(DATA, encoding, 1000)


@pytest.mark.parametrize("pack", [gzip.compress, _zstd])
def test_output_of_one_piece_is_bounded(pack: Callable[[bytes], bytes]) -> None:
    """A piece that inflates beyond all measure is refused before it fills the memory."""
    bomb = pack(bytes(MAX_OUTPUT + 1))
    encoding = "gzip" if pack is gzip.compress else "zstd"
    with pytest.raises(NetworkError, match="inflate"):
        BodyInflater(encoding).feed(bomb)


def test_an_unknown_encoding_is_an_error() -> None:
    """Brotli is not asked for, so it is not the API's."""
    with pytest.raises(DecodeError, match="br"):
        BodyInflater("br")


def test_inflater_and_decoder_work_together() -> None:
    """Wire pieces go through both, piece by piece."""
    wire = gzip.compress(DATA, mtime=0)
    inflater, decoder = BodyInflater("gzip"), StreamDecoder("daily")
    found = []
    for i in range(0, len(wire), 333):
        found += decoder.feed(inflater.feed(wire[i : i + 333]))
    found += decoder.feed(inflater.finish()) + decoder.finish()
    assert sum(b.num_rows for b in found) == 60
