"""Many V2 files joined in one text, their outsides checked and their footers read."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from pipeline.chunks.arrays import Ints
from pipeline.chunks.bulk.frames import unpack_footers
from pipeline.chunks.bulk.heads import Head, Heads
from pipeline.chunks.bulk.layout import Blocks, read_blocks
from pipeline.chunks.container import (
    FOOTER_FRAME,
    HEADER_BYTES,
    MAGIC,
    MAX_FOOTER_BYTES,
    TRAILER_BYTES,
    header,
)
from pipeline.chunks.key import ChunkKey

__all__ = ["Opened"]

_MAGIC = np.frombuffer(MAGIC, np.uint8)
_FOOTER_MAGIC = np.frombuffer(FOOTER_FRAME.to_bytes(4, "little"), np.uint8)
_LEAST = HEADER_BYTES + 8 + TRAILER_BYTES


class Opened:
    """Files joined, and the blocks that their footers tell of; what fails a check is left out.

    Attributes
    ----------
    keys : sequence of ChunkKey
        Of the files.
    data : bytes
        The files one after the other.
    starts : int64 array
        Where in it each file begins.
    blocks : Blocks or None
        Those of sound files; None where there is no such file.
    """

    def __init__(self, datas: Sequence[bytes], keys: Sequence[ChunkKey], heads: Heads) -> None:
        self.keys = keys
        self.data = b"".join(datas)
        sizes = np.fromiter(map(len, datas), np.int64, len(datas))
        self.starts = np.cumsum(sizes) - sizes
        self._heads: list[Head | None] = [None] * len(datas)
        self.blocks: Blocks | None = None
        files, ends, raws = self._footers(sizes)
        kept = []
        for file, end, raw in zip(files.tolist(), ends.tolist(), raws, strict=True):
            head = heads.read(raw, keys[file])
            if head is not None and datas[file].startswith(header(raw[1])):
                self._heads[file] = head
                kept.append((file, end, raw, head))
        if not kept:
            return
        numbers, kept_ends, kept_raws, kept_heads = zip(*kept, strict=True)
        years = [keys[number].year for number in numbers]
        blocks = read_blocks(kept_raws, kept_heads, np.array(kept_ends), keys[0].scope, years)
        blocks.file = np.array(numbers, np.int64)[blocks.file]
        if blocks.file.size:
            self.blocks = blocks

    def _footers(self, sizes: Ints) -> tuple[Ints, Ints, list[bytes]]:
        """Return which files have a sound footer, where their frames end, and the footers."""
        files = np.flatnonzero(sizes >= _LEAST)
        octets = np.frombuffer(self.data, np.uint8)
        stop = (self.starts + sizes)[files]
        trailer = octets[(stop - TRAILER_BYTES)[:, None] + np.arange(TRAILER_BYTES)]
        length, size, crc32, _ = trailer.view("<u4").astype(np.int64).T
        good = (trailer[:, 12:] == _MAGIC).all(axis=1) & (size <= MAX_FOOTER_BYTES)
        good &= length <= np.minimum(sizes[files] - _LEAST, MAX_FOOTER_BYTES)
        begin = np.where(good, stop - TRAILER_BYTES - length - 8, 0)
        first = octets[begin[:, None] + np.arange(8)]
        good &= (first[:, :4] == _FOOTER_MAGIC).all(axis=1)
        good &= first[:, 4:].view("<u4")[:, 0] == length + TRAILER_BYTES
        view = memoryview(self.data)
        places = zip(begin.tolist(), (stop - 8).tolist(), strict=True)
        found = [zlib.crc32(view[start:end]) for start, end in places]
        good &= np.array(found, np.int64) == crc32
        left = np.flatnonzero(good)
        raws = unpack_footers(self.data, begin[left] + 8, length[left], size[left])
        files = files[left]
        return files, begin[left] - self.starts[files], raws

    def of(self, file: int) -> Head:
        """Return the head of a file that has blocks."""
        head = self._heads[file]
        assert head is not None
        return head
