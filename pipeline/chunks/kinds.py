"""The kinds of encoding of a block's column, and what each needs to be undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["MAX_LOW_BITS", "MAX_STEP", "Encoding", "Kind", "Predictor", "Step"]

MAX_LOW_BITS = 7
MAX_STEP = 1 << 24

Step = tuple[int, int]
"""Numerator and denominator of the step that values are rounded multiples of."""


class Kind(IntEnum):
    """How residuals come from values."""

    REFERENCE = 0
    DELTA = 1
    DELTA2 = 2
    LINEAR = 3
    PSYCHRO = 4
    DOUBLE = 5


@dataclass(frozen=True, slots=True)
class Predictor:
    """What a predicted column rests on.

    ``columns`` are column numbers; for LINEAR the prediction is
    ``(offset + sum(coefficient * value)) >> 16``, for PSYCHRO ``formula`` of the columns.
    """

    columns: tuple[int, ...]
    coefficients: tuple[int, ...] = ()
    offset: int = 0
    formula: int = 0


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one block's column is encoded: kind, how residuals lie, and what the kind needs.

    ``width`` is the number of byte planes. With ``low`` bits (1 to 7) there is one plane, of the
    residuals shifted right by so many, and the low bits follow it, packed. With a ``step`` the kind
    gives counts of steps, and values are these times the step, rounded.
    """

    kind: Kind
    width: int
    base: int = 0
    predictor: Predictor | None = None
    low: int = 0
    step: Step | None = None

    def frame_bytes(self, rows: int) -> int:
        """Return the bytes that the residuals of so many rows take before compression."""
        return self.width * rows + (self.low * rows + 7 >> 3)
