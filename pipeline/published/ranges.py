"""A published chunk as an open file: whole where it is small, by ranges where it is large."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from cimis.pipeline.chunks.v2.container import TAIL_BYTES
from cimis.pipeline.errors import ChunkError
from cimis.pipeline.published.places import below
from cimis.pipeline.published.snapshot import Lies
from cimis.pipeline.storage.checksum import checksum_of
from cimis.pipeline.storage.locations import url_of

__all__ = ["Ranges", "Whole", "damaged"]

_WINDOW_BYTES = 3 << 13
"""What is fetched at once where nobody said how far it goes."""


class Whole:
    """A chunk whose bytes are here; an open file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``."""
        return self._data[start:stop]

    def ahead(self, _start: int, _stop: int) -> None:
        """Do nothing: all is here."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Ranges:
    """A chunk that is read by ranges; its end first, which tells that it is the right one."""

    def __init__(self, path: Path, lies: Lies, ask: Callable[[int, int], bytes]) -> None:
        self.size = lies.bytes
        self._ask = ask
        begin = max(0, self.size - TAIL_BYTES)
        tail = ask(begin, self.size)
        if checksum_of(tail) != lies.tail:
            raise damaged(path, lies, f"an end of {len(tail):,} bytes of another checksum")
        self._pieces = [(begin, tail)]

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` up to ``stop``; what follows comes with them."""
        stop = min(stop, self.size)
        for begin, piece in self._pieces:
            if begin <= start and stop <= begin + len(piece):
                return piece[start - begin : stop - begin]
        self.ahead(start, max(stop, min(start + _WINDOW_BYTES, self._pieces[0][0])))
        begin, piece = self._pieces[-1]
        return piece[start - begin : stop - begin]

    def ahead(self, start: int, stop: int) -> None:
        """Fetch a range that is going to be read in parts."""
        stop = min(stop, self.size)
        if all(start < begin or stop > begin + len(piece) for begin, piece in self._pieces):
            self._pieces.append((start, self._ask(start, stop)))

    def close(self) -> None:
        """Let go of what was read."""
        self._pieces = self._pieces[:1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def damaged(path: Path, lies: Lies, found: str) -> ChunkError:
    """Return what is said of a chunk whose object does not hold it."""
    root, _ = below(path)
    return ChunkError(
        f"the object {lies.object} holds {found} where {lies.bytes:,} bytes are due",
        path=path,
        hint="open the store again; if it stays so, 'cimis publish --resend' mends it, and "
        f"'cimis verify {url_of(root)}' names all that is damaged",
    )
