"""The kinds of encoding of a block's column, and what each needs to be undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Encoding", "Kind", "Predictor"]


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
    """How one block's column is encoded: kind, bytes per residual, and what the kind needs."""

    kind: Kind
    width: int
    base: int = 0
    predictor: Predictor | None = None
