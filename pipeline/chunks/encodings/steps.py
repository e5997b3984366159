"""Counts of steps in the place of values: what archives in English units were converted from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cimis.pipeline.chunks.encodings.kind import Step
from cimis.pipeline.chunks.encodings.signed import wrap
from cimis.pipeline.field.units import DEPTH, RADIATION, RUN, SPEED, TEMPERATURE

if TYPE_CHECKING:
    from cimis.pipeline.rows.numbers import Ints

__all__ = ["MAX_STEP", "STEPS", "count_steps", "plain_undo_steps", "undo_steps"]

MAX_STEP = 0x100_0000
STEPS: dict[int, tuple[Step, ...]] = {
    1: (RADIATION.step(0, 1), RUN.step(1, 1)),
    2: (DEPTH.step(2, 2), TEMPERATURE.step(1, 2), SPEED.step(1, 2)),
    3: (DEPTH.step(2, 3), SPEED.step(1, 3), SPEED.step(2, 3)),
}
"""By decimals of a column, the widths of the English units that archives are converted from."""


def count_steps(values: Ints, step: Step) -> Ints:
    """Return how many steps are nearest to each value; values are of at most 2**40."""
    numerator, denominator = step
    counts: Ints = (2 * values * denominator + numerator) // (2 * numerator)
    return counts


def undo_steps(counts: Ints, step: Step) -> Ints:
    """Return counts of steps as values: times the step, rounded, halves up."""
    numerator, denominator = step
    values: Ints = (2 * numerator * counts + denominator) // (2 * denominator)
    return values


def plain_undo_steps(counts: Iterable[int], step: Step) -> Iterator[int]:
    """Yield what `undo_steps` returns."""
    numerator, denominator = step
    return (wrap(2 * numerator * n + denominator) // (2 * denominator) for n in counts)
