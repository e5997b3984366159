"""LEB128 integers of many texts read in step: one field of every text at a time.

A footer is a run of integers of one to ten bytes, so that a field's place depends on all before
it. The integer that begins at each byte is found first, for all bytes at once; following the fields
of many footers is then a look-up a field.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cimis.pipeline.rows.numbers import Bools, Ints, Octets, Words

__all__ = ["InStep"]

_PAD = 16
_MOST_BYTES = 10
_FAR = 1 << 40
_WHOLE = (1 << 64) - 1


class InStep:
    """A place in each of many texts, and the fields that are read there.

    A text in which a field breaks a bound is marked in ``sound`` and goes on with 0 in its place,
    so that a caller need not look before the end; nothing outside the texts is ever read.

    Parameters
    ----------
    texts : sequence of bytes
    starts : sequence of int
        Where in each text the first field begins.

    Attributes
    ----------
    sound : bool array, one per text
    """

    def __init__(self, texts: Sequence[bytes], starts: Sequence[int]) -> None:
        data = b"".join((*texts, bytes(_PAD)))
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        self._ends = np.cumsum(sizes)
        self._at = self._ends - sizes + np.asarray(starts, np.int64)
        self._octets = np.frombuffer(data, np.uint8)
        self._limit = len(data) - _PAD + 1  # one behind the last end, so that no text ends there
        self._values, self._sizes = _integers(self._octets)
        self.sound = np.ones(len(texts), np.bool_)

    def refuse(self, who: Ints, wrong: Bools) -> None:
        """Mark those of some texts of which something is wrong."""
        if wrong.any():
            self.sound[who[wrong]] = False

    def unsigned(self, who: Ints, most: int | Ints = _WHOLE) -> Ints:
        """Return the next integer of some texts, each at most ``most``."""
        at = self._at[who]
        found: Words = self._values[at]
        self._at[who] = np.minimum(at + self._sizes[at], self._limit)
        if isinstance(most, int) and most == _WHOLE:
            return found.view(np.int64)
        beyond = found > np.asarray(most).astype(np.uint64)
        if beyond.any():
            self.sound[who[beyond]] = False
            found = np.where(beyond, np.uint64(0), found)
        return found.view(np.int64)

    def signed(self, who: Ints) -> Ints:
        """Return the next zigzag integer of some texts."""
        at = self._at[who]
        found = self._values[at]
        self._at[who] = np.minimum(at + self._sizes[at], self._limit)
        signed: Ints = ((found >> 1) ^ -(found & 1)).view(np.int64)
        return signed

    def octet(self, who: Ints) -> Ints:
        """Return the next byte of some texts."""
        at = self._at[who]
        self._at[who] = np.minimum(at + 1, self._limit)
        octets: Ints = self._octets[at].astype(np.int64)
        return octets

    def word(self, who: Ints) -> Ints:
        """Return the next 32 bits of some texts, little-endian."""
        at = self._at[who]
        self._at[who] = np.minimum(at + 4, self._limit)
        octets = self._octets[at[:, None] + np.arange(4)]
        words: Ints = octets.view("<u4")[:, 0].astype(np.int64)
        return words

    def finish(self) -> None:
        """Mark the texts that do not end where their fields do."""
        self.sound &= self._at == self._ends


def _integers(octets: Octets) -> tuple[Words, Ints]:
    """Return the integer that begins at each byte, and its bytes; far too many for one too long."""
    values = (octets & 0x7F).astype(np.uint64)
    sizes = np.ones(octets.size, np.int64)
    open_at = np.flatnonzero(octets > 0x7F)
    for depth in range(1, _MOST_BYTES):
        if open_at.size == 0:
            break
        following = octets[open_at + depth]
        values[open_at] |= (following & 0x7F).astype(np.uint64) << np.uint64(7 * depth)
        sizes[open_at] += 1
        if depth == _MOST_BYTES - 1:
            sizes[open_at[following > 1]] = _FAR
        open_at = open_at[following > 0x7F]
    return values, sizes
