"""Many V2 files joined in one text, their outsides checked and their footers read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cimis.pipeline.chunks.bulk.heads import Head, Heads
from cimis.pipeline.chunks.bulk.layout import Blocks, read_blocks
from cimis.pipeline.chunks.key import ChunkKey
from cimis.pipeline.chunks.v2.container import check_header, footer_of
from cimis.pipeline.errors import ChunkError

__all__ = ["Opened"]


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
        kept = []
        for file, (data, key) in enumerate(zip(datas, keys, strict=True)):
            try:
                raw, end = footer_of(data, len(data))
                check_header(data, raw[1])
            except ChunkError:
                continue
            head = self._heads[file] = heads.read(raw, key)
            if head is not None:
                kept.append((file, end, raw, head))
        if not kept:
            return
        numbers, kept_ends, kept_raws, kept_heads = zip(*kept, strict=True)
        years = [keys[number].year for number in numbers]
        blocks = read_blocks(kept_raws, kept_heads, np.array(kept_ends), keys[0].scope, years)
        blocks.file = np.array(numbers, np.int64)[blocks.file]
        if blocks.file.size:
            self.blocks = blocks

    def of(self, file: int) -> Head:
        """Return the head of a file that has blocks."""
        head = self._heads[file]
        assert head is not None
        return head
