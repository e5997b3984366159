"""DELTA: how far a value is from the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar

from cimis.pipeline.chunks.encodings.kind import Kind, Way
from cimis.pipeline.chunks.encodings.signed import plain_unzigzag, unzigzag, zigzag

if TYPE_CHECKING:
    from cimis.pipeline.chunks.encodings.trial import Trial
    from cimis.pipeline.rows.numbers import Ints, Numbers, Words

__all__ = ["Delta"]


class Delta(Kind):
    """``base + Σ unzigzag(r[0..i])``, the base being the first value."""

    number: ClassVar[int] = 1
    name: ClassVar[str] = "DELTA"
    times: ClassVar[int] = 1

    def candidates(self, trial: Trial) -> Iterator[tuple[Sequence[Way], Words]]:
        """Yield a way for each column that varies."""
        yield trial.from_first(), zigzag(trial.differences(self.times))

    def numbers(self, words: Words, base: Ints) -> Numbers:
        """Return sums, as many times over as differences were taken."""
        # widened first: a sum that widens as it goes takes seven times as long
        sums: Numbers = unzigzag(words).astype("<i8")
        for _ in range(self.times):
            sums.cumsum(axis=-1, out=sums)
        sums += base
        return sums

    def plain(self, words: Iterable[int], base: int) -> Iterator[int]:
        """Yield the same sums."""
        sums = plain_unzigzag(words)
        for _ in range(self.times):
            sums = accumulate(sums)
        return (base + total for total in sums)
