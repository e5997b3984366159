"""DOUBLE: the 64 bits of doubles, above a base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from cimis.pipeline.chunks.encodings.kind import Way
from cimis.pipeline.chunks.encodings.reference import Reference

if TYPE_CHECKING:
    from cimis.pipeline.chunks.encodings.trial import Trial
    from cimis.pipeline.rows.numbers import Ints, Words

__all__ = ["Double"]


class Double(Reference):
    """``base + r[i]``, whose 64 bits are the double; writers take 0 for the base."""

    number: ClassVar[int] = 5
    name: ClassVar[str] = "DOUBLE"
    doubles: ClassVar[bool] = True
    steps: ClassVar[bool] = False
    feature: ClassVar[int] = 2

    def candidates(self, trial: Trial) -> Iterator[tuple[Sequence[Way], Words]]:  # noqa: ARG002
        """Yield nothing: columns of integers have no such cell."""
        return iter(())

    def residuals(self, values: Ints) -> Words:
        """Return the bits of a column of doubles as they are: above 0."""
        return values.view("<u8")
