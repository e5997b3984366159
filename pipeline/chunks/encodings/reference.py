"""REFERENCE: what a value is above the least of its block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from cimis.pipeline.chunks.encodings.kind import Kind, Way

if TYPE_CHECKING:
    from cimis.pipeline.chunks.encodings.trial import Trial
    from cimis.pipeline.rows.numbers import Ints, Numbers, Words

__all__ = ["Reference"]


class Reference(Kind):
    """``base + r[i]``."""

    number: ClassVar[int] = 0
    name: ClassVar[str] = "REFERENCE"

    def candidates(self, trial: Trial) -> Iterator[tuple[Sequence[Way], Words]]:
        """Yield a way for every column."""
        ways: list[Way] = [(place, base, None) for place, base in enumerate(trial.least.tolist())]
        yield ways, (trial.counts - trial.least[:, None]).view("<u8")

    def numbers(self, words: Words, base: Ints) -> Numbers:
        """Return residuals above the base."""
        whole: Numbers = (words.view("<i8") if words.dtype.itemsize == 8 else words) + base
        return whole

    def plain(self, words: Iterable[int], base: int) -> Iterator[int]:
        """Yield residuals above the base."""
        return (word + base for word in words)
